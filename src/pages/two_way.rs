//! The two-way view: a connection, a publishing half, a playing half.

use yew::{Html, component, html};

use super::view::{View, ViewProps};
use crate::components::masthead::Masthead;
use crate::components::play_card::PlayCard;
use crate::components::publish_card::PublishCard;
use crate::components::share_sheet::ShareSheet;
use crate::platform::peer;
use crate::state::Controls;

/// Everything on one page.
#[component]
pub fn TwoWay(ViewProps { view }: &ViewProps) -> Html {
    let View {
        screen,
        settings,
        preview,
        studio,
        remote,
        share,
        diagnoses,
        actions,
    } = view;
    let controls = Controls::of(screen);
    html! {
        <div class="page">
            <Masthead supported={peer::is_supported()}>
                <ShareSheet share={share.clone()} />
            </Masthead>
            { view.connection_bar() }
            <main class="halves">
                <PublishCard
                    half={screen.publish.clone()}
                    diagnosis={diagnoses.publish.clone()}
                    controls={controls.publish}
                    preview={preview.clone()}
                    studio={studio.clone()}
                    payload={screen.payload.clone()}
                    payload_error={screen.payload_error.clone()}
                    send_data={controls.send_data}
                    settings={settings.clone()}
                    actions={actions.clone()}
                />
                <PlayCard
                    half={screen.play.clone()}
                    diagnosis={diagnoses.play.clone()}
                    controls={controls.play}
                    available={controls.available}
                    availability={screen.availability.clone()}
                    remote={remote.clone()}
                    publisher_muted={screen.publisher_muted}
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
