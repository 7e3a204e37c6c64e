//! The loop of one session: it joins the signalling's state machine with the
//! socket or the HTTP requests, with the media of the streams, and with the
//! application.
//!
//! ```text
//! application --Order-->            --Output--> socket, requests, media
//!                        Driver
//! application <--Event--            <--Input--- socket, requests, media, time
//! ```
//!
//! A stream's media runs in a task of its own ([`Media`]); here is only what is
//! said about it. A session is over once and for all: who comes back makes
//! another.

mod monitor;
mod streams;

use std::future::pending;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use serde_json::Value;
use session::{
    Config, Event, Input, Output, SessionStatus, Severity, Signalling, StreamRole, Time,
};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep_until;
use tracing::debug;
use wire::{MediaSessionId, StreamName};

use self::monitor::with_protocol;
use self::streams::Leg;
use crate::client::{SessionEvent, SessionOptions, SessionState, tell};
use crate::http::Requests;
use crate::media::{Caller, Local, Media};
use crate::socket::Socket;
use crate::stream::StreamState;
use crate::{Error, Server, Track};

/// For the TCP connection, the upgrade and the server's welcome.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// From the offer to PUBLISHING, ICE and DTLS included; and for the server's
/// last word after a stop.
const STREAM_TIMEOUT: Duration = Duration::from_secs(15);

/// Ten pings of the server missed, as the original clients count.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(50);

/// How long the end of a session waits for the answers to its last requests:
/// what they end on the server would else live on for a while.
const LINGER: Duration = Duration::from_secs(2);

/// What the streams' media may have to say at once: each says a handful of
/// things in a connection's whole life.
const INPUTS: usize = 4 * session::MAX_STREAMS;

/// What the application wants.
pub(crate) enum Order {
    Publish(Box<NewStream>),
    Stop(MediaSessionId),
    Mute {
        id: MediaSessionId,
        track: Track,
        muted: bool,
    },
    SendData {
        id: MediaSessionId,
        payload: Value,
    },
    Disconnect,
}

/// A stream to publish.
pub(crate) struct NewStream {
    pub(crate) id: MediaSessionId,
    pub(crate) name: StreamName,
    pub(crate) custom: Option<Value>,
    /// Play it back, too.
    pub(crate) monitor: bool,
    pub(crate) media: Media,
    pub(crate) state: watch::Sender<StreamState>,
}

/// Everything that can happen to a session.
enum Happening {
    Order(Order),
    /// The application has dropped its handle.
    LetGo,
    Input(Input),
    /// From the socket or of a request, with the severity of a failure.
    Heard(Input, Severity),
    MonitorsDue,
    /// The session is over, but not all its last requests are answered.
    LingeredEnough,
}

pub(crate) struct Driver {
    signalling: Signalling,
    /// The signalling's time zero.
    origin: Instant,
    options: SessionOptions,
    /// To a Web Call Server.
    socket: Socket,
    /// To a WHIP server.
    requests: Option<Requests>,
    legs: Vec<Leg>,
    /// `None` once the application has let go.
    orders: Option<mpsc::Receiver<Order>>,
    /// From the streams' media.
    inputs: mpsc::Receiver<Input>,
    input_sender: mpsc::Sender<Input>,
    events: mpsc::Sender<SessionEvent>,
    state: watch::Sender<SessionState>,
    disconnect_asked: bool,
    over_since: Option<Instant>,
    /// Of what happened last, if that is a socket or a request that failed.
    failure: Option<Severity>,
}

impl Driver {
    pub(crate) fn new(
        options: SessionOptions,
        orders: mpsc::Receiver<Order>,
        events: mpsc::Sender<SessionEvent>,
        state: watch::Sender<SessionState>,
    ) -> Self {
        let (input_sender, inputs) = mpsc::channel(INPUTS);
        Self {
            signalling: signalling(&options),
            origin: Instant::now(),
            options,
            socket: Socket::None,
            requests: None,
            legs: Vec::new(),
            orders: Some(orders),
            inputs,
            input_sender,
            events,
            state,
            disconnect_asked: false,
            over_since: None,
            failure: None,
        }
    }

