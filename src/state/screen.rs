//! The page's state machine: the connection and the two halves.

use serde_json::Value;
use session::{Event, SessionStatus, StreamRole, StreamUpdate};
use wire::{MediaSessionId, StreamEventType, StreamName, StreamStatus};

use super::statistics::ServerRate;
use super::{ReceivedLog, Status, play_info, publish_info};

/// What the payload field holds when the page opens.
const FIRST_PAYLOAD: &str = r#"{"count": 23}"#;

/// Where the connection is. What became of the last one is in its [`Report`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// There is none: at the start, DISCONNECTED or FAILED.
    Ready,
    /// Asked for.
    Connecting,
    /// Streams are allowed.
    Established,
    /// The user wants it to end.
    Disconnecting,
}

/// Where a half's stream is. What became of the last one is in its [`Report`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// There is none.
    Idle,
    /// Asked for.
    Asked,
    /// PUBLISHING or PLAYING.
    Live,
    /// The user wants it to end.
    Stopping,
}

/// A text field that must not be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Field {
    /// What it holds.
    pub text: String,
    /// It was empty when it was needed.
    pub missing: bool,
}

/// A status and what the page has to say about it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The last status; it stays until the next.
    pub status: Option<Status>,
    /// Empty if the status says it all.
    pub info: String,
}

/// One of the two halves, publishing or playing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Half {
    /// The stream's name.
    pub name: Field,
    /// Where its stream is.
    pub stage: Stage,
    /// What is said about it.
    pub report: Report,
}

/// Everything the page shows but the pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct Screen {
    /// The server's address.
    pub server: Field,
    /// The connection to it.
    pub connection: Connection,
    /// What is said about the connection.
    pub connect_report: Report,
    /// The publishing half.
    pub publish: Half,
    /// Data for the players, as JSON text.
    pub payload: String,
    /// What is wrong with it; empty if nothing.
    pub payload_error: String,
    /// The playing half.
    pub play: Half,
    /// The answer to the last "Available".
    pub availability: Report,
    /// Data from the publisher of the played stream.
    pub received: ReceivedLog,
    /// What the server counts of the played stream; `None` before its first word.
    pub server_rate: Option<ServerRate>,
    /// The played stream.
    playing: Option<MediaSessionId>,
    /// It is being stopped in order to be played again.
    play_again: bool,
}

/// The user changed a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// The server's address.
    Server(String),
    /// The name to publish or to play by.
    Name(StreamRole, String),
    /// The data to send.
    Payload(String),
}

/// The user pressed a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press {
    /// "Connect" or "Disconnect".
    Connect,
    /// "Publish", "Play" or "Stop".
    Stream(StreamRole),
    /// "Available".
    Available,
    /// Nobody's press: the guard wants the played stream from its live end.
    PlayAgain,
    /// "Send payload as object".
    SendData,
}

/// What a press asks of the driver.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Connect to the server at `url`.
    Connect {
        /// Its address.
        url: String,
    },
    /// End the session.
    Disconnect,
    /// Publish or play a stream.
    Start {
        /// Which of the two.
        role: StreamRole,
        /// The stream's name.
        name: StreamName,
    },
    /// Stop publishing or playing.
    Stop(StreamRole),
    /// Ask whether a stream is live.
    Available {
        /// The stream's name.
        name: StreamName,
    },
    /// Send data to the players of the published stream.
    SendData(Value),
}

impl Field {
    /// A field that holds `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            missing: false,
        }
    }

    fn set(&mut self, text: String) {
        self.missing &= text.is_empty();
        self.text = text;
    }

    /// What it holds; `None` if that is nothing, which is then shown.
    fn required(&mut self) -> Option<String> {
        self.missing = self.text.is_empty();
        (!self.missing).then(|| self.text.clone())
    }
}

impl Report {
    fn new(status: Status, info: impl Into<String>) -> Self {
        Self {
            status: Some(status),
            info: info.into(),
        }
    }
}

impl Half {
    fn new(name: &str) -> Self {
        Self {
            name: Field::new(name),
            stage: Stage::Idle,
            report: Report::default(),
        }
    }

    fn press(&mut self, role: StreamRole) -> Option<Command> {
        match self.stage {
            Stage::Idle => {
                let name = StreamName::new(self.name.required()?);
                self.stage = Stage::Asked;
                Some(Command::Start { role, name })
            }
            Stage::Live => {
                self.stage = Stage::Stopping;
                Some(Command::Stop(role))
            }
            Stage::Asked | Stage::Stopping => None,
        }
    }

    /// PUBLISHING or PLAYING: the only statuses that clear the info.
    fn live(&mut self, status: Status) {
        // The status that crosses a stop on its way does not undo the stop.
        if self.stage != Stage::Stopping {
            self.stage = Stage::Live;
        }
        self.report = Report::new(status, "");
    }

    /// UNPUBLISHED or STOPPED.
    fn stopped(&mut self, status: Status) {
        self.stage = Stage::Idle;
        self.report.status = Some(status);
    }

    fn failed(&mut self, info: String) {
        self.stage = Stage::Idle;
        self.report = Report::new(Status::Failed, info);
    }
}

impl Screen {
    /// The page as it opens.
    pub fn new(server: &str, publish_name: &str, play_name: &str) -> Self {
        Self {
            server: Field::new(server),
            connection: Connection::Ready,
            connect_report: Report::default(),
            publish: Half::new(publish_name),
            payload: FIRST_PAYLOAD.to_owned(),
            payload_error: String::new(),
            play: Half::new(play_name),
            availability: Report::default(),
            received: ReceivedLog::default(),
            server_rate: None,
            playing: None,
            play_again: false,
        }
    }

