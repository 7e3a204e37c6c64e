//! Data for the players of the published stream.

use yew::{AttrValue, Callback, Html, InputEvent, Properties, component, html};

use crate::platform::dom;
use crate::state::{Press, Typed};

/// What the field is given.
#[derive(Clone, PartialEq, Properties)]
pub struct PayloadFormProps {
    /// JSON text.
    pub payload: AttrValue,
    /// What is wrong with it; empty if nothing.
    pub error: AttrValue,
    /// Whether it can be sent.
    pub enabled: bool,
    /// Told of each change.
    pub on_typed: Callback<Typed>,
    /// Told of the press.
    pub on_press: Callback<Press>,
}

/// A JSON field, the button that sends it, and what is wrong with it.
#[component]
pub fn PayloadForm(props: &PayloadFormProps) -> Html {
    let invalid = !props.error.is_empty();
    let oninput = props
        .on_typed
        .reform(|event: InputEvent| Typed::Payload(dom::textarea_value(&event)));
    html! {
        <div class="data">
            <label for="streamData">{"Data for the players, as JSON"}</label>
            <textarea
                id="streamData"
                rows="5"
                spellcheck="false"
                value={props.payload.clone()}
                aria-invalid={invalid.then_some("true")}
                aria-describedby="streamDataError"
                {oninput}
            />
            <p id="streamDataError" class="field-error text-danger" role="alert">
                { &props.error }
            </p>
            <button
                id="sendDataBtn"
                type="button"
                class="button"
                disabled={!props.enabled}
                onclick={props.on_press.reform(|_| Press::SendData)}
            >
                {"Send payload as object"}
            </button>
        </div>
    }
}
