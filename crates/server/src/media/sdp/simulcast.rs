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
        // Some write the restrictions' semicolon here.
        let direction = words.next()?.trim_end_matches(';');
        if direction != "send" {
            return None;
        }
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

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::super::tests::{answer, lines_with};
    use super::super::{Offer, select_for_player, select_for_publisher};
    use crate::media::codec::Kind;

    const MID: &str = "a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid";
    const RIDS: &str = "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n\
        a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";

    /// An offer of VP8 video with these lines in its m-line.
    fn sdp(lines: &[&str]) -> String {
        let mut sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
            a=group:BUNDLE 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n\
            c=IN IP4 0.0.0.0\r\na=ice-ufrag:Uf4g\r\na=ice-pwd:passwordpasswordpassword\r\n\
            a=setup:actpass\r\na=mid:0\r\na=rtcp-mux\r\n\
            a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 transport-cc\r\n\
            a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
            .to_owned();
        let fingerprint = vec!["AB"; 32].join(":");
        write!(sdp, "a=fingerprint:sha-256 {fingerprint}\r\n").unwrap();
        for line in lines {
            write!(sdp, "{line}\r\n").unwrap();
        }
        sdp
    }

    fn rids_of(lines: &[&str]) -> Vec<String> {
        let offer = Offer::parse(&sdp(lines)).unwrap();
        let selection = select_for_publisher(&offer).unwrap();
        let layers = selection.layers(Kind::Video).iter();
        layers.map(ToString::to_string).collect()
    }

    /// As libwebrtc writes it for `sendEncodings: [{rid: "q"}, {rid: "h"}, {rid: "f"}]`.
    #[test]
    fn an_offer_of_layers_is_answered_so() {
        let lines = [
            MID,
            RIDS,
            "a=sendonly",
            "a=rid:q send",
            "a=rid:h send",
            "a=rid:f send",
            "a=simulcast:send q;h;f",
        ];
        assert_eq!(rids_of(&lines), ["q", "h", "f"]);
        let offer = Offer::parse(&sdp(&lines)).unwrap();
        let answer = answer(&offer, &select_for_publisher(&offer).unwrap());
        let expected = ["a=rid:q recv", "a=rid:h recv", "a=rid:f recv"];
        assert_eq!(lines_with(&answer, "a=rid"), expected);
        let expected = ["a=simulcast:recv q;h;f"];
        assert_eq!(lines_with(&answer, "a=simulcast"), expected);
        let extensions = lines_with(&answer, "a=extmap");
        for line in [MID].into_iter().chain(RIDS.lines()) {
            assert!(extensions.contains(&line), "{line} in {extensions:?}");
        }
    }

    #[test]
    fn without_layers_nothing_is_said_of_them() {
        let lines = [MID, RIDS, "a=sendonly", "a=rid:q send"];
        assert!(rids_of(&lines).is_empty());
        let offer = Offer::parse(&sdp(&lines)).unwrap();
        let answer = answer(&offer, &select_for_publisher(&offer).unwrap());
        assert!(lines_with(&answer, "a=rid").is_empty());
        assert!(lines_with(&answer, "a=simulcast").is_empty());
        assert!(!answer.contains("rtp-stream-id"));
    }

    #[test]
    fn what_cannot_be_told_apart_is_one_stream() {
        let layers = ["a=rid:q send", "a=rid:f send", "a=simulcast:send q;f"];
        for extension in [MID, RIDS] {
            assert!(rids_of(&[&[extension], &layers[..]].concat()).is_empty());
        }
        assert_eq!(rids_of(&[&[MID, RIDS], &layers[..]].concat()).len(), 2);
    }

    fn check(rids: &[&str], simulcast: &str, expected: &[&str]) {
        let line = format!("a=simulcast:{simulcast}");
        let lines = [&[MID, RIDS, "a=sendonly", &line], rids].concat();
        assert_eq!(rids_of(&lines), expected, "{simulcast} of {rids:?}");
    }

    #[test]
    fn simulcast_lines_are_read() {
        let three = ["a=rid:1 send", "a=rid:2 send", "a=rid:3 send"];
        check(&three, "send 1;2;3", &["1", "2", "3"]);
        check(&three, "send 3;2;1", &["3", "2", "1"]);
        check(&three, "recv 4 send 1;2", &["1", "2"]);
        check(&three, "send 1;2 recv 4", &["1", "2"]);
        check(&three, "recv 1;2", &[]);
        // Alternatives, paused ones, ones that are not described.
        check(&three, "send 1,2;3", &["1", "3"]);
        check(&three, "send 9,2;~3", &["2", "3"]);
        check(&three, "send 1;9;~1", &["1"]);
        check(&["a=rid:1 recv", "a=rid:2 send"], "send 1;2", &["2"]);
        let broken = ["a=rid:", "a=rid:1", "a=rid:a/b send", "a=rid:2 send;"];
        check(&broken, "send 1;a/b;2;;~", &["2"]);
        check(&three, "send", &[]);
        check(&three, "", &[]);
        // Too many, too long, and too much alike for str0m.
        let many = ["1", "2", "3", "4", "5"].map(|rid| format!("a=rid:{rid} send"));
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        check(&many, "send 1;2;3;4;5", &["1", "2", "3", "4"]);
        let long = [
            "a=rid:seventeen-letters send",
            "a=rid:sixteen-letters1 send",
            "a=rid:sixteen-letters2 send",
        ];
        let all = "send seventeen-letters;sixteen-letters1;sixteen-letters2";
        check(&long, all, &["sixteen-letters1"]);
    }

    #[test]
    fn restrictions_are_agreed_to() {
        let lines = [
            MID,
            RIDS,
            "a=sendonly",
            "a=rid:hi send pt=96;max-width=1280;max-height=720;max-fps=30",
            "a=rid:lo send max-br=200000;depend=hi;max-width=none",
            "a=simulcast:send hi;lo",
        ];
        let offer = Offer::parse(&sdp(&lines)).unwrap();
        let answer = answer(&offer, &select_for_publisher(&offer).unwrap());
        assert_eq!(
            lines_with(&answer, "a=rid"),
            [
                "a=rid:hi recv max-width=1280;max-height=720;max-fps=30",
                "a=rid:lo recv max-br=200000"
            ]
        );
    }

    const TRANSPORT: &str = "a=extmap:3 http://www.ietf.org/id/\
        draft-holmer-rmcat-transport-wide-cc-extensions-01";

    /// Whether a player whose offer has these lines tells what its network carries.
    fn tells(offer: &str) -> bool {
        let offer = Offer::parse(offer).unwrap();
        let sent = super::super::tests::VP8;
        let selection = select_for_player(&offer, &[sent]).unwrap();
        assert!(
            !answer(&offer, &selection).contains("extmap:3"),
            "not of one stream"
        );
        let layered = selection.with_transport_feedback(&offer);
        let answer = answer(&offer, &layered);
        assert_eq!(
            answer.contains("extmap:3"),
            layered.has_transport_feedback()
        );
        layered.has_transport_feedback()
    }

    #[test]
    fn players_of_layers_tell_what_their_network_carries_if_they_can() {
        let both = sdp(&[MID, TRANSPORT, "a=recvonly"]);
        assert!(tells(&both));
        assert!(!tells(&sdp(&[MID, "a=recvonly"])));
        assert!(!tells(&both.replace("a=rtcp-fb:96 transport-cc\r\n", "")));
    }
}
