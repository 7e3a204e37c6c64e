//! Data from the publisher of the played stream.

use yew::{Html, Properties, component, html, use_effect_with, use_node_ref};

use crate::platform::dom;
use crate::state::ReceivedLog;

/// What the list is given.
#[derive(Clone, PartialEq, Properties)]
pub struct ReceivedListProps {
    /// The messages.
    pub log: ReceivedLog,
}

/// The messages as lines of text, scrolled to the last. Yew makes text nodes of
/// them, so that markup in a message stays text.
#[component]
pub fn ReceivedList(props: &ReceivedListProps) -> Html {
    let list = use_node_ref();
    use_effect_with(props.log.received(), {
        let list = list.clone();
        move |_| dom::scroll_to_end(&list)
    });
    html! {
        <div class="data">
            <span id="receivedDataLabel" class="label">{"Data from the publisher"}</span>
            <div
                id="receivedData"
                ref={list}
                role="log"
                tabindex="0"
                aria-labelledby="receivedDataLabel"
            >
                { for props.log.lines().map(|line| html! {
                    <div key={line.number}>{ &line.text }</div>
                }) }
            </div>
        </div>
    }
}
