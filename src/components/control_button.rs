//! A button of the player's controls.

use yew::{AttrValue, Callback, Html, MouseEvent, Properties, component, html};

use super::icon::{Drawing, Icon};

/// What the button is given.
#[derive(Clone, PartialEq, Properties)]
pub struct ControlButtonProps {
    /// Its element id.
    pub id: AttrValue,
    /// What it does, for people; the same in both states of a toggle.
    pub label: AttrValue,
    /// The key that does the same.
    pub key_shown: AttrValue,
    /// Its face.
    pub drawing: Drawing,
    /// Whether a toggle is on; `None` if it is none.
    #[prop_or_default]
    pub pressed: Option<bool>,
    /// Told of the press.
    pub onclick: Callback<MouseEvent>,
}

/// A drawing to press.
#[component]
pub fn ControlButton(props: &ControlButtonProps) -> Html {
    let pressed = props.pressed.map(|on| if on { "true" } else { "false" });
    html! {
        <button
            id={props.id.clone()}
            type="button"
            class="control"
            title={format!("{} ({})", props.label, props.key_shown)}
            aria-label={props.label.clone()}
            aria-pressed={pressed}
            onclick={props.onclick.clone()}
        >
            <Icon drawing={props.drawing} />
        </button>
    }
}
