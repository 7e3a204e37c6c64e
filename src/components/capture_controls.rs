//! The row of buttons under the preview.

use yew::{Callback, Html, MouseEvent, html};

use super::icon::{Drawing, icon};
use super::level_meter::LevelMeter;
use crate::pages::view::View;
use crate::platform::devices;
use crate::state::{CapturePress, MediaKind, Press};

/// Camera, sound, picture and screen, on and off, and the microphone's level.
/// The camera may go off while nothing is being published, when the half is `idle`.
pub fn capture_controls(view: &View, idle: bool) -> Html {
    let studio = view.studio;
    let muted = studio.muted();
    let on_press = |press| {
        let on_press = &view.actions.on_press;
        on_press.reform(move |_: MouseEvent| Press::Capture(press))
    };
    let camera = Toggle {
        id: "cameraBtn",
        label: "Camera",
        drawing: Drawing::Camera,
        pressed: studio.is_on(),
        enabled: idle,
        warns: false,
        on_press: on_press(CapturePress::Camera),
    };
    let sound = Toggle {
        id: "muteAudioBtn",
        label: "Mute sound",
        drawing: Drawing::MicrophoneOff,
        pressed: muted.sound,
        enabled: true,
        warns: true,
        on_press: on_press(CapturePress::Mute(MediaKind::Sound)),
    };
    let picture = Toggle {
        id: "muteVideoBtn",
        label: "Mute picture",
        drawing: Drawing::CameraOff,
        pressed: muted.picture,
        enabled: true,
        warns: true,
        on_press: on_press(CapturePress::Mute(MediaKind::Picture)),
    };
    let screen = Toggle {
        id: "shareScreenBtn",
        label: "Share screen",
        drawing: Drawing::ShareScreen,
        pressed: studio.is_sharing(),
        enabled: true,
        warns: false,
        on_press: on_press(CapturePress::Screen),
    };
    let heard = view.preview.and_then(|preview| preview.sound.clone());
    html! {
        <div class="capture">
            <div class="capture-buttons" role="group" aria-label="Camera, microphone and screen">
                { toggle(camera) }
                { toggle(sound) }
                { toggle(picture) }
                if devices::can_share_screen() {
                    { toggle(screen) }
                }
            </div>
            <LevelMeter sound={heard} muted={muted.sound} />
        </div>
    }
}

struct Toggle {
    id: &'static str,
    label: &'static str,
    drawing: Drawing,
    pressed: bool,
    enabled: bool,
    /// Pressed means that something is withheld.
    warns: bool,
    on_press: Callback<MouseEvent>,
}

fn toggle(props: Toggle) -> Html {
    let class = if props.warns {
        "button toggle warns"
    } else {
        "button toggle"
    };
    html! {
        <button
            id={props.id}
            type="button"
            {class}
            aria-pressed={if props.pressed { "true" } else { "false" }}
            disabled={!props.enabled}
            onclick={props.on_press}
        >
            { icon(props.drawing) }
            <span>{ props.label }</span>
        </button>
    }
}
