//! What the own camera sees.

use yew::{Html, Properties, component, html, use_effect_with, use_node_ref};

use super::icon::{Drawing, Icon};
use crate::platform::media::Picture;
use crate::platform::video::{Audio, Showing};

/// What the box is given.
#[derive(Clone, PartialEq, Properties)]
pub struct LocalVideoProps {
    /// What to show; `None` while the camera is off.
    pub picture: Option<Picture>,
}

/// The camera's picture, without its sound.
#[component]
pub fn LocalVideo(props: &LocalVideoProps) -> Html {
    let video = use_node_ref();
    use_effect_with(props.picture.clone(), {
        let video = video.clone();
        move |picture| {
            let showing = picture
                .as_ref()
                .and_then(|picture| Showing::start(&video, picture, Audio::Silent));
            move || drop(showing)
        }
    });
    html! {
        <div id="localVideo" class="display">
            <video ref={video} playsinline=true muted=true aria-label="Camera preview" />
            if props.picture.is_none() {
                <div class="empty">
                    <Icon drawing={Drawing::Camera} />
                    <span>{"Your camera appears here"}</span>
                </div>
            }
        </div>
    }
}
