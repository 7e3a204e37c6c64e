//! Elements: mounting, reading fields, scrolling.

use web_sys::{Element, HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement, PointerEvent};
use yew::{AppHandle, BaseComponent, Event, InputEvent, NodeRef, TargetCast};

/// Mounts `C` with its default properties into the element `id`; `None` if the
/// document has no such element.
pub fn mount<C>(id: &str) -> Option<AppHandle<C>>
where
    C: BaseComponent,
    C::Properties: Default,
{
    let root = web_sys::window()?.document()?.get_element_by_id(id)?;
    Some(yew::Renderer::<C>::with_root(root).render())
}

/// What an `<input>` holds after an input event.
pub fn input_value(event: &InputEvent) -> String {
    event
        .target_dyn_into::<HtmlInputElement>()
        .map(|input| input.value())
        .unwrap_or_default()
}

/// Whether a checkbox is checked, after a change of it.
pub fn checked(event: &Event) -> bool {
    event
        .target_dyn_into::<HtmlInputElement>()
        .is_some_and(|input| input.checked())
}

/// What a `<textarea>` holds after an input event.
pub fn textarea_value(event: &InputEvent) -> String {
    event
        .target_dyn_into::<HtmlTextAreaElement>()
        .map(|area| area.value())
        .unwrap_or_default()
}

/// Whether the pointer hovers, rather than touches.
pub fn is_mouse(event: &PointerEvent) -> bool {
    event.pointer_type() == "mouse"
}

/// The value of a `<select>` after a change event.
pub fn selected_value(event: &Event) -> String {
    event
        .target_dyn_into::<HtmlSelectElement>()
        .map(|select| select.value())
        .unwrap_or_default()
}

/// Selects the option of this value.
pub fn select(node: &NodeRef, value: &str) {
    if let Some(select) = node.cast::<HtmlSelectElement>() {
        select.set_value(value);
    }
}

/// Scrolls an element to its end.
pub fn scroll_to_end(node: &NodeRef) {
    if let Some(element) = node.cast::<Element>() {
        element.set_scroll_top(element.scroll_height());
    }
}

/// Whether the page can be seen: its tab is in front, its window not minimised.
pub fn is_visible() -> bool {
    let document = web_sys::window().and_then(|window| window.document());
    document.is_some_and(|document| !document.hidden())
}

/// Writes a line into the browser's console.
pub fn log_warning(text: &str) {
    web_sys::console::warn_1(&text.into());
}
