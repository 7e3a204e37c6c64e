//! A client's offer, read leniently, and written anew for str0m.

use std::fmt::Write as _;
use std::time::Duration;

use str0m::format::FormatParams;
use thiserror::Error;

use super::SOUND_LAG;
use super::simulcast::{self, OfferedLayer};
use crate::fragment::Credentials;
use crate::media::codec::{Codec, Kind, Profile};

/// The offer cannot be answered at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum OfferError {
    /// No `m=` line.
    #[error("the offer has no m-line")]
    NoMedia,
    /// More than [`MAX_SECTIONS`] `m=` lines.
    #[error("the offer has too many m-lines")]
    TooManySections,
    /// No `a=ice-ufrag` or `a=ice-pwd`.
    #[error("the offer has no ICE credentials")]
    NoIceCredentials,
    /// No `a=fingerprint`.
    #[error("the offer has no DTLS fingerprint")]
    NoFingerprint,
    /// An `a=mid` longer than the RTP header extension for it can be.
    #[error("an a=mid of the offer is too long")]
    LongMid,
}

/// Most m-lines of an offer; two are used.
const MAX_SECTIONS: usize = 16;

/// Longest `a=mid`: a one-byte header extension holds 16 bytes (RFC 8285
/// section 4.2).
const MAX_MID: usize = 16;

/// The most that sound may come behind its picture and still seem to belong to it
/// (EBU Recommendation R 37).
const MAX_SOUND_LAG: Duration = Duration::from_millis(60);

/// An offer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Offer {
    ufrag: String,
    password: String,
    fingerprint: String,
    setup: Setup,
    pub(super) sections: Vec<Section>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Setup {
    #[default]
    ActPass,
    Active,
    Passive,
}

/// One m-line with its attributes.
#[derive(Debug, Clone, Default)]
pub(super) struct Section {
    /// `audio`, `video`, `application`...
    pub(super) media: String,
    pub(super) protocol: String,
    pub(super) formats: Vec<String>,
    pub(super) mid: String,
    pub(super) sends: bool,
    pub(super) receives: bool,
    /// In the offer's order.
    pub(super) codecs: Vec<OfferedCodec>,
    /// Id and URI of header extensions.
    extensions: Vec<(u8, String)>,
    /// The encodings that it would send at once, if it is more than one stream.
    pub(super) layers: Vec<OfferedLayer>,
    /// How much later than its picture the sound may come; see [`SOUND_LAG`].
    pub(super) sound_lag: Duration,
    /// The stream's SSRC and the one of its retransmissions.
    ssrc: Option<u32>,
    repair_ssrc: Option<u32>,
}

/// A payload type that could be forwarded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OfferedCodec {
    pub(crate) pt: u8,
    /// The payload type of its retransmissions (RFC 4588).
    pub(crate) rtx: Option<u8>,
    pub(crate) codec: Codec,
    pub(crate) profile: Profile,
    pub(crate) format: FormatParams,
    fmtp: Option<String>,
    feedback: Vec<String>,
}

impl OfferedCodec {
    pub(crate) fn has_feedback(&self, name: &str) -> bool {
        self.feedback.iter().any(|f| f == name)
    }
}

impl Section {
    /// A header extension is offered.
    pub(super) fn has_extension(&self, uri: &str) -> bool {
        self.extensions.iter().any(|(_, offered)| offered == uri)
    }

    pub(super) fn kind(&self) -> Option<Kind> {
        match self.media.as_str() {
            "audio" => Some(Kind::Audio),
            "video" => Some(Kind::Video),
            _ => None,
        }
    }
}

