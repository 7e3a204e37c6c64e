//! The top of the page.

use yew::{Html, html};

use super::icon::{Drawing, icon};
use crate::platform::peer;

/// The page's name, `buttons` at its end, and a word if the browser cannot do
/// what the page needs.
pub fn masthead(buttons: Html) -> Html {
    html! {
        <header class="masthead">
            <span class="mark">{ icon(Drawing::Mark) }</span>
            <div>
                <h1>{"Two-way Streaming"}</h1>
                <p>{"Publish your camera and play any stream by name, live over WebRTC"}</p>
            </div>
            { buttons }
            <h2 id="notifyFlash" class="text-danger" role="alert">
                if !peer::is_supported() {
                    {"Your browser doesn't support WebRTC technology needed for this example"}
                }
            </h2>
        </header>
    }
}
