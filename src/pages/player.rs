//! The player view: one large player, and the connection out of the way.

use session::StreamRole;
use yew::{Callback, Html, component, html};

use super::view::{Actions, View, ViewProps};
use crate::components::masthead::Masthead;
use crate::components::play_card::PlayCard;
use crate::components::share_sheet::ShareSheet;
use crate::platform::peer;
use crate::state::{Connection, Controls, Press, Screen, Status};

/// One player. "Play" connects by itself, so the server's address is folded
/// away until it does not answer.
#[component]
pub fn Player(ViewProps { view }: &ViewProps) -> Html {
    let View {
        screen,
        settings,
        remote,
        share,
        diagnoses,
        actions,
        ..
    } = view;
    let controls = controls(Controls::of(screen), screen.connection);
    let actions = watching(actions, screen.connection);
    let status = &screen.connect_report.status;
    html! {
        <div class="page player-page">
            <Masthead supported={peer::is_supported()}>
                <ShareSheet share={share.clone()} />
            </Masthead>
            <details class="fold" open={needs_server(screen)}>
                <summary>
                    {"Server "}
                    <span class="text-muted">{ &screen.server.text }</span>
                    <span class="text-muted">{ status.map_or("", |status| status.text()) }</span>
                </summary>
                { view.connection_bar() }
            </details>
            <main>
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
                    {actions}
                />
            </main>
        </div>
    }
}

/// Whether the user has to see to the server's address.
fn needs_server(screen: &Screen) -> bool {
    let failed = screen.connect_report.status == Some(Status::Failed);
    screen.server.missing
        || (failed && matches!(screen.connection, Connection::Ready | Connection::Waiting))
}

/// Without a session "Play" can be pressed too.
fn controls(mut controls: Controls, connection: Connection) -> Controls {
    if connection == Connection::Ready {
        controls.play.input = true;
        controls.play.button.enabled = true;
    }
    controls
}

/// The same actions, but "Play" without a session connects first.
fn watching(actions: &Actions, connection: Connection) -> Actions {
    if connection != Connection::Ready {
        return actions.clone();
    }
    let Actions {
        on_press, on_watch, ..
    } = actions.clone();
    Actions {
        on_press: Callback::from(move |press| {
            if press == Press::Stream(StreamRole::Player) {
                on_watch.emit(());
            } else {
                on_press.emit(press);
            }
        }),
        ..actions.clone()
    }
}
