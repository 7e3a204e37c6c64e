//! The app: it holds the state and the driver, and draws the view asked for.

use yew::{Component, Context, Html, Properties, html};

use super::two_way::TwoWay;
use super::view::{Actions, View};
use crate::driver::{Driver, Remote, Update};
use crate::platform::media::Picture;
use crate::platform::socket::{self, Connect};
use crate::platform::{location, random, timer};
use crate::state::{Press, Screen, Setting, Settings, Typed, random_name, server_url};

/// What the page is given.
#[derive(Clone, PartialEq, Properties)]
pub struct AppProps {
    /// Opens sockets to the server.
    pub connect: Connect,
}

impl Default for AppProps {
    fn default() -> Self {
        Self {
            connect: socket::browser(),
        }
    }
}

/// What the page reacts to.
pub enum Msg {
    /// The user changed a field.
    Typed(Typed),
    /// The user pressed a button.
    Press(Press),
    /// The user changed a setting.
    Setting(Setting),
    /// The driver tells something.
    Update(Update),
}

/// The app.
pub struct App {
    screen: Screen,
    settings: Settings,
    preview: Option<Picture>,
    remote: Option<Remote>,
    driver: Driver,
}

impl App {
    fn press(&mut self, press: Press) {
        if let Some(command) = self.screen.press(press) {
            self.driver.send(command);
        }
    }

    fn take(&mut self, update: Update) {
        match update {
            Update::Session(event) => {
                self.screen.event(event, timer::local_time());
                if let Some(command) = self.screen.play_again() {
                    self.driver.send(command);
                }
            }
            Update::Refused { role, reason } => self.screen.refused(role, &reason),
            Update::Preview(picture) => self.preview = picture,
            Update::Remote(remote) => self.remote = remote,
        }
    }
}

impl Component for App {
    type Message = Msg;
    type Properties = AppProps;

    fn create(ctx: &Context<Self>) -> Self {
        let mut page = Self {
            screen: first_screen(),
            settings: Settings::default(),
            preview: None,
            remote: None,
            driver: Driver::start(
                ctx.props().connect.clone(),
                ctx.link().callback(Msg::Update),
            ),
        };
        if location::query("connect").as_deref() == Some("1") {
            page.press(Press::Connect);
        }
        page
    }

    fn update(&mut self, _ctx: &Context<Self>, msg: Self::Message) -> bool {
        match msg {
            Msg::Typed(typed) => self.screen.typed(typed),
            Msg::Press(press) => self.press(press),
            Msg::Setting(setting) => self.settings.apply(setting),
            Msg::Update(update) => self.take(update),
        }
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let link = ctx.link();
        let view = View {
            screen: self.screen.clone(),
            settings: self.settings.clone(),
            preview: self.preview.clone(),
            remote: self.remote.clone(),
            actions: Actions {
                on_typed: link.callback(Msg::Typed),
                on_press: link.callback(Msg::Press),
                on_setting: link.callback(Msg::Setting),
            },
        };
        html! { <TwoWay {view} /> }
    }
}

/// The page as it opens: `?server=` and `?stream=` (to play) fill the fields,
/// otherwise the page's own server and one random name for both halves.
fn first_screen() -> Screen {
    let server = location::query("server").unwrap_or_else(|| server_url(&location::page_address()));
    // Without randomness the fields are empty, and the user fills them.
    let name = random::bits().map(random_name).unwrap_or_default();
    let play_name = location::query("stream").unwrap_or_else(|| name.clone());
    Screen::new(&server, &name, &play_name)
}