    /// Takes what the user typed.
    pub fn typed(&mut self, typed: Typed) {
        match typed {
            Typed::Server(text) => self.server.set(text),
            Typed::Name(role, text) => self.half(role).name.set(text),
            Typed::Payload(text) => {
                self.payload = text;
                self.payload_error.clear();
            }
        }
    }

    /// Takes a press; what it asks of the driver, if anything.
    pub fn press(&mut self, press: Press) -> Option<Command> {
        match press {
            Press::Connect => self.press_connect(),
            Press::Stream(role) => self.half(role).press(role),
            Press::Available => {
                let name = self.play.name.required()?;
                Some(Command::Available {
                    name: StreamName::new(name),
                })
            }
            Press::PlayAgain => {
                self.play_again = self.play.stage == Stage::Live;
                if !self.play_again {
                    return None;
                }
                self.play.press(StreamRole::Player)
            }
            Press::SendData => self.press_send_data(),
        }
    }

    /// Once the stream that is to be played again has stopped: what starts it.
    pub fn play_again(&mut self) -> Option<Command> {
        if !self.play_again || self.play.stage == Stage::Stopping {
            return None;
        }
        self.play_again = false;
        let stopped = self.play.report.status == Some(Status::Stopped);
        // A stream that failed meanwhile says so and stays.
        stopped
            .then(|| self.play.press(StreamRole::Player))
            .flatten()
    }

    /// Takes what the session tells; `local_time` in hours and minutes.
    pub fn event(&mut self, event: Event, local_time: (u32, u32)) {
        match event {
            Event::Session { status, reason } => self.session(status, reason),
            Event::Stream(update) => self.stream(&update),
            Event::StreamEvent {
                event_type: StreamEventType::Data,
                payload,
                ..
            } => self.received.push(&payload, local_time),
            Event::Available {
                available, info, ..
            } => {
                let status = if available {
                    Status::Available
                } else {
                    Status::Unavailable
                };
                self.availability = Report::new(status, info.unwrap_or_default());
            }
            Event::Warning(text) => self.connect_report.info = text,
            Event::VideoRate {
                id,
                bits_per_second,
            } => self.video_rate(&id, bits_per_second),
            // Not shown.
            Event::StreamEvent { .. } | Event::AppData(_) => {}
        }
    }

    /// A stream could not even be asked for.
    pub fn refused(&mut self, role: StreamRole, reason: &str) {
        self.half(role)
            .failed(failed_info(role, None, Some(reason)));
    }

    fn press_connect(&mut self) -> Option<Command> {
        match self.connection {
            Connection::Ready => {
                let url = self.server.required()?;
                self.connection = Connection::Connecting;
                self.connect_report.info.clear();
                Some(Command::Connect { url })
            }
            Connection::Established => {
                self.connection = Connection::Disconnecting;
                Some(Command::Disconnect)
            }
            Connection::Connecting | Connection::Disconnecting => None,
        }
    }

    fn press_send_data(&mut self) -> Option<Command> {
        match serde_json::from_str(&self.payload) {
            Ok(payload) => {
                self.payload_error.clear();
                Some(Command::SendData(payload))
            }
            Err(error) => {
                self.payload_error = format!("This is not JSON: {error}");
                None
            }
        }
    }

    fn session(&mut self, status: SessionStatus, reason: Option<String>) {
        let shown = match status {
            // There is no text for connecting.
            SessionStatus::Pending | SessionStatus::Connected => return,
            SessionStatus::Established => {
                self.connection = Connection::Established;
                Status::Established
            }
            SessionStatus::Disconnected => {
                self.connection = Connection::Ready;
                Status::Disconnected
            }
            SessionStatus::Failed => {
                self.connection = Connection::Ready;
                Status::Failed
            }
        };
        self.connect_report = Report::new(shown, reason.unwrap_or_default());
    }

    fn video_rate(&mut self, id: &MediaSessionId, bits_per_second: f64) {
        if self.playing.as_ref() == Some(id) {
            let count = self.server_rate.map_or(0, |rate| rate.count);
            self.server_rate = Some(ServerRate {
                count: count.wrapping_add(1),
                bits_per_second,
            });
        }
    }

    fn stream(&mut self, update: &StreamUpdate) {
        let role = update.role;
        if role == StreamRole::Player {
            self.playing = Some(update.id.clone());
        }
        let half = self.half(role);
        match update.status {
            StreamStatus::Publishing => half.live(Status::Publishing),
            StreamStatus::Playing => half.live(Status::Playing),
            StreamStatus::Unpublished => half.stopped(Status::Unpublished),
            StreamStatus::Stopped => half.stopped(Status::Stopped),
            StreamStatus::Failed => {
                let (info, error) = (update.info.as_deref(), update.error.as_deref());
                half.failed(failed_info(role, info, error));
            }
            // There is no text for these, and they change no control.
            StreamStatus::New
            | StreamStatus::Pending
            | StreamStatus::Paused
            | StreamStatus::PlaybackProblem
            | StreamStatus::Resize
            | StreamStatus::SnapshotComplete
            | StreamStatus::NotEnoughBandwidth
            | StreamStatus::StreamEvent
            | StreamStatus::Other(_) => {}
        }
    }

    fn half(&mut self, role: StreamRole) -> &mut Half {
        match role {
            StreamRole::Publisher => &mut self.publish,
            StreamRole::Player => &mut self.play,
        }
    }
}

fn failed_info(role: StreamRole, info: Option<&str>, error: Option<&str>) -> String {
    match role {
        StreamRole::Publisher => publish_info(info, error),
        StreamRole::Player => play_info(info, error),
    }
}

#[cfg(test)]
#[path = "screen_tests.rs"]
mod tests;
