//! Links to the stream, ready to be copied.

use yew::{
    AttrValue, Callback, Html, MouseEvent, Properties, component, html, use_mut_ref, use_node_ref,
    use_state_eq,
};

use crate::platform::task::Task;
use crate::platform::{clipboard, dialog};
use crate::state::Share;

/// What the sheet is given.
#[derive(Clone, PartialEq, Properties)]
pub struct ShareSheetProps {
    /// What there is to share.
    pub share: Share,
}

/// "Share", and the sheet it opens.
#[component]
pub fn ShareSheet(ShareSheetProps { share }: &ShareSheetProps) -> Html {
    let sheet = use_node_ref();
    let on_open = {
        let sheet = sheet.clone();
        Callback::from(move |_: MouseEvent| dialog::show(&sheet))
    };
    let on_close = {
        let sheet = sheet.clone();
        Callback::from(move |_: MouseEvent| dialog::close(&sheet))
    };
    html! {
        <>
            <button
                id="shareBtn"
                type="button"
                class="button"
                aria-haspopup="dialog"
                onclick={on_open}
            >
                {"Share"}
            </button>
            <dialog id="shareSheet" class="sheet" ref={sheet} aria-labelledby="shareTitle">
                <div class="card-title">
                    <h2 id="shareTitle">{"Share this stream"}</h2>
                    <button id="closeShareBtn" type="button" class="button" onclick={on_close}>
                        {"Close"}
                    </button>
                </div>
                if share.this_machine_only {
                    <p id="shareNote" class="note">
                        {"These addresses name this machine: they work in its own browsers only."}
                    </p>
                }
                <CopyField
                    id="shareLink"
                    button_id="copyLinkBtn"
                    label="Link to the player"
                    text={share.link.clone()}
                />
                <CopyField
                    id="shareSnippet"
                    button_id="copySnippetBtn"
                    label="HTML for another page"
                    text={share.snippet.clone()}
                    rows={5}
                />
            </dialog>
        </>
    }
}

/// What a field to copy from is given.
#[derive(Clone, PartialEq, Properties)]
pub struct CopyFieldProps {
    /// Id of the field.
    pub id: AttrValue,
    /// Id of the button.
    pub button_id: AttrValue,
    /// What the text is.
    pub label: AttrValue,
    /// The text.
    pub text: AttrValue,
    /// Lines shown.
    #[prop_or(2)]
    pub rows: u32,
}

/// What became of the last press of "Copy".
#[derive(Debug, Clone, PartialEq)]
enum Copied {
    /// Nothing was pressed, or the text is another now.
    No,
    /// This text is in the clipboard.
    Text(AttrValue),
    /// The browser refused; the text is selected instead.
    ByHand,
}

/// A text that cannot be edited and a button that copies it.
#[component]
pub fn CopyField(props: &CopyFieldProps) -> Html {
    let field = use_node_ref();
    let copied = use_state_eq(|| Copied::No);
    let copying = use_mut_ref(|| None);
    let on_copy = {
        let (field, text, copied) = (field.clone(), props.text.clone(), copied.setter());
        Callback::from(move |_: MouseEvent| {
            let (field, text, copied) = (field.clone(), text.clone(), copied.clone());
            let task = Task::spawn(async move {
                match clipboard::write(text.to_string()).await {
                    Ok(()) => copied.set(Copied::Text(text)),
                    Err(_) => {
                        clipboard::select(&field);
                        copied.set(Copied::ByHand);
                    }
                }
            });
            copying.replace(Some(task));
        })
    };
    let result = match &*copied {
        Copied::Text(text) if *text == props.text => "Copied",
        Copied::ByHand => "The browser lets no page copy here. The text is selected: copy it.",
        Copied::No | Copied::Text(_) => "",
    };
    html! {
        <div class="copy-field">
            <label for={&props.id}>{ &props.label }</label>
            <textarea
                id={&props.id}
                ref={field}
                rows={props.rows.to_string()}
                readonly=true
                spellcheck="false"
                value={&props.text}
            />
            <div class="copy-action">
                <button
                    id={&props.button_id}
                    type="button"
                    class="button primary"
                    onclick={on_copy}
                >
                    {"Copy"}
                </button>
                <span class="copy-result" role="status">{ result }</span>
            </div>
        </div>
    }
}
