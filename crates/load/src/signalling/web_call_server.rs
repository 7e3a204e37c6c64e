//! Web Call Server's signalling: a session with a WebSocket of its own for each publisher
//! and each viewer, as clients have it. The `session` crate is the protocol, this its
//! shell.

use std::collections::hash_map::RandomState;
use std::future::pending;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use session::{Config, Event, Input, Output, Play, Publish, SessionStatus, StreamRole, Time};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use wire::{MediaSessionId, StreamName};

use crate::draft::Draft;
use crate::error::{Error, Result};

/// How long a server may take to open a socket, a session, a stream.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// A server pings every five seconds.
const SILENCE: Duration = Duration::from_secs(30);
/// How long taking leave may take.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A server that speaks Web Call Server's signalling.
pub struct WebCallServer {
    url: String,
    app_key: String,
}

/// A session at it, kept up by a task.
pub(super) struct Held {
    goodbye: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// A session and its socket.
struct Client {
    url: String,
    session: session::Session,
    socket: Option<Socket>,
    origin: Instant,
    stream: MediaSessionId,
    /// Why it ended.
    end: Option<String>,
    /// The server's answer, once it has come.
    answer: Option<String>,
    wants_offer: bool,
}

impl WebCallServer {
    /// The server at `ws://HOST:PORT`. Nothing is connected yet.
    ///
    /// # Errors
    /// The address is another one.
    pub fn new(url: &str) -> Result<Self> {
        if !url.starts_with("ws://") {
            let sentence =
                "the generator speaks to a Web Call Server over ws:// alone, without TLS";
            return Err(Error::because(url, sentence));
        }
        Ok(Self {
            url: url.to_owned(),
            app_key: "defaultApp".to_owned(),
        })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Publishes or plays `stream`.
    pub(super) async fn negotiate(
        &self,
        role: StreamRole,
        stream: &str,
        draft: &mut Draft,
    ) -> Result<Held> {
        let mut client = Client::new(&self.url, &self.app_key);
        client.connect().await?;
        client.begin(role, stream).await?;
        while client.answer.is_none() {
            if std::mem::take(&mut client.wants_offer) {
                client.offer(draft.offer()?).await?;
            } else {
                client.turn().await?;
            }
        }
        draft.accept(&client.answer.take().unwrap_or_default())?;
        let (goodbye, asked_to_leave) = oneshot::channel();
        Ok(Held {
            goodbye: Some(goodbye),
            task: tokio::spawn(client.keep(asked_to_leave)),
        })
    }
}

impl Held {
    pub(super) async fn leave(mut self) {
        let _ = self.goodbye.take().map(|goodbye| goodbye.send(()));
        if timeout(LEAVE_WITHIN, &mut self.task).await.is_err() {
            tracing::debug!("the server does not close the session");
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Client {
    fn new(url: &str, app_key: &str) -> Self {
        let config = Config {
            app_key: app_key.to_owned(),
            client_os_version: std::env::consts::OS.to_owned(),
            client_browser_version: concat!("twoway-load/", env!("CARGO_PKG_VERSION")).to_owned(),
            custom: None,
            token: None,
            connect_timeout: ANSWER_WITHIN,
            stream_timeout: ANSWER_WITHIN,
            silence_timeout: SILENCE,
        };
        Self {
            url: url.to_owned(),
            session: session::Session::new(config),
            socket: None,
            origin: Instant::now(),
            stream: fresh_id(),
            end: None,
            answer: None,
            wants_offer: false,
        }
    }

    async fn connect(&mut self) -> Result<()> {
        self.handle(Input::Connect).await?;
        while self.session.status() != SessionStatus::Established {
            self.turn().await?;
        }
        Ok(())
    }

    async fn begin(&mut self, role: StreamRole, stream: &str) -> Result<()> {
        let (id, name) = (self.stream.clone(), StreamName::new(stream));
        let custom = None;
        let input = match role {
            StreamRole::Publisher => Input::Publish(Publish { id, name, custom }),
            StreamRole::Player => Input::Play(Play { id, name, custom }),
        };
        self.handle(input).await
    }

    async fn offer(&mut self, sdp: String) -> Result<()> {
        let input = Input::OfferCreated {
            id: self.stream.clone(),
            has_audio: sdp.contains("\nm=audio"),
            has_video: true,
            sdp,
        };
        self.handle(input).await
    }

    /// Waits for what comes next, and does what follows from it.
    async fn turn(&mut self) -> Result<()> {
        let input = self.next().await;
        self.handle(input).await
    }

    async fn next(&mut self) -> Input {
        let due = self.session.timeout();
        let due = due.map(|at| self.origin + at.since_origin());
        let timeout = async {
            match due {
                Some(at) => sleep_until(at).await,
                None => pending().await,
            }
        };
        let message = async {
            match &mut self.socket {
                Some(socket) => read(socket).await,
                None => pending().await,
            }
        };
        tokio::select! {
            input = message => input,
            () = timeout => Input::Timeout,
        }
    }

    async fn handle(&mut self, input: Input) -> Result<()> {
        let refused = |error: session::Error| Error::new(error.to_string());
        self.session.handle(input, self.now()).map_err(refused)?;
        while let Some(output) = self.session.poll_output() {
            if let Some(input) = self.obey(output).await {
                self.session.handle(input, self.now()).map_err(refused)?;
            }
        }
        match self.end.take() {
            None => Ok(()),
            Some(why) => Err(Error::new(why)),
        }
    }

    fn now(&self) -> Time {
        Time::new(self.origin.elapsed())
    }

    /// Does what the session wants; what came of it, if that is to be told.
    async fn obey(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::OpenSocket => return Some(self.open().await),
            Output::Send(text) => {
                let sent = self.socket.as_mut()?.send(Message::text(text)).await;
                return sent
                    .err()
                    .map(|error| Input::SocketFailed(error.to_string()));
            }
            Output::CloseSocket => {
                if let Some(mut socket) = self.socket.take() {
                    // Closed or broken, it is gone.
                    let _ = timeout(LEAVE_WITHIN, socket.close(None)).await;
                }
            }
            Output::CreateOffer { .. } => self.wants_offer = true,
            Output::ApplyAnswer { sdp, .. } => self.answer = Some(sdp),
            Output::Notify(event) => self.hear(event),
            Output::CloseMedia { .. } | Output::Request(_) | Output::IceServers { .. } => {}
        }
        None
    }

    async fn open(&mut self) -> Input {
        // Small messages at once: they are what a viewer waits for.
        let opening = connect_async_with_config(&self.url, None, true);
        match timeout(ANSWER_WITHIN, opening).await {
            Ok(Ok((socket, _))) => {
                self.socket = Some(socket);
                Input::SocketOpened
            }
            Ok(Err(error)) => Input::SocketFailed(error.to_string()),
            Err(_) => Input::SocketFailed("it does not answer".to_owned()),
        }
    }

    /// Takes note of how a stream or the session ends.
    fn hear(&mut self, event: Event) {
        let url = &self.url;
        match event {
            Event::Session { status, reason } if status.is_terminal() => {
                let why = reason.unwrap_or_else(|| "the server closed the session".to_owned());
                self.end = Some(format!("cannot speak to {url}: {why}"));
            }
            Event::Stream(update) if update.status.is_terminal() => {
                let why = update.error.or(update.info);
                let why = why.unwrap_or_else(|| update.status.as_str().to_owned());
                self.end = Some(format!("{url} refuses stream {}: {why}", update.name));
            }
            Event::Session { .. }
            | Event::Stream(_)
            | Event::StreamEvent { .. }
            | Event::Available { .. }
            | Event::Warning(_)
            | Event::AppData(_)
            | Event::VideoRate { .. } => {}
        }
    }

    /// Keeps the session up until it is to end.
    async fn keep(mut self, mut goodbye: oneshot::Receiver<()>) {
        loop {
            let input = tokio::select! {
                input = self.next() => input,
                _ = &mut goodbye => Input::Disconnect,
            };
            let is_leaving = input == Input::Disconnect;
            if let Err(error) = self.handle(input).await {
                tracing::debug!(%error, "a session ends");
                return;
            }
            if is_leaving {
                return;
            }
        }
    }
}

async fn read(socket: &mut Socket) -> Input {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return Input::SocketMessage(text.to_string()),
            Some(Ok(Message::Close(_))) | None => return Input::SocketClosed,
            Some(Ok(
                Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_),
            )) => {}
            Some(Err(error)) => return Input::SocketFailed(error.to_string()),
        }
    }
}

/// An id nobody else has. It is no secret: the random keys of the standard library's
/// hash maps are good enough.
fn fresh_id() -> MediaSessionId {
    let bits = || u128::from(RandomState::new().build_hasher().finish());
    MediaSessionId::from_random(bits() << 64 | bits())
}