impl Offer {
    /// Reads an offer. Lines that mean nothing here are passed over, and so
    /// are codecs that are not forwarded.
    ///
    /// # Errors
    /// What is missing without which there is no answer.
    pub(crate) fn parse(sdp: &str) -> Result<Self, OfferError> {
        let mut offer = Self::default();
        let mut raw: Vec<RawSection<'_>> = Vec::new();
        let mut session_direction = None;
        for line in sdp.lines().map(str::trim) {
            match line.split_once('=') {
                Some(("m", media)) => raw.push(RawSection::new(media)),
                Some(("a", attribute)) => {
                    let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
                    offer.read_transport(name, value);
                    if let Some(section) = raw.last_mut() {
                        section.attributes.push((name, value));
                    } else if DIRECTIONS.contains(&name) {
                        session_direction = Some(name);
                    }
                }
                Some(_) | None => {}
            }
        }
        if raw.len() > MAX_SECTIONS {
            return Err(OfferError::TooManySections);
        }
        for section in &mut raw {
            section.inherit(session_direction);
        }
        offer.sections = raw.iter().enumerate().map(RawSection::read).collect();
        offer.checked()
    }

    /// Transport attributes are the same on every m-line of a bundle: the
    /// first one seen counts, at either level.
    fn read_transport(&mut self, name: &str, value: &str) {
        let first = |field: &mut String| {
            if field.is_empty() {
                *field = value.to_owned();
            }
        };
        match name {
            "ice-ufrag" => first(&mut self.ufrag),
            "ice-pwd" => first(&mut self.password),
            // Of several, the one every side can compute.
            "fingerprint"
                if value.starts_with("sha-256 ") && !self.fingerprint.starts_with("sha-256 ") =>
            {
                self.fingerprint = value.to_owned();
            }
            "fingerprint" => first(&mut self.fingerprint),
            "setup" if value == "active" => self.setup = Setup::Active,
            "setup" if value == "passive" => self.setup = Setup::Passive,
            _ => {}
        }
    }

    fn checked(self) -> Result<Self, OfferError> {
        if self.sections.is_empty() {
            return Err(OfferError::NoMedia);
        }
        if self.ufrag.is_empty() || self.password.is_empty() {
            return Err(OfferError::NoIceCredentials);
        }
        if self.fingerprint.is_empty() {
            return Err(OfferError::NoFingerprint);
        }
        if self.sections.iter().any(|s| s.mid.len() > MAX_MID) {
            return Err(OfferError::LongMid);
        }
        Ok(self)
    }

    /// The client's ICE user name fragment.
    pub(crate) fn fragment(&self) -> &str {
        &self.ufrag
    }

