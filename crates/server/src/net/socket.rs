//! One client's WebSocket: a task that reads and writes, and the actor's end of it.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tungstenite::error::{CapacityError, Error as WsError};

use super::LINGER;
use super::actor::{Measured, Message};
use super::addresses::SocketPlace;
use super::connections::Place;
use super::gate::{Gate, SessionGate, Verdict};
use super::http::Ends;
use crate::allowance::Allowance;
use crate::core::{
    Answer, ClientId, CloseCode, Input, ListedSession, ListedStream, Order, Page, Reply,
    SessionFilter, Stats, StreamFilter,
};
use crate::limits::Limits;

/// Bytes read from a socket at a time, which each keeps room for: signalling is
/// small, and most of the time there is none.
const READ_BUFFER: usize = 1_024;

/// What every socket needs of the server.
#[derive(Debug, Clone)]
pub(super) struct Hub {
    inbox: mpsc::Sender<Message>,
    limits: Arc<Limits>,
    last_client: Arc<AtomicU64>,
    gate: Gate,
    /// Held by every open socket, so that a shutdown can wait for all.
    open: mpsc::Sender<Infallible>,
}

impl Hub {
    pub(super) fn new(
        inbox: mpsc::Sender<Message>,
        limits: Limits,
        open: mpsc::Sender<Infallible>,
        gate: Gate,
    ) -> Self {
        Self {
            inbox,
            limits: Arc::new(limits),
            last_client: Arc::default(),
            gate,
            open,
        }
    }

    /// Answers a WebSocket upgrade and serves the socket from then on, which
    /// keeps its places among the connections.
    pub(super) fn upgrade(
        self,
        upgrade: WebSocketUpgrade,
        ends: Ends,
        places: (Place, SocketPlace),
        session: SessionGate,
    ) -> Response {
        upgrade
            .read_buffer_size(READ_BUFFER)
            .max_message_size(self.limits.message_bytes)
            .max_frame_size(self.limits.message_bytes)
            .on_upgrade(async move |socket| {
                self.serve(socket, ends, session).await;
                drop(places);
            })
    }

    /// How much of everything there is; `None` once the server ends.
    pub(super) async fn stats(&self) -> Option<Stats> {
        let (reply, stats) = oneshot::channel();
        self.inbox.send(Message::Stats(reply)).await.ok()?;
        stats.await.ok()
    }

    /// How much of everything there is and waits; `None` once the server ends.
    pub(super) async fn measure(&self) -> Option<Measured> {
        let (reply, measured) = oneshot::channel();
        self.inbox.send(Message::Measure(reply)).await.ok()?;
        measured.await.ok()
    }

    /// How many inputs wait for the actor.
    pub(super) fn inputs_waiting(&self) -> usize {
        self.inbox.max_capacity() - self.inbox.capacity()
    }

    /// A part of a list of streams, from `after` on; `None` once the server ends.
    pub(super) async fn streams(
        &self,
        filter: StreamFilter,
        after: u64,
    ) -> Option<Page<ListedStream>> {
        let (reply, page) = oneshot::channel();
        let asked = Message::Streams {
            filter,
            after,
            reply,
        };
        self.inbox.send(asked).await.ok()?;
        page.await.ok()
    }

    /// A part of a list of sessions, from `after` on; `None` once the server ends.
    pub(super) async fn sessions(
        &self,
        filter: SessionFilter,
        after: u64,
    ) -> Option<Page<ListedSession>> {
        let (reply, page) = oneshot::channel();
        let asked = Message::Sessions {
            filter,
            after,
            reply,
        };
        self.inbox.send(asked).await.ok()?;
        page.await.ok()
    }

    /// Has an operator's order done; `None` once the server ends.
    pub(super) async fn order(&self, order: Order) -> Option<Answer> {
        let client = self.next_client();
        let (answered, answer) = oneshot::channel();
        let mut waiting = Waiting {
            inbox: &self.inbox,
            client: Some(client),
        };
        let asked = Message::Order {
            client,
            order,
            answered,
        };
        self.inbox.send(asked).await.ok()?;
        let answer = answer.await.ok();
        waiting.client = None;
        answer
    }

    /// Hands an HTTP request to the core and waits for the answer; `None` once
    /// the server ends.
    pub(super) async fn request(&self, input: impl FnOnce(ClientId) -> Input) -> Option<Reply> {
        let client = self.next_client();
        let (replied, reply) = oneshot::channel();
        let request = Message::Request {
            client,
            input: input(client),
            replied,
        };
        let mut waiting = Waiting {
            inbox: &self.inbox,
            client: Some(client),
        };
        self.inbox.send(request).await.ok()?;
        let reply = reply.await.ok();
        waiting.client = None;
        reply
    }

    fn next_client(&self) -> ClientId {
        ClientId(self.last_client.fetch_add(1, Ordering::Relaxed))
    }

