//! What is captured.

use yew::{Component, Context, Html, NodeRef, Properties, classes, html};

use super::icon::{Drawing, icon};
use crate::platform::media::{Picture, Preview};
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
pub struct LocalVideo {
    video: NodeRef,
    showing: Option<Showing>,
}

impl Component for LocalVideo {
    type Message = ();
    type Properties = LocalVideoProps;

    fn create(_ctx: &Context<Self>) -> Self {
        Self {
            video: NodeRef::default(),
            showing: None,
        }
    }

    fn changed(&mut self, ctx: &Context<Self>, old: &Self::Properties) -> bool {
        if picture(ctx.props()) != picture(old) {
            self.show(ctx);
        }
        true
    }

    fn rendered(&mut self, ctx: &Context<Self>, first_render: bool) {
        if first_render {
            self.show(ctx);
        }
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        let studio = &props.studio;
        let shown = props.preview.as_ref().is_some_and(|it| it.has_picture);
        html! {
            <div id="localVideo" class="display">
                <video
                    ref={&self.video}
                    class={classes!(studio.is_mirrored().then_some("mirrored"))}
                    playsinline=true
                    muted=true
                    aria-label="Camera preview"
                />
                if !shown {
                    <div class="empty">
                        { icon(Drawing::Camera) }
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
}

impl LocalVideo {
    /// Shows the picture of the properties, and no other any more.
    fn show(&mut self, ctx: &Context<Self>) {
        // The old one empties the element, so it goes first.
        self.showing = None;
        let picture = picture(ctx.props());
        self.showing =
            picture.and_then(|picture| Showing::start(&self.video, picture, Audio::Silent));
    }
}

fn picture(props: &LocalVideoProps) -> Option<&Picture> {
    props.preview.as_ref().map(|preview| &preview.picture)
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
                    { icon(Drawing::MicrophoneOff) }{"Sound off"}
                </span>
            }
            if muted.picture {
                <span id="videoMutedBadge" class="capture-badge">
                    { icon(Drawing::CameraOff) }{"Picture off"}
                </span>
            }
        </>
    }
}
