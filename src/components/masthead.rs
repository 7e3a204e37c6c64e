//! The top of the page.

use yew::{Children, Html, Properties, component, html};

use super::icon::{Drawing, Icon};

/// What the top is given.
#[derive(Clone, PartialEq, Properties)]
pub struct MastheadProps {
    /// The browser has what the page needs.
    pub supported: bool,
    /// Buttons at its end.
    #[prop_or_default]
    pub children: Children,
}

/// The page's name, and a word if the browser cannot do it.
#[component]
pub fn Masthead(props: &MastheadProps) -> Html {
    html! {
        <header class="masthead">
            <span class="mark"><Icon drawing={Drawing::Mark} /></span>
            <div>
                <h1>{"Two-way Streaming"}</h1>
                <p>{"Publish your camera and play any stream by name, live over WebRTC"}</p>
            </div>
            { for props.children.iter() }
            <h2 id="notifyFlash" class="text-danger" role="alert">
                if !props.supported {
                    {"Your browser doesn't support WebRTC technology needed for this example"}
                }
            </h2>
        </header>
    }
}
