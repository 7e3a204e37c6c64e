//! How loud the microphone is.

use core::cell::Cell;

use yew::{Callback, Html, Properties, component, html, use_effect_with, use_state_eq};

use super::icon::{Drawing, Icon};
use crate::platform::media::Sound;
use crate::platform::{dom, level, timer};
use crate::state::{Level, LevelWatch};

/// What the meter is given.
#[derive(Clone, PartialEq, Properties)]
pub struct LevelMeterProps {
    /// The microphone; `None` while it is off.
    pub sound: Option<Sound>,
    /// Its silence is intended.
    pub muted: bool,
}

/// A meter, and a word when nothing is heard for seconds. It draws itself
/// several times a second and nothing else with it.
#[component]
pub fn LevelMeter(props: &LevelMeterProps) -> Html {
    let level = use_state_eq(Level::default);
    let heard = props.sound.clone().filter(|_| !props.muted);
    let on = heard.is_some();
    use_effect_with(heard, {
        let level = level.setter();
        move |sound| {
            let meter = sound.as_ref().and_then(|sound| {
                let watch = Cell::new(LevelWatch::default());
                let level = level.clone();
                let on_level = Callback::from(move |percent| {
                    let mut watching = watch.get();
                    level.set(watching.level(percent, timer::since_page_opened()));
                    watch.set(watching);
                });
                level::LevelMeter::start(sound, on_level)
                    .inspect_err(|thrown| dom::log_warning(&thrown.to_string()))
                    .ok()
            });
            move || {
                drop(meter);
                level.set(Level::default());
            }
        }
    });
    html! {
        <div class="level">
            <Icon drawing={if props.muted { Drawing::MicrophoneOff } else { Drawing::Microphone }} />
            <meter
                id="micLevel"
                min="0"
                max="100"
                value={level.percent.to_string()}
                aria-label="Microphone level"
            />
            <span id="micSilence" role="status">
                { if on && level.silent { "No sound from the microphone" } else { "" } }
            </span>
        </div>
    }
}
