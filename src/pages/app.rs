//! The app: it holds the state and the driver, and draws the view asked for.

use core::time::Duration;

use session::StreamRole;
use yew::{Component, Context, Html, NodeRef, Properties};

use super::embed::embed;
use super::player::player;
use super::two_way::two_way;
use super::view::{Actions, View};
use crate::driver::{Driver, Remote, Update};
use crate::platform::media::Preview;
use crate::platform::socket::{self, Connect};
use crate::platform::storage::Storage;
use crate::platform::timer::Timer;
use crate::platform::{dom, location, random, timer};
use crate::state::{
    Command, Connection, Diagnoses, Errands, Layout, Link, Memory, Press, Screen, Setting,
    Settings, Share, Studio, Typed, random_name, server_url,
};

/// How often data from the publisher is drawn, at most.
const DATA_DRAWN_EVERY: Duration = Duration::from_millis(100);

/// What the page is given.
#[derive(Clone, PartialEq, Properties)]
pub struct AppProps {
    /// Opens sockets to the server.
    pub connect: Connect,
    /// What the page is asked to show and do.
    pub link: Link,
    /// Where it remembers.
    pub storage: Storage,
}

impl Default for AppProps {
    fn default() -> Self {
        Self {
            connect: socket::browser(),
            link: Link::parse(&location::query_string()),
            storage: Storage::browser(),
        }
    }
}

/// What the page reacts to.
pub enum Msg {
    /// The user changed a field.
    Typed(Typed),
    /// The user pressed a button.
    Press(Press),
    /// The user wants to see the stream, whether there is a session or not.
    Watch,
    /// The user changed a setting.
    Setting(Setting),
    /// The user opened the share sheet, or closed it.
    Share(bool),
    /// Data came a moment ago and is to be seen now.
    Draw,
    /// The driver tells something.
    Update(Box<Update>),
}

/// The app.
pub struct App {
    screen: Screen,
    memory: Memory,
    storage: Storage,
    layout: Layout,
    errands: Errands,
    /// The server's address is what the user typed.
    server_typed: bool,
    diagnoses: Diagnoses,
    preview: Option<Preview>,
    studio: Studio,
    remote: Option<Remote>,
    /// The share sheet is open.
    sharing: bool,
    /// The element around the player.
    stage: NodeRef,
    /// The element with the data from the publisher.
    received: NodeRef,
    /// How much of it was scrolled to the end of.
    scrolled: u64,
    drawing: Option<Timer>,
    driver: Driver,
}

impl App {
    fn press(&mut self, press: Press) {
        // What was wrong with the last stream is not said of the next.
        match press {
            Press::Connect => self.diagnoses = Diagnoses::default(),
            Press::Stream(role) => self.diagnoses.set(role, None),
            Press::PlayAgain => self.diagnoses.set(StreamRole::Player, None),
            Press::Available | Press::SendData | Press::Capture(_) => {}
        }
        if let Some(command) = self.screen.press(press) {
            self.driver.send(command);
        }
    }

    /// A press by the user: "Connect" again ends what a link wanted to follow.
    fn pressed(&mut self, press: Press) {
        if press == Press::Connect && self.screen.connection != Connection::Ready {
            self.errands.cancel();
        }
        self.press(press);
    }

    fn watch(&mut self) {
        if self.screen.connection == Connection::Established {
            self.press(Press::Stream(StreamRole::Player));
            return;
        }
        self.errands.want(StreamRole::Player);
        if self.screen.connection == Connection::Ready {
            self.press(Press::Connect);
        }
    }

    fn typed(&mut self, typed: Typed) {
        self.server_typed |= matches!(typed, Typed::Server(_));
        self.screen.typed(typed);
    }

    fn take(&mut self, update: Update) {
        let was_established = self.screen.connection == Connection::Established;
        match update {
            Update::Session(event) => self.screen.event(event, timer::local_time()),
            Update::Waiting(wait) => self.screen.waiting(wait),
            Update::GivenUp(target) => self.screen.given_up(target),
            Update::ServerRate(bits_per_second) => self.screen.server_rate(bits_per_second),
            Update::Refused { role, reason } => self.screen.refused(role, &reason),
            Update::Diagnosis { role, diagnosis } => {
                self.diagnoses.set(role, diagnosis.map(|it| *it))
            }
            Update::Preview(preview) => self.preview = preview,
            Update::Studio(studio) => self.studio = *studio,
            Update::Wishes(wishes) => self.set(Setting::Capture(wishes)),
            Update::Remote(remote) => self.remote = remote,
        }
        if let Some(command) = self.screen.play_again() {
            self.driver.send(command);
        }
        if !was_established && self.screen.connection == Connection::Established {
            self.established();
        }
    }