    /// The SDP that str0m gets: only `taken`, each section with the codecs to
    /// use of it.
    pub(crate) fn reduced(&self, taken: &super::Selection) -> String {
        let mids: Vec<_> = taken
            .sections
            .iter()
            .map(|t| self.sections[t.index].mid.as_str())
            .collect();
        let mut sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {}\r\n",
            mids.join(" ")
        );
        let mut extension_ids = Vec::new();
        for section in &taken.sections {
            self.write_section(&mut sdp, section, taken.extensions, &mut extension_ids);
        }
        sdp
    }

    /// The header extensions to negotiate for `taken`, each id once.
    pub(crate) fn extensions(&self, taken: &super::Selection) -> Vec<(u8, str0m::rtp::Extension)> {
        let mut ids = Vec::new();
        for section in &taken.sections {
            self.sections[section.index].usable_extensions(taken.extensions, &mut ids);
        }
        ids.into_iter()
            .filter_map(|(id, uri)| Some((id, super::extension(uri)?)))
            .collect()
    }

    /// Those of each m-line of `taken`.
    pub(crate) fn extensions_by_line(
        &self,
        taken: &super::Selection,
    ) -> Vec<Vec<(u8, str0m::rtp::Extension)>> {
        let mut ids = Vec::new();
        let lines = taken.sections.iter().map(|section| {
            let section = &self.sections[section.index];
            let usable = section.usable_extensions(taken.extensions, &mut ids);
            let known = usable.into_iter();
            known
                .filter_map(|(id, uri)| Some((id, super::extension(uri)?)))
                .collect()
        });
        lines.collect()
    }

    /// The mid, the SSRC and that of its retransmissions of each m-line of
    /// `taken` that names its own.
    pub(crate) fn sources(&self, taken: &super::Selection) -> Vec<(&str, u32, Option<u32>)> {
        let sections = taken.sections.iter().map(|t| &self.sections[t.index]);
        sections
            .filter_map(|s| Some((s.mid.as_str(), s.ssrc?, s.repair_ssrc)))
            .collect()
    }

    fn write_section<'a>(
        &'a self,
        sdp: &mut String,
        taken: &super::select::Taken,
        extensions: &[&str],
        extension_ids: &mut Vec<(u8, &'a str)>,
    ) {
        let section = &self.sections[taken.index];
        let mut line = |text: std::fmt::Arguments<'_>| {
            // Writing to a String cannot fail.
            let _ = write!(sdp, "{text}\r\n");
        };
        let formats: Vec<_> = taken
            .codecs
            .iter()
            .flat_map(|codec| [Some(codec.pt), codec.rtx])
            .flatten()
            .map(|pt| pt.to_string())
            .collect();
        line(format_args!(
            "m={} 9 UDP/TLS/RTP/SAVPF {}",
            section.media,
            formats.join(" ")
        ));
        line(format_args!("c=IN IP4 0.0.0.0"));
        line(format_args!("a=mid:{}", section.mid));
        line(format_args!("a=ice-ufrag:{}", self.ufrag));
        line(format_args!("a=ice-pwd:{}", self.password));
        line(format_args!("a=fingerprint:{}", self.fingerprint));
        line(format_args!("a=setup:{}", self.setup.name()));
        line(format_args!("a={}", taken.direction));
        line(format_args!("a=rtcp-mux"));
        for (id, uri) in section.usable_extensions(extensions, extension_ids) {
            line(format_args!("a=extmap:{id} {uri}"));
        }
        for codec in &taken.codecs {
            codec.write(&mut line);
        }
        if !taken.layers.is_empty() {
            for layer in &taken.layers {
                // str0m has no use for restrictions.
                line(format_args!("a=rid:{layer} send"));
            }
            let rids: Vec<_> = taken.layers.iter().map(ToString::to_string).collect();
            line(format_args!("a=simulcast:send {}", rids.join(";")));
        } else if taken.direction == "sendonly"
            && let Some(ssrc) = section.ssrc
        {
            if let Some(repair) = section.repair_ssrc {
                line(format_args!("a=ssrc-group:FID {ssrc} {repair}"));
                line(format_args!("a=ssrc:{repair} cname:publisher"));
            }
            line(format_args!("a=ssrc:{ssrc} cname:publisher"));
        }
    }
}

/// A reduced offer of the same client in its next ICE session.
pub(crate) fn with_credentials(reduced: &str, credentials: Credentials<'_>) -> String {
    let mut sdp = String::with_capacity(reduced.len());
    for line in reduced.lines() {
        // Writing to a String cannot fail.
        let _ = if line.starts_with("a=ice-ufrag:") {
            write!(sdp, "a=ice-ufrag:{}\r\n", credentials.user)
        } else if line.starts_with("a=ice-pwd:") {
            write!(sdp, "a=ice-pwd:{}\r\n", credentials.password)
        } else {
            write!(sdp, "{line}\r\n")
        };
    }
    sdp
}

impl Setup {
    fn name(self) -> &'static str {
        match self {
            Self::ActPass => "actpass",
            Self::Active => "active",
            Self::Passive => "passive",
        }
    }
}

impl Section {
    /// Extensions among `wanted` whose id means the same in every section.
    fn usable_extensions<'a>(
        &'a self,
        wanted: &[&str],
        ids: &mut Vec<(u8, &'a str)>,
    ) -> Vec<(u8, &'a str)> {
        let mut usable: Vec<(u8, &str)> = Vec::new();
        for (id, uri) in &self.extensions {
            let entry = (*id, uri.as_str());
            let conflicts =
                |other: &(u8, &str)| *other != entry && (other.0 == *id || other.1 == uri);
            let names_layers = [super::STREAM_ID, super::REPAIRED_STREAM_ID].contains(&entry.1);
            let is_wanted = wanted.contains(&entry.1) && (!names_layers || !self.layers.is_empty());
            if !is_wanted || ids.iter().any(conflicts) {
                continue;
            }
            if !ids.contains(&entry) {
                ids.push(entry);
            }
            if !usable.contains(&entry) {
                usable.push(entry);
            }
        }
        usable
    }
}

