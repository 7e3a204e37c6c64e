//! One track of a camera, a microphone or a screen.

use gloo_events::EventListener;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{MediaStreamTrack, MediaTrackConstraints};
use yew::Callback;

use super::Thrown;
use crate::state::{MediaKind, Size, Wish};

/// A track that ended without our doing: the device is gone, or the user
/// stopped the sharing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Sound or picture.
    pub kind: MediaKind,
    /// Which one, see [`Track::id`].
    pub track: String,
}

/// A track. Dropping it turns its device off.
#[derive(Debug)]
#[must_use = "dropping a track turns its device off"]
pub struct Track {
    track: MediaStreamTrack,
    _ended: EventListener,
}

impl Track {
    pub(super) fn new(kind: MediaKind, track: MediaStreamTrack, on_ended: Callback<Ended>) -> Self {
        let id = track.id();
        let ended = EventListener::once(&track, "ended", move |_| {
            on_ended.emit(Ended { kind, track: id });
        });
        Self {
            track,
            _ended: ended,
        }
    }

    /// Names the track.
    pub fn id(&self) -> String {
        self.track.id()
    }

    /// What people call its device; may be empty.
    pub fn label(&self) -> String {
        self.track.label()
    }

    /// Whether it is one of a phone's cameras, which face the user or away from
    /// the user.
    pub fn is_of_phone(&self) -> bool {
        let settings = self.track.get_settings();
        js_sys::Reflect::has(&settings, &"facingMode".into()).unwrap_or(false)
    }

    /// Whether it carries anything; silence and black if not.
    pub fn set_enabled(&self, enabled: bool) {
        self.track.set_enabled(enabled);
    }

    /// Asks the camera for another picture.
    pub fn resize(&self, size: Size) -> impl Future<Output = Result<(), Thrown>> + use<> {
        let constraints: MediaTrackConstraints = size_constraints(size).unchecked_into();
        let promise = self.track.apply_constraints_with_constraints(&constraints);
        async move {
            JsFuture::from(promise?).await?;
            Ok(())
        }
    }

    pub(super) fn raw(&self) -> &MediaStreamTrack {
        &self.track
    }
}

impl Drop for Track {
    fn drop(&mut self) {
        self.track.stop();
    }
}

/// The size nearest to what the camera can do.
pub(super) fn size_constraints(size: Size) -> js_sys::Object {
    let video = js_sys::Object::new();
    let members = [
        ("width", size.height.saturating_mul(16) / 9),
        ("height", size.height),
        ("frameRate", size.frame_rate),
    ];
    for (name, value) in members {
        set_wish(&video, name, "ideal", &value.into());
    }
    video
}

/// Exactly the wished device, if one is.
pub(super) fn set_device(constraints: &js_sys::Object, wish: &Wish) {
    if let Some(device) = &wish.device {
        set_wish(constraints, "deviceId", "exact", &device.into());
    }
}

fn set_wish(constraints: &js_sys::Object, name: &str, how: &str, value: &JsValue) {
    let wish = js_sys::Object::new();
    set(&wish, how, value);
    set(constraints, name, &wish);
}

/// Sets a member of a fresh plain object, which cannot fail.
fn set(object: &js_sys::Object, name: &str, value: &JsValue) {
    let _set = js_sys::Reflect::set(object, &name.into(), value);
}
