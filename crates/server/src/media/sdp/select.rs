//! Which m-lines and codecs of an offer are taken.

use std::time::Duration;

use super::offer::{Offer, OfferedCodec, Section};
use super::simulcast::OfferedLayer;
use super::{LAYERED_PLAYER_EXTENSIONS, PLAYER_EXTENSIONS, PUBLISHER_EXTENSIONS, TRANSPORT_CC};
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
    /// The simulcast encodings that a publisher sends; none if it is one stream.
    pub(super) layers: Vec<OfferedLayer>,
    pub(super) kind: Kind,
    mid: String,
    /// The publisher's payload types and the player's that take them.
    map: Vec<(u8, u8)>,
    /// How much later than its picture the player lets the sound come.
    sound_lag: Duration,
    /// Payload types, and the `profile-level-id` that the answer says of them.
    pub(super) told: Vec<(u8, u32)>,
}

/// A payload type that a publisher may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SourceCodec {
    pub(crate) pt: u8,
    pub(crate) profile: Profile,
    /// Of H.264, the profile and level that it really has, once that is known.
    pub(crate) profile_level_id: Option<u32>,
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

    /// The simulcast encodings of a kind; none if it is one stream.
    pub(crate) fn layers(&self, kind: Kind) -> &[OfferedLayer] {
        let section = self.sections.iter().find(|s| s.kind == kind);
        section.map_or(&[], |s| &s.layers)
    }

    /// For a player of several layers: has its feedback tell what its network
    /// carries, if it offers to.
    pub(crate) fn with_transport_feedback(mut self, offer: &Offer) -> Self {
        let tells = |taken: &Taken| {
            let codecs = taken.codecs.iter();
            taken.kind == Kind::Video
                && offer.sections[taken.index].has_extension(TRANSPORT_CC)
                && codecs
                    .clone()
                    .any(|codec| codec.has_feedback("transport-cc"))
        };
        if self.sections.iter().any(tells) {
            self.extensions = LAYERED_PLAYER_EXTENSIONS;
        }
        self
    }

    /// See [`Selection::with_transport_feedback`].
    pub(crate) fn has_transport_feedback(&self) -> bool {
        self.extensions == LAYERED_PLAYER_EXTENSIONS
    }

    /// How much later than its picture a player's sound comes. None where str0m makes
    /// the reports, which cannot be told.
    pub(crate) fn sound_lag(&self, kind: Kind) -> Duration {
        let of_kind = |s: &&Taken| s.kind == kind && !self.has_transport_feedback();
        let section = self.sections.iter().find(of_kind);
        section.map_or(Duration::ZERO, |s| s.sound_lag)
    }

    /// Kind, mid and codecs of each m-line.
    pub(crate) fn tracks(&self) -> impl Iterator<Item = (Kind, &str, &[OfferedCodec])> {
        self.sections
            .iter()
            .map(|s| (s.kind, s.mid.as_str(), s.codecs.as_slice()))
    }

    /// For a player: behind the codecs of its stream every other of the same
    /// kinds, should its publisher be replaced.
    pub(crate) fn with_all_codecs(mut self, offer: &Offer) -> Self {
        for taken in &mut self.sections {
            let offered = offer.sections[taken.index].codecs.iter();
            let of_kind = offered.filter(|codec| codec.codec.kind() == taken.kind);
            taken.codecs = distinct(taken.codecs.iter().chain(of_kind));
        }
        keep_payload_types_apart(&mut self.sections);
        self
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
            let layers = match kind {
                Kind::Audio => Vec::new(),
                Kind::Video => section.layers.clone(),
            };
            let taken = taken(kind, index, section, "sendonly", codecs, Vec::new())?;
            Some(Taken { layers, ..taken })
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
            let (mut map, mut told) = (Vec::new(), Vec::new());
            for stream in source.iter().filter(|s| s.profile.kind() == kind) {
                let Some(codec) = best_fit(section, stream) else {
                    continue;
                };
                let same = codecs.iter().find(|c| c.profile == codec.profile);
                map.push((stream.pt, same.unwrap_or(codec).pt));
                if same.is_none() {
                    codecs.push(codec.clone());
                    let id = profile_level_id(codec, stream);
                    told.extend(id.map(|id| (codec.pt, id)));
                }
            }
            let taken = taken(kind, index, section, "recvonly", codecs, map)?;
            let sound_lag = section.sound_lag;
            Some(Taken {
                sound_lag,
                told,
                ..taken
            })
        },
    );
    selection(sections, PLAYER_EXTENSIONS)
}

