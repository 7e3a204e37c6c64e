//! A button that copies a text and says what became of it.

use yew::{AttrValue, Component, Context, Html, Properties, html};

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
    /// Id of a field with the text, selected where the browser lets no page copy.
    #[prop_or_default]
    pub field: Option<AttrValue>,
}

/// What became of the last press.
enum Copied {
    /// Nothing was pressed.
    No,
    /// This text is in the clipboard.
    Text(AttrValue),
    /// The browser refused.
    Refused,
}

/// "Copy" and, after a press, a word beside it.
pub struct CopyButton {
    copied: Copied,
    copying: Option<Task>,
}

/// What the button reacts to.
pub enum Msg {
    /// It was pressed.
    Copy,
    /// What became of it: the text that was copied, if the browser let it.
    Copied(Option<AttrValue>),
}

impl Component for CopyButton {
    type Message = Msg;
    type Properties = CopyButtonProps;

    fn create(_ctx: &Context<Self>) -> Self {
        Self {
            copied: Copied::No,
            copying: None,
        }
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Self::Message) -> bool {
        match msg {
            Msg::Copy => self.copy(ctx),
            Msg::Copied(Some(text)) => self.copied = Copied::Text(text),
            Msg::Copied(None) => {
                if let Some(field) = &ctx.props().field {
                    clipboard::select(field);
                }
                self.copied = Copied::Refused;
            }
        }
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        html! {
            <div class="copy-action">
                <button
                    id={&props.id}
                    type="button"
                    class="button"
                    onclick={ctx.link().callback(|_| Msg::Copy)}
                >
                    { &props.label }
                </button>
                <span class="copy-result" role="status">{ self.result(props) }</span>
            </div>
        }
    }
}

impl CopyButton {
    fn copy(&mut self, ctx: &Context<Self>) {
        let (link, text) = (ctx.link().clone(), ctx.props().text.clone());
        self.copying = Some(Task::spawn(async move {
            let copied = clipboard::write(text.to_string()).await;
            link.send_message(Msg::Copied(copied.is_ok().then_some(text)));
        }));
    }

    fn result(&self, props: &CopyButtonProps) -> &'static str {
        match (&self.copied, &props.field) {
            (Copied::Text(text), _) if *text == props.text => "Copied",
            (Copied::Refused, Some(_)) => {
                "The browser lets no page copy here. The text is selected: copy it."
            }
            (Copied::Refused, None) => "The browser lets no page copy here.",
            (Copied::No | Copied::Text(_), _) => "",
        }
    }
}
