//! Data for the players of the published stream.

use yew::{Html, InputEvent, html};

use crate::pages::view::Actions;
use crate::platform::dom;
use crate::state::{Press, Typed};

/// What the field is given.
pub struct PayloadForm<'a> {
    /// JSON text.
    pub payload: &'a str,
    /// What is wrong with it; empty if nothing.
    pub error: &'a str,
    /// Whether it can be sent.
    pub enabled: bool,
    /// Told of each change, and of the press.
    pub actions: &'a Actions,
}

/// A JSON field, the button that sends it, and what is wrong with it.
pub fn payload_form(props: &PayloadForm) -> Html {
    let invalid = !props.error.is_empty();
    let oninput = (props.actions.on_typed)
        .reform(|event: InputEvent| Typed::Payload(dom::textarea_value(&event)));
    html! {
        <div class="data">
            <label for="streamData">{"Data for the players, as JSON"}</label>
            <textarea
                id="streamData"
                rows="5"
                spellcheck="false"
                value={props.payload.to_owned()}
                aria-invalid={invalid.then_some("true")}
                aria-describedby="streamDataError"
                {oninput}
            />
            <p id="streamDataError" class="field-error text-danger" role="alert">
                { props.error }
            </p>
            <button
                id="sendDataBtn"
                type="button"
                class="button"
                disabled={!props.enabled}
                onclick={props.actions.on_press.reform(|_| Press::SendData)}
            >
                {"Send payload as object"}
            </button>
        </div>
    }
}
