//! The one task that owns the core: inputs in, effects out.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, oneshot};

use super::events::Events;
use super::socket::{Link, Overflow};
use super::tracker::{Seen, Tracker};
use crate::core::backend::MediaBackend;
use crate::core::{
    Answer, ClientId, Core, Input, ListedSession, ListedStream, Order, Output, Page, Reply,
    SessionFilter, Stats, StreamFilter,
};
use crate::counters::{Counters, Reason};
use crate::hooks::Hooks;

/// What the actor is told by sockets and by the HTTP API.
#[derive(Debug)]
pub(super) enum Message {
    /// A socket is open.
    Join {
        client: ClientId,
        remote: SocketAddr,
        local: SocketAddr,
        nonce: u128,
        link: Link,
    },
    /// Something came from a client.
    Input(Input),
    /// An HTTP request came, and waits for its answer.
    Request {
        client: ClientId,
        input: Input,
        replied: oneshot::Sender<Reply>,
    },
    /// An operator's request came, and waits for its answer.
    Order {
        client: ClientId,
        order: Order,
        answered: oneshot::Sender<Answer>,
    },
    /// An operator wants to know of streams, from `after` on.
    Streams {
        filter: StreamFilter,
        after: u64,
        reply: oneshot::Sender<Page<ListedStream>>,
    },
    /// An operator wants to know of sessions, from `after` on.
    Sessions {
        filter: SessionFilter,
        after: u64,
        reply: oneshot::Sender<Page<ListedSession>>,
    },
    /// Somebody wants to know how much of everything there is.
    Stats(oneshot::Sender<Stats>),
    /// The same, with what waits.
    Measure(oneshot::Sender<Measured>),
}

/// What only the actor knows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Measured {
    pub(super) stats: Stats,
    /// Open sockets, and what waits for their clients.
    pub(super) sockets: usize,
    pub(super) messages: usize,
    pub(super) bytes: usize,
    /// Events of media that wait.
    pub(super) events: usize,
}

pub(super) struct Actor {
    core: Core,
    backend: Box<dyn MediaBackend>,
    counters: Arc<Counters>,
    links: HashMap<ClientId, Link>,
    requests: HashMap<ClientId, oneshot::Sender<Reply>>,
    tracker: Tracker,
    orders: HashMap<ClientId, oneshot::Sender<Answer>>,
    /// The application that is told of everything, if there is one.
    hooks: Option<Hooks>,
}

impl Actor {
    pub(super) fn new(
        core: Core,
        backend: Box<dyn MediaBackend>,
        counters: Arc<Counters>,
        hooks: Option<Hooks>,
    ) -> Self {
        Self {
            hooks,
            core,
            backend,
            counters,
            links: HashMap::new(),
            requests: HashMap::new(),
            tracker: Tracker::default(),
            orders: HashMap::new(),
        }
    }

    /// What it counts and times, to be read while it runs.
    pub(super) fn seen(&self) -> Arc<Seen> {
        self.tracker.seen()
    }

    /// Runs until `stopped`, or until nobody can send to it any more; then
    /// tells everyone and gives the media backend back, to be dropped.
    pub(super) async fn run(
        mut self,
        mut inbox: mpsc::Receiver<Message>,
        mut events: Events,
        mut stopped: oneshot::Receiver<Infallible>,
    ) -> Box<dyn MediaBackend> {
        loop {
            let due = self.core.timeout();
            tokio::select! {
                message = inbox.recv() => match message {
                    // The asker may be gone by now.
                    Some(Message::Measure(reply)) => drop(reply.send(self.measure(&events))),
                    Some(message) => self.handle_message(message),
                    None => break,
                },
                Some(event) = events.next() => {
                    self.tracker.heard(&event, Instant::now());
                    self.handle(Input::Backend(event));
                }
                () = sleep_until(due) => self.handle(Input::Timeout),
                _ = &mut stopped => break,
            }
        }
        self.handle(Input::Shutdown);
        // Who joined in the last moment is told as well.
        inbox.close();
        while let Some(message) = inbox.recv().await {
            self.handle_message(message);
        }
        self.backend
    }

