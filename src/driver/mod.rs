//! The loop that joins the session, the browser and the screen.
//!
//! Everything that happens, a press or a callback of the browser, is one
//! `Event` in one bounded queue; the loop takes them in order, gives them to
//! the [`session::Session`], does what it asks for and tells the screen. Callbacks do
//! nothing but push.

mod capture;
mod doctor;
mod live;
mod recover;
mod requests;
mod update;

use core::time::Duration;
use std::cell::RefCell;
use std::rc::Rc;

use futures::StreamExt;
use futures::channel::mpsc;
use session::{
    Config, HttpResponse, Input, Output, Play, Publish, RequestId, SessionStatus, Severity,
    StreamRole, Time, Token,
};
use wire::{MediaSessionId, StreamEventType, StreamName};
use yew::Callback;

use self::capture::{CaptureEvent, Desk};
use self::doctor::Doctor;
use self::live::{Leg, Live};
use self::requests::Lingering;
pub use self::update::{Remote, Update};
use crate::platform::network::Signals;
use crate::platform::peer::PeerEvent;
use crate::platform::socket::{Connect, SocketEvent, SocketRequest};
use crate::platform::task::Task;
use crate::platform::timer::{self, Timer};
use crate::platform::{Thrown, dom, location, random};
use crate::state::{Command, Evidence, Recovery, Target};

/// Events waiting for the loop. It runs after every callback, so more than a
/// few mean that it hangs.
const QUEUE_LENGTH: usize = 1_024;
/// The server-side application.
const APP_KEY: &str = "defaultApp";
/// Until ESTABLISHED.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// From the offer to PUBLISHING or PLAYING.
const STREAM_TIMEOUT: Duration = Duration::from_secs(15);
/// The server pings every 5 s; three may get lost.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(16);

/// The running loop. Dropping it ends it, and with it the session, its socket,
/// its streams and the camera.
#[must_use = "dropping the driver ends everything it holds"]
pub struct Driver {
    queue: Queue,
    _signals: Signals,
    _loop: Task,
}

impl Driver {
    /// Starts a loop that opens sockets with `connect` and reports to `updates`.
    pub fn start(connect: Connect, updates: Callback<Update>) -> Self {
        let (sender, events) = mpsc::channel(QUEUE_LENGTH);
        let queue = Queue(Rc::new(RefCell::new(sender)));
        let hurry = queue.clone();
        let shell = Shell {
            connect,
            updates,
            queue: queue.clone(),
            live: None,
            desk: Desk::new(&queue),
            sessions: 0,
            wanted: Wanted::default(),
            recovery: Recovery::new(true),
            retry: None,
            doctor: Doctor::default(),
            lingering: Vec::new(),
        };
        Self {
            queue,
            _signals: Signals::listen(Callback::from(move |()| hurry.push(Event::Hurry))),
            _loop: Task::spawn(run(shell, events)),
        }
    }

    /// Asks for something; the answer comes as an [`Update`].
    pub fn send(&self, command: Command) {
        self.queue.push(Event::Command(command));
    }
}

/// Everything that can happen.
enum Event {
    Command(Command),
    /// Of one session's socket; those of earlier sessions come too late.
    Socket(SessionNumber, SocketEvent),
    /// A request of one session is answered, or will never be.
    Request(SessionNumber, RequestId, Result<HttpResponse, Thrown>),
    /// The session's timer is due.
    Timer(SessionNumber),
    /// Of camera, microphone and screen.
    Capture(CaptureEvent),
    Peer(MediaSessionId, PeerEvent),
    /// It is time to see whether the stream's media flows.
    CheckUp(MediaSessionId),
    /// What was found.
    Examined(MediaSessionId, Evidence),
    /// The connection is back: the streams that waited for it go on.
    Resume,
    /// Something lost is due to be tried for again.
    Retry,
    /// The network came back, or the page is looked at again.
    Hurry,
}

/// Counts the sessions of one loop.
type SessionNumber = u32;

#[derive(Clone)]
struct Queue(Rc<RefCell<mpsc::Sender<Event>>>);

impl Queue {
    /// Appends an event. After the loop's end it is dropped, and what it owns
    /// with it.
    fn push(&self, event: Event) {
        let pushed = self.0.borrow_mut().try_send(event);
        if pushed.is_err_and(|error| error.is_full()) {
            dom::log_warning("the page is overloaded: an event was dropped");
        }
    }

