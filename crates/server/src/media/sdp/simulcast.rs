//! Several encodings of one video, `a=simulcast` (RFC 8853) and `a=rid`
//! (RFC 8851).

use std::fmt;

use str0m::media::Rid;

/// Most encodings taken of one m-line; libwebrtc sends three. What is offered
/// beyond them is left out of the answer, and so not sent (RFC 8853 section 5.3.2).
pub(crate) const MAX_LAYERS: usize = 4;

/// Longest rid: a one-byte header extension holds 16 bytes (RFC 8285 section 4.2).
const MAX_RID: usize = 16;

/// Restrictions of RFC 8851 section 5 that are understood. They are promises of
/// the sender, which the answer agrees to.
const RESTRICTIONS: &[&str] = &[
    "max-width",
    "max-height",
    "max-fps",
    "max-fs",
    "max-br",
    "max-pps",
    "max-bpp",
];

/// An encoding that a publisher offers to send.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OfferedLayer {
    rid: String,
    /// Names and values.
    restrictions: Vec<(String, String)>,
}

impl OfferedLayer {
    /// The encoding that `a=rid:<rid> send [pt=...;]<restrictions>` says;
    /// `None` if it is not one to send. Payload types are not kept: a packet
    /// says what it is.
    fn read(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let rid = words.next().filter(|rid| is_rid(rid))?;
        words.next().filter(|direction| *direction == "send")?;
        let restrictions = words.flat_map(|word| word.split(';')).filter_map(|part| {
            let (name, value) = part.split_once('=')?;
            let number: f64 = value.parse().ok()?;
            let taken = RESTRICTIONS.contains(&name) && number.is_finite() && number > 0.0;
            taken.then(|| (name.to_owned(), value.to_owned()))
        });
        Some(Self {
            rid: rid.to_owned(),
            restrictions: restrictions.collect(),
        })
    }

    /// The rid as packets say it.
    pub(crate) fn rid(&self) -> Rid {
        self.rid.as_str().into()
    }

    pub(super) fn is(&self, rid: &str) -> bool {
        self.rid == rid
    }

    /// `a=rid` in the direction given.
    pub(super) fn line(&self, direction: &str) -> String {
        let restrictions = self.restrictions.iter();
        let restrictions: Vec<_> = restrictions.map(|(n, v)| format!("{n}={v}")).collect();
        let line = format!("a=rid:{} {direction} {}", self.rid, restrictions.join(";"));
        line.trim_end().to_owned()
    }
}

impl fmt::Display for OfferedLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rid)
    }
}

/// The encodings that an m-line offers to send, in its order, from the values of
/// its `a=simulcast` and `a=rid` lines. Of alternatives it is the first one that
/// is described. One that starts out paused may be sent any time, and counts.
pub(super) fn read<'a>(
    simulcast: impl Iterator<Item = &'a str>,
    rids: impl Iterator<Item = &'a str>,
) -> Vec<OfferedLayer> {
    let described: Vec<_> = rids.filter_map(OfferedLayer::read).collect();
    let mut layers: Vec<OfferedLayer> = Vec::new();
    for alternatives in simulcast.take(1).flat_map(sent_streams) {
        let layer = alternatives
            .split(',')
            .map(|rid| rid.trim_start_matches('~'))
            .find_map(|rid| described.iter().find(|layer| layer.is(rid)));
        // str0m tells rids apart by less than their whole length.
        let is_new = |layer: &&OfferedLayer| layers.iter().all(|l| l.rid() != layer.rid());
        if let Some(layer) = layer.filter(is_new)
            && layers.len() < MAX_LAYERS
        {
            layers.push(layer.clone());
        }
    }
    layers
}

/// What follows `send` in `[send|recv] <streams> [recv|send] <streams>`,
/// stream by stream.
fn sent_streams(value: &str) -> impl Iterator<Item = &str> {
    let mut words = value.split_ascii_whitespace();
    words.find(|word| *word == "send");
    words.next().into_iter().flat_map(|list| list.split(';'))
}

/// RFC 8851 section 10, as far as a header extension can say it.
fn is_rid(rid: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=MAX_RID).contains(&rid.len()) && rid.chars().all(is_letter)
}
