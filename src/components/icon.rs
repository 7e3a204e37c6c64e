//! The page's few drawings, as plain SVG.

use yew::{Html, html};

/// A drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawing {
    /// The page's mark: two arrows, there and back.
    Mark,
    /// Where the camera's picture will be.
    Camera,
    /// The camera, blanked.
    CameraOff,
    /// The microphone.
    Microphone,
    /// The microphone, silenced.
    MicrophoneOff,
    /// A screen being shared.
    ShareScreen,
    /// Where the played picture will be.
    Screen,
    /// A loudspeaker, silenced.
    Muted,
    /// A loudspeaker.
    Sound,
    /// Out to the whole screen.
    FullScreen,
    /// Back from the whole screen.
    LeaveFullScreen,
    /// A small picture over a large one.
    PictureInPicture,
    /// A photo camera.
    Snapshot,
    /// Out to the edges.
    Fill,
    /// In from the edges.
    Whole,
    /// A question mark.
    Help,
    /// A start button's triangle.
    Start,
    /// The publisher's microphone, muted.
    PublisherMuted,
    /// The publisher's camera, off.
    PublisherDark,
    /// A cross to close something.
    Close,
}

impl Drawing {
    fn path(self) -> &'static str {
        match self {
            Self::Mark => "M4 9h15l-4-4M20 15H5l4 4",
            Self::Camera => {
                "M4 7h10a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2z\
                 M16 11l6-3.5v9L16 13z"
            }
            Self::CameraOff => {
                "M4 7h10a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2z\
                 M16 11l6-3.5v9L16 13zM3 3l18 18"
            }
            Self::Microphone => {
                "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3z\
                 M6 11a6 6 0 0 0 12 0M12 17v4M8.5 21h7"
            }
            Self::MicrophoneOff => {
                "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3z\
                 M6 11a6 6 0 0 0 12 0M12 17v4M8.5 21h7M3 3l18 18"
            }
            Self::ShareScreen => "M4 4h16v12H4zM8 20h8M12 16v4M12 13V7.5M9 10l3-3 3 3",
            Self::Screen => {
                "M4 5h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2z\
                 M10 9v6l5-3z"
            }
            Self::Muted => "M4 9.5v5h3.5L12 18V6L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5",
            Self::Sound => {
                "M4 9.5v5h3.5L12 18V6L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6\
                 M18.4 6.2a8.2 8.2 0 0 1 0 11.6"
            }
            Self::FullScreen => {
                "M4 9V5a1 1 0 0 1 1-1h4M15 4h4a1 1 0 0 1 1 1v4\
                 M20 15v4a1 1 0 0 1-1 1h-4M9 20H5a1 1 0 0 1-1-1v-4"
            }
            Self::LeaveFullScreen => {
                "M9 4v4a1 1 0 0 1-1 1H4M20 9h-4a1 1 0 0 1-1-1V4\
                 M15 20v-4a1 1 0 0 1 1-1h4M4 15h4a1 1 0 0 1 1 1v4"
            }
            Self::PictureInPicture => {
                "M21 9V7a2 2 0 0 0-2-2H5a2 2 0 0 0-2 2v10a2 2 0 0 0 2 2h4\
                 M13.5 13H20a1 1 0 0 1 1 1v4a1 1 0 0 1-1 1h-6.5a1 1 0 0 1-1-1v-4a1 1 0 0 1 1-1z"
            }
            Self::Snapshot => {
                "M5 7h3l1.6-2.4h4.8L16 7h3a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V9\
                 a2 2 0 0 1 2-2zM12 16a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4z"
            }
            Self::Fill => {
                "M3 5v14M21 5v14M10.5 12H7M9 9.5L6.5 12 9 14.5M13.5 12H17M15 9.5l2.5 2.5-2.5 2.5"
            }
            Self::Whole => {
                "M3 5v14M21 5v14M6 12h4M8 9.5l2.5 2.5L8 14.5M18 12h-4M16 9.5L13.5 12l2.5 2.5"
            }
            Self::Help => {
                "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z\
                 M9.6 9.5a2.5 2.5 0 0 1 4.9.6c0 1.7-2.5 2-2.5 3.6M12 17v.01"
            }
            Self::Start => "M8 5.5v13L18.5 12z",
            Self::PublisherMuted => {
                "M9.4 5.4A2.7 2.7 0 0 1 14.7 6v4.3M14 13.4a2.7 2.7 0 0 1-4.7-1.9V9.3\
                 M6 11.5a6 6 0 0 0 9.7 4.7M18 11.5a6 6 0 0 1-.4 2.1M12 17.6V21M4 4l16 16"
            }
            Self::PublisherDark => {
                "M9.5 6.5H14a2 2 0 0 1 2 2V13M15.4 17.2a2 2 0 0 1-1.4.3H4.5a2 2 0 0 1-2-2v-7\
                 a2 2 0 0 1 1.6-2M16 11l5.5-3v8M3.5 3.5l17 17"
            }
            Self::Close => "M6 6l12 12M18 6L6 18",
        }
    }
}

/// A drawing the size of the text around it, said nothing of to screen readers.
pub fn icon(drawing: Drawing) -> Html {
    html! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d={drawing.path()} />
        </svg>
    }
}