    /// Runs until the session is over.
    pub(crate) async fn run(mut self) {
        if let Err(reason) = self.prepare() {
            self.failure = Some(Severity::Fatal);
            let (status, reason) = (SessionStatus::Failed, Some(reason));
            self.notify(Event::Session { status, reason });
            return;
        }
        self.handle(Input::Connect);
        loop {
            self.obey_signalling().await;
            if self.signalling.is_finished() {
                return;
            }
            match self.next().await {
                Happening::LingeredEnough => {
                    // What is not answered may have arrived all the same.
                    self.set_asked();
                    return;
                }
                Happening::MonitorsDue => self.start_due_monitors(),
                Happening::Order(order) => self.obey(order),
                Happening::LetGo => {
                    self.orders = None;
                    self.disconnect();
                }
                // The sources have ended.
                Happening::Input(Input::Stop(id)) => self.stop(id),
                Happening::Input(input) => self.hear(input, None),
                Happening::Heard(input, severity) => {
                    let failed =
                        matches!(input, Input::SocketFailed(_) | Input::RequestFailed { .. });
                    self.hear(input, failed.then_some(severity));
                }
            }
        }
    }

    fn prepare(&mut self) -> Result<(), String> {
        if let Server::Http(_) = &self.options.server {
            self.requests = Some(Requests::new(&self.options.tls)?);
        }
        Ok(())
    }

    async fn next(&mut self) -> Happening {
        let timeout = self.signalling.timeout();
        let timeout = timeout.map(|at| self.origin + at.since_origin());
        let lingered = self.over_since.map(|since| since + LINGER);
        let monitors = self.monitors_due();
        let order = async {
            match &mut self.orders {
                Some(orders) => orders.recv().await,
                None => pending().await,
            }
        };
        let response = async {
            match &mut self.requests {
                Some(requests) => requests.next().await,
                None => pending().await,
            }
        };
        tokio::select! {
            order = order => order.map_or(Happening::LetGo, Happening::Order),
            Some(input) = self.inputs.recv() => Happening::Input(input),
            (input, severity) = self.socket.next() => Happening::Heard(input, severity),
            (input, severity) = response => Happening::Heard(input, severity),
            () = sleep_until_some(timeout) => Happening::Input(Input::Timeout),
            () = sleep_until_some(monitors) => Happening::MonitorsDue,
            () = sleep_until_some(lingered) => Happening::LingeredEnough,
        }
    }

    fn hear(&mut self, input: Input, failure: Option<Severity>) {
        self.failure = failure;
        self.note_asked(&input);
        self.handle(input);
    }

    /// An offer goes out through the socket at once; of an HTTP request it shows
    /// later whether it found a server.
    fn note_asked(&self, input: &Input) {
        let asked = match &self.requests {
            Some(requests) => requests.have_arrived(),
            None => matches!(input, Input::OfferCreated { .. }),
        };
        if asked {
            self.set_asked();
        }
    }

    fn set_asked(&self) {
        self.state.send_modify(|state| state.asked = true);
    }

    fn handle(&mut self, input: Input) {
        if let Err(error) = self.try_handle(input) {
            debug!(%error, "the session refuses");
        }
    }

