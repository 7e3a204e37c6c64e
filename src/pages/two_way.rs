//! The Two-way Streaming page: a connection, a publishing half, a playing half.

use yew::{Callback, Component, Context, Html, Properties, html};

use crate::components::connection_bar::ConnectionBar;
use crate::components::masthead::Masthead;
use crate::components::play_card::PlayCard;
use crate::components::publish_card::PublishCard;
use crate::driver::{Driver, Update};
use crate::platform::media::Picture;
use crate::platform::socket::{self, Connect};
use crate::platform::{location, peer, random, timer};
use crate::state::{Controls, Press, Screen, Typed, random_name, server_url};

/// What the page is given.
#[derive(Clone, PartialEq, Properties)]
pub struct TwoWayProps {
    /// Opens sockets to the server.
    pub connect: Connect,
}

impl Default for TwoWayProps {
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
    /// The driver tells something.
    Update(Update),
}

/// The page.
pub struct TwoWay {
    screen: Screen,
    preview: Option<Picture>,
    remote: Option<Picture>,
    driver: Driver,
}

impl TwoWay {
    fn press(&mut self, press: Press) {
        if let Some(command) = self.screen.press(press) {
            self.driver.send(command);
        }
    }

    fn take(&mut self, update: Update) {
        match update {
            Update::Session(event) => self.screen.event(event, timer::local_time()),
            Update::Refused { role, reason } => self.screen.refused(role, &reason),
            Update::Preview(picture) => self.preview = picture,
            Update::Remote(picture) => self.remote = picture,
        }
    }
}

impl Component for TwoWay {
    type Message = Msg;
    type Properties = TwoWayProps;

    fn create(ctx: &Context<Self>) -> Self {
        let mut page = Self {
            screen: first_screen(),
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
            Msg::Update(update) => self.take(update),
        }
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let on_typed: Callback<Typed> = ctx.link().callback(Msg::Typed);
        let on_press: Callback<Press> = ctx.link().callback(Msg::Press);
        let screen = &self.screen;
        let controls = Controls::of(screen);
        html! {
            <div class="page">
                <Masthead supported={peer::is_supported()} />
                <ConnectionBar
                    server={screen.server.clone()}
                    enabled={controls.server}
                    button={controls.connect}
                    report={screen.connect_report.clone()}
                    on_typed={on_typed.clone()}
                    on_press={on_press.clone()}
                />
                <main class="halves">
                    <PublishCard
                        half={screen.publish.clone()}
                        controls={controls.publish}
                        picture={self.preview.clone()}
                        payload={screen.payload.clone()}
                        payload_error={screen.payload_error.clone()}
                        send_data={controls.send_data}
                        on_typed={on_typed.clone()}
                        on_press={on_press.clone()}
                    />
                    <PlayCard
                        half={screen.play.clone()}
                        controls={controls.play}
                        available={controls.available}
                        availability={screen.availability.clone()}
                        picture={self.remote.clone()}
                        received={screen.received.clone()}
                        {on_typed}
                        {on_press}
                    />
                </main>
            </div>
        }
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