    /// A callback that pushes what it is called with.
    fn callback<T: 'static>(&self, event: impl Fn(T) -> Event + 'static) -> Callback<T> {
        let queue = self.clone();
        Callback::from(move |value| queue.push(event(value)))
    }
}

async fn run(mut shell: Shell, mut events: mpsc::Receiver<Event>) {
    while let Some(event) = events.next().await {
        shell.handle(event);
    }
}

struct Shell {
    connect: Connect,
    updates: Callback<Update>,
    queue: Queue,
    live: Option<Live>,
    /// Stays on between two publishings of a session.
    desk: Desk,
    sessions: SessionNumber,
    wanted: Wanted,
    recovery: Recovery,
    retry: Option<Timer>,
    doctor: Doctor,
    lingering: Vec<Lingering>,
}

/// What the user asked for last, to ask for it again after a loss.
#[derive(Default)]
struct Wanted {
    url: String,
    token: Option<Token>,
    publish: Option<StreamName>,
    play: Option<StreamName>,
}

impl Shell {
    fn handle(&mut self, event: Event) {
        match event {
            Event::Command(command) => self.command(command),
            Event::Socket(number, event) => self.of_session(number, socket_input(event)),
            Event::Request(number, id, result) => {
                self.of_session(number, response_input(id, result));
            }
            Event::Timer(number) => self.of_session(number, Input::Timeout),
            Event::Capture(event) => self.capture_event(event),
            Event::Peer(id, event) => self.peer_event(id, event),
            Event::CheckUp(id) => self.check_up(id),
            Event::Examined(id, evidence) => self.examined(&id, &evidence),
            Event::Resume => self.resume(),
            Event::Retry => self.retry(),
            Event::Hurry => self.hurry(),
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Connect { url, token } => self.want_connection(url, token),
            Command::Disconnect => self.unwant_connection(),
            Command::Start { role, name } => self.want_stream(role, name),
            Command::Stop(role) => self.unwant_stream(role),
            Command::KeepTrying(keep_trying) => self.keep_trying(keep_trying),
            Command::Available { name } => match fresh_id() {
                Ok(id) => self.ask(Input::Available { id, name }),
                Err(reason) => dom::log_warning(&reason),
            },
            Command::SendData(payload) => {
                if let Some(id) = self.id_of(StreamRole::Publisher) {
                    self.ask(Input::SendStreamEvent {
                        id,
                        event_type: StreamEventType::Data,
                        payload: Some(payload),
                    });
                }
            }
            Command::Capture(press) => self.capture_press(press),
            Command::Wishes(wishes) => self.capture_wishes(wishes),
        }
    }

    fn connect(&mut self) {
        let session = match self.signalling() {
            Ok(session) => session,
            Err(reason) => return self.refuse_connection(reason),
        };
        self.sessions += 1;
        self.live = Some(Live {
            number: self.sessions,
            session,
            socket: None,
            timer: None,
            warm_up: None,
            publisher: None,
            player: None,
        });
        self.ask(Input::Connect);
    }

    fn start(&mut self, role: StreamRole, name: StreamName) {
        if let Err(reason) = self.try_start(role, name) {
            self.close_media(role);
            self.updates.emit(Update::Refused { role, reason });
            self.lost(Target::Stream(role), Severity::Passing);
        }
    }

    fn try_start(&mut self, role: StreamRole, name: StreamName) -> Result<(), String> {
        let id = fresh_id()?;
        let live = self.live.as_mut().ok_or("there is no session")?;
        live.warm_up = None;
        *live.leg(role) = Some(Leg {
            id: id.clone(),
            peer: None,
            check_up: None,
        });
        let custom = None;
        self.input(match role {
            StreamRole::Publisher => Input::Publish(Publish { id, name, custom }),
            StreamRole::Player => Input::Play(Play { id, name, custom }),
        })
        .map_err(|refusal| refusal.to_string())
    }

    /// Gives the session what the user asked for. A refusal means that the
    /// session went on in the meantime, which the screen learns by itself.
    fn ask(&mut self, input: Input) {
        if let Err(refusal) = self.input(input) {
            dom::log_warning(&format!("not done: {refusal}"));
        }
    }

    fn of_session(&mut self, number: SessionNumber, input: Input) {
        if self.live.as_ref().is_some_and(|live| live.number == number) {
            self.ask(input);
        } else {
            self.linger(number, input);
        }
    }

