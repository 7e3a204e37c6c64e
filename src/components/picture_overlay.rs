//! What is said over the played picture.

use yew::{Callback, Html, MouseEvent, html};

use super::icon::{Drawing, icon};
use crate::state::{Muted, NeededPress};

/// What the overlay is given.
pub struct PictureOverlay<'a> {
    /// The publisher's microphone is muted, its camera is off.
    pub publisher_muted: Muted,
    /// A message in the middle; empty if there is none.
    pub notice: &'a str,
    /// The picture is on its way.
    pub waiting: bool,
    /// The press the browser waits for.
    pub press: Option<NeededPress>,
    /// Told of that press.
    pub on_press: Callback<MouseEvent>,
    /// What became of the last thing the user did; empty if there is nothing
    /// to say.
    pub said: &'a str,
}

/// Badges in the corner; in the middle what matters most.
pub fn picture_overlay(props: &PictureOverlay) -> Html {
    html! {
        <>
            <div class="top">
                <div class="badges" role="status">
                    if props.publisher_muted.audio {
                        { badge("audioMutedBadge", Drawing::PublisherMuted, "Microphone muted") }
                    }
                    if props.publisher_muted.video {
                        { badge("videoMutedBadge", Drawing::PublisherDark, "Camera off") }
                    }
                </div>
                <p id="playerStatus" class="said" role="status">{ props.said }</p>
            </div>
            <div class="middle">
                <p id="playNotice" class="notice" role="status">{ props.notice }</p>
                <p class="waiting" role="status">
                    if props.waiting {
                        <span class="spinner" />
                        <span>{"Waiting for the picture"}</span>
                    }
                </p>
                if let Some(press) = props.press {
                    { press_button(press, props.on_press.clone()) }
                }
            </div>
        </>
    }
}

fn badge(id: &'static str, drawing: Drawing, text: &'static str) -> Html {
    html! {
        <span {id} class="badge">
            { icon(drawing) }
            { text }
        </span>
    }
}

fn press_button(press: NeededPress, onclick: Callback<MouseEvent>) -> Html {
    let (id, drawing, text) = match press {
        NeededPress::Unmute => ("unmuteBtn", Drawing::Muted, "Unmute"),
        NeededPress::Play => ("startBtn", Drawing::Start, "Play"),
    };
    html! {
        <button {id} type="button" class="button needed-press" {onclick}>
            { icon(drawing) }
            { text }
        </button>
    }
}
