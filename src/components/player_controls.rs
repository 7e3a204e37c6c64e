//! What can be done with the played picture.

use yew::{Callback, Html, InputEvent, html};

use super::icon::{Drawing, icon};
use crate::platform::dom;
use crate::state::{Fit, PlayerAction, SHORTCUTS, VOLUME_STEP, percent};

/// What the browser can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Abilities {
    /// Pages may set the volume.
    pub volume: bool,
    /// The player can have the whole screen.
    pub full_screen: bool,
    /// The picture can have a window of its own.
    pub picture_in_picture: bool,
}

/// What the controls are given.
pub struct PlayerControls {
    /// What the browser can do.
    pub abilities: Abilities,
    /// A stream is shown; without one only help is offered.
    pub playing: bool,
    /// There is no sound.
    pub muted: bool,
    /// Loudness, 0 to 1, muted or not.
    pub volume: f64,
    /// How the picture fills its box.
    pub fit: Fit,
    /// The player has the whole screen.
    pub full_screen: bool,
    /// The picture is in a window of its own.
    pub small: bool,
    /// Told of each press.
    pub on_action: Callback<PlayerAction>,
    /// Told of each change of the slider, 0 to 1.
    pub on_volume: Callback<f64>,
}

/// The bar along the picture's lower edge.
pub fn player_controls(props: &PlayerControls) -> Html {
    let abilities = props.abilities;
    html! {
        <div class="player-bar" role="group" aria-label="Player controls">
            if props.playing {
                { sound(props) }
            }
            <span class="gap" />
            if props.playing {
                { fit(props) }
                { button(props, "snapshotBtn", PlayerAction::Snapshot, Drawing::Snapshot, None) }
            }
            if props.playing && abilities.picture_in_picture {
                { button(
                    props,
                    "pipBtn",
                    PlayerAction::PictureInPicture,
                    Drawing::PictureInPicture,
                    Some(props.small),
                ) }
            }
            if abilities.full_screen && (props.playing || props.full_screen) {
                { full_screen(props) }
            }
            { button(props, "helpBtn", PlayerAction::Help, Drawing::Help, None) }
        </div>
    }
}

fn sound(props: &PlayerControls) -> Html {
    let drawing = if props.muted {
        Drawing::Muted
    } else {
        Drawing::Sound
    };
    html! {
        <>
            { button(props, "muteBtn", PlayerAction::Mute, drawing, Some(props.muted)) }
            if props.abilities.volume {
                { volume(props) }
            }
        </>
    }
}

/// A slider from 0 to 100.
fn volume(props: &PlayerControls) -> Html {
    let shown = if props.muted {
        0
    } else {
        percent(props.volume)
    };
    let oninput = props.on_volume.reform(|event: InputEvent| {
        // A slider holds nothing but numbers, and its step makes them whole.
        let percent: u8 = dom::input_value(&event).parse().unwrap_or_default();
        f64::from(percent) / 100.0
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

fn fit(props: &PlayerControls) -> Html {
    let (drawing, fills) = match props.fit {
        Fit::Contain => (Drawing::Fill, false),
        Fit::Cover => (Drawing::Whole, true),
    };
    button(props, "fitBtn", PlayerAction::Fit, drawing, Some(fills))
}

fn full_screen(props: &PlayerControls) -> Html {
    let drawing = if props.full_screen {
        Drawing::LeaveFullScreen
    } else {
        Drawing::FullScreen
    };
    let pressed = Some(props.full_screen);
    let action = PlayerAction::FullScreen;
    button(props, "fullScreenBtn", action, drawing, pressed)
}

/// A button for `action`, named like its key in the help sheet.
fn button(
    props: &PlayerControls,
    id: &'static str,
    action: PlayerAction,
    drawing: Drawing,
    pressed: Option<bool>,
) -> Html {
    let shortcut = SHORTCUTS.iter().find(|shortcut| shortcut.action == action);
    let (label, key) = shortcut.map_or(("", ""), |shortcut| (shortcut.label, shortcut.shown));
    let pressed = pressed.map(|on| if on { "true" } else { "false" });
    html! {
        <button
            {id}
            type="button"
            class="control"
            title={[label, " (", key, ")"].concat()}
            aria-label={label}
            aria-pressed={pressed}
            onclick={props.on_action.reform(move |_| action)}
        >
            { icon(drawing) }
        </button>
    }
}
