//! Modal dialogs.

use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::{EventTarget, HtmlDialogElement, MouseEvent};
use yew::{Callback, NodeRef};

/// An open `<dialog>` that holds the focus. Dropping it closes it, and the
/// focus goes back to where it was.
#[must_use = "dropping it closes the dialog"]
pub struct Modal {
    dialog: HtmlDialogElement,
    listeners: Vec<EventListener>,
}

impl Modal {
    /// Opens the `<dialog>` at `node`; told when the user closes it, by Escape,
    /// a form or a press beside it. `None` if it is no `<dialog>`.
    pub fn open(node: &NodeRef, on_close: Callback<()>) -> Option<Self> {
        let dialog = node.cast::<HtmlDialogElement>()?;
        if dialog.show_modal().is_err() {
            dialog.set_open(true);
        }
        let close = EventListener::new(&dialog, "close", move |_| on_close.emit(()));
        let beside = EventListener::new(&dialog, "click", {
            let dialog = dialog.clone();
            move |event| {
                if is_beside(&dialog, event.unchecked_ref()) {
                    dialog.close();
                }
            }
        });
        Some(Self {
            dialog,
            listeners: vec![close, beside],
        })
    }
}

impl Drop for Modal {
    fn drop(&mut self) {
        // Its own closing is no news.
        self.listeners.clear();
        self.dialog.close();
    }
}

/// A press on the backdrop is one on the dialog, outside its box.
fn is_beside(dialog: &HtmlDialogElement, event: &MouseEvent) -> bool {
    let itself: &EventTarget = dialog;
    let on_dialog = event.target().as_ref() == Some(itself);
    let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
    let frame = dialog.get_bounding_client_rect();
    let inside =
        (frame.left()..=frame.right()).contains(&x) && (frame.top()..=frame.bottom()).contains(&y);
    on_dialog && !inside
}
