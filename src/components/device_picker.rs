//! Chooses a camera, a microphone or a speaker.

use yew::{AttrValue, Callback, Html, Properties, component, html};

use super::select_field::{Choice, SelectField};
use crate::state::{DeviceKind, Devices};

/// What a picker is given.
#[derive(Clone, PartialEq, Properties)]
pub struct DevicePickerProps {
    /// Id of the `<select>`.
    pub id: AttrValue,
    /// What to choose.
    pub kind: DeviceKind,
    /// The devices there are.
    pub devices: Devices,
    /// The chosen device's id; `None` is the browser's choice.
    pub chosen: Option<String>,
    /// Told what the user picks.
    pub on_choice: Callback<Option<String>>,
}

/// The devices of a kind; the first choice leaves it to the browser.
#[component]
pub fn DevicePicker(props: &DevicePickerProps) -> Html {
    let on_pick = props
        .on_choice
        .reform(|id: String| Some(id).filter(|id| !id.is_empty()));
    html! {
        <SelectField
            id={&props.id}
            label={props.kind.title()}
            choices={choices(props)}
            chosen={props.chosen.clone().unwrap_or_default()}
            {on_pick}
        />
    }
}

fn choices(props: &DevicePickerProps) -> Vec<Choice> {
    let kind = props.kind;
    let listed = || props.devices.of(kind);
    let mut choices: Vec<Choice> = listed()
        .filter(|device| !device.id.is_empty())
        .map(|device| Choice::new(device.id.clone(), device.label.clone()))
        .collect();
    // Before permission the devices have no ids to be asked for by: the
    // browser chooses, and what it will most likely choose has a name.
    let first = match listed().next() {
        Some(device) if device.id.is_empty() => device.label.clone(),
        Some(_) => "Default".to_owned(),
        None => format!("No {}", kind.word()),
    };
    choices.insert(0, Choice::new("", first));
    let chosen = props.chosen.as_deref();
    if let Some(id) = chosen
        && props.devices.label(kind, id).is_none()
    {
        let text = if props.devices.lacks(kind, chosen) {
            "Chosen before, not connected"
        } else {
            "Chosen before"
        };
        choices.push(Choice::new(id.to_owned(), text));
    }
    choices
}
