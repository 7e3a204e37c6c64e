//! The page's address as a message: `?server=&stream=&play=1&view=embed` and
//! so on, read and written, and what it asks to be pressed.
//!
//! A link comes from anybody. Whatever it says only fills fields and presses
//! buttons that the user could press; a token is never read from one.

use std::borrow::Cow;

use session::{StreamRole, percent_encode};

/// Bytes of a query string; no page writes a longer one, and it is not read.
const MAX_QUERY_BYTES: usize = 16_384;
/// Bytes of one value. A longer one is left out, and not cut: half an address
/// is another address.
const MAX_VALUE_BYTES: usize = 2_048;

/// What reads well in a query and means nothing there (RFC 3986, section 3.4).
const PLAIN: &[u8] = b"-._~:/";

/// How much of the page is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// The connection, the publishing and the playing half.
    #[default]
    TwoWay,
    /// One large player.
    Player,
    /// The bare picture, for an `<iframe>`.
    Embed,
}

/// What a link asks for. Parameters it does not name keep their defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Link {
    /// `server`: the address to connect to, as a user would type it.
    pub server: Option<String>,
    /// `stream`: the name to play and, with `publish=1`, to publish.
    pub stream: Option<String>,
    /// `connect=1`: connect at the start.
    pub connect: bool,
    /// `play=1`: connect and play.
    pub play: bool,
    /// `publish=1`: connect and publish.
    pub publish: bool,
    /// `view`: `two-way`, `player` or `embed`.
    pub layout: Layout,
    /// `muted`: without or with sound, for this visit.
    pub muted: Option<bool>,
    /// `stats`: with or without the statistics panel, for this visit.
    pub statistics: Option<bool>,
}

impl Layout {
    fn from_value(value: &str) -> Option<Self> {
        match value {
            "two-way" => Some(Self::TwoWay),
            "player" => Some(Self::Player),
            "embed" => Some(Self::Embed),
            _ => None,
        }
    }

    fn value(self) -> &'static str {
        match self {
            Self::TwoWay => "two-way",
            Self::Player => "player",
            Self::Embed => "embed",
        }
    }
}

impl Link {
    /// Reads a query string, with or without its `?`. Of a parameter given more
    /// than once the first counts; what is unknown, empty or makes no sense is
    /// as if it were not there.
    pub fn parse(query: &str) -> Self {
        let query = query.strip_prefix('?').unwrap_or(query);
        if query.len() > MAX_QUERY_BYTES {
            return Self::default();
        }
        let text = |name| value(query, name).map(Cow::into_owned);
        let flag = |name| value(query, name).and_then(|value| flag(&value));
        Self {
            server: text("server"),
            stream: text("stream"),
            connect: flag("connect").unwrap_or(false),
            play: flag("play").unwrap_or(false),
            publish: flag("publish").unwrap_or(false),
            layout: value(query, "view")
                .and_then(|value| Layout::from_value(&value))
                .unwrap_or_default(),
            muted: flag("muted"),
            statistics: flag("stats"),
        }
    }

    /// The query string that [`Link::parse`] reads back; empty if the link asks
    /// for nothing, otherwise with its `?`.
    pub fn to_query(&self) -> String {
        let mut query = String::new();
        let mut push = |name: &str, value: &str| {
            query.push(if query.is_empty() { '?' } else { '&' });
            query.push_str(name);
            query.push('=');
            query.push_str(&percent_encode(value, PLAIN));
        };
        for (name, text) in [("server", &self.server), ("stream", &self.stream)] {
            if let Some(text) = text {
                push(name, text);
            }
        }
        for (name, flag) in [
            ("connect", self.connect.then_some(true)),
            ("play", self.play.then_some(true)),
            ("publish", self.publish.then_some(true)),
            ("muted", self.muted),
            ("stats", self.statistics),
        ] {
            if let Some(flag) = flag {
                push(name, if flag { "1" } else { "0" });
            }
        }
        if self.layout != Layout::default() {
            push("view", self.layout.value());
        }
        query
    }
}

/// The presses that a link, or the one button of a view without the others,
/// asks for and that wait for the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Errands {
    play: bool,
    publish: bool,
}

impl Errands {
    /// What `link` wants pressed.
    pub fn of(link: &Link) -> Self {
        Self {
            play: link.play,
            publish: link.publish,
        }
    }

    /// Adds a wish.
    pub fn want(&mut self, role: StreamRole) {
        match role {
            StreamRole::Publisher => self.publish = true,
            StreamRole::Player => self.play = true,
        }
    }

    /// Something is still to be pressed.
    pub fn any(self) -> bool {
        self.play || self.publish
    }

    /// The session is there: what to press now. Nothing is left to press, so
    /// that what the user stops later stays stopped.
    pub fn take(&mut self) -> impl Iterator<Item = StreamRole> + use<> {
        let Self { play, publish } = core::mem::take(self);
        [
            publish.then_some(StreamRole::Publisher),
            play.then_some(StreamRole::Player),
        ]
        .into_iter()
        .flatten()
    }

    /// The user wants none of it any more.
    pub fn cancel(&mut self) {
        *self = Self::default();
    }
}

fn flag(value: &str) -> Option<bool> {
    match value {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    }
}

/// The first value of `name` that is neither empty nor too long, decoded as
/// `application/x-www-form-urlencoded` (URL Standard, section 5.1).
fn value<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let mut pairs = query.split('&');
    let value = pairs.find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (percent_decode(key) == name).then_some(value)
    })?;
    let value = percent_decode(value);
    (!value.is_empty() && value.len() <= MAX_VALUE_BYTES).then_some(value)
}

/// A `%` that two hexadecimal digits do not follow stays itself, and bytes that
/// are no UTF-8 become U+FFFD, as browsers have it.
fn percent_decode(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'%').then(|| hex_byte(tail)).flatten();
        bytes.push(escaped.unwrap_or(if first == b'+' { b' ' } else { first }));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
