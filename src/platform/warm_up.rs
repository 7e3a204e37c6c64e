//! The first use of WebRTC and of sound, while the page has nothing to do.
//!
//! Browsers start either only when a page asks for it, on the thread that runs
//! the page: Chromium needs tens of milliseconds for the first peer connection
//! and some hundred for the first sound. The first stream would wait for the one
//! and lose lip sync by the other, for what is received meanwhile is played late.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{AudioContext, RtcPeerConnection, Window};

/// A warm-up that comes when the page is at rest. Dropping it calls that off.
#[must_use = "dropping it calls the warm-up off"]
pub struct WarmUp {
    window: Window,
    handle: u32,
    _callback: Closure<dyn FnMut()>,
}

impl WarmUp {
    /// Waits for the page to be at rest (`requestIdleCallback`). `None` if the
    /// browser does not tell of that: then the first stream has to wait.
    pub fn at_rest() -> Option<Self> {
        let window = web_sys::window()?;
        let callback = Closure::once(use_once);
        let handle = window
            .request_idle_callback(callback.as_ref().unchecked_ref())
            .ok()?;
        Some(Self {
            window,
            handle,
            _callback: callback,
        })
    }
}

impl Drop for WarmUp {
    fn drop(&mut self) {
        self.window.cancel_idle_callback(self.handle);
    }
}

/// Asks for both and gives them back at once. What a browser refuses here is
/// told once it is needed.
fn use_once() {
    if let Ok(connection) = RtcPeerConnection::new() {
        connection.close();
    }
    if let Ok(context) = AudioContext::new() {
        let _closing = context.close();
    }
}
