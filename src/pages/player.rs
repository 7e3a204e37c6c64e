//! The player view: one large player, and the connection out of the way.

use session::StreamRole;
use yew::{Callback, Html, html};

use super::view::{Actions, View};
use crate::components::connection_bar::connection_bar;
use crate::components::masthead::masthead;
use crate::components::play_card::play_card;
use crate::components::share_sheet::share_sheet;
use crate::state::{Connection, Controls, Press, Screen, Status};

/// One player. "Play" connects by itself, so the server's address is folded
/// away until it does not answer.
pub(super) fn player(view: &View) -> Html {
    let screen = view.screen;
    let controls = controls(Controls::of(screen), screen.connection);
    let actions = watching(view.actions, screen.connection);
    let status = &screen.connect_report.status;
    html! {
        <div class="page player-page">
            { masthead(share_sheet(view)) }
            <details class="fold" open={needs_server(screen)}>
                <summary>
                    {"Server "}
                    <span class="text-muted">{ &screen.server.text }</span>
                    <span class="text-muted">{ status.map_or("", |status| status.text()) }</span>
                </summary>
                { connection_bar(view) }
            </details>
            <main>{ play_card(view, controls, &actions) }</main>
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
