//! Which m-lines and codecs of an offer are taken.

use super::offer::{Offer, OfferedCodec, Section};
use super::{PLAYER_EXTENSIONS, PUBLISHER_EXTENSIONS};
use crate::media::codec::{Kind, Profile};

/// What is taken of an offer; never empty.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Selection {
    pub(super) sections: Vec<Taken>,
    /// URIs of the header extensions that may be used.
    pub(super) extensions: &'static [&'static str],
}

/// One m-line that is taken.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Taken {
    /// Its place in the offer.
    pub(super) index: usize,
    /// The client's direction, as written for str0m.
    pub(super) direction: &'static str,
    /// The codecs to use, best first; for a player, with what they carry.
    pub(super) codecs: Vec<OfferedCodec>,
    kind: Kind,
    mid: String,
    /// The publisher's payload types and the player's that take them.
    map: Vec<(u8, u8)>,
}

/// A payload type that a publisher may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SourceCodec {
    pub(crate) pt: u8,
    pub(crate) profile: Profile,
    /// It is what the publisher sends now.
    pub(crate) current: bool,
}

impl Selection {
    /// The codecs in use, in the order of the answer.
    pub(crate) fn codecs(&self) -> impl Iterator<Item = &OfferedCodec> {
        self.sections.iter().flat_map(|s| &s.codecs)
    }

    /// The client sends: it is a publisher.
    pub(crate) fn sends(&self) -> bool {
        self.sections.iter().any(|s| s.direction == "sendonly")
    }

    /// Kind, mid and codecs of each m-line.
    pub(crate) fn tracks(&self) -> impl Iterator<Item = (Kind, &str, &[OfferedCodec])> {
        self.sections
            .iter()
            .map(|s| (s.kind, s.mid.as_str(), s.codecs.as_slice()))
    }

    /// For a player: the publisher's payload types and the player's, of a kind.
    pub(crate) fn payload_types(&self, kind: Kind) -> &[(u8, u8)] {
        self.sections
            .iter()
            .find(|s| s.kind == kind)
            .map_or(&[], |s| &s.map)
    }
}

/// What a publisher may send: every codec that is forwarded, once a profile,
/// the most widely playable first. `None` if there is none.
pub(crate) fn select_for_publisher(offer: &Offer) -> Option<Selection> {
    let sections = first_of_each_kind(
        offer,
        |section| section.sends,
        |kind, index, section| {
            let mut codecs = distinct(section.codecs.iter().filter(|c| c.codec.kind() == kind));
            codecs.sort_by_key(|codec| codec.profile.rank());
            taken(kind, index, section, "sendonly", codecs, Vec::new())
        },
    );
    selection(sections, PUBLISHER_EXTENSIONS)
}

/// Whether the offer asks for a kind that the publisher sends in a codec it
/// cannot take: the viewer would wait for it in vain, without knowing why.
pub(crate) fn needs_transcoding(offer: &Offer, source: &[SourceCodec]) -> bool {
    source.iter().filter(|stream| stream.current).any(|stream| {
        let asked_for =
            |section: &&Section| section.receives && section.kind() == Some(stream.profile.kind());
        let mut sections = offer.sections.iter().filter(asked_for).peekable();
        sections.peek().is_some() && !sections.any(|section| best_fit(section, stream).is_some())
    })
}

/// What a player gets: for each codec that the publisher may send, the offered
/// one that fits best, should the publisher change. `None` if nothing fits.
pub(crate) fn select_for_player(offer: &Offer, source: &[SourceCodec]) -> Option<Selection> {
    let sections = first_of_each_kind(
        offer,
        |section| section.receives,
        |kind, index, section| {
            let mut codecs: Vec<OfferedCodec> = Vec::new();
            let mut map = Vec::new();
            for stream in source.iter().filter(|s| s.profile.kind() == kind) {
                let Some(codec) = best_fit(section, stream) else {
                    continue;
                };
                let same = codecs.iter().find(|c| c.profile == codec.profile);
                map.push((stream.pt, same.unwrap_or(codec).pt));
                if same.is_none() {
                    codecs.push(codec.clone());
                }
            }
            taken(kind, index, section, "recvonly", codecs, map)
        },
    );
    selection(sections, PLAYER_EXTENSIONS)
}

/// The offered codec that takes the stream best.
fn best_fit<'a>(section: &'a Section, stream: &SourceCodec) -> Option<&'a OfferedCodec> {
    let fits = section
        .codecs
        .iter()
        .filter_map(|codec| Some((codec.profile.fitness(stream.profile)?, codec)));
    fits.min_by_key(|(fitness, _)| *fitness)
        .map(|(_, codec)| codec)
}

fn selection(sections: Vec<Taken>, extensions: &'static [&'static str]) -> Option<Selection> {
    let mut sections = sections;
    let mut payload_types = Vec::new();
    for section in &mut sections {
        unclaimed(&mut section.codecs, &mut payload_types);
    }
    sections.retain(|section| !section.codecs.is_empty());
    (!sections.is_empty()).then_some(Selection {
        sections,
        extensions,
    })
}

fn first_of_each_kind(
    offer: &Offer,
    usable: impl Fn(&Section) -> bool,
    take: impl Fn(Kind, usize, &Section) -> Option<Taken>,
) -> Vec<Taken> {
    let mut sections: Vec<Taken> = Vec::new();
    for (index, section) in offer.sections.iter().enumerate() {
        let Some(kind) = section.kind().filter(|_| usable(section)) else {
            continue;
        };
        if sections
            .iter()
            .any(|s| s.kind == kind || s.mid == section.mid)
        {
            continue;
        }
        sections.extend(take(kind, index, section));
    }
    sections
}

fn taken(
    kind: Kind,
    index: usize,
    section: &Section,
    direction: &'static str,
    codecs: Vec<OfferedCodec>,
    map: Vec<(u8, u8)>,
) -> Option<Taken> {
    (!codecs.is_empty()).then(|| Taken {
        index,
        direction,
        codecs,
        kind,
        mid: section.mid.clone(),
        map,
    })
}

/// The first of each profile: levels and other parameters do not make another
/// codec to forward.
fn distinct<'a>(codecs: impl Iterator<Item = &'a OfferedCodec>) -> Vec<OfferedCodec> {
    let mut kept: Vec<OfferedCodec> = Vec::new();
    for codec in codecs {
        if !kept.iter().any(|k| k.profile == codec.profile) {
            kept.push(codec.clone());
        }
    }
    kept
}

/// Drops codecs whose payload type is in use already, which a bundle forbids
/// (RFC 9143 section 9.1), and retransmissions likewise.
fn unclaimed(codecs: &mut Vec<OfferedCodec>, claimed: &mut Vec<u8>) {
    codecs.retain_mut(|codec| {
        if claimed.contains(&codec.pt) {
            return false;
        }
        claimed.push(codec.pt);
        codec.rtx = codec.rtx.filter(|rtx| !claimed.contains(rtx));
        claimed.extend(codec.rtx);
        true
    });
}