    /// Gives the session an input and does all it asks for.
    fn input(&mut self, input: Input) -> Result<(), session::Error> {
        let Some(live) = &mut self.live else {
            return Ok(());
        };
        let result = live.session.handle(input, now());
        while let Some(output) = self.poll_output() {
            self.obey(output);
        }
        self.end_or_arm_timer();
        result
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.live.as_mut()?.session.poll_output()
    }

    fn obey(&mut self, output: Output) {
        match output {
            Output::OpenSocket => self.open_socket(),
            Output::Send(text) => self.send(&text),
            Output::CloseSocket => {
                if let Some(live) = &mut self.live {
                    live.socket = None;
                }
            }
            Output::CreateOffer { id, role } => self.create_offer(id, role),
            Output::ApplyAnswer { id, sdp } => {
                if let Some(peer) = self.peer(&id) {
                    peer.apply_answer(&sdp);
                }
            }
            Output::CloseMedia { id } => {
                if let Some(role) = self.role_of(&id) {
                    self.examine_failed(role);
                    self.close_media(role);
                }
            }
            Output::Request(request) => self.send_request(request),
            Output::IceServers { id, servers } => self.take_ice_servers(id, &servers),
            Output::Notify(event) => {
                // Queued: the session is in the middle of its outputs.
                if let Some(published) = capture::published(&event) {
                    self.queue.push(Event::Capture(published));
                }
                self.notify(event);
            }
        }
    }

    fn end_or_arm_timer(&mut self) {
        let Some(live) = &mut self.live else {
            return;
        };
        match live.session.status() {
            SessionStatus::Disconnected | SessionStatus::Failed => self.end_session(),
            SessionStatus::Pending | SessionStatus::Connected | SessionStatus::Established => {
                let (queue, number) = (self.queue.clone(), live.number);
                live.timer = live
                    .session
                    .timeout()
                    .map(|at| Timer::after(at - now(), move || queue.push(Event::Timer(number))));
            }
        }
    }

    fn open_socket(&mut self) {
        let Some(live) = &mut self.live else {
            return;
        };
        let number = live.number;
        let opened = self.connect.emit(SocketRequest {
            url: self.wanted.url.clone(),
            on_event: self
                .queue
                .callback(move |event| Event::Socket(number, event)),
        });
        match opened {
            Ok(socket) => live.socket = Some(socket),
            Err(error) => {
                // The browser does not take the address: nor will it later.
                self.recovery.unwanted(Target::Connection);
                self.socket_failed(number, error.to_string());
            }
        }
    }

    fn send(&mut self, text: &str) {
        let Some(live) = &self.live else {
            return;
        };
        if let Some(Err(error)) = live.socket.as_ref().map(|socket| socket.send(text)) {
            self.socket_failed(live.number, error.to_string());
        }
    }

    fn socket_failed(&self, number: SessionNumber, reason: String) {
        self.queue
            .push(Event::Socket(number, SocketEvent::Failed(reason)));
    }
}

fn response_input(id: RequestId, result: Result<HttpResponse, Thrown>) -> Input {
    match result {
        Ok(response) => Input::Response { id, response },
        Err(thrown) => Input::RequestFailed {
            id,
            error: thrown.to_string(),
        },
    }
}

fn socket_input(event: SocketEvent) -> Input {
    match event {
        SocketEvent::Opened => Input::SocketOpened,
        SocketEvent::Message(text) => Input::SocketMessage(text),
        SocketEvent::Closed => Input::SocketClosed,
        SocketEvent::Failed(reason) => Input::SocketFailed(reason),
    }
}

fn config(token: Option<Token>) -> Config {
    Config {
        app_key: APP_KEY.to_owned(),
        client_os_version: location::app_version(),
        client_browser_version: location::user_agent(),
        custom: None,
        token,
        connect_timeout: CONNECT_TIMEOUT,
        stream_timeout: STREAM_TIMEOUT,
        silence_timeout: SILENCE_TIMEOUT,
    }
}

fn fresh_id() -> Result<MediaSessionId, String> {
    let bits = random::bits().map_err(|thrown| thrown.to_string())?;
    Ok(MediaSessionId::from_random(bits))
}

fn now() -> Time {
    Time::new(timer::since_page_opened())
}