    async fn serve(self, socket: WebSocket, ends: Ends, session: SessionGate) {
        let nonce = match super::random_bits() {
            Ok(nonce) => nonce,
            Err(error) => return tracing::error!(%error, "no randomness"),
        };
        let client = self.next_client();
        let (link, outgoing) = Link::new(&self.limits);
        let join = Message::Join {
            client,
            remote: ends.remote,
            local: ends.local,
            nonce,
            link,
        };
        if self.inbox.send(join).await.is_err() {
            return;
        }
        let (sink, stream) = socket.split();
        let mut reader = Reader {
            client,
            inbox: &self.inbox,
            gate: &self.gate,
            session,
        };
        tokio::select! {
            () = reader.read(stream, self.limits.messages_per_second) => {}
            () = write(sink, outgoing.frames, &outgoing.backlog) => {}
            () = given_up(outgoing.closed) => {}
        }
        let gone = Message::Input(Input::Gone { client });
        // At the server's end nobody needs to know.
        let _ = self.inbox.send(gone).await;
        drop(self.open);
    }
}

/// An HTTP request that waits for its reply. Dropped before that, it takes back
/// what was asked for.
struct Waiting<'a> {
    inbox: &'a mpsc::Sender<Message>,
    /// `None` once there is a reply.
    client: Option<ClientId>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(client) = self.client {
            // With no room for it, nobody takes the reply, which is as good.
            let _ = self.inbox.try_send(Message::Input(Input::Gone { client }));
        }
    }
}

/// Takes in what a client sends.
struct Reader<'a> {
    client: ClientId,
    inbox: &'a mpsc::Sender<Message>,
    gate: &'a Gate,
    session: SessionGate,
}

impl Reader<'_> {
    /// Hands everything that comes to the actor; returns when the socket is over,
    /// and only then, so that a close frame can still go out.
    async fn read(&mut self, mut stream: SplitStream<WebSocket>, per_second: u32) {
        let client = self.client;
        let mut allowance = Allowance::new(per_second, per_second.saturating_mul(2));
        while let Some(frame) = stream.next().await {
            let input = match frame {
                Ok(_) if !allowance.take(1, Instant::now()) => Input::Flooding { client },
                Ok(Frame::Text(text)) => self.judge(text.to_string()).await,
                Ok(Frame::Binary(_)) => Input::Binary { client },
                Ok(Frame::Ping(_) | Frame::Pong(_) | Frame::Close(_)) => continue,
                // What follows cannot be told apart from the message's rest.
                Err(error) if is_oversized(&error) => Input::Oversized { client },
                Err(_) => return,
            };
            let last = matches!(input, Input::Oversized { .. } | Input::Flooding { .. });
            let actor_ended = self.inbox.send(Message::Input(input)).await.is_err();
            if last || actor_ended {
                return std::future::pending().await;
            }
        }
    }

    /// A message as the core gets to see it: whether the client may have what it asks
    /// for is decided here, one message after another.
    async fn judge(&mut self, text: String) -> Input {
        let client = self.client;
        match self.gate.decide(&mut self.session, &text).await {
            Verdict::Pass => Input::Text { client, text },
            Verdict::Refuse { message, denied } => Input::Denied {
                client,
                message,
                denied,
            },
        }
    }
}

fn is_oversized(error: &axum::Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref());
    matches!(
        cause,
        Some(WsError::Capacity(CapacityError::MessageTooLong { .. }))
    )
}

/// Writes what the actor sends. After its close frame the client's answer is
/// still to be read, so it returns only if the socket is over.
async fn write(
    mut sink: SplitSink<WebSocket, Frame>,
    mut frames: mpsc::Receiver<Queued>,
    backlog: &Backlog,
) {
    while let Some(Queued { frame, large }) = frames.recv().await {
        let bytes = size(&frame);
        if sink.send(frame).await.is_err() {
            return;
        }
        backlog.of(large).fetch_sub(bytes, Ordering::Relaxed);
    }
    std::future::pending().await
}

/// Ends a while after the actor let go of the client.
async fn given_up(closed: oneshot::Receiver<Infallible>) {
    let _ = closed.await;
    tokio::time::sleep(LINGER).await;
}

/// The actor's end of a client: a bounded queue. Dropping it ends the socket
/// after [`LINGER`].
#[derive(Debug)]
pub(super) struct Link {
    frames: mpsc::Sender<Queued>,
    backlog: Arc<Backlog>,
    max_backlog: usize,
    max_large: usize,
    _open: oneshot::Sender<Infallible>,
}

/// The socket's end of a [`Link`].
struct Outgoing {
    frames: mpsc::Receiver<Queued>,
    backlog: Arc<Backlog>,
    closed: oneshot::Receiver<Infallible>,
}

/// A frame on its way to the socket.
#[derive(Debug)]
struct Queued {
    frame: Frame,
    /// Counted apart, so that one picture does not make its client a slow one.
    large: bool,
}

/// Bytes on their way to the socket.
#[derive(Debug, Default)]
struct Backlog {
    messages: AtomicUsize,
    large: AtomicUsize,
}

impl Backlog {
    fn of(&self, large: bool) -> &AtomicUsize {
        if large { &self.large } else { &self.messages }
    }
}

