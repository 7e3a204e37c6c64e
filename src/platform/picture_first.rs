//! A stream's picture before its sound.
//!
//! Chromium starts its sound output on the thread that runs the page. In a
//! browser just opened that takes some hundred milliseconds, for which the first
//! frame would wait. So an element gets the picture alone, and the sound once
//! there is something to see.

use core::pin::pin;
use core::time::Duration;

use futures::channel::oneshot;
use futures::future;
use gloo_events::EventListener;
use js_sys::Array;
use wasm_bindgen::JsCast;
use web_sys::{HtmlMediaElement, HtmlVideoElement, MediaStream, MediaStreamTrack};

use super::frames::FrameWatch;
use super::timer;

/// The sound waits for the picture no longer than this.
const PICTURE_LEAD: Duration = Duration::from_secs(1);

/// A stream of which an element shows the picture so far.
#[must_use = "the sound comes with `Self::complete`"]
pub(super) struct PictureFirst {
    video: HtmlVideoElement,
    /// What the element has; ours, so that the stream it is from stays whole.
    shown: MediaStream,
    pictures: Array,
    sounds: Array,
}

impl PictureFirst {
    /// Shows the picture of `stream` in `video`. `None`, and nothing is shown, if
    /// it has no picture or no sound, so that neither has to wait.
    pub(super) fn show(video: &HtmlVideoElement, stream: &MediaStream) -> Option<Self> {
        let (pictures, sounds) = (stream.get_video_tracks(), stream.get_audio_tracks());
        if pictures.length() == 0 || sounds.length() == 0 {
            return None;
        }
        let shown = MediaStream::new_with_tracks(&pictures).ok()?;
        video.set_src_object(Some(&shown));
        Some(Self {
            video: video.clone(),
            shown,
            pictures,
            sounds,
        })
    }

    /// Adds the sound once the first frame is on the screen, or would have been
    /// for long enough.
    pub(super) async fn complete(self) {
        let painted = pin!(painted(&self.video));
        let late = pin!(timer::sleep(PICTURE_LEAD));
        future::select(painted, late).await;
        // A page in the background has a frame and does not paint it.
        if self.video.ready_state() >= HtmlMediaElement::HAVE_CURRENT_DATA {
            add(&self.shown, &self.sounds);
        } else {
            self.sound_first().await;
        }
    }

    /// Plays the sound alone, and the picture joins it when it comes: an element
    /// plays nothing of a stream before the first frame of its picture.
    async fn sound_first(&self) {
        let Ok(alone) = MediaStream::new_with_tracks(&self.sounds) else {
            return add(&self.shown, &self.sounds);
        };
        self.video.set_src_object(Some(&alone));
        happened(&self.video, "loadedmetadata").await;
        add(&alone, &self.pictures);
    }
}

fn add(stream: &MediaStream, tracks: &Array) {
    for track in tracks.iter() {
        stream.add_track(track.unchecked_ref::<MediaStreamTrack>());
    }
}

/// Waits until `video` has painted a frame.
async fn painted(video: &HtmlVideoElement) {
    let (sender, told) = oneshot::channel();
    let mut sender = Some(sender);
    let watch = FrameWatch::start(video, move |_, _| {
        if let Some(sender) = sender.take() {
            // Nobody waits any more if that fails.
            let _sent = sender.send(());
        }
    });
    if watch.is_some() {
        let _told = told.await;
    } else {
        happened(video, "loadeddata").await;
    }
    // Both are told in the turn at whose end the browser paints.
    timer::sleep(Duration::ZERO).await;
}

async fn happened(video: &HtmlVideoElement, event: &'static str) {
    let (sender, told) = oneshot::channel();
    let _listener = EventListener::once(video, event, move |_| {
        // Nobody waits any more if that fails.
        let _sent = sender.send(());
    });
    let _told = told.await;
}
