//! The loudness of the played stream.

use yew::{Callback, Html, InputEvent, Properties, component, html};

use crate::platform::dom;
use crate::state::{VOLUME_STEP, percent};

/// What the slider is given.
#[derive(Clone, PartialEq, Properties)]
pub struct VolumeProps {
    /// What it shows, 0 to 1.
    pub volume: f64,
    /// Told of each change, 0 to 1.
    pub on_volume: Callback<f64>,
}

/// A slider from 0 to 100.
#[component]
pub fn Volume(props: &VolumeProps) -> Html {
    let shown = percent(props.volume);
    let oninput = props.on_volume.reform(|event: InputEvent| {
        // A slider holds nothing but numbers.
        dom::input_value(&event).parse().unwrap_or(0.0) / 100.0
    });
    html! {
        <span class="volume">
            // What the slider has passed; browsers draw that each their own way.
            <progress max="100" value={shown.to_string()} aria-hidden="true" />
            <input
                id="volume"
                type="range"
                min="0"
                max="100"
                step={VOLUME_STEP.to_string()}
                value={shown.to_string()}
                title="Volume (↑ ↓)"
                aria-label="Volume"
                aria-valuetext={format!("{shown}%")}
                {oninput}
            />
        </span>
    }
}
