//! Data from the publisher of the played stream.

use yew::{Html, html};

use crate::pages::view::View;

/// The messages as lines of text; the app scrolls to the last. Yew makes text
/// nodes of them, so that markup in a message stays text.
pub fn received_list(view: &View) -> Html {
    html! {
        <div class="data">
            <span id="receivedDataLabel" class="label">{"Data from the publisher"}</span>
            <div
                id="receivedData"
                ref={view.received}
                role="log"
                tabindex="0"
                aria-labelledby="receivedDataLabel"
            >
                { for view.screen.received.lines().map(|line| html! {
                    <div key={line.number}>{ &line.text }</div>
                }) }
            </div>
        </div>
    }
}
