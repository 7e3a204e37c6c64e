//! Showing a stream in a `<video>` element, and the browser's autoplay rules.

use core::cell::Cell;

use gloo_events::EventListener;
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlVideoElement;
use yew::{Callback, NodeRef};

use super::Thrown;
use super::media::Picture;
use super::task::Task;

/// Whether a shown stream is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sound {
    /// As loud as the element's volume.
    On,
    /// Muted because the browser wants a press by the user first.
    Blocked,
}

/// Which sound a stream is shown with.
#[derive(Debug, Clone, PartialEq)]
pub enum Audio {
    /// Never any: one's own camera.
    Silent,
    /// As soon as the browser allows it; told each time that is known.
    WhenAllowed(Callback<Sound>),
}

/// A stream shown in a `<video>` element. Dropping it takes it out again.
#[must_use = "dropping it empties the element"]
pub struct Showing {
    video: HtmlVideoElement,
    loaded: Option<EventListener>,
}

impl Showing {
    /// Shows `picture` in the element of `node`; `None` if that is no `<video>`.
    ///
    /// It starts muted, which no browser forbids, and the sound comes with the
    /// first picture where the browser allows it.
    pub fn start(node: &NodeRef, picture: &Picture, audio: Audio) -> Option<Self> {
        let video = node.cast::<HtmlVideoElement>()?;
        video.set_muted(true);
        video.set_src_object(Some(picture.stream()));
        let loaded = EventListener::new(&video, "loadedmetadata", {
            let video = video.clone();
            // Replaced by a later start, dropped with the listener.
            let playing = Cell::new(None);
            move |_| playing.set(Some(Task::spawn(play(video.clone(), audio.clone()))))
        });
        Some(Self {
            video,
            loaded: Some(loaded),
        })
    }
}

impl Drop for Showing {
    fn drop(&mut self) {
        self.loaded = None;
        self.video.set_src_object(None);
    }
}

/// Turns the sound on; to be called from a press by the user.
pub fn unmute(node: &NodeRef) {
    if let Some(video) = node.cast::<HtmlVideoElement>() {
        video.set_muted(false);
    }
}

async fn play(video: HtmlVideoElement, audio: Audio) {
    if start(&video).await.is_err() {
        // Not even muted: a power-saving mode. The user's press will do it.
        return;
    }
    let Audio::WhenAllowed(on_sound) = audio else {
        return;
    };
    video.set_muted(false);
    // Browsers pause an element that starts to make sound without leave.
    let sound = match start(&video).await {
        Ok(()) if !video.paused() => Sound::On,
        Ok(()) | Err(_) => Sound::Blocked,
    };
    if sound == Sound::Blocked {
        video.set_muted(true);
        let _still_muted = start(&video).await;
    }
    on_sound.emit(sound);
}

async fn start(video: &HtmlVideoElement) -> Result<(), Thrown> {
    let promise = video.play().map_err(Thrown::from)?;
    JsFuture::from(promise).await.map_err(Thrown::from)?;
    Ok(())
}
