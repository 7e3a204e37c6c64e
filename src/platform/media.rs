//! Camera and microphone, and streams as something to show.

use thiserror::Error;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{MediaStream, MediaStreamConstraints, MediaStreamTrack, MediaStreamTrackState};

use super::Thrown;

/// What the camera is asked for: 720p at 30 frames a second, or the nearest it
/// can do.
const VIDEO: [(&str, u32); 3] = [("width", 1280), ("height", 720), ("frameRate", 30)];

/// Why there is no camera and microphone.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MediaError {
    /// Browsers give the camera only to pages from `https:` or from localhost.
    #[error("the camera is only given to pages opened over https or from localhost")]
    InsecurePage,
    /// The user or a policy refused.
    #[error("permission for camera and microphone was refused ({0})")]
    Refused(Thrown),
    /// There is no camera or no microphone.
    #[error("no camera or microphone was found ({0})")]
    Missing(Thrown),
    /// There is one, but another program holds it or it is broken.
    #[error("the camera or microphone cannot be used ({0})")]
    Busy(Thrown),
    /// Anything else.
    #[error("{0}")]
    Other(Thrown),
}

impl From<JsValue> for MediaError {
    /// Sorts the exceptions of `getUserMedia` (Media Capture and Streams,
    /// section 10.2.1).
    fn from(value: JsValue) -> Self {
        let thrown = Thrown::from(value);
        match thrown.name.as_str() {
            "NotAllowedError" | "SecurityError" => Self::Refused(thrown),
            "NotFoundError" | "OverconstrainedError" => Self::Missing(thrown),
            "NotReadableError" | "AbortError" => Self::Busy(thrown),
            _ => Self::Other(thrown),
        }
    }
}

/// A stream to put into a `<video>` element. Holding one keeps no device open.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture(MediaStream);

impl Picture {
    /// Another handle of `stream`. Its own `clone` method is JavaScript's and
    /// would copy the tracks, which then outlive the camera.
    pub(super) fn new(stream: &MediaStream) -> Self {
        Self(Clone::clone(stream))
    }

    pub(super) fn stream(&self) -> &MediaStream {
        &self.0
    }
}

/// The camera and the microphone, on. Dropping it turns them off.
#[derive(Debug)]
#[must_use = "dropping the camera turns it off"]
pub struct Camera(MediaStream);

impl Camera {
    /// Turns camera and microphone on; the browser may ask the user first.
    ///
    /// # Errors
    /// The devices are missing, in use or refused.
    pub async fn open() -> Result<Self, MediaError> {
        let devices = web_sys::window()
            .ok_or(MediaError::InsecurePage)?
            .navigator()
            .media_devices()
            .map_err(|_| MediaError::InsecurePage)?;
        // On an insecure page `mediaDevices` is undefined rather than missing.
        if devices.is_undefined() {
            return Err(MediaError::InsecurePage);
        }
        let promise = devices.get_user_media_with_constraints(&constraints())?;
        let stream = JsFuture::from(promise).await?;
        Ok(Self(stream.unchecked_into()))
    }

    /// There is a microphone.
    pub fn has_audio(&self) -> bool {
        self.0.get_audio_tracks().length() > 0
    }

    /// There is a camera.
    pub fn has_video(&self) -> bool {
        self.0.get_video_tracks().length() > 0
    }

    /// Neither device went away since.
    pub fn is_live(&self) -> bool {
        self.tracks()
            .all(|track| track.ready_state() == MediaStreamTrackState::Live)
    }

    /// What the camera sees.
    pub fn picture(&self) -> Picture {
        Picture::new(&self.0)
    }

    pub(super) fn stream(&self) -> &MediaStream {
        &self.0
    }

    pub(super) fn tracks(&self) -> impl Iterator<Item = MediaStreamTrack> {
        self.0
            .get_tracks()
            .into_iter()
            .map(|track| track.unchecked_into())
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        for track in self.tracks() {
            track.stop();
        }
    }
}

fn constraints() -> MediaStreamConstraints {
    let video = js_sys::Object::new();
    for (name, ideal) in VIDEO {
        let wish = js_sys::Object::new();
        set(&wish, "ideal", &ideal.into());
        set(&video, name, &wish);
    }
    let constraints = MediaStreamConstraints::new();
    constraints.set_audio(&JsValue::TRUE);
    constraints.set_video(&video);
    constraints
}

/// Sets a member of a fresh plain object, which cannot fail.
fn set(object: &js_sys::Object, name: &str, value: &JsValue) {
    let _set = js_sys::Reflect::set(object, &name.into(), value);
}
