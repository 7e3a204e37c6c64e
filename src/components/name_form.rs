//! The form of one half: the stream's name and the button that starts and
//! stops it.

use session::StreamRole;
use yew::{Html, SubmitEvent, html};

use super::text_field::{TextField, text_field};
use crate::pages::view::Actions;
use crate::state::{Field, FormControls, Press, Typed};

/// What the form is given.
pub struct NameForm<'a> {
    /// Id of the form.
    pub id: &'static str,
    /// Id of the input.
    pub input_id: &'static str,
    /// Id of the button.
    pub button_id: &'static str,
    /// Whose form it is.
    pub role: StreamRole,
    /// The stream's name.
    pub name: &'a Field,
    /// What is enabled, and what the button says.
    pub controls: FormControls,
    /// Told of each change of the name, and of the press.
    pub actions: &'a Actions,
    /// More buttons.
    pub more: Html,
}

/// A name and a button; Enter in the field presses it.
pub fn name_form(props: NameForm) -> Html {
    let role = props.role;
    let onsubmit = props.actions.on_press.reform(move |event: SubmitEvent| {
        event.prevent_default();
        Press::Stream(role)
    });
    let field = TextField {
        id: props.input_id,
        label: "Stream Name",
        when_missing: "Enter a stream name",
        field: props.name,
        enabled: props.controls.input,
        input_mode: "text",
        input_type: "text",
        on_text: (props.actions.on_typed).reform(move |text| Typed::Name(role, text)),
    };
    html! {
        <form id={props.id} class="controls" novalidate=true {onsubmit}>
            { text_field(&field) }
            <button
                id={props.button_id}
                type="submit"
                class="button primary"
                disabled={!props.controls.button.enabled}
            >
                { props.controls.button.label }
            </button>
            { props.more }
        </form>
    }
}
