//! A labelled choice of a few.

use yew::{AttrValue, Callback, Component, Context, Event, Html, NodeRef, Properties, html};

use crate::platform::dom;

/// One of the choices.
#[derive(Clone, PartialEq)]
pub struct Choice {
    /// What is told when it is picked.
    pub value: AttrValue,
    /// What it says.
    pub text: AttrValue,
}

impl Choice {
    /// A choice.
    pub fn new(value: impl Into<AttrValue>, text: impl Into<AttrValue>) -> Self {
        Self {
            value: value.into(),
            text: text.into(),
        }
    }
}

/// What a field is given.
#[derive(Clone, PartialEq, Properties)]
pub struct SelectFieldProps {
    /// Id of the `<select>`.
    pub id: AttrValue,
    /// What it is for.
    pub label: AttrValue,
    /// What there is to choose from.
    pub choices: Vec<Choice>,
    /// The value that is chosen.
    pub chosen: AttrValue,
    /// Told the value that the user picks.
    pub on_pick: Callback<String>,
}

/// A label and a `<select>`.
pub struct SelectField {
    node: NodeRef,
}

impl Component for SelectField {
    type Message = ();
    type Properties = SelectFieldProps;

    fn create(_ctx: &Context<Self>) -> Self {
        Self {
            node: NodeRef::default(),
        }
    }

    fn rendered(&mut self, ctx: &Context<Self>, _first_render: bool) {
        // The browser changes what is selected by itself, so that a comparison
        // of what was drawn before would not bring a refused choice back.
        dom::select(&self.node, &ctx.props().chosen);
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        let onchange = (props.on_pick).reform(|event: Event| dom::selected_value(&event));
        html! {
            <div class="select-field">
                <label for={&props.id}>{ &props.label }</label>
                <select id={&props.id} ref={&self.node} {onchange}>
                    { for props.choices.iter().map(|choice| html! {
                        <option key={choice.value.as_str()} value={&choice.value}>
                            { &choice.text }
                        </option>
                    }) }
                </select>
            </div>
        }
    }
}
