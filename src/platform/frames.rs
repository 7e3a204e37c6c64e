//! The presented frames of a `<video>`: their times
//! (`requestVideoFrameCallback`) and the test picture's strip in their pixels.

use core::cell::{Cell, OnceCell};
use std::rc::{Rc, Weak};

use js_sys::{Function, Object, Reflect};
use strip::Stamp;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{Clamped, JsCast, JsValue, closure::Closure};
use web_sys::{CanvasRenderingContext2d, Element, HtmlCanvasElement, HtmlVideoElement};
use yew::NodeRef;

use super::{task, timer};
use crate::state::statistics::Frame;

#[wasm_bindgen]
extern "C" {
    /// A `<video>` of a browser that tells of frames (HTMLVideoElement.requestVideoFrameCallback).
    #[wasm_bindgen(extends = HtmlVideoElement)]
    #[derive(Clone)]
    type FrameSource;
    #[wasm_bindgen(method, js_name = requestVideoFrameCallback)]
    fn request(this: &FrameSource, callback: &Function) -> u32;
    #[wasm_bindgen(method, js_name = cancelVideoFrameCallback)]
    fn cancel(this: &FrameSource, handle: u32);
}

/// A `<video>`, for those who may not know the browser.
pub type Video = HtmlVideoElement;

/// The `<video>` inside the element of `node`.
pub fn video_in(node: &NodeRef) -> Option<HtmlVideoElement> {
    let found = node.cast::<Element>()?.query_selector("video").ok()??;
    found.dyn_into().ok()
}

/// Gives a `<video>` its stream again, which empties its queue, and plays on.
pub fn reattach(video: &HtmlVideoElement) {
    let stream = video.src_object();
    video.set_src_object(None);
    video.set_src_object(stream.as_ref());
    if let Ok(playing) = video.play() {
        // A refusal is for whoever shows the stream to handle, and it hears of
        // the new start by itself.
        task::detach(async move {
            let _started = wasm_bindgen_futures::JsFuture::from(playing).await;
        });
    }
}

/// A watch on a video's frames. Dropping it ends that.
#[must_use = "dropping a watch ends it"]
pub struct FrameWatch(Rc<Watch>);

struct Watch {
    video: FrameSource,
    /// The frame asked for and not presented yet.
    asked: Cell<Option<u32>>,
    every_frame: Cell<bool>,
    callback: OnceCell<Closure<dyn FnMut(f64, Object)>>,
}

impl FrameWatch {
    /// Asks for the next frame; `on_frame` is called while its pixels can be
    /// drawn. `None` if the browser does not tell of frames.
    pub fn start(
        video: &HtmlVideoElement,
        mut on_frame: impl FnMut(&HtmlVideoElement, Frame) + 'static,
    ) -> Option<Self> {
        let is_there = Reflect::has(video, &"requestVideoFrameCallback".into());
        if !is_there.unwrap_or(false) {
            return None;
        }
        let watch = Rc::new(Watch {
            video: video.clone().unchecked_into(),
            asked: Cell::new(None),
            every_frame: Cell::new(false),
            callback: OnceCell::new(),
        });
        let owner = Rc::downgrade(&watch);
        watch.callback.get_or_init(|| {
            Closure::new(move |_now: f64, metadata: Object| {
                let Some(watch) = Weak::upgrade(&owner) else {
                    return;
                };
                watch.asked.set(None);
                if watch.every_frame.get() {
                    watch.ask();
                }
                on_frame(&watch.video, read(&metadata));
            })
        });
        watch.ask();
        Some(Self(watch))
    }

    /// Whether each frame is told of, or only the next after [`Self::ask`].
    pub fn set_every_frame(&self, every_frame: bool) {
        self.0.every_frame.set(every_frame);
        self.0.ask();
    }

    /// Asks for the next frame, once.
    pub fn ask(&self) {
        self.0.ask();
    }
}

impl Watch {
    fn ask(&self) {
        let Some(callback) = self.callback.get() else {
            return;
        };
        if self.asked.get().is_none() {
            let handle = self.video.request(callback.as_ref().unchecked_ref());
            self.asked.set(Some(handle));
        }
    }
}

impl Drop for FrameWatch {
    fn drop(&mut self) {
        self.0.every_frame.set(false);
        if let Some(handle) = self.0.asked.take() {
            self.0.video.cancel(handle);
        }
    }
}

/// `VideoFrameCallbackMetadata`, of which browsers leave out what they do not know.
fn read(metadata: &Object) -> Frame {
    let time = |name: &str| {
        let value = Reflect::get(metadata, &name.into()).ok()?;
        value.as_f64().filter(|time| time.is_finite())
    };
    Frame {
        shown_ms: time("expectedDisplayTime").unwrap_or_else(timer::now_ms),
        received_ms: time("receiveTime"),
        captured_ms: time("captureTime"),
    }
}

/// Reads the test picture's strip out of a video's present frame.
pub struct StripReader {
    context: CanvasRenderingContext2d,
}

impl StripReader {
    /// A reader with a canvas of its own; `None` if the browser gives none.
    pub fn new() -> Option<Self> {
        let document = web_sys::window()?.document()?;
        let canvas = document.create_element("canvas").ok()?;
        let canvas: HtmlCanvasElement = canvas.dyn_into().ok()?;
        canvas.set_width(strip::COLUMNS as u32);
        canvas.set_height(strip::ROWS as u32);
        let options = Object::new();
        Reflect::set(&options, &"willReadFrequently".into(), &JsValue::TRUE).ok()?;
        let context = canvas.get_context_with_context_options("2d", &options);
        let context: CanvasRenderingContext2d = context.ok()??.dyn_into().ok()?;
        // Each cell's middle pixel as it is, not the mean with its neighbours.
        context.set_image_smoothing_enabled(false);
        Some(Self { context })
    }

    /// What the strip says; `None` if there is none.
    pub fn read(&self, video: &HtmlVideoElement) -> Option<Stamp> {
        let (width, height) = (video.video_width(), video.video_height());
        let (columns, rows) = (strip::COLUMNS as f64, strip::ROWS as f64);
        let top = strip::cell_bounds(0, 0, width, height).1.start;
        self.context
            .draw_image_with_html_video_element_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
                video,
                0.0,
                f64::from(top),
                f64::from(width),
                f64::from(height - top),
                0.0,
                0.0,
                columns,
                rows,
            )
            .ok()?;
        let image = self.context.get_image_data(0.0, 0.0, columns, rows).ok()?;
        let Clamped(pixels) = image.data();
        // Red, green, blue, opacity; black and white differ in green as in luma.
        strip::decode(|column, row| {
            let green = 4 * (row * strip::COLUMNS + column) + 1;
            pixels.get(green).copied().unwrap_or(0)
        })
    }
}
