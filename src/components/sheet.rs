//! A modal sheet: a title, a button that closes it, and what it is about.

use yew::{AttrValue, Callback, Component, Context, Html, NodeRef, Properties, html};

use super::icon::{Drawing, icon};
use crate::platform::dialog::Modal;

/// What a sheet is given.
#[derive(Clone, PartialEq, Properties)]
pub struct SheetProps {
    /// Its id.
    pub id: AttrValue,
    /// Id of the title.
    pub title_id: AttrValue,
    /// What it is about.
    pub title: AttrValue,
    /// Id of the button that closes it.
    pub close_id: AttrValue,
    /// Told when the user closed it.
    pub on_close: Callback<()>,
    /// What it says.
    pub children: Html,
}

/// A modal sheet, open as long as it is mounted.
pub struct Sheet {
    dialog: NodeRef,
    modal: Option<Modal>,
}

impl Component for Sheet {
    type Message = ();
    type Properties = SheetProps;

    fn create(_ctx: &Context<Self>) -> Self {
        Self {
            dialog: NodeRef::default(),
            modal: None,
        }
    }

    fn rendered(&mut self, ctx: &Context<Self>, first_render: bool) {
        if first_render {
            self.modal = Modal::open(&self.dialog, ctx.props().on_close.clone());
        }
    }

    fn destroy(&mut self, _ctx: &Context<Self>) {
        // While the dialog is still in the page, so that the focus goes back.
        self.modal = None;
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        html! {
            <dialog id={&props.id} class="sheet" ref={&self.dialog} aria-labelledby={&props.title_id}>
                <div class="sheet-title">
                    <h2 id={&props.title_id}>{ &props.title }</h2>
                    <form method="dialog">
                        <button id={&props.close_id} class="control" aria-label="Close">
                            { icon(Drawing::Close) }
                        </button>
                    </form>
                </div>
                { props.children.clone() }
            </dialog>
        }
    }
}