    fn try_handle(&mut self, input: Input) -> Result<(), session::Error> {
        let now = Time::new(self.origin.elapsed());
        self.signalling.handle(input, now)
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Publish(new) => self.publish(*new),
            Order::Stop(id) => self.stop(id),
            Order::Mute { id, track, muted } => {
                if let Some(leg) = self.leg(&id) {
                    leg.media.mute(track, muted);
                }
                self.tell_muted(&id);
            }
            Order::SendData { id, payload } => self.send_data(id, payload),
            Order::Disconnect => self.disconnect(),
        }
    }

    fn disconnect(&mut self) {
        self.disconnect_asked = true;
        self.handle(Input::Disconnect);
    }

    /// Does what the signalling wants done.
    async fn obey_signalling(&mut self) {
        while let Some(output) = self.signalling.poll_output() {
            match output {
                Output::OpenSocket => self.open_socket(),
                Output::Send(text) => {
                    if let Some(failure) = self.socket.send(text).await {
                        self.handle(failure);
                    }
                }
                Output::CloseSocket => self.socket.close().await,
                Output::CreateOffer { id, role } => self.create_offer(id, role),
                Output::ApplyAnswer { id, sdp } => {
                    if let Some(media) = self.media(&id) {
                        media.accept(id, sdp);
                    }
                }
                Output::CloseMedia { id } => {
                    if let Some(media) = self.media(&id) {
                        media.close(id);
                    }
                }
                Output::Request(request) => {
                    if let Some(requests) = &mut self.requests {
                        requests.start(request);
                    }
                }
                Output::IceServers { servers, .. } => {
                    debug!(?servers, "STUN and TURN servers are not used");
                }
                Output::Notify(event) => self.notify(event),
            }
        }
    }

    fn open_socket(&mut self) {
        if let Server::WebCallServer(url) = &self.options.server {
            let SessionOptions { token, tls, .. } = &self.options;
            self.socket = Socket::open(url, token.as_ref(), tls);
        }
    }

    fn create_offer(&mut self, id: MediaSessionId, role: StreamRole) {
        let local = match (&self.options.server, self.socket.local_address()) {
            (_, Some(address)) => Local::Known(address),
            (Server::WebCallServer(_), None) => Local::Known(Ipv4Addr::LOCALHOST.into()),
            (Server::Http(address), None) => Local::Towards(address.to_string()),
        };
        let inputs = self.input_sender.clone();
        let Some(media) = self.media(&id) else {
            return;
        };
        let caller = Caller { id, inputs };
        match role {
            StreamRole::Publisher => media.connect(caller, local),
            StreamRole::Player => media.monitor(caller),
        }
    }

    /// Tells the application, and takes the next step of the call flow. Of a
    /// playback it is told only what viewers are told.
    fn notify(&mut self, mut event: Event) {
        match &mut event {
            Event::Stream(update) if update.role == StreamRole::Player => {
                return self.handle_player(update);
            }
            Event::Stream(update) if self.failure == Some(Severity::Fatal) => {
                update.severity = Severity::Fatal;
            }
            Event::StreamEvent { id, .. } => {
                if let Some(stream) = self.stream_of_player(id) {
                    *id = stream;
                }
            }
            Event::VideoRate { id, .. } if self.leg(id).is_none() => return,
            Event::Session { .. }
            | Event::Stream(_)
            | Event::Available { .. }
            | Event::Warning(_)
            | Event::AppData(_)
            | Event::VideoRate { .. } => {}
        }
        self.tell(SessionEvent::Signalling(event.clone()));
        match event {
            Event::Session { status, reason } => self.handle_status(status, reason),
            Event::Stream(update) => self.handle_update(update),
            Event::StreamEvent { .. }
            | Event::Available { .. }
            | Event::Warning(_)
            | Event::AppData(_)
            | Event::VideoRate { .. } => {}
        }
    }

    fn tell(&self, event: SessionEvent) {
        tell(&self.events, event);
    }

    fn handle_status(&mut self, status: SessionStatus, reason: Option<String>) {
        let end = match status {
            SessionStatus::Pending | SessionStatus::Connected => None,
            SessionStatus::Established => {
                self.publish_held();
                None
            }
            SessionStatus::Disconnected if self.disconnect_asked => Some(Ok(())),
            SessionStatus::Disconnected => Some(Err("the server closed the connection".to_owned())),
            SessionStatus::Failed => Some(Err(reason.unwrap_or_else(|| "it failed".to_owned()))),
        };
        let was_up = self.state.borrow().status == SessionStatus::Established;
        let end = end.map(|end| end.map_err(Error::of_connection(was_up)));
        if let Some(end) = &end {
            self.over_since = Some(Instant::now());
            for leg in self.legs.drain(..) {
                leg.end(end.clone());
            }
        }
        let severity = self.failure.unwrap_or(self.signalling.severity());
        self.state.send_modify(|state| {
            state.status = status;
            state.end = end;
            state.severity = severity;
        });
    }
}

fn signalling(options: &SessionOptions) -> Signalling {
    match &options.server {
        Server::WebCallServer(_) => Signalling::WebCallServer(session::Session::new(Config {
            app_key: options.app_key.clone(),
            client_os_version: std::env::consts::OS.to_owned(),
            client_browser_version: concat!("twoway-publish/", env!("CARGO_PKG_VERSION"))
                .to_owned(),
            custom: options.custom.clone(),
            token: options.token.clone(),
            connect_timeout: CONNECT_TIMEOUT,
            stream_timeout: STREAM_TIMEOUT,
            silence_timeout: SILENCE_TIMEOUT,
        })),
        Server::Http(address) => Signalling::Http(session::HttpSession::new(session::HttpConfig {
            address: with_protocol(address),
            token: options.token.clone(),
            stream_timeout: STREAM_TIMEOUT,
        })),
    }
}

pub(crate) async fn sleep_until_some(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at.into()).await,
        None => pending().await,
    }
}
