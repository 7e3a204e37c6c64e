//! The form of one half: the stream's name and the button that starts and
//! stops it.

use yew::{AttrValue, Callback, Children, Html, Properties, SubmitEvent, component, html};

use super::text_field::TextField;
use crate::state::{Field, FormControls};

/// What the form is given.
#[derive(Clone, PartialEq, Properties)]
pub struct NameFormProps {
    /// Id of the form.
    pub id: AttrValue,
    /// Id of the input.
    pub input_id: AttrValue,
    /// Id of the button.
    pub button_id: AttrValue,
    /// The stream's name.
    pub name: Field,
    /// What is enabled, and what the button says.
    pub controls: FormControls,
    /// Told of each change of the name.
    pub on_text: Callback<String>,
    /// Told of the press.
    pub on_submit: Callback<()>,
    /// More buttons.
    #[prop_or_default]
    pub children: Children,
}

/// A name and a button; Enter in the field presses it.
#[component]
pub fn NameForm(props: &NameFormProps) -> Html {
    let onsubmit = props
        .on_submit
        .reform(|event: SubmitEvent| event.prevent_default());
    html! {
        <form id={&props.id} class="controls" novalidate=true {onsubmit}>
            <TextField
                id={&props.input_id}
                label="Stream Name"
                when_missing="Enter a stream name"
                field={props.name.clone()}
                enabled={props.controls.input}
                on_text={&props.on_text}
            />
            <button
                id={&props.button_id}
                type="submit"
                class="button primary"
                disabled={!props.controls.button.enabled}
            >
                { props.controls.button.label }
            </button>
            { for props.children.iter() }
        </form>
    }
}
