//! Which cameras, microphones and speakers there are, and what the browser can
//! do with them.

use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{MediaDeviceInfo, MediaDeviceKind};
use yew::Callback;

use super::media;
use crate::state::{Device, DeviceKind};

/// The devices there are now; none on a page that may not use them.
pub async fn list() -> Vec<Device> {
    let promise = media::devices().and_then(|devices| devices.enumerate_devices().ok());
    let Some(promise) = promise else {
        return Vec::new();
    };
    let listed = JsFuture::from(promise).await.unwrap_or_default();
    let listed = listed.dyn_into::<js_sys::Array>().unwrap_or_default();
    listed
        .into_iter()
        .filter_map(|info| device(&info.unchecked_into()))
        .collect()
}

/// Calls `on_change` whenever devices come or go, until the listener is dropped.
pub fn watch(on_change: Callback<()>) -> Option<EventListener> {
    let devices = media::devices()?;
    Some(EventListener::new(&devices, "devicechange", move |_| {
        on_change.emit(());
    }))
}

/// Whether the browser can capture a screen: phones cannot.
pub fn can_share_screen() -> bool {
    media::devices().is_some_and(|devices| has(&devices, "getDisplayMedia"))
}

/// Whether the browser lets pages choose the speaker.
pub fn can_choose_speaker() -> bool {
    let element = js_sys::Reflect::get(&js_sys::global(), &"HTMLMediaElement".into());
    let prototype = element.and_then(|class| js_sys::Reflect::get(&class, &"prototype".into()));
    prototype.is_ok_and(|prototype| has(&prototype, "setSinkId"))
}

fn has(object: &wasm_bindgen::JsValue, member: &str) -> bool {
    js_sys::Reflect::has(object, &member.into()).unwrap_or(false)
}

fn device(info: &MediaDeviceInfo) -> Option<Device> {
    let kind = match info.kind() {
        MediaDeviceKind::Videoinput => DeviceKind::Camera,
        MediaDeviceKind::Audioinput => DeviceKind::Microphone,
        MediaDeviceKind::Audiooutput => DeviceKind::Speaker,
        _ => return None,
    };
    Some(Device {
        kind,
        id: info.device_id(),
        label: info.label(),
    })
}
