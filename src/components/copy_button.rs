//! A button that copies a text and says what became of it.

use yew::{
    AttrValue, Callback, Html, MouseEvent, NodeRef, Properties, component, html, use_mut_ref,
    use_state_eq,
};

use crate::platform::clipboard;
use crate::platform::task::Task;

/// What the button is given.
#[derive(Clone, PartialEq, Properties)]
pub struct CopyButtonProps {
    /// Its id.
    pub id: AttrValue,
    /// What it says.
    #[prop_or(AttrValue::Static("Copy"))]
    pub label: AttrValue,
    /// What it copies.
    pub text: AttrValue,
    /// A field with the text, selected where the browser lets no page copy.
    #[prop_or_default]
    pub field: Option<NodeRef>,
}

/// What became of the last press.
#[derive(Debug, Clone, PartialEq)]
enum Copied {
    /// Nothing was pressed.
    No,
    /// This text is in the clipboard.
    Text(AttrValue),
    /// The browser refused.
    Refused,
}

/// "Copy" and, after a press, a word beside it.
#[component]
pub fn CopyButton(props: &CopyButtonProps) -> Html {
    let copied = use_state_eq(|| Copied::No);
    let copying = use_mut_ref(|| None);
    let on_copy = {
        let (field, text, copied) = (props.field.clone(), props.text.clone(), copied.setter());
        Callback::from(move |_: MouseEvent| {
            let (field, text, copied) = (field.clone(), text.clone(), copied.clone());
            let task = Task::spawn(async move {
                match clipboard::write(text.to_string()).await {
                    Ok(()) => copied.set(Copied::Text(text)),
                    Err(_) => {
                        if let Some(field) = field {
                            clipboard::select(&field);
                        }
                        copied.set(Copied::Refused);
                    }
                }
            });
            copying.replace(Some(task));
        })
    };
    let result = match (&*copied, &props.field) {
        (Copied::Text(text), _) if *text == props.text => "Copied",
        (Copied::Refused, Some(_)) => {
            "The browser lets no page copy here. The text is selected: copy it."
        }
        (Copied::Refused, None) => "The browser lets no page copy here.",
        (Copied::No | Copied::Text(_), _) => "",
    };
    html! {
        <div class="copy-action">
            <button id={&props.id} type="button" class="button" onclick={on_copy}>
                { &props.label }
            </button>
            <span class="copy-result" role="status">{ result }</span>
        </div>
    }
}
