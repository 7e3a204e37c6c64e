//! A labelled line of text that must not be empty.

use yew::{AttrValue, Callback, Html, InputEvent, Properties, classes, component, html};

use crate::platform::dom;
use crate::state::Field;

/// What a field is given.
#[derive(Clone, PartialEq, Properties)]
pub struct TextFieldProps {
    /// Id of the input.
    pub id: AttrValue,
    /// What it is for.
    pub label: AttrValue,
    /// What is said when it is empty and should not be.
    pub when_missing: AttrValue,
    /// What it holds.
    pub field: Field,
    /// Whether it can be edited.
    pub enabled: bool,
    /// `text` or `url`: the keyboard a phone shows.
    #[prop_or(AttrValue::Static("text"))]
    pub input_mode: AttrValue,
    /// `password` where nobody should read it over a shoulder.
    #[prop_or(AttrValue::Static("text"))]
    pub input_type: AttrValue,
    /// Told what it holds after each change.
    pub on_text: Callback<String>,
}

/// A label, an input and, when it is missing, a word about it.
#[component]
pub fn TextField(props: &TextFieldProps) -> Html {
    let missing = props.field.missing;
    let error_id = format!("{}Error", props.id);
    let oninput = props
        .on_text
        .reform(|event: InputEvent| dom::input_value(&event));
    html! {
        <div class={classes!("input-group", missing.then_some("has-error"))}>
            <label for={&props.id}>{ &props.label }</label>
            <input
                id={&props.id}
                type={&props.input_type}
                inputmode={&props.input_mode}
                placeholder={&props.label}
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
                    { &props.when_missing }
                </p>
            }
        </div>
    }
}