    /// Data may come a thousand times a second: no need to draw each of them.
    fn draw_later(&mut self, ctx: &Context<Self>) -> bool {
        let link = ctx.link();
        self.drawing.get_or_insert_with(|| {
            let link = link.clone();
            Timer::after(DATA_DRAWN_EVERY, move || link.send_message(Msg::Draw))
        });
        false
    }

    fn established(&mut self) {
        if self.server_typed {
            let server = &self.screen.server.text;
            self.memory.reached(server, &default_server());
            self.remember();
        }
        for role in self.errands.take() {
            self.press(Press::Stream(role));
        }
    }

    fn set(&mut self, setting: Setting) {
        if let Setting::KeepTrying(keep_trying) = setting {
            self.driver.send(Command::KeepTrying(keep_trying));
        }
        self.memory.apply(setting);
        self.remember();
    }

    fn remember(&self) {
        self.storage.write(&self.memory.to_json());
    }

    fn share(&self) -> Share {
        let (server, stream) = (&self.screen.server.text, &self.screen.play.name.text);
        Share::of(&location::page_url(), server, &default_server(), stream)
    }
}

impl Component for App {
    type Message = Msg;
    type Properties = AppProps;

    fn create(ctx: &Context<Self>) -> Self {
        let AppProps {
            connect,
            link,
            storage,
        } = ctx.props();
        let memory = Memory::new(storage.read().as_deref(), link);
        let mut page = Self {
            screen: first_screen(link, &memory),
            memory,
            storage: storage.clone(),
            layout: link.layout,
            errands: Errands::of(link),
            server_typed: false,
            diagnoses: Diagnoses::default(),
            preview: None,
            studio: Studio::default(),
            remote: None,
            sharing: false,
            stage: NodeRef::default(),
            received: NodeRef::default(),
            scrolled: 0,
            drawing: None,
            driver: Driver::start(
                connect.clone(),
                ctx.link().callback(|update| Msg::Update(Box::new(update))),
            ),
        };
        let Settings {
            keep_trying,
            capture,
            ..
        } = page.memory.settings();
        page.driver.send(Command::KeepTrying(keep_trying));
        page.driver.send(Command::Wishes(capture));
        if link.connect || page.errands.any() {
            page.press(Press::Connect);
        }
        page
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Self::Message) -> bool {
        match msg {
            Msg::Typed(typed) => self.typed(typed),
            Msg::Press(press) => self.pressed(press),
            Msg::Watch => self.watch(),
            Msg::Setting(setting) => {
                if let Setting::Capture(wishes) = &setting {
                    self.driver.send(Command::Wishes(wishes.clone()));
                }
                self.set(setting);
            }
            Msg::Update(update) => {
                let is_data = update.is_data();
                self.take(*update);
                if is_data {
                    return self.draw_later(ctx);
                }
            }
            Msg::Share(open) => self.sharing = open,
            Msg::Draw => self.drawing = None,
        }
        true
    }

    fn rendered(&mut self, _ctx: &Context<Self>, _first_render: bool) {
        let received = self.screen.received.received();
        if self.scrolled != received {
            self.scrolled = received;
            dom::scroll_to_end(&self.received);
        }
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let link = ctx.link();
        let view = View {
            screen: &self.screen,
            settings: &self.memory.settings(),
            preview: self.preview.as_ref(),
            studio: &self.studio,
            remote: self.remote.as_ref(),
            stage: &self.stage,
            received: &self.received,
            diagnoses: &self.diagnoses,
            share: &self.share(),
            sharing: self.sharing,
            actions: &Actions {
                on_typed: link.callback(Msg::Typed),
                on_press: link.callback(Msg::Press),
                on_setting: link.callback(Msg::Setting),
                on_watch: link.callback(|()| Msg::Watch),
                on_share: link.callback(Msg::Share),
            },
        };
        match self.layout {
            Layout::TwoWay => two_way(&view),
            Layout::Player => player(&view),
            Layout::Embed => embed(&view),
        }
    }
}

/// The server the page came from.
fn default_server() -> String {
    server_url(&location::page_address())
}

/// The page as it opens. The server is the link's, the remembered one or the
/// page's own; without a link one random name stands in both halves of the
/// two-way view, and no name where there is only a player.
fn first_screen(link: &Link, memory: &Memory) -> Screen {
    let server = link
        .server
        .clone()
        .or_else(|| memory.server().map(str::to_owned))
        .unwrap_or_else(default_server);
    let name = match link.layout {
        // Without randomness the fields are empty, and the user fills them.
        Layout::TwoWay => random::bits().map(random_name).unwrap_or_default(),
        Layout::Player | Layout::Embed => String::new(),
    };
    let play_name = link.stream.as_ref().unwrap_or(&name);
    let publish_name = if link.publish { play_name } else { &name };
    Screen::new(&server, publish_name, play_name)
}
