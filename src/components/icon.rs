//! The page's few drawings, as plain SVG.

use yew::{Html, Properties, component, html};

/// A drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawing {
    /// The page's mark: two arrows, there and back.
    Mark,
    /// Where the camera's picture will be.
    Camera,
    /// Where the played picture will be.
    Screen,
    /// A loudspeaker, silenced.
    Muted,
    /// A triangle: start playing.
    Play,
}

impl Drawing {
    fn path(self) -> &'static str {
        match self {
            Self::Mark => "M4 9h15l-4-4M20 15H5l4 4",
            Self::Camera => {
                "M4 7h10a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2z\
                 M16 11l6-3.5v9L16 13z"
            }
            Self::Screen => {
                "M4 5h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2z\
                 M10 9v6l5-3z"
            }
            Self::Play => "M7 4.5v15l12-7.5z",
            Self::Muted => "M4 9.5v5h3.5L12 18V6L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5",
        }
    }
}

/// What an icon is given.
#[derive(Clone, PartialEq, Properties)]
pub struct IconProps {
    /// What it draws.
    pub drawing: Drawing,
}

/// A drawing the size of the text around it, said nothing of to screen readers.
#[component]
pub fn Icon(props: &IconProps) -> Html {
    html! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d={props.drawing.path()} />
        </svg>
    }
}
