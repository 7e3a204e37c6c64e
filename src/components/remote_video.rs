//! What the played stream shows.

use yew::{
    Callback, Html, MouseEvent, Properties, component, html, use_effect_with, use_node_ref,
    use_state_eq,
};

use super::icon::{Drawing, Icon};
use crate::platform::media::Picture;
use crate::platform::video::{self, Audio, Showing, Sound};

/// What the box is given.
#[derive(Clone, PartialEq, Properties)]
pub struct RemoteVideoProps {
    /// What to show; `None` while nothing plays.
    pub picture: Option<Picture>,
}

/// The stream's picture and sound, and "Unmute" where the browser wants a
/// press before there is sound.
#[component]
pub fn RemoteVideo(props: &RemoteVideoProps) -> Html {
    let video = use_node_ref();
    let sound = use_state_eq(|| Sound::On);
    use_effect_with(props.picture.clone(), {
        let video = video.clone();
        let sound = sound.setter();
        move |picture| {
            sound.set(Sound::On);
            let audio = Audio::WhenAllowed(Callback::from(move |heard| sound.set(heard)));
            let showing = picture
                .as_ref()
                .and_then(|picture| Showing::start(&video, picture, audio));
            move || drop(showing)
        }
    });
    let on_unmute = {
        let video = video.clone();
        let sound = sound.setter();
        Callback::from(move |_: MouseEvent| {
            video::unmute(&video);
            sound.set(Sound::On);
        })
    };
    html! {
        <div id="remoteVideo" class="display">
            <video ref={video} playsinline=true aria-label="Played stream" />
            if props.picture.is_none() {
                <div class="empty">
                    <Icon drawing={Drawing::Screen} />
                    <span>{"The stream you play appears here"}</span>
                </div>
            } else if *sound == Sound::Blocked {
                <button id="unmuteBtn" type="button" class="button unmute" onclick={on_unmute}>
                    <Icon drawing={Drawing::Muted} />
                    {"Unmute"}
                </button>
            }
        </div>
    }
}
