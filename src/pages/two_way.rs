//! The two-way view: a connection, a publishing half, a playing half.

use yew::{Html, component, html};

use super::view::{View, ViewProps};
use crate::components::connection_bar::ConnectionBar;
use crate::components::masthead::Masthead;
use crate::components::play_card::PlayCard;
use crate::components::publish_card::PublishCard;
use crate::platform::peer;
use crate::state::Controls;

/// Everything on one page.
#[component]
pub fn TwoWay(ViewProps { view }: &ViewProps) -> Html {
    let View {
        screen,
        settings,
        preview,
        remote,
        actions,
    } = view;
    let controls = Controls::of(screen);
    html! {
        <div class="page">
            <Masthead supported={peer::is_supported()} />
            <ConnectionBar
                server={screen.server.clone()}
                enabled={controls.server}
                button={controls.connect}
                report={screen.connect_report.clone()}
                on_typed={&actions.on_typed}
                on_press={&actions.on_press}
            />
            <main class="halves">
                <PublishCard
                    half={screen.publish.clone()}
                    controls={controls.publish}
                    picture={preview.clone()}
                    payload={screen.payload.clone()}
                    payload_error={screen.payload_error.clone()}
                    send_data={controls.send_data}
                    settings={settings.clone()}
                    actions={actions.clone()}
                />
                <PlayCard
                    half={screen.play.clone()}
                    controls={controls.play}
                    available={controls.available}
                    availability={screen.availability.clone()}
                    remote={remote.clone()}
                    received={screen.received.clone()}
                    server={screen.server.text.clone()}
                    server_rate={screen.server_rate}
                    settings={settings.clone()}
                    actions={actions.clone()}
                />
            </main>
        </div>
    }
}
