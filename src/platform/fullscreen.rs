//! The whole screen for one element and all that lies over it.

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
    /// `web-sys` drops the promises of these (Fullscreen API, section 3).
    #[wasm_bindgen(extends = Element)]
    type FullElement;
    #[wasm_bindgen(method, catch, js_name = requestFullscreen)]
    fn request(this: &FullElement) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(extends = Document)]
    type FullDocument;
    #[wasm_bindgen(method, catch, js_name = exitFullscreen)]
    fn exit(this: &FullDocument) -> Result<JsValue, JsValue>;

    /// An iPhone gives the screen only to a `<video>`, in Safari's own way.
    #[wasm_bindgen(extends = HtmlVideoElement)]
    type SafariVideo;
    #[wasm_bindgen(method, catch, js_name = webkitEnterFullscreen)]
    fn enter(this: &SafariVideo) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = webkitExitFullscreen)]
    fn leave(this: &SafariVideo) -> Result<(), JsValue>;
    #[wasm_bindgen(method, getter, js_name = webkitDisplayingFullscreen)]
    fn is_shown(this: &SafariVideo) -> Option<bool>;
}

/// Who can have the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The element with everything in it.
    Frame,
    /// Only the `<video>`.
    Video,
}

/// Watches and changes who has the screen.
#[must_use = "dropping it ends the watching"]
pub struct FullScreen {
    way: Way,
    document: Document,
    frame: Element,
    video: HtmlVideoElement,
    _listeners: Vec<EventListener>,
}

impl FullScreen {
    /// For `frame` with the `<video>` in it; tells each change, whoever made
    /// it. `None` where no element of the page can have the screen.
    pub fn watch(frame: &NodeRef, video: &NodeRef, on_change: &Callback<bool>) -> Option<Self> {
        let frame = frame.cast::<Element>()?;
        let video = video.cast::<HtmlVideoElement>()?;
        let document = web_sys::window()?.document()?;
        let way = if document.fullscreen_enabled() {
            Way::Frame
        } else if Reflect::has(&video, &"webkitEnterFullscreen".into()).unwrap_or(false) {
            Way::Video
        } else {
            return None;
        };
        let listeners = match way {
            Way::Frame => vec![EventListener::new(&document, "fullscreenchange", {
                let (document, frame) = (document.clone(), frame.clone());
                let on_change = on_change.clone();
                move |_| on_change.emit(has_screen(&document, &frame))
            })],
            Way::Video => [
                ("webkitbeginfullscreen", true),
                ("webkitendfullscreen", false),
            ]
            .map(|(event, on)| {
                let on_change = on_change.clone();
                EventListener::new(&video, event, move |_| on_change.emit(on))
            })
            .into(),
        };
        Some(Self {
            way,
            document,
            frame,
            video,
            _listeners: listeners,
        })
    }

    /// Takes the screen or gives it back; to be called from a press.
    ///
    /// # Errors
    /// The browser refuses.
    pub fn toggle(&self) -> impl Future<Output = Result<(), Thrown>> + use<> {
        let asked = match self.way {
            Way::Frame => self.toggle_frame(),
            Way::Video => self.toggle_video().map(|()| JsValue::UNDEFINED),
        };
        async move {
            JsFuture::from(Promise::resolve(&asked?)).await?;
            Ok(())
        }
    }

    fn toggle_frame(&self) -> Result<JsValue, JsValue> {
        if has_screen(&self.document, &self.frame) {
            self.document.unchecked_ref::<FullDocument>().exit()
        } else {
            self.frame.unchecked_ref::<FullElement>().request()
        }
    }

    fn toggle_video(&self) -> Result<(), JsValue> {
        let video = self.video.unchecked_ref::<SafariVideo>();
        if video.is_shown() == Some(true) {
            video.leave()
        } else {
            video.enter()
        }
    }
}

fn has_screen(document: &Document, element: &Element) -> bool {
    document.fullscreen_element().as_ref() == Some(element)
}