/// The client reads too slowly.
#[derive(Debug)]
pub(super) struct Overflow;

impl Link {
    fn new(limits: &Limits) -> (Self, Outgoing) {
        // One place more, kept for the close frame.
        let (frames, frames_out) = mpsc::channel(limits.queued_messages + 1);
        let (open, closed) = oneshot::channel();
        let backlog = Arc::new(Backlog::default());
        let link = Self {
            frames,
            backlog: Arc::clone(&backlog),
            max_backlog: limits.queued_bytes,
            max_large: limits.queued_picture_bytes,
            _open: open,
        };
        let outgoing = Outgoing {
            frames: frames_out,
            backlog,
            closed,
        };
        (link, outgoing)
    }

    /// How many messages wait for the client, and bytes.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let messages = self.frames.max_capacity() - self.frames.capacity();
        let bytes = [false, true].map(|large| self.backlog.of(large).load(Ordering::Relaxed));
        (messages, bytes.iter().sum())
    }

    /// Queues a message. One to a socket that is over is dropped.
    pub(super) fn send(&self, text: String) -> Result<(), Overflow> {
        let waiting = &self.backlog.messages;
        if waiting.load(Ordering::Relaxed) + text.len() > self.max_backlog {
            return Err(Overflow);
        }
        waiting.fetch_add(text.len(), Ordering::Relaxed);
        self.queue(text, false)
    }

    /// Queues a large message, or `otherwise` if there is no room for it.
    pub(super) fn send_large(&self, text: String, otherwise: String) -> Result<(), Overflow> {
        let waiting = &self.backlog.large;
        if waiting.load(Ordering::Relaxed) + text.len() > self.max_large {
            return self.send(otherwise);
        }
        waiting.fetch_add(text.len(), Ordering::Relaxed);
        self.queue(text, true)
    }

    fn queue(&self, text: String, large: bool) -> Result<(), Overflow> {
        if self.frames.capacity() <= 1 {
            return Err(Overflow);
        }
        let frame = Frame::Text(text.into());
        match self.frames.try_send(Queued { frame, large }) {
            Ok(()) | Err(TrySendError::Closed(_)) => Ok(()),
            Err(TrySendError::Full(_)) => Err(Overflow),
        }
    }

    /// Queues a message unless more than half of the queue is taken.
    pub(super) fn update(&self, text: String) -> Result<(), Overflow> {
        let waiting = self.backlog.messages.load(Ordering::Relaxed);
        let busy = self.frames.capacity() <= self.frames.max_capacity() / 2;
        if busy || waiting > self.max_backlog / 2 {
            return Err(Overflow);
        }
        self.send(text)
    }

    /// Queues the close frame behind everything else.
    pub(super) fn close(self, code: CloseCode, reason: String) {
        let frame = Frame::Close(Some(CloseFrame {
            code: code as u16,
            reason: reason.into(),
        }));
        let large = false;
        if self.frames.try_send(Queued { frame, large }).is_err() {
            tracing::debug!("the socket was over before it was closed");
        }
    }
}

fn size(frame: &Frame) -> usize {
    match frame {
        Frame::Text(text) => text.len(),
        Frame::Binary(_) | Frame::Ping(_) | Frame::Pong(_) | Frame::Close(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_leave_room_for_what_must_be_said() {
        let limits = Limits {
            queued_messages: 4,
            queued_bytes: 100,
            ..Limits::default()
        };
        let (link, _outgoing) = Link::new(&limits);
        assert!(link.update("1".into()).is_ok());
        assert!(link.update("2".into()).is_ok());
        assert!(link.update("3".into()).is_ok());
        assert!(link.update("4".into()).is_err());
        assert!(link.send("4".into()).is_ok());
        let (link, _outgoing) = Link::new(&limits);
        assert!(link.send("x".repeat(60)).is_ok());
        assert!(link.update("1".into()).is_err());
        assert!(link.send("1".into()).is_ok());
        // One that would not fit at all leaves no trace.
        let (link, _outgoing) = Link::new(&limits);
        assert!(link.update("x".repeat(101)).is_err());
        assert!(link.send("x".repeat(100)).is_ok());
    }

    #[test]
    fn a_picture_that_fits_costs_its_client_nothing() {
        let limits = Limits {
            queued_bytes: 10,
            queued_picture_bytes: 100,
            ..Limits::default()
        };
        let (link, mut outgoing) = Link::new(&limits);
        let picture = || "x".repeat(60);
        assert!(link.send_large(picture(), "no".into()).is_ok());
        // The second one has no room, and its client is told in few words.
        assert!(link.send_large(picture(), "no".into()).is_ok());
        assert!(link.send("8 bytes.".into()).is_ok());
        assert!(link.send("1".into()).is_err());
        let sizes = std::iter::from_fn(|| outgoing.frames.try_recv().ok());
        let sizes: Vec<_> = sizes.map(|queued| size(&queued.frame)).collect();
        assert_eq!(sizes, [60, 2, 8]);
    }
}
