//! Data from the publisher of the played stream.

use yew::{Component, Context, Html, NodeRef, Properties, html};

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
pub struct ReceivedList {
    list: NodeRef,
    /// How many messages it is scrolled to the end of.
    scrolled: u64,
}

impl Component for ReceivedList {
    type Message = ();
    type Properties = ReceivedListProps;

    fn create(_ctx: &Context<Self>) -> Self {
        Self {
            list: NodeRef::default(),
            scrolled: 0,
        }
    }

    fn rendered(&mut self, ctx: &Context<Self>, _first_render: bool) {
        let received = ctx.props().log.received();
        if self.scrolled != received {
            self.scrolled = received;
            dom::scroll_to_end(&self.list);
        }
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        html! {
            <div class="data">
                <span id="receivedDataLabel" class="label">{"Data from the publisher"}</span>
                <div
                    id="receivedData"
                    ref={&self.list}
                    role="log"
                    tabindex="0"
                    aria-labelledby="receivedDataLabel"
                >
                    { for ctx.props().log.lines().map(|line| html! {
                        <div key={line.number}>{ &line.text }</div>
                    }) }
                </div>
            </div>
        }
    }
}
