//! Tests of the session and its streams through the public API alone: inputs
//! in, the whole output list out, written as short text.

mod http;
mod properties;
mod session;
mod signalling;
mod stream;
mod wire_order;

use core::time::Duration;

use serde_json::Value;
use wire::{
    ClientMessage, MediaSessionId, ServerMessage, StreamName, StreamStatus, StreamStatusEvent,
    UserData,
};

use crate::{
    Config, Error, Event, Input, Output, Play, Publish, Session, Severity, StreamRole, Time, Token,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const STREAM_TIMEOUT: Duration = Duration::from_secs(15);
const SILENCE_TIMEOUT: Duration = Duration::from_secs(20);

/// A session with a clock that moves only when told to.
struct Harness {
    session: Session,
    now: Time,
}

impl Harness {
    fn new() -> Self {
        Self::with(None, None)
    }

    /// One that has these application data and this token.
    fn with(custom: Option<Value>, token: Option<&str>) -> Self {
        let session = Session::new(Config {
            app_key: "defaultApp".into(),
            client_os_version: "Linux".into(),
            client_browser_version: "two-way".into(),
            custom,
            token: token.map(|token| Token::new(token).unwrap()),
            connect_timeout: CONNECT_TIMEOUT,
            stream_timeout: STREAM_TIMEOUT,
            silence_timeout: SILENCE_TIMEOUT,
        });
        Self {
            session,
            now: Time::default(),
        }
    }

    fn connected() -> Self {
        let mut harness = Self::new();
        harness.input(Input::Connect);
        harness.input(Input::SocketOpened);
        harness
    }

    fn established() -> Self {
        let mut harness = Self::connected();
        harness.say(ServerMessage::UserData(UserData::default()));
        harness
    }

    /// Every output of one input, as text.
    #[track_caller]
    fn input(&mut self, input: Input) -> String {
        self.session.handle(input, self.now).unwrap();
        show(&self.drain())
    }

    /// The error of an input, which has no output.
    #[track_caller]
    fn refuse(&mut self, input: Input) -> Error {
        let error = self.session.handle(input, self.now).unwrap_err();
        assert_eq!(self.drain(), []);
        error
    }

    #[track_caller]
    fn say(&mut self, message: ServerMessage) -> String {
        self.input(Input::SocketMessage(message.encode()))
    }

    #[track_caller]
    fn say_status(&mut self, status: StreamStatus, info: Option<&str>) -> String {
        self.say(ServerMessage::StreamStatus(StreamStatusEvent {
            info: info.map(str::to_owned),
            ..StreamStatusEvent::new(id("m"), status)
        }))
    }

    /// Lets time pass without a timeout.
    fn pass(&mut self, duration: Duration) {
        self.now = self.now + duration;
    }

    /// Lets time pass until the session wants to be called, and calls it.
    #[track_caller]
    fn wait(&mut self) -> String {
        self.now = self.session.timeout().expect("nothing is waited for");
        self.input(Input::Timeout)
    }

    fn drain(&mut self) -> Vec<Output> {
        core::iter::from_fn(|| self.session.poll_output()).collect()
    }
}

fn id(text: &str) -> MediaSessionId {
    MediaSessionId::new(text)
}

fn publish(id: &str) -> Input {
    Input::Publish(Publish {
        id: MediaSessionId::new(id),
        name: StreamName::new("test"),
        custom: None,
    })
}

fn play(id: &str) -> Input {
    Input::Play(Play {
        id: MediaSessionId::new(id),
        name: StreamName::new("test"),
        custom: None,
    })
}

fn start(role: StreamRole, id: &str) -> Input {
    match role {
        StreamRole::Publisher => publish(id),
        StreamRole::Player => play(id),
    }
}

fn offer_created(id: &str) -> Input {
    Input::OfferCreated {
        id: MediaSessionId::new(id),
        sdp: "offer".into(),
        has_audio: true,
        has_video: false,
    }
}

fn media_failed(id: &str) -> Input {
    Input::MediaFailed {
        id: MediaSessionId::new(id),
        error: "no camera".into(),
        severity: Severity::Fatal,
    }
}

fn answer(id: &str) -> ServerMessage {
    ServerMessage::RemoteSdp {
        media_session_id: MediaSessionId::new(id),
        sdp: "answer".into(),
    }
}

fn show(outputs: &[Output]) -> String {
    let shown: Vec<_> = outputs.iter().map(show_output).collect();
    shown.join(", ")
}

fn show_output(output: &Output) -> String {
    match output {
        Output::OpenSocket => "open socket".into(),
        Output::Send(text) => format!("> {}", show_message(&ClientMessage::decode(text).unwrap())),
        Output::CloseSocket => "close socket".into(),
        Output::CreateOffer { id, role } => format!("create offer {id} {role:?}"),
        Output::ApplyAnswer { id, sdp } => format!("apply {sdp} {id}"),
        Output::CloseMedia { id } => format!("close media {id}"),
        Output::Request(request) => format!("> {} {}", request.method.as_str(), request.url),
        Output::IceServers { id, servers } => {
            let urls: Vec<_> = servers.iter().flat_map(|server| &server.urls).collect();
            format!("ice servers {urls:?} {id}")
        }
        Output::Notify(event) => show_event(event),
    }
}

fn show_message(message: &ClientMessage) -> String {
    match message {
        ClientMessage::Connection(_) => "connection".into(),
        ClientMessage::PublishStream(_) => "publishStream".into(),
        ClientMessage::PlayStream(_) => "playStream".into(),
        ClientMessage::StopStream(stop) => format!("stopStream {}", stop.status),
        ClientMessage::UnPublishStream(stop) => format!("unPublishStream {}", stop.status),
        ClientMessage::AvailableStream(_) => "availableStream".into(),
        ClientMessage::SendStreamEvent(event) => format!(
            "sendStreamEvent {} {}",
            Value::from(event.event_type.as_str()),
            event.payload.clone().unwrap_or_default()
        ),
        ClientMessage::Pong => "pong".into(),
        ClientMessage::Snapshot(_)
        | ClientMessage::SendData(_)
        | ClientMessage::DataStatusEvent(_)
        | ClientMessage::Ping
        | ClientMessage::ConnectMediaTransport
        | ClientMessage::SessionDebug(_)
        | ClientMessage::PauseStream(_)
        | ClientMessage::Diagnostics { .. }
        | ClientMessage::Call { .. }
        | ClientMessage::Unknown { .. } => panic!("a session never sends {message:?}"),
    }
}

fn show_event(event: &Event) -> String {
    match event {
        Event::Session { status, reason } => match reason {
            Some(reason) => format!("session {status:?} ({reason})"),
            None => format!("session {status:?}"),
        },
        Event::Stream(update) => {
            let mut text = update.status.as_str().to_owned();
            if let Some(info) = &update.info {
                text += &format!(" ({info})");
            }
            if let Some(error) = &update.error {
                text += &format!(" [{error}]");
            }
            if let Some((audio, video)) = update.muted {
                text += &format!(" muted {audio}/{video}");
            }
            text
        }
        Event::StreamEvent {
            id,
            event_type,
            payload,
        } => {
            let event_type = Value::from(event_type.as_str());
            format!("event {id} {event_type} {payload}")
        }
        Event::Available {
            id,
            available,
            info,
        } => format!("available {id} {available} {info:?}"),
        Event::Warning(text) => format!("warning {text}"),
        Event::AppData(data) => format!("data {data}"),
        Event::VideoRate {
            id,
            bits_per_second,
        } => format!("rate {id} {bits_per_second}"),
    }
}
