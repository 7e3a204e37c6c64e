//! What the Permissions API says of camera and microphone, and when it changes.

use gloo_events::EventListener;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{PermissionState, PermissionStatus};
use yew::Callback;

use crate::state::Permission;

/// Permissions being watched. Dropping it ends that.
#[derive(Debug)]
#[must_use = "dropping it ends the watching"]
pub struct Watch(#[allow(dead_code, reason = "held for its Drop")] Vec<EventListener>);

/// The stricter of the permissions asked about.
pub(super) async fn of(microphone: bool, camera: bool) -> Permission {
    let mut strictest = Permission::Unknown;
    for (name, asked) in [("microphone", microphone), ("camera", camera)] {
        if !asked {
            continue;
        }
        let one = query(name).await;
        let state = one.map_or(Permission::Unknown, |status| permission(&status));
        strictest = match (strictest, state) {
            (Permission::Denied, _) | (_, Permission::Denied) => Permission::Denied,
            (Permission::Ask, _) | (_, Permission::Ask) => Permission::Ask,
            (Permission::Granted, _) | (_, Permission::Granted) => Permission::Granted,
            (Permission::Unknown, Permission::Unknown) => Permission::Unknown,
        };
    }
    strictest
}

/// Calls `on_granted` when a permission of camera or microphone is given.
pub async fn watch(on_granted: Callback<()>) -> Watch {
    let mut listeners = Vec::new();
    for name in ["microphone", "camera"] {
        let Some(status) = query(name).await else {
            continue;
        };
        let on_granted = on_granted.clone();
        let watched = status.clone();
        listeners.push(EventListener::new(&status, "change", move |_| {
            if permission(&watched) == Permission::Granted {
                on_granted.emit(());
            }
        }));
    }
    Watch(listeners)
}

/// Whether the document may capture: in an `<iframe>` without
/// `allow="camera; microphone"` it may not. True where the browser cannot tell.
pub(super) fn is_allowed() -> bool {
    ["camera", "microphone"]
        .into_iter()
        .all(|feature| allows(feature).unwrap_or(true))
}

/// `document.featurePolicy` is Chromium's; others have no way to ask.
fn allows(feature: &str) -> Option<bool> {
    let document = web_sys::window()?.document()?;
    let policy = js_sys::Reflect::get(&document, &"featurePolicy".into()).ok()?;
    let allows: js_sys::Function = js_sys::Reflect::get(&policy, &"allowsFeature".into())
        .ok()?
        .dyn_into()
        .ok()?;
    allows.call1(&policy, &feature.into()).ok()?.as_bool()
}

async fn query(name: &str) -> Option<PermissionStatus> {
    let permissions = web_sys::window()?.navigator().permissions().ok()?;
    if permissions.is_undefined() {
        return None;
    }
    let descriptor = js_sys::Object::new();
    js_sys::Reflect::set(&descriptor, &"name".into(), &JsValue::from_str(name)).ok()?;
    let promise = permissions.query(&descriptor).ok()?;
    JsFuture::from(promise).await.ok()?.dyn_into().ok()
}

fn permission(status: &PermissionStatus) -> Permission {
    match status.state() {
        PermissionState::Granted => Permission::Granted,
        PermissionState::Denied => Permission::Denied,
        PermissionState::Prompt => Permission::Ask,
        _ => Permission::Unknown,
    }
}