/// For a player whose answer took these payload types of a kind: another
/// publisher's payload types and the player's that take them. `None` if it would
/// wait for the publisher's media in vain.
pub(crate) fn payload_types(
    kind: Kind,
    taken: &[(u8, Profile)],
    source: &[SourceCodec],
) -> Option<Vec<(u8, u8)>> {
    let streams = || source.iter().filter(|s| s.profile.kind() == kind);
    let fitting = |stream: &SourceCodec| {
        best(taken.iter(), |(_, profile)| *profile, stream).map(|(pt, _)| *pt)
    };
    let map: Vec<_> = streams()
        .filter_map(|stream| Some((stream.pt, fitting(stream)?)))
        .collect();
    let in_vain = match streams().find(|stream| stream.current) {
        Some(current) => fitting(current).is_none(),
        // Nothing of this kind has come yet, or ever will.
        None => map.is_empty() && streams().next().is_some(),
    };
    (!in_vain).then_some(map)
}

/// The offered codec that takes the stream best.
fn best_fit<'a>(section: &'a Section, stream: &SourceCodec) -> Option<&'a OfferedCodec> {
    best(section.codecs.iter(), |codec| codec.profile, stream)
}

/// The candidate that takes the stream best; of equals the first.
fn best<'a, T>(
    candidates: impl Iterator<Item = &'a T>,
    profile: impl Fn(&T) -> Profile,
    stream: &SourceCodec,
) -> Option<&'a T> {
    let fits = candidates.filter_map(|c| Some((fitness(profile(c), stream)?, c)));
    fits.min_by_key(|(fitness, _)| *fitness).map(|(_, c)| c)
}

/// How well an offered codec takes the stream, the least being the best.
///
/// What the stream really is counts before what its publisher said, in both
/// directions: an encoder that was asked for baseline and sends High goes to a
/// player's High decoder, one that said High and sends baseline goes to
/// everybody. If no decoder that is offered does what the stream needs, the one
/// that was meant for it gets it after all: most decoders can do more than they
/// are offered for, and refusing would certainly show nothing.
fn fitness(profile: Profile, stream: &SourceCodec) -> Option<u8> {
    /// More than any fitness.
    const UNSURE: u8 = 0x80;
    let said = profile.fitness(stream.profile);
    let Some(id) = stream.profile_level_id else {
        return said;
    };
    let real = profile.fitness(stream.profile.with_profile_of(id));
    real.or_else(|| said.map(|fitness| fitness | UNSURE))
}

/// What the answer says as the `profile-level-id` of a payload type that takes
/// the stream: what that really is, since some decoders are set up by that alone.
///
/// The profile of an answer has to be the offer's (RFC 6184 section 8.2.2), so of
/// another one, which the decoder takes, only the level is told. And the level is
/// never below the offer's: a publisher whose network gets better sends more than
/// it does now. `None` if the offer's own is as good.
fn profile_level_id(codec: &OfferedCodec, stream: &SourceCodec) -> Option<u32> {
    const LEVEL: u32 = 0xff;
    /// Those of H.264 table A-1 that receivers know; another one would make them
    /// refuse the answer.
    const LEVELS: [u32; 16] = [
        10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52,
    ];
    let (real, offered) = (stream.profile_level_id?, codec.format.profile_level_id?);
    let same = codec.profile == codec.profile.with_profile_of(real);
    let profile = if same { real } else { offered } & !LEVEL;
    let level = (real & LEVEL).max(offered & LEVEL);
    LEVELS.contains(&level).then_some(profile | level)
}

fn selection(sections: Vec<Taken>, extensions: &'static [&'static str]) -> Option<Selection> {
    let mut sections = sections;
    keep_payload_types_apart(&mut sections);
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
        layers: Vec::new(),
        kind,
        mid: section.mid.clone(),
        map,
        sound_lag: Duration::ZERO,
        told: Vec::new(),
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

fn keep_payload_types_apart(sections: &mut [Taken]) {
    let mut payload_types = Vec::new();
    for section in sections {
        unclaimed(&mut section.codecs, &mut payload_types);
    }
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
