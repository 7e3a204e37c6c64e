//! The clipboard (Clipboard API and Events, section 7).

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlTextAreaElement;

use super::Thrown;

/// Puts text into the clipboard; to be called from a press by the user.
///
/// # Errors
/// The browser has no clipboard for this page (it came over plain `http:` from
/// another machine) or refuses.
pub async fn write(text: String) -> Result<(), Thrown> {
    let clipboard = web_sys::window()
        .ok_or_else(missing)?
        .navigator()
        .clipboard();
    // On an insecure page it is undefined rather than missing.
    if clipboard.is_undefined() {
        return Err(missing());
    }
    JsFuture::from(clipboard.write_text(&text)).await?;
    Ok(())
}

/// Selects all of the `<textarea>` of this id, so that the user can copy it.
pub fn select(id: &str) {
    let document = web_sys::window().and_then(|window| window.document());
    let field = document.and_then(|document| document.get_element_by_id(id));
    if let Some(area) = field.and_then(|field| field.dyn_into::<HtmlTextAreaElement>().ok()) {
        area.select();
    }
}

fn missing() -> Thrown {
    Thrown {
        name: "NotSupportedError".to_owned(),
        message: "the browser gives this page no clipboard".to_owned(),
    }
}
