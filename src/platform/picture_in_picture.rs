//! The picture in a small window of its own, over all others.

use gloo_events::EventListener;
use js_sys::{Promise, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, Element, HtmlVideoElement};
use yew::{Callback, NodeRef};

use super::Thrown;

#[wasm_bindgen]
extern "C" {
    /// `web-sys` has these only as unstable (Picture-in-Picture, section 4).
    #[wasm_bindgen(extends = HtmlVideoElement)]
    type SmallVideo;
    #[wasm_bindgen(method, catch, js_name = requestPictureInPicture)]
    fn request(this: &SmallVideo) -> Result<Promise, JsValue>;

    #[wasm_bindgen(extends = Document)]
    type SmallDocument;
    #[wasm_bindgen(method, catch, js_name = exitPictureInPicture)]
    fn exit(this: &SmallDocument) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, getter, js_name = pictureInPictureEnabled)]
    fn is_enabled(this: &SmallDocument) -> Option<bool>;
    #[wasm_bindgen(method, getter, js_name = pictureInPictureElement)]
    fn element(this: &SmallDocument) -> Option<Element>;
}

/// Watches and changes whether the picture is in a window of its own.
#[must_use = "dropping it ends the watching"]
pub struct PictureInPicture {
    document: Document,
    video: HtmlVideoElement,
    _listeners: [EventListener; 2],
}

impl PictureInPicture {
    /// For the `<video>` at `node`; tells each change, whoever made it. `None`
    /// where the browser has no such window.
    pub fn watch(node: &NodeRef, on_change: &Callback<bool>) -> Option<Self> {
        let video = node.cast::<HtmlVideoElement>()?;
        let document = web_sys::window()?.document()?;
        let small = document.unchecked_ref::<SmallDocument>();
        let method = "requestPictureInPicture".into();
        if small.is_enabled() != Some(true) || !Reflect::has(&video, &method).unwrap_or(false) {
            return None;
        }
        let listeners = [
            ("enterpictureinpicture", true),
            ("leavepictureinpicture", false),
        ]
        .map(|(event, on)| {
            let on_change = on_change.clone();
            EventListener::new(&video, event, move |_| on_change.emit(on))
        });
        Some(Self {
            document,
            video,
            _listeners: listeners,
        })
    }

    /// Into the window and back; to be called from a press.
    ///
    /// # Errors
    /// The browser refuses, or there is no picture yet.
    pub fn toggle(&self) -> impl Future<Output = Result<(), Thrown>> + use<> {
        let asked = if self.is_on() {
            self.exit()
        } else {
            self.video.unchecked_ref::<SmallVideo>().request()
        };
        settled(asked)
    }

    /// Back into the page, if it is not.
    pub fn leave(&self) {
        if self.is_on() {
            // Nobody waits for it, and a refusal leaves an empty window that
            // the user can close.
            let left = settled(self.exit());
            super::task::detach(async {
                let _left = left.await;
            });
        }
    }

    fn is_on(&self) -> bool {
        let own: &Element = &self.video;
        let document = self.document.unchecked_ref::<SmallDocument>();
        document.element().as_ref() == Some(own)
    }

    fn exit(&self) -> Result<Promise, JsValue> {
        self.document.unchecked_ref::<SmallDocument>().exit()
    }
}

async fn settled(asked: Result<Promise, JsValue>) -> Result<(), Thrown> {
    JsFuture::from(asked?).await?;
    Ok(())
}
