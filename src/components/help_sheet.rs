//! The player's keys, explained.

use yew::{Callback, Html, MouseEvent, html};

use super::sheet::Sheet;
use crate::state::SHORTCUTS;

/// What the sheet is given.
pub struct HelpSheet {
    /// The keys work.
    pub enabled: bool,
    /// Told when they shall work or not.
    pub on_enabled: Callback<bool>,
    /// Told when the user closed the sheet.
    pub on_close: Callback<()>,
}

/// A modal sheet, open as long as it is drawn.
pub fn help_sheet(props: HelpSheet) -> Html {
    let enabled = props.enabled;
    let on_switch = props.on_enabled.reform(move |_: MouseEvent| !enabled);
    html! {
        <Sheet
            id="helpSheet"
            title_id="helpTitle"
            title="Keys of the player"
            close_id="helpCloseBtn"
            on_close={props.on_close}
        >
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
        </Sheet>
    }
}
