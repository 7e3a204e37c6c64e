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

use std::future::pending;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use serde_json::Value;
use session::{
    Config, Event, Input, Output, Publish, SessionStatus, Severity, Signalling, StreamRole,
    StreamUpdate, Time,
};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep_until;
use tracing::{debug, warn};
use wire::{MediaSessionId, StreamEventType, StreamName, StreamStatus, info};

use crate::client::{SessionEvent, SessionOptions, SessionState};
use crate::http::Requests;
use crate::media::{Caller, Local, Media, Muted, Track};
use crate::socket::Socket;
use crate::stream::StreamState;
use crate::{Error, Server};

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
    pub(crate) media: Media,
    pub(crate) state: watch::Sender<StreamState>,
}

/// A stream that is not over.
struct Leg {
    id: MediaSessionId,
    media: Media,
    state: watch::Sender<StreamState>,
    stage: Stage,
    stop_asked: bool,
}

enum Stage {
    /// For the session to be ESTABLISHED.
    Held(Publish),
    Asked,
    /// PUBLISHING; the viewers know of these muted tracks.
    OnAir {
        told: Muted,
    },
}

/// Everything that can happen to a session.
enum Happening {
    Order(Order),
    /// The application has dropped its handle.
    LetGo,
    Input(Input),
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
    /// What happened last: no response to an HTTP request.
    unreachable: bool,
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
            unreachable: false,
        }
    }

    /// Runs until the session is over.
    pub(crate) async fn run(mut self) {
        if let Err(reason) = self.prepare() {
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
                Happening::LingeredEnough => return,
                Happening::Order(order) => self.obey(order),
                Happening::LetGo => {
                    self.orders = None;
                    self.disconnect();
                }
                // The sources have ended.
                Happening::Input(Input::Stop(id)) => self.stop(id),
                Happening::Input(input) => {
                    self.unreachable = matches!(input, Input::RequestFailed { .. });
                    self.handle(input);
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
        let timeout = async {
            match timeout {
                Some(at) => sleep_until(at.into()).await,
                None => pending().await,
            }
        };
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
        let lingered = async {
            match self.over_since {
                Some(since) => sleep_until((since + LINGER).into()).await,
                None => pending().await,
            }
        };
        tokio::select! {
            order = order => order.map_or(Happening::LetGo, Happening::Order),
            Some(input) = self.inputs.recv() => Happening::Input(input),
            input = self.socket.next() => Happening::Input(input),
            input = response => Happening::Input(input),
            () = timeout => Happening::Input(Input::Timeout),
            () = lingered => Happening::LingeredEnough,
        }
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

    fn publish(&mut self, new: NewStream) {
        let publish = Publish {
            id: new.id.clone(),
            name: new.name,
            custom: new.custom,
        };
        self.legs.push(Leg {
            id: new.id,
            media: new.media,
            state: new.state,
            stage: Stage::Held(publish),
            stop_asked: false,
        });
        if self.signalling.status() == SessionStatus::Established {
            self.publish_held();
        }
    }

    /// Asks for the streams that waited for the session.
    fn publish_held(&mut self) {
        let mut asked = Vec::new();
        for leg in &mut self.legs {
            if let Stage::Held(publish) = &leg.stage {
                asked.push(publish.clone());
                leg.stage = Stage::Asked;
            }
        }
        for publish in asked {
            let (id, name) = (publish.id.clone(), publish.name.clone());
            if let Err(error) = self.try_handle(Input::Publish(publish)) {
                self.notify(Event::Stream(refused(id, name, &error)));
            }
        }
    }

    fn stop(&mut self, id: MediaSessionId) {
        let Some(index) = self.legs.iter().position(|leg| leg.id == id) else {
            return;
        };
        match &mut self.legs[index] {
            // The server has never heard of it.
            Leg {
                stage: Stage::Held(_),
                ..
            } => self.legs.remove(index).end(Ok(())),
            leg => {
                leg.stop_asked = true;
                self.handle(Input::Stop(id));
            }
        }
    }

    fn send_data(&mut self, id: MediaSessionId, payload: Value) {
        let sent = self.try_handle(Input::SendStreamEvent {
            id: id.clone(),
            event_type: StreamEventType::Data,
            payload: Some(payload),
        });
        if let Err(error) = sent {
            let text = format!("the data was not sent: {error}");
            self.tell(SessionEvent::Notice { id, text });
        }
    }

    /// Tells the viewers what is muted, as far as they do not know it.
    fn tell_muted(&mut self, id: &MediaSessionId) {
        let Some(leg) = self.leg(id) else {
            return;
        };
        let muted = leg.media.muted();
        let Stage::OnAir { told } = &mut leg.stage else {
            return;
        };
        let before = std::mem::replace(told, muted);
        let audio = (muted.audio != before.audio).then_some(match muted.audio {
            true => StreamEventType::AudioMuted,
            false => StreamEventType::AudioUnmuted,
        });
        let video = (muted.video != before.video).then_some(match muted.video {
            true => StreamEventType::VideoMuted,
            false => StreamEventType::VideoUnmuted,
        });
        for event_type in audio.into_iter().chain(video) {
            self.handle(Input::SendStreamEvent {
                id: id.clone(),
                event_type,
                payload: None,
            });
        }
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
                Output::CreateOffer { id, .. } => self.create_offer(id),
                Output::ApplyAnswer { id, sdp } => {
                    if let Some(leg) = self.leg(&id) {
                        leg.media.accept(id, sdp);
                    }
                }
                Output::CloseMedia { id } => {
                    if let Some(leg) = self.leg(&id) {
                        leg.media.close(id);
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

    fn create_offer(&mut self, id: MediaSessionId) {
        let local = match (&self.options.server, self.socket.local_address()) {
            (_, Some(address)) => Local::Known(address),
            (Server::WebCallServer(_), None) => Local::Known(Ipv4Addr::LOCALHOST.into()),
            (Server::Http(address), None) => Local::Towards(address.to_string()),
        };
        let inputs = self.input_sender.clone();
        if let Some(leg) = self.leg(&id) {
            leg.media.connect(Caller { id, inputs }, local);
        }
    }

    /// Tells the application, and takes the next step of the call flow.
    fn notify(&mut self, event: Event) {
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
        if self.events.try_send(event).is_err() {
            warn!("the application does not read its events: one is lost");
        }
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
        let end = end.map(|end| end.map_err(Error::Connection));
        if let Some(end) = &end {
            self.over_since = Some(Instant::now());
            for leg in self.legs.drain(..) {
                leg.end(end.clone());
            }
        }
        self.state.send_replace(SessionState { status, end });
    }

    fn handle_update(&mut self, update: StreamUpdate) {
        let Some(index) = self.legs.iter().position(|leg| leg.id == update.id) else {
            return;
        };
        let leg = &mut self.legs[index];
        let status = update.status.clone();
        leg.state.send_modify(|state| state.status = status);
        if update.status == StreamStatus::Publishing && matches!(leg.stage, Stage::Asked) {
            let told = Muted::default();
            leg.stage = Stage::OnAir { told };
            leg.media.on_air();
            self.tell_muted(&update.id);
        } else if update.status.is_terminal() && !self.signalling.status().is_terminal() {
            let end = match leg.stop_asked {
                true => Ok(()),
                false => Err(self.error(&update)),
            };
            self.legs.remove(index).end(end);
        }
        // A session that is lost ends its streams itself, once it tells why.
    }

    /// Why a stream failed.
    fn error(&self, update: &StreamUpdate) -> Error {
        match &update.error {
            Some(error) if self.unreachable => Error::Connection(error.clone()),
            Some(_) | None => Error::of(update),
        }
    }

    fn leg(&mut self, id: &MediaSessionId) -> Option<&mut Leg> {
        self.legs.iter_mut().find(|leg| leg.id == *id)
    }
}

impl Leg {
    /// Tells the handle. What is dropped here ends the media, unless a publisher
    /// keeps them.
    fn end(self, end: Result<(), Error>) {
        self.state.send_modify(|state| state.end = Some(end));
    }
}

/// What the driver says of a stream that the session does not take.
fn refused(id: MediaSessionId, name: StreamName, error: &session::Error) -> StreamUpdate {
    StreamUpdate {
        id,
        name,
        role: StreamRole::Publisher,
        status: StreamStatus::Failed,
        info: Some(info::LOCAL_ERROR.to_owned()),
        error: Some(error.to_string()),
        severity: Severity::Fatal,
        retry_after: None,
        muted: None,
    }
}

impl Error {
    /// Tells failures of media from refusals.
    fn of(update: &StreamUpdate) -> Self {
        let media = [
            info::FAILED_BY_ICE_ERROR,
            info::FAILED_BY_ICE_TIMEOUT,
            info::FAILED_BY_KEEP_ALIVE,
            info::FAILED_BY_DTLS_FINGERPRINT_ERROR,
            info::FAILED_BY_DTLS_ERROR,
            info::FAILED_BY_RTP_ACTIVITY,
        ];
        match (update.info.as_deref(), &update.error) {
            (Some(info::LOCAL_ERROR), Some(error)) => Self::Media(error.clone()),
            (Some(why), None) if media.contains(&why) => Self::Media(why.to_owned()),
            (Some(why), None) => Self::Refused(why.to_owned()),
            (Some(why), Some(detail)) => Self::Refused(format!("{why}: {detail}")),
            (None, _) => Self::Refused(format!("{} without a reason", update.status.as_str())),
        }
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
            connect_timeout: CONNECT_TIMEOUT,
            stream_timeout: STREAM_TIMEOUT,
            silence_timeout: SILENCE_TIMEOUT,
        })),
        Server::Http(address) => Signalling::Http(session::HttpSession::new(session::HttpConfig {
            address: address.clone(),
            token: options.token.clone(),
            stream_timeout: STREAM_TIMEOUT,
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_told_apart() {
        let check = |status, why: &str, detail: Option<&str>, expected| {
            let update = StreamUpdate {
                id: MediaSessionId::new("m"),
                name: StreamName::new("test"),
                role: StreamRole::Publisher,
                status,
                info: Some(why.to_owned()),
                error: detail.map(str::to_owned),
                severity: Severity::Passing,
                retry_after: None,
                muted: None,
            };
            assert_eq!(Error::of(&update), expected, "{why}");
        };
        let failed = StreamStatus::Failed;
        let taken = info::STREAM_NAME_ALREADY_IN_USE;
        check(
            failed.clone(),
            taken,
            None,
            Error::Refused(taken.to_owned()),
        );
        let ice = info::FAILED_BY_ICE_TIMEOUT;
        check(failed.clone(), ice, None, Error::Media(ice.to_owned()));
        let local = Error::Media("no socket".to_owned());
        check(failed.clone(), info::LOCAL_ERROR, Some("no socket"), local);
        let said = Error::Refused("Restricted access: the server answered 401".to_owned());
        let detail = Some("the server answered 401");
        check(failed, info::RESTRICTED_ACCESS, detail, said);
    }
}
