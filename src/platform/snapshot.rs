//! A shown picture as a PNG file.

use core::time::Duration;

use futures::channel::oneshot;
use thiserror::Error;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Blob, CanvasRenderingContext2d, Document, HtmlAnchorElement, HtmlCanvasElement,
    HtmlVideoElement, Url,
};
use yew::NodeRef;

use super::Thrown;
use super::timer::Timer;
use crate::state::LocalMoment;

/// How long a file stays at its address after its download was started; some
/// browsers read it only then.
const DOWNLOAD_TIME: Duration = Duration::from_secs(30);

/// Why there is no snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SnapshotError {
    /// Nothing is shown yet.
    #[error("there is no picture yet")]
    NoPicture,
    /// The stream is of another origin that does not allow its pictures to be
    /// read.
    #[error("the stream does not allow its picture to be saved")]
    Forbidden,
    /// The browser cannot make it.
    #[error("the browser could not make a PNG of the picture")]
    NotMade,
    /// Anything else.
    #[error("{0}")]
    Other(Thrown),
}

impl From<JsValue> for SnapshotError {
    fn from(value: JsValue) -> Self {
        let thrown = Thrown::from(value);
        match thrown.name.as_str() {
            "SecurityError" => Self::Forbidden,
            _ => Self::Other(thrown),
        }
    }
}

/// A picture as a PNG file.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    png: Blob,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

impl Snapshot {
    /// What the `<video>` at `node` shows now, at the stream's full size.
    ///
    /// # Errors
    /// See [`SnapshotError`].
    pub async fn take(node: &NodeRef) -> Result<Self, SnapshotError> {
        let video = node.cast().ok_or(SnapshotError::NoPicture)?;
        Self::of(&video).await
    }

    /// The same of an element.
    ///
    /// # Errors
    /// See [`SnapshotError`].
    pub async fn of(video: &HtmlVideoElement) -> Result<Self, SnapshotError> {
        let (width, height) = (video.video_width(), video.video_height());
        if width == 0 || height == 0 {
            return Err(SnapshotError::NoPicture);
        }
        let canvas: HtmlCanvasElement = document()?.create_element("canvas")?.unchecked_into();
        canvas.set_width(width);
        canvas.set_height(height);
        canvas
            .get_context("2d")?
            .ok_or(SnapshotError::NotMade)?
            .unchecked_into::<CanvasRenderingContext2d>()
            .draw_image_with_html_video_element(video, 0.0, 0.0)?;
        let png = png(&canvas).await?;
        Ok(Self { png, width, height })
    }

    /// The file.
    pub fn png(&self) -> &Blob {
        &self.png
    }

    /// Lets the browser save it as a file of this name.
    ///
    /// # Errors
    /// The browser has no address for it.
    pub fn download(&self, name: &str) -> Result<Download, SnapshotError> {
        let url = ObjectUrl(Url::create_object_url_with_blob(&self.png)?);
        let link: HtmlAnchorElement = document()?.create_element("a")?.unchecked_into();
        link.set_href(&url.0);
        link.set_download(name);
        link.click();
        // The closure owns the address, so it goes with the timer either way.
        Ok(Download(Timer::after(DOWNLOAD_TIME, move || drop(url))))
    }
}

/// A download just started. Dropping it takes the file's address back.
#[must_use = "dropping it may end the download"]
pub struct Download(#[allow(dead_code, reason = "held for its Drop")] Timer);

struct ObjectUrl(String);

impl Drop for ObjectUrl {
    fn drop(&mut self) {
        // It only fails for an address that is none.
        let _revoked = Url::revoke_object_url(&self.0);
    }
}

async fn png(canvas: &HtmlCanvasElement) -> Result<Blob, SnapshotError> {
    let (sender, made) = oneshot::channel();
    let on_made = Closure::once(move |blob: Option<Blob>| {
        // Nobody waits any more if that fails.
        let _sent = sender.send(blob);
    });
    canvas.to_blob(on_made.as_ref().unchecked_ref())?;
    made.await.ok().flatten().ok_or(SnapshotError::NotMade)
}

fn document() -> Result<Document, SnapshotError> {
    web_sys::window()
        .and_then(|window| window.document())
        .ok_or(SnapshotError::NotMade)
}

/// Now, on the user's clock and calendar.
pub fn local_moment() -> LocalMoment {
    let now = js_sys::Date::new_0();
    LocalMoment {
        year: now.get_full_year(),
        month: now.get_month() + 1,
        day: now.get_date(),
        hour: now.get_hours(),
        minute: now.get_minutes(),
        second: now.get_seconds(),
    }
}
