//! The page's state machine: the connection and the two halves.

use serde_json::Value;
use session::{BadToken, Event, SessionStatus, StreamRole, StreamUpdate, Token};
use wire::{StreamEventType, StreamName, StreamStatus};

use super::recovery::{Target, Wait};
use super::texts::{connection_notice, stream_notice};
use super::{Capture, CapturePress, ReceivedLog, Status, play_info, publish_info};

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
    /// It was lost and will be tried for again, or is just being tried for.
    Waiting,
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
    /// It was lost and will be asked for again, or is just being asked for.
    Waiting,
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
    /// What is done about a loss; empty while there is none.
    pub notice: String,
}

/// Everything the page shows but the pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct Screen {
    /// The server's address.
    pub server: Field,
    /// The access token for it; empty for none. Never stored.
    pub token: String,
    /// The connection to it.
    pub connection: Connection,
    /// What is said about the connection.
    pub connect_report: Report,
    /// What is done about its loss; empty while there is none.
    pub connect_notice: String,
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
    /// What the publisher of the played stream muted.
    pub publisher_muted: Muted,
    /// What the server says it sends to the player.
    pub server_rate: Option<ServerRate>,
    /// The played stream is being stopped in order to be played again.
    play_again: bool,
}

/// What a publisher muted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Muted {
    /// Its sound.
    pub audio: bool,
    /// Its picture.
    pub video: bool,
}

/// What the server sends to the player, as the server counts it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServerRate {
    /// Counts the messages, since two may say the same.
    pub number: u32,
    /// Bits of video in the last second.
    pub bits_per_second: f64,
}

/// The user changed a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// The server's address.
    Server(String),
    /// The access token for it.
    Token(String),
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
    /// One of the capture buttons.
    Capture(CapturePress),
}

