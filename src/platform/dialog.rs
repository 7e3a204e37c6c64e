//! Dialogs: `<dialog>` in front of everything else (HTML, section 4.11.4). The
//! browser keeps the focus inside, closes it by Escape and gives the focus back.

use web_sys::HtmlDialogElement;
use yew::NodeRef;

/// Opens it, unless it is open.
pub fn show(dialog: &NodeRef) {
    if let Some(dialog) = dialog.cast::<HtmlDialogElement>() {
        // Refused only for a dialog that is already open.
        let _shown = dialog.show_modal();
    }
}

/// Closes it.
pub fn close(dialog: &NodeRef) {
    if let Some(dialog) = dialog.cast::<HtmlDialogElement>() {
        dialog.close();
    }
}
