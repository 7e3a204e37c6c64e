//! Signals that waiting any longer is pointless.

use gloo_events::EventListener;
use yew::Callback;

/// Listens for the network to come back and for the page to be looked at again,
/// as after a sleep. Dropping it ends that.
#[derive(Debug)]
#[must_use = "dropping it stops listening"]
pub struct Signals(#[allow(dead_code, reason = "held for its Drop")] Vec<EventListener>);

impl Signals {
    /// Calls `on_signal` at each.
    pub fn listen(on_signal: Callback<()>) -> Self {
        let Some(window) = web_sys::window() else {
            return Self(Vec::new());
        };
        let mut listeners = vec![listener(&window, "online", &on_signal)];
        if let Some(document) = window.document() {
            listeners.push(listener(&document, "visibilitychange", &on_signal));
        }
        Self(listeners)
    }
}

fn listener(target: &web_sys::EventTarget, name: &'static str, on: &Callback<()>) -> EventListener {
    let on = on.clone();
    EventListener::new(target, name, move |_| on.emit(()))
}
