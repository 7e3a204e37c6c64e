//! The two-way view: a connection, a publishing half, a playing half.

use yew::{Html, html};

use super::view::View;
use crate::components::connection_bar::connection_bar;
use crate::components::masthead::masthead;
use crate::components::play_card::play_card;
use crate::components::publish_card::publish_card;
use crate::components::share_sheet::share_sheet;
use crate::state::Controls;

/// Everything on one page.
pub(super) fn two_way(view: &View) -> Html {
    let controls = Controls::of(view.screen);
    html! {
        <div class="page">
            { masthead(share_sheet(view)) }
            { connection_bar(view) }
            <main class="halves">
                { publish_card(view, controls) }
                { play_card(view, controls, view.actions) }
            </main>
        </div>
    }
}
