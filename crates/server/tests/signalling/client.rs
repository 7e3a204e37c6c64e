//! A server in this process, on a free port and with scripted media, and clients for it.

#![allow(dead_code, reason = "each test program uses its part")]

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async, connect_async};
use twoway_server::core::backend::{Command, MediaBackend};
use twoway_server::counters::Reason;
use twoway_server::net::{self, EventSink, Running};
use wire::{
    ClientMessage, Connection, MediaSessionId, PlayStream, PublishStream, ServerMessage,
    SnapshotRequest, StreamName,
};

use crate::fake_backend::{FLOWS, FakeBackend};

/// Waiting longer than this for anything is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// Size of the picture that scripted media takes.
pub(crate) const PICTURE_BYTES: usize = 3 << 20;

/// Waits for something that must happen.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(PATIENCE, future).await;
    waited.expect("what was waited for did not happen")
}

struct ScriptedMedia {
    backend: FakeBackend,
    events: EventSink,
}

impl MediaBackend for ScriptedMedia {
    fn send(&mut self, command: Command) {
        self.backend.command(command);
        while let Some(event) = self.backend.poll_event() {
            self.events.send(event);
        }
        while self.backend.waits_for_snapshot() {
            let event = self.backend.take_snapshot(Ok(vec![0; PICTURE_BYTES]));
            self.events.send(event);
        }
    }
}

pub(crate) fn config() -> net::Config {
    net::Config::new(SocketAddr::from(([127, 0, 0, 1], 0)))
}

pub(crate) async fn start(config: net::Config) -> Running {
    let started = net::serve_with(config, |events, _| {
        let backend = FakeBackend::default();
        Ok::<_, Infallible>(ScriptedMedia { backend, events })
    });
    started.await.unwrap()
}

pub(crate) struct Client<S = MaybeTlsStream<TcpStream>> {
    socket: WebSocketStream<S>,
}

impl Client {
    /// A client that has opened its socket and said nothing.
    pub(crate) async fn open(addr: SocketAddr, path: &str) -> Self {
        Self::open_with(addr, path, &[]).await.unwrap()
    }

    /// The same with these headers; the status if the server does not want it.
    pub(crate) async fn open_with(
        addr: SocketAddr,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let mut request = format!("ws://{addr}{path}").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match soon(connect_async(request)).await {
            Ok((socket, _)) => Ok(Self { socket }),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// A client with an established session and nothing unread.
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        let mut client = Self::open(addr, "/").await;
        client.establish().await;
        client
    }

    /// A client that publishes `name`.
    pub(crate) async fn publishing(addr: SocketAddr, name: &str) -> Self {
        let mut client = Self::connect(addr).await;
        client.send(&publish("p", name)).await;
        assert_eq!(client.status().await, "p PUBLISHING");
        client
    }

    pub(crate) fn into_socket(self) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
        self.socket
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// A client that opens its socket on a connection that there is already.
    pub(crate) async fn over(stream: S) -> Self {
        let (socket, _) = soon(client_async("ws://localhost/", stream)).await.unwrap();
        Self { socket }
    }

    /// Establishes a session, with nothing left unread.
    pub(crate) async fn establish(&mut self) {
        self.send(&ClientMessage::Connection(Connection::default()))
            .await;
        assert!(matches!(self.next().await, ServerMessage::UserData(_)));
        assert!(matches!(self.next().await, ServerMessage::Version(_)));
    }

    pub(crate) async fn send(&mut self, message: &ClientMessage) {
        self.send_frame(Message::text(message.encode())).await;
    }

    pub(crate) async fn send_frame(&mut self, frame: Message) {
        soon(self.socket.send(frame)).await.unwrap();
    }

    /// The next message but pings.
    pub(crate) async fn next(&mut self) -> ServerMessage {
        loop {
            let frame = soon(self.socket.next()).await.expect("open").unwrap();
            if let Message::Text(text) = frame {
                let message = ServerMessage::decode(&text).unwrap();
                if message != ServerMessage::Ping {
                    return message;
                }
            }
        }
    }

    /// The next status, as `id STATUS info`.
    pub(crate) async fn status(&mut self) -> String {
        loop {
            if let ServerMessage::StreamStatus(event) = self.next().await {
                let info = event.info.unwrap_or_default();
                let (id, status) = (event.media_session_id, event.status.as_str().to_owned());
                return format!("{id} {status} {info}").trim_end().to_owned();
            }
        }
    }

    /// The info of the next `fail`.
    pub(crate) async fn failure(&mut self) -> String {
        loop {
            if let ServerMessage::Fail(failure) = self.next().await {
                return failure.info.unwrap_or_default();
            }
        }
    }

    /// Reads until the server closes; the close code.
    pub(crate) async fn close_code(&mut self) -> u16 {
        loop {
            let frame = soon(self.socket.next()).await.expect("a close frame");
            if let Message::Close(Some(close)) = frame.unwrap() {
                return close.code.into();
            }
        }
    }

    /// The session works: its publish and a play of it go through.
    pub(crate) async fn assert_untouched(&mut self, name: &str) {
        self.send(&play("check", name)).await;
        assert_eq!(self.status().await, "check PLAYING");
    }
}

pub(crate) fn publish(id: &str, name: &str) -> ClientMessage {
    ClientMessage::PublishStream(PublishStream {
        media_session_id: Some(MediaSessionId::new(id)),
        name: Some(StreamName::new(name)),
        sdp: FLOWS.into(),
        ..PublishStream::default()
    })
}

pub(crate) fn play(id: &str, name: &str) -> ClientMessage {
    ClientMessage::PlayStream(PlayStream {
        media_session_id: Some(MediaSessionId::new(id)),
        name: Some(StreamName::new(name)),
        sdp: FLOWS.into(),
        ..PlayStream::default()
    })
}

pub(crate) fn snapshot(id: &str, name: &str) -> ClientMessage {
    ClientMessage::Snapshot(SnapshotRequest {
        media_session_id: Some(MediaSessionId::new(id)),
        name: Some(StreamName::new(name)),
    })
}

/// Waits until `reason` was counted `times`.
pub(crate) async fn counted(server: &Running, reason: Reason, times: u64) {
    soon(async {
        while server.counters().of(reason) < times {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(server.counters().of(reason), times);
}
