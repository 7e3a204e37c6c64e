//! Links to the stream, ready to be copied.

use yew::{Html, html};

use super::copy_button::CopyButton;
use super::sheet::Sheet;
use crate::pages::view::View;
use crate::state::Share;

/// "Share", and the sheet it opens.
pub fn share_sheet(view: &View) -> Html {
    let on_share = &view.actions.on_share;
    html! {
        <>
            <button
                id="shareBtn"
                type="button"
                class="button"
                aria-haspopup="dialog"
                onclick={on_share.reform(|_| true)}
            >
                {"Share"}
            </button>
            if view.sharing {
                <Sheet
                    id="shareSheet"
                    title_id="shareTitle"
                    title="Share this stream"
                    close_id="closeShareBtn"
                    on_close={on_share.reform(|()| false)}
                >
                    { links(view.share) }
                </Sheet>
            }
        </>
    }
}

fn links(share: &Share) -> Html {
    let link = CopyField {
        id: "shareLink",
        button_id: "copyLinkBtn",
        label: "Link to the player",
        text: &share.link,
        rows: "2",
    };
    let snippet = CopyField {
        id: "shareSnippet",
        button_id: "copySnippetBtn",
        label: "HTML for another page",
        text: &share.snippet,
        rows: "5",
    };
    html! {
        <>
            if share.this_machine_only {
                <p id="shareNote" class="note">
                    {"These addresses name this machine: they work in its own browsers only."}
                </p>
            }
            { copy_field(&link) }
            { copy_field(&snippet) }
        </>
    }
}

/// What a field to copy from is given.
struct CopyField<'a> {
    /// Id of the field.
    id: &'static str,
    /// Id of the button.
    button_id: &'static str,
    /// What the text is.
    label: &'static str,
    text: &'a str,
    /// Lines shown.
    rows: &'static str,
}

/// A text that cannot be edited and a button that copies it.
fn copy_field(field: &CopyField) -> Html {
    let text = field.text.to_owned();
    html! {
        <div class="copy-field">
            <label for={field.id}>{ field.label }</label>
            <textarea
                id={field.id}
                rows={field.rows}
                readonly=true
                spellcheck="false"
                value={text.clone()}
            />
            <CopyButton id={field.button_id} {text} field={field.id} />
        </div>
    }
}
