//! The status words and their colours.

/// A status as the page shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// The session is up.
    Established,
    /// The session ended.
    Disconnected,
    /// The stream is live on the server.
    Publishing,
    /// The publisher's own stop is done.
    Unpublished,
    /// The stream is shown.
    Playing,
    /// The viewer's own stop is done.
    Stopped,
    /// Session or stream failed.
    Failed,
    /// Somebody publishes under the name asked for.
    Available,
    /// Nobody does.
    Unavailable,
}

/// What a status means to the reader, shown as its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tone {
    /// It works.
    Success,
    /// It is over, as asked.
    Muted,
    /// It went wrong.
    Danger,
}

impl Status {
    /// The word shown.
    pub fn text(self) -> &'static str {
        match self {
            Self::Established => "ESTABLISHED",
            Self::Disconnected => "DISCONNECTED",
            Self::Publishing => "PUBLISHING",
            Self::Unpublished => "UNPUBLISHED",
            Self::Playing => "PLAYING",
            Self::Stopped => "STOPPED",
            Self::Failed => "FAILED",
            Self::Available => "AVAILABLE",
            Self::Unavailable => "UNAVAILABLE",
        }
    }

    /// Its colour.
    pub fn tone(self) -> Tone {
        match self {
            Self::Established | Self::Publishing | Self::Playing | Self::Available => Tone::Success,
            Self::Disconnected | Self::Unpublished | Self::Stopped => Tone::Muted,
            Self::Failed | Self::Unavailable => Tone::Danger,
        }
    }
}

impl Tone {
    /// The class that carries the colour.
    pub fn class(self) -> &'static str {
        match self {
            Self::Success => "text-success",
            Self::Muted => "text-muted",
            Self::Danger => "text-danger",
        }
    }
}