    fn handle_message(&mut self, message: Message) {
        match message {
            Message::Join {
                client,
                remote,
                local,
                nonce,
                link,
            } => {
                self.links.insert(client, link);
                self.handle(Input::Opened {
                    client,
                    remote,
                    local,
                    nonce,
                });
            }
            Message::Input(input) => {
                if let Input::Gone { client } = input {
                    self.links.remove(&client);
                    self.requests.remove(&client);
                    self.orders.remove(&client);
                }
                self.handle(input);
            }
            Message::Request {
                client,
                input,
                replied,
            } => {
                self.requests.insert(client, replied);
                self.handle(input);
            }
            Message::Order {
                client,
                order,
                answered,
            } => {
                self.orders.insert(client, answered);
                self.handle(Input::Order { client, order });
            }
            // The asker may be gone by now, as below.
            Message::Streams {
                filter,
                after,
                reply,
            } => drop(reply.send(self.core.streams(&filter, after))),
            Message::Sessions {
                filter,
                after,
                reply,
            } => drop(reply.send(self.core.sessions(&filter, after))),
            Message::Stats(reply) => drop(reply.send(self.core.stats())),
            // At the end nobody is answered any more.
            Message::Measure(_) => {}
        }
    }

    fn measure(&self, events: &Events) -> Measured {
        let waiting = self.links.values().map(Link::waiting);
        let (messages, bytes) = waiting.fold((0, 0), |(m, b), (messages, bytes)| {
            (m + messages, b + bytes)
        });
        Measured {
            stats: self.core.stats(),
            sockets: self.links.len(),
            messages,
            bytes,
            events: events.waiting(),
        }
    }

    fn handle(&mut self, input: Input) {
        let now = Instant::now();
        let about = self.core.about(&input);
        let _entered = about.enter();
        if let Ok(time) = SystemTime::now().duration_since(UNIX_EPOCH) {
            self.core.set_unix_time(time);
        }
        self.core.handle(input, now);
        while let Some(output) = self.core.poll_output() {
            self.obey(output, now);
        }
    }

    fn obey(&mut self, output: Output, now: Instant) {
        match output {
            Output::Send { client, text } => {
                let link = self.links.get(&client);
                if let Some(Err(Overflow)) = link.map(|link| link.send(text)) {
                    self.core.handle(Input::Overflowed { client }, now);
                }
            }
            Output::Update { client, text } => {
                let link = self.links.get(&client);
                if let Some(Err(Overflow)) = link.map(|link| link.update(text)) {
                    self.count(client, Reason::SkippedRate, "the client reads slowly");
                }
            }
            Output::Large {
                client,
                text,
                otherwise,
            } => {
                let link = self.links.get(&client);
                if let Some(Err(Overflow)) = link.map(|link| link.send_large(text, otherwise)) {
                    self.core.handle(Input::Overflowed { client }, now);
                }
            }
            Output::Reply { client, reply } => {
                let replied = self.requests.remove(&client);
                if replied.is_some_and(|replied| replied.send(reply).is_err()) {
                    self.core.handle(Input::Gone { client }, now);
                }
            }
            Output::Answer { client, answer } => self.answer(client, answer),
            Output::Deliver {
                client,
                text,
                request,
            } => {
                let link = self.links.get(&client);
                let taken = link.is_some_and(|link| link.update(text).is_ok());
                let slow = || Answer::Busy("The client reads slowly: try again later".into());
                let answer = taken.then_some(Answer::Done(1));
                self.answer(request, answer.unwrap_or_else(slow));
            }
            Output::Close {
                client,
                code,
                reason,
            } => {
                if let Some(link) = self.links.remove(&client) {
                    link.close(code, reason);
                }
            }
            Output::Backend(command) => {
                self.tracker.asked(&command, now);
                self.backend.send(command);
            }
            Output::Refused {
                client,
                reason,
                detail,
            } => self.count(client, reason, &detail),
            Output::Notice(notice) => {
                if let Some(hooks) = &self.hooks {
                    hooks.notice(&notice);
                }
            }
        }
    }

    fn answer(&mut self, request: ClientId, answer: Answer) {
        if let Some(answered) = self.orders.remove(&request) {
            // The asker may be gone by now.
            drop(answered.send(answer));
        }
    }

    /// Counts a refusal and logs the first of its kind aloud.
    fn count(&self, client: ClientId, reason: Reason, detail: &str) {
        if self.counters.count(reason) {
            tracing::warn!(client = client.0, %reason, detail, "refused; more of these are only counted");
        } else {
            tracing::debug!(client = client.0, %reason, detail, "refused");
        }
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
