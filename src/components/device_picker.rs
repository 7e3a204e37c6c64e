//! Chooses a camera, a microphone or a speaker.

use yew::{Callback, Html, html};

use super::select_field::{Choice, SelectField};
use crate::state::{DeviceKind, Devices};

/// What a picker is given.
pub struct DevicePicker<'a> {
    /// Id of the `<select>`.
    pub id: &'static str,
    /// What to choose.
    pub kind: DeviceKind,
    /// The devices there are.
    pub devices: &'a Devices,
    /// The chosen device's id; `None` is the browser's choice.
    pub chosen: Option<&'a str>,
    /// Told the id that the user picks; empty is the browser's choice.
    pub on_pick: Callback<String>,
}

/// The devices of a kind; the first choice leaves it to the browser.
pub fn device_picker(props: DevicePicker) -> Html {
    html! {
        <SelectField
            id={props.id}
            label={props.kind.title()}
            choices={choices(&props)}
            chosen={props.chosen.unwrap_or_default().to_owned()}
            on_pick={props.on_pick}
        />
    }
}

fn choices(props: &DevicePicker) -> Vec<Choice> {
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
    let chosen = props.chosen;
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
