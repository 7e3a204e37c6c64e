//! A labelled line of text that must not be empty.

use yew::{Callback, Html, InputEvent, classes, html};

use crate::platform::dom;
use crate::state::Field;

/// What a field is given.
pub struct TextField<'a> {
    /// Id of the input.
    pub id: &'static str,
    /// What it is for.
    pub label: &'static str,
    /// What is said when it is empty and should not be.
    pub when_missing: &'static str,
    /// What it holds.
    pub field: &'a Field,
    /// Whether it can be edited.
    pub enabled: bool,
    /// `text` or `url`: the keyboard a phone shows.
    pub input_mode: &'static str,
    /// `text`, or `password` where nobody should read it over a shoulder.
    pub input_type: &'static str,
    /// Told what it holds after each change.
    pub on_text: Callback<String>,
}

/// A label, an input and, when it is missing, a word about it.
pub fn text_field(props: &TextField) -> Html {
    let missing = props.field.missing;
    let error_id = [props.id, "Error"].concat();
    let oninput = props
        .on_text
        .reform(|event: InputEvent| dom::input_value(&event));
    html! {
        <div class={classes!("input-group", missing.then_some("has-error"))}>
            <label for={props.id}>{ props.label }</label>
            <input
                id={props.id}
                type={props.input_type}
                inputmode={props.input_mode}
                placeholder={props.label}
                autocomplete="off"
                autocapitalize="off"
                autocorrect="off"
                spellcheck="false"
                value={props.field.text.clone()}
                disabled={!props.enabled}
                aria-invalid={missing.then_some("true")}
                aria-describedby={missing.then(|| error_id.clone())}
                {oninput}
            />
            if missing {
                <p id={error_id} class="field-error text-danger" role="alert">
                    { props.when_missing }
                </p>
            }
        </div>
    }
}
