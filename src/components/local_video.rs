//! What is captured.

use yew::{Html, Properties, classes, component, html, use_effect_with, use_node_ref};

use super::icon::{Drawing, Icon};
use crate::platform::media::Preview;
use crate::platform::video::{Audio, Showing};
use crate::state::{Kinds, Studio};

/// What the box is given.
#[derive(Clone, PartialEq, Properties)]
pub struct LocalVideoProps {
    /// What to show; `None` while nothing is on.
    pub preview: Option<Preview>,
    /// Its devices, and what happened to them.
    pub studio: Studio,
}

/// The camera's or the screen's picture without its sound, what is muted, and
/// what there is to say about the devices.
#[component]
pub fn LocalVideo(props: &LocalVideoProps) -> Html {
    let video = use_node_ref();
    let picture = props.preview.as_ref().map(|preview| &preview.picture);
    use_effect_with(picture.cloned(), {
        let video = video.clone();
        move |picture| {
            let showing = picture
                .as_ref()
                .and_then(|picture| Showing::start(&video, picture, Audio::Silent));
            move || drop(showing)
        }
    });
    let studio = &props.studio;
    let shown = props.preview.as_ref().is_some_and(|it| it.has_picture);
    html! {
        <div id="localVideo" class="display">
            <video
                ref={video}
                class={classes!(studio.is_mirrored().then_some("mirrored"))}
                playsinline=true
                muted=true
                aria-label="Camera preview"
            />
            if !shown {
                <div class="empty">
                    <Icon drawing={Drawing::Camera} />
                    <span>{ placeholder(props) }</span>
                </div>
            }
            <div class="capture-badges">{ badges(studio.muted()) }</div>
            <div class="capture-notices" role="status" aria-live="polite">
                <p id="captureNotice">{ studio.notice().to_owned() }</p>
                <p id="publishAdvice">{ studio.advice() }</p>
            </div>
        </div>
    }
}

fn placeholder(props: &LocalVideoProps) -> &'static str {
    let studio = &props.studio;
    if !studio.notice().is_empty() || !studio.advice().is_empty() {
        // Those are in its place.
        ""
    } else if props.preview.is_some() {
        "Sound only"
    } else {
        "Your camera appears here"
    }
}

fn badges(muted: Kinds) -> Html {
    html! {
        <>
            if muted.sound {
                <span id="audioMutedBadge" class="capture-badge">
                    <Icon drawing={Drawing::MicrophoneOff} />{"Sound off"}
                </span>
            }
            if muted.picture {
                <span id="videoMutedBadge" class="capture-badge">
                    <Icon drawing={Drawing::CameraOff} />{"Picture off"}
                </span>
            }
        </>
    }
}
