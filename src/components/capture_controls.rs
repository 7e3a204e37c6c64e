//! The row of buttons under the preview.

use yew::{AttrValue, Callback, Html, Properties, component, html};

use super::icon::{Drawing, Icon};
use super::level_meter::LevelMeter;
use crate::platform::devices;
use crate::platform::media::Sound;
use crate::state::{CapturePress, MediaKind, Press, Studio};

/// What the row is given.
#[derive(Clone, PartialEq, Properties)]
pub struct CaptureControlsProps {
    /// The devices.
    pub studio: Studio,
    /// The microphone; `None` while it is off.
    pub sound: Option<Sound>,
    /// Nothing is being published, so the camera may go off.
    pub idle: bool,
    /// Told of each press.
    pub on_press: Callback<Press>,
}

/// Camera, sound, picture and screen, on and off, and the microphone's level.
#[component]
pub fn CaptureControls(props: &CaptureControlsProps) -> Html {
    let studio = &props.studio;
    let muted = studio.muted();
    let on_press = |press| props.on_press.reform(move |()| Press::Capture(press));
    html! {
        <div class="capture">
            <div class="capture-buttons" role="group" aria-label="Camera, microphone and screen">
                <Toggle
                    id="cameraBtn"
                    label="Camera"
                    drawing={Drawing::Camera}
                    pressed={studio.is_on()}
                    enabled={props.idle}
                    on_press={on_press(CapturePress::Camera)}
                />
                <Toggle
                    id="muteAudioBtn"
                    label="Mute sound"
                    drawing={Drawing::MicrophoneOff}
                    pressed={muted.sound}
                    warns=true
                    on_press={on_press(CapturePress::Mute(MediaKind::Sound))}
                />
                <Toggle
                    id="muteVideoBtn"
                    label="Mute picture"
                    drawing={Drawing::CameraOff}
                    pressed={muted.picture}
                    warns=true
                    on_press={on_press(CapturePress::Mute(MediaKind::Picture))}
                />
                if devices::can_share_screen() {
                    <Toggle
                        id="shareScreenBtn"
                        label="Share screen"
                        drawing={Drawing::ShareScreen}
                        pressed={studio.is_sharing()}
                        on_press={on_press(CapturePress::Screen)}
                    />
                }
            </div>
            <LevelMeter sound={props.sound.clone()} muted={muted.sound} />
        </div>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct ToggleProps {
    id: AttrValue,
    label: AttrValue,
    drawing: Drawing,
    pressed: bool,
    #[prop_or(true)]
    enabled: bool,
    /// Pressed means that something is withheld.
    #[prop_or_default]
    warns: bool,
    on_press: Callback<()>,
}

#[component]
fn Toggle(props: &ToggleProps) -> Html {
    let class = if props.warns {
        "button toggle warns"
    } else {
        "button toggle"
    };
    html! {
        <button
            id={&props.id}
            type="button"
            {class}
            aria-pressed={if props.pressed { "true" } else { "false" }}
            disabled={!props.enabled}
            onclick={props.on_press.reform(|_| ())}
        >
            <Icon drawing={props.drawing} />
            <span>{ &props.label }</span>
        </button>
    }
}
