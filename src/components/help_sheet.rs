//! The player's keys, explained.

use yew::{Callback, Html, MouseEvent, Properties, component, html, use_effect_with, use_node_ref};

use super::icon::{Drawing, Icon};
use crate::platform::dialog::Modal;
use crate::state::SHORTCUTS;

/// What the sheet is given.
#[derive(Clone, PartialEq, Properties)]
pub struct HelpSheetProps {
    /// The keys work.
    pub enabled: bool,
    /// Told when they shall work or not.
    pub on_enabled: Callback<bool>,
    /// Told when the user closed the sheet.
    pub on_close: Callback<()>,
}

/// A modal sheet, open as long as it is mounted.
#[component]
pub fn HelpSheet(props: &HelpSheetProps) -> Html {
    let sheet = use_node_ref();
    use_effect_with((), {
        let (sheet, on_close) = (sheet.clone(), props.on_close.clone());
        move |()| {
            let modal = Modal::open(&sheet, on_close);
            move || drop(modal)
        }
    });
    let enabled = props.enabled;
    let on_switch = props.on_enabled.reform(move |_: MouseEvent| !enabled);
    html! {
        <dialog id="helpSheet" class="sheet" ref={sheet} aria-labelledby="helpTitle">
            <div class="sheet-title">
                <h2 id="helpTitle">{"Keys of the player"}</h2>
                <form method="dialog">
                    <button id="helpCloseBtn" class="control" aria-label="Close">
                        <Icon drawing={Drawing::Close} />
                    </button>
                </form>
            </div>
            <dl>
                { for SHORTCUTS.iter().map(|shortcut| html! {
                    <div>
                        <dt><kbd>{ shortcut.shown }</kbd></dt>
                        <dd>{ shortcut.text }</dd>
                    </div>
                }) }
            </dl>
            <p>
                {"The arrows work with the focus on the player. Escape closes this sheet and \
                  leaves full screen."}
            </p>
            <label class="switch">
                <input
                    id="shortcutsSwitch"
                    type="checkbox"
                    checked={enabled}
                    onclick={on_switch}
                />
                {"Use these keys"}
            </label>
        </dialog>
    }
}
