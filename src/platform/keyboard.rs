//! Keys pressed anywhere on the page.

use gloo_events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, HtmlInputElement, KeyboardEvent, Node};
use yew::NodeRef;

use crate::state::{Focus, Stroke};

/// Inputs that take the arrow keys and nothing else, or not even them.
const KEYLESS_INPUTS: [&str; 5] = ["range", "radio", "checkbox", "button", "submit"];

/// Hears every key. Dropping it ends that.
#[must_use = "dropping it ends the hearing"]
pub struct Keyboard(#[allow(dead_code, reason = "held for its Drop")] EventListener);

impl Keyboard {
    /// Offers each key to `take`, which says whether it was for the player at
    /// `player`. What it takes the browser does not see.
    pub fn listen(player: &NodeRef, take: impl Fn(&Stroke) -> bool + 'static) -> Option<Self> {
        let window = web_sys::window()?;
        let player = player.cast::<Element>()?;
        let options = EventListenerOptions::enable_prevent_default();
        let on_key = move |event: &Event| {
            let event = event.unchecked_ref::<KeyboardEvent>();
            // The key of another's, or of a character still being composed.
            if event.default_prevented() || event.is_composing() {
                return;
            }
            if take(&stroke(event, &player)) {
                event.prevent_default();
            }
        };
        Some(Self(EventListener::new_with_options(
            &window, "keydown", options, on_key,
        )))
    }
}

fn stroke(event: &KeyboardEvent, player: &Element) -> Stroke {
    let key = event.key();
    // Where the letters are not Latin, the key's place counts.
    let letter = event.code().strip_prefix("Key").map(str::to_owned);
    let key = match letter {
        Some(letter) if !key.is_ascii() => letter,
        Some(_) | None => key,
    };
    let key = if key.len() == 1 {
        key.to_ascii_lowercase()
    } else {
        key
    };
    Stroke {
        key,
        modified: event.ctrl_key() || event.alt_key() || event.meta_key(),
        repeated: event.repeat(),
        focus: focus(event, player),
    }
}

fn focus(event: &KeyboardEvent, player: &Element) -> Focus {
    let Some(target) = event
        .target()
        .and_then(|target| target.dyn_into::<HtmlElement>().ok())
    else {
        return Focus::Page;
    };
    if let Some(input) = target.dyn_ref::<HtmlInputElement>() {
        return if KEYLESS_INPUTS.contains(&input.type_().as_str()) {
            Focus::Slider
        } else {
            Focus::Text
        };
    }
    let inside = player.contains(target.dyn_ref::<Node>());
    // Another modal dialog has the keys for itself.
    let in_dialog = !inside && matches!(target.closest("dialog"), Ok(Some(_)));
    let takes_text = matches!(target.tag_name().as_str(), "TEXTAREA" | "SELECT");
    if takes_text || in_dialog || target.is_content_editable() {
        Focus::Text
    } else if inside || has_screen(player) {
        Focus::Player
    } else {
        Focus::Page
    }
}

fn has_screen(player: &Element) -> bool {
    let document = player.owner_document();
    document
        .and_then(|document| document.fullscreen_element())
        .as_ref()
        == Some(player)
}