impl OfferedCodec {
    pub(super) fn write(&self, line: &mut impl FnMut(std::fmt::Arguments<'_>)) {
        let (pt, rate) = (self.pt, self.codec.clock_rate());
        match self.codec.channels() {
            Some(n) => line(format_args!(
                "a=rtpmap:{pt} {}/{rate}/{n}",
                self.codec.name()
            )),
            None => line(format_args!("a=rtpmap:{pt} {}/{rate}", self.codec.name())),
        }
        for feedback in &self.feedback {
            line(format_args!("a=rtcp-fb:{pt} {feedback}"));
        }
        if let Some(fmtp) = &self.fmtp {
            line(format_args!("a=fmtp:{pt} {fmtp}"));
        }
        if let Some(rtx) = self.rtx {
            line(format_args!("a=rtpmap:{rtx} rtx/{rate}"));
            line(format_args!("a=fmtp:{rtx} apt={pt}"));
        }
    }
}

/// A section while it is read.
struct RawSection<'a> {
    media: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

/// RFC 8866 section 6.7; at session level it is for the m-lines that have none.
const DIRECTIONS: &[&str] = &["sendrecv", "sendonly", "recvonly", "inactive"];

/// What is taken for the feedback of a video codec whose lines are missing: the
/// SDK's `stripCodecs` loses them from the text alone (reference section 6.3),
/// and a picture without them does not outlive its first loss.
const LOST_FEEDBACK: &[&str] = &["nack", "nack pli", "ccm fir"];

/// Feedback that is understood; anything else is not answered.
const FEEDBACK: &[&str] = &["nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"];

impl<'a> RawSection<'a> {
    fn new(media: &'a str) -> Self {
        Self {
            media,
            attributes: Vec::new(),
        }
    }

    fn inherit(&mut self, direction: Option<&'a str>) {
        let has_own = self.attributes.iter().any(|(n, _)| DIRECTIONS.contains(n));
        if let Some(direction) = direction.filter(|_| !has_own) {
            self.attributes.push((direction, ""));
        }
    }

    fn all(&self, name: &'a str) -> impl Iterator<Item = &'a str> + '_ {
        self.attributes
            .iter()
            .filter_map(move |(n, value)| (*n == name).then_some(*value))
    }

    fn read((index, raw): (usize, &Self)) -> Section {
        let mut words = raw.media.split_ascii_whitespace();
        let media = words.next().unwrap_or_default().to_owned();
        let port = words.next().unwrap_or_default();
        let protocol = words.next().unwrap_or_default().to_owned();
        let formats: Vec<_> = words.map(str::to_owned).collect();
        let has = |name| raw.all(name).next().is_some();
        let inactive = has("inactive") || (port == "0" && !has("bundle-only"));
        let (ssrc, repair_ssrc) = raw.ssrcs();
        let extensions: Vec<_> = raw.all("extmap").filter_map(read_extension).collect();
        let says = |wanted: &&str| extensions.iter().any(|(_, uri)| uri == wanted);
        let layers = if [super::MID, super::STREAM_ID].iter().all(says) {
            simulcast::read(raw.all("simulcast"), raw.all("rid"))
        } else {
            // Nothing in its packets would tell them apart.
            Vec::new()
        };
        Section {
            codecs: formats.iter().filter_map(|f| raw.codec(f)).collect(),
            mid: raw
                .all("mid")
                .next()
                .map_or_else(|| index.to_string(), str::to_owned),
            sends: !inactive && !has("recvonly"),
            receives: !inactive && !has("sendonly"),
            extensions,
            layers,
            sound_lag: raw.sound_lag(&media),
            media,
            protocol,
            formats,
            ssrc,
            repair_ssrc,
        }
    }

    fn sound_lag(&self, media: &str) -> Duration {
        let asked = self.all(SOUND_LAG).next().filter(|_| media == "audio");
        let ms = asked.and_then(|ms| ms.trim().parse().ok());
        Duration::from_millis(ms.unwrap_or_default()).min(MAX_SOUND_LAG)
    }