/// What a press asks of the driver.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Connect to the server at `url`.
    Connect {
        /// Its address.
        url: String,
        /// The access token, if there is one.
        token: Option<Token>,
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
    /// Camera, microphone or screen on or off, or muted.
    Capture(CapturePress),
    /// What the user wants of devices and pictures.
    Wishes(Capture),
    /// Whether to try again for what is lost.
    KeepTrying(bool),
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
            notice: String::new(),
        }
    }

    fn press(&mut self, role: StreamRole) -> Option<Command> {
        match self.stage {
            Stage::Idle => {
                let name = StreamName::new(self.name.required()?);
                self.stage = Stage::Asked;
                Some(Command::Start { role, name })
            }
            Stage::Live | Stage::Waiting => {
                self.stage = Stage::Stopping;
                self.notice.clear();
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
        self.notice.clear();
        self.report = Report::new(status, "");
    }

    /// UNPUBLISHED or STOPPED.
    fn stopped(&mut self, status: Status) {
        self.stage = Stage::Idle;
        self.notice.clear();
        self.report.status = Some(status);
    }

    /// Nothing is tried for any more; what was said about the loss stays.
    fn settle(&mut self) {
        if self.stage == Stage::Waiting {
            self.stage = Stage::Idle;
            self.notice.clear();
        }
    }

    fn failed(&mut self, info: String) {
        self.stage = Stage::Idle;
        self.notice.clear();
        self.report = Report::new(Status::Failed, info);
    }
}

impl Screen {
    /// The page as it opens.
    pub fn new(server: &str, publish_name: &str, play_name: &str) -> Self {
        Self {
            server: Field::new(server),
            token: String::new(),
            connection: Connection::Ready,
            connect_report: Report::default(),
            connect_notice: String::new(),
            publish: Half::new(publish_name),
            payload: FIRST_PAYLOAD.to_owned(),
            payload_error: String::new(),
            play: Half::new(play_name),
            availability: Report::default(),
            received: ReceivedLog::default(),
            publisher_muted: Muted::default(),
            server_rate: None,
            play_again: false,
        }
    }

    /// Takes what the user typed.
    pub fn typed(&mut self, typed: Typed) {
        match typed {
            Typed::Server(text) => self.server.set(text),
            Typed::Token(text) => self.token = text,
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
            Press::Capture(press) => Some(Command::Capture(press)),
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
                event_type,
                payload,
                ..
            } => self.stream_event(&event_type, &payload, local_time),
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
            // Not shown.
            Event::AppData(_) | Event::VideoRate { .. } => {}
        }
    }

    /// What the server sends to the player, in bits of video a second.
    pub fn server_rate(&mut self, bits_per_second: f64) {
        let number = self
            .server_rate
            .map_or(0, |last| last.number.wrapping_add(1));
        self.server_rate = Some(ServerRate {
            number,
            bits_per_second,
        });
    }

    /// Something lost will be tried for again.
    pub fn waiting(&mut self, wait: Wait) {
        match wait.target {
            Target::Connection => {
                self.connection = Connection::Waiting;
                self.connect_notice = connection_notice(&wait);
            }
            Target::Stream(role) => {
                let half = self.half(role);
                half.stage = Stage::Waiting;
                half.notice = stream_notice(&wait, &half.report.info);
            }
        }
    }

    /// What the user did not want any more is over.
    pub fn given_up(&mut self, target: Target) {
        match target {
            Target::Connection => self.session(SessionStatus::Disconnected, None),
            Target::Stream(StreamRole::Publisher) => self.publish.stopped(Status::Unpublished),
            Target::Stream(StreamRole::Player) => self.play.stopped(Status::Stopped),
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
                let token = match self.read_token() {
                    Ok(token) => token,
                    Err(error) => {
                        self.connect_report = Report::new(Status::Failed, error.to_string());
                        return None;
                    }
                };
                self.connection = Connection::Connecting;
                self.connect_report.info.clear();
                Some(Command::Connect { url, token })
            }
            // Answered at once: there is nothing to wait for.
            Connection::Waiting => Some(Command::Disconnect),
            Connection::Established => {
                self.connection = Connection::Disconnecting;
                Some(Command::Disconnect)
            }
            Connection::Connecting | Connection::Disconnecting => None,
        }
    }

    fn read_token(&self) -> Result<Option<Token>, BadToken> {
        if !self.token.trim().is_empty() {
            Token::new(&self.token).map(Some)
        } else {
            Ok(None)
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
                self.disconnected();
                Status::Disconnected
            }
            SessionStatus::Failed => {
                self.disconnected();
                Status::Failed
            }
        };
        self.connect_notice.clear();
        self.connect_report = Report::new(shown, reason.unwrap_or_default());
    }

    /// Streams that are to be resumed are said so after this.
    fn disconnected(&mut self) {
        self.connection = Connection::Ready;
        self.publish.settle();
        self.play.settle();
    }

    fn stream_event(
        &mut self,
        event_type: &StreamEventType,
        payload: &Value,
        local_time: (u32, u32),
    ) {
        match event_type {
            StreamEventType::Data => self.received.push(payload, local_time),
            StreamEventType::AudioMuted => self.publisher_muted.audio = true,
            StreamEventType::AudioUnmuted => self.publisher_muted.audio = false,
            StreamEventType::VideoMuted => self.publisher_muted.video = true,
            StreamEventType::VideoUnmuted => self.publisher_muted.video = false,
            // The picture shows a new size by itself; the rest is not shown.
            StreamEventType::Resize
            | StreamEventType::NotEnoughBandwidth
            | StreamEventType::SnapshotCompleted
            | StreamEventType::SnapshotFailed
            | StreamEventType::Other(_) => {}
        }
    }

    fn stream(&mut self, update: &StreamUpdate) {
        let role = update.role;
        if role == StreamRole::Player {
            self.note_muted(update);
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

    /// A play starts, or a late viewer learns what was muted before.
    fn note_muted(&mut self, update: &StreamUpdate) {
        if update.status == StreamStatus::Pending {
            self.publisher_muted = Muted::default();
            self.server_rate = None;
        }
        if let Some((audio, video)) = update.muted {
            self.publisher_muted = Muted { audio, video };
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
