//! Links to the stream, ready to be copied.

use yew::{
    AttrValue, Callback, Html, MouseEvent, Properties, component, html, use_effect_with,
    use_node_ref, use_state_eq,
};

use super::copy_button::CopyButton;
use super::icon::{Drawing, Icon};
use crate::platform::dialog::Modal;
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
    let open = use_state_eq(|| false);
    let set = |is_open: bool| {
        let open = open.setter();
        Callback::from(move |()| open.set(is_open))
    };
    html! {
        <>
            <button
                id="shareBtn"
                type="button"
                class="button"
                aria-haspopup="dialog"
                onclick={set(true).reform(|_: MouseEvent| ())}
            >
                {"Share"}
            </button>
            if *open {
                <Sheet share={share.clone()} on_close={set(false)} />
            }
        </>
    }
}

/// What the open sheet is given.
#[derive(Clone, PartialEq, Properties)]
struct SheetProps {
    share: Share,
    on_close: Callback<()>,
}

#[component]
fn Sheet(SheetProps { share, on_close }: &SheetProps) -> Html {
    let sheet = use_node_ref();
    use_effect_with((), {
        let (sheet, on_close) = (sheet.clone(), on_close.clone());
        move |()| {
            let modal = Modal::open(&sheet, on_close);
            move || drop(modal)
        }
    });
    html! {
            <dialog id="shareSheet" class="sheet" ref={sheet} aria-labelledby="shareTitle">
                <div class="sheet-title">
                    <h2 id="shareTitle">{"Share this stream"}</h2>
                    <form method="dialog">
                        <button id="closeShareBtn" class="control" aria-label="Close">
                            <Icon drawing={Drawing::Close} />
                        </button>
                    </form>
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

/// A text that cannot be edited and a button that copies it.
#[component]
pub fn CopyField(props: &CopyFieldProps) -> Html {
    let field = use_node_ref();
    html! {
        <div class="copy-field">
            <label for={&props.id}>{ &props.label }</label>
            <textarea
                id={&props.id}
                ref={field.clone()}
                rows={props.rows.to_string()}
                readonly=true
                spellcheck="false"
                value={&props.text}
            />
            <CopyButton id={&props.button_id} text={&props.text} {field} />
        </div>
    }
}