    /// The values of attributes such as `a=fmtp:<format> <value>`.
    fn of_format(&self, name: &'a str, format: &'a str) -> impl Iterator<Item = &'a str> + '_ {
        self.all(name).filter_map(move |value| {
            let (of, value) = value.split_once(' ')?;
            (of == format).then(|| value.trim())
        })
    }

    fn codec(&self, format: &'a str) -> Option<OfferedCodec> {
        let pt: u8 = format.parse().ok().filter(|pt| *pt < 128)?;
        let codec = self.codec_of(pt, format)?;
        let fmtp: Vec<_> = self.of_format("fmtp", format).collect();
        let fmtp = (!fmtp.is_empty()).then(|| fmtp.join(";"));
        let parameters = FormatParams::parse_line(fmtp.as_deref().unwrap_or_default());
        Some(OfferedCodec {
            pt,
            rtx: self.retransmission_of(pt),
            codec,
            profile: Profile::new(codec, &parameters),
            format: parameters,
            fmtp,
            feedback: self.feedback(codec, format),
        })
    }

    fn feedback(&self, codec: Codec, format: &'a str) -> Vec<String> {
        // `*` is every payload type (RFC 4585 section 4.2).
        let own = self.of_format("rtcp-fb", format);
        let mut offered = own.chain(self.of_format("rtcp-fb", "*")).peekable();
        let lost = codec.kind() == Kind::Video && offered.peek().is_none();
        let missing = LOST_FEEDBACK.iter().copied().filter(|_| lost);
        let mut feedback: Vec<String> = Vec::new();
        for name in offered.chain(missing).filter(|f| FEEDBACK.contains(f)) {
            if !feedback.iter().any(|f| f == name) {
                feedback.push(name.to_owned());
            }
        }
        feedback
    }

    /// The codec that `a=rtpmap` gives a payload type, or its static
    /// assignment (RFC 3551 section 6).
    fn codec_of(&self, pt: u8, format: &'a str) -> Option<Codec> {
        let Some(map) = self.of_format("rtpmap", format).next() else {
            return match pt {
                0 => Some(Codec::Pcmu),
                8 => Some(Codec::Pcma),
                _ => None,
            };
        };
        let mut parts = map.split('/');
        let codec = Codec::from_name(parts.next()?)?;
        let rate: u32 = parts.next()?.parse().ok()?;
        (rate == codec.clock_rate()).then_some(codec)
    }

    /// The RTX payload type whose `apt` is `pt`, if it is still offered.
    fn retransmission_of(&self, pt: u8) -> Option<u8> {
        let apt = format!("apt={pt}");
        self.all("rtpmap")
            .filter_map(|map| map.split_once(' '))
            .filter(|(_, name)| name.to_ascii_lowercase().starts_with("rtx/"))
            .find(|(rtx, _)| {
                self.of_format("fmtp", rtx)
                    .any(|f| f.split(';').any(|part| part.trim() == apt))
            })
            .and_then(|(rtx, _)| rtx.parse().ok().filter(|pt| *pt < 128))
    }

    /// The first SSRC and the one that repairs it.
    fn ssrcs(&self) -> (Option<u32>, Option<u32>) {
        let first_number = |value: &str| value.split_ascii_whitespace().next()?.parse().ok();
        let pair = self.all("ssrc-group").find_map(|group| {
            let mut words = group.strip_prefix("FID ")?.split_ascii_whitespace();
            Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
        });
        match pair {
            Some((main, repair)) => (Some(main), Some(repair)),
            None => (self.all("ssrc").find_map(first_number), None),
        }
    }
}

/// Reads `a=extmap:<id>[/direction] <uri>`; ids of two-byte headers are not used.
fn read_extension(value: &str) -> Option<(u8, String)> {
    let mut words = value.split_ascii_whitespace();
    let id = words.next()?.split('/').next()?.parse().ok()?;
    let uri = words.next()?;
    (1..=14).contains(&id).then(|| (id, uri.to_owned()))
}
