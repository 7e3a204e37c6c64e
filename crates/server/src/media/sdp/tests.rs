//! Offers as browsers make them, as the SDK mangles them, and worse.

use std::error::Error;

use super::offer::OfferError;
use super::*;
use crate::media::codec::{Codec, Kind, Profile};

/// A browser's two m-lines, cut to what matters, with a data channel besides.
pub(super) const OFFER: &str = "v=0\r\n\
o=- 4611731400430051336 2 IN IP4 127.0.0.1\r\n\
s=-\r\n\
t=0 0\r\n\
a=group:BUNDLE 0 1 2\r\n\
a=extmap-allow-mixed\r\n\
a=msid-semantic: WMS\r\n\
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110\r\n\
c=IN IP4 0.0.0.0\r\n\
a=rtcp:9 IN IP4 0.0.0.0\r\n\
a=ice-ufrag:Uf4g\r\n\
a=ice-pwd:passwordpasswordpassword\r\n\
a=ice-options:trickle\r\n\
a=fingerprint:sha-256 AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB\r\n\
a=setup:actpass\r\n\
a=mid:0\r\n\
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n\
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n\
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
a=DIRECTION\r\n\
a=rtcp-mux\r\n\
a=rtpmap:111 opus/48000/2\r\n\
a=rtcp-fb:111 transport-cc\r\n\
a=fmtp:111 minptime=10;useinbandfec=1\r\n\
a=rtpmap:63 red/48000/2\r\n\
a=fmtp:63 111/111\r\n\
a=rtpmap:9 G722/8000\r\n\
a=rtpmap:0 PCMU/8000\r\n\
a=rtpmap:8 PCMA/8000\r\n\
a=rtpmap:13 CN/8000\r\n\
a=rtpmap:110 telephone-event/48000\r\n\
m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 106 107 98 99 35 36 45 46\r\n\
c=IN IP4 0.0.0.0\r\n\
a=ice-ufrag:Uf4g\r\n\
a=ice-pwd:passwordpasswordpassword\r\n\
a=mid:1\r\n\
a=extmap:13 urn:3gpp:video-orientation\r\n\
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
a=DIRECTION\r\n\
a=rtcp-mux\r\n\
a=rtpmap:96 VP8/90000\r\n\
a=rtcp-fb:96 nack\r\n\
a=rtcp-fb:96 nack pli\r\n\
a=rtpmap:97 rtx/90000\r\n\
a=fmtp:97 apt=96\r\n\
a=rtpmap:102 H264/90000\r\n\
a=rtcp-fb:102 nack\r\n\
a=rtcp-fb:102 nack pli\r\n\
a=rtcp-fb:102 ccm fir\r\n\
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\n\
a=rtpmap:103 rtx/90000\r\n\
a=fmtp:103 apt=102\r\n\
a=rtpmap:106 H264/90000\r\n\
a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n\
a=rtpmap:107 rtx/90000\r\n\
a=fmtp:107 apt=106\r\n\
a=rtpmap:98 VP9/90000\r\n\
a=fmtp:98 profile-id=0\r\n\
a=rtpmap:99 rtx/90000\r\n\
a=fmtp:99 apt=98\r\n\
a=rtpmap:35 VP9/90000\r\n\
a=fmtp:35 profile-id=2\r\n\
a=rtpmap:36 rtx/90000\r\n\
a=fmtp:36 apt=35\r\n\
a=rtpmap:45 AV1/90000\r\n\
a=fmtp:45 level-idx=5;profile=0;tier=0\r\n\
a=rtpmap:46 rtx/90000\r\n\
a=fmtp:46 apt=45\r\n\
a=ssrc-group:FID 1001 1002\r\n\
a=ssrc:1001 cname:x\r\n\
a=ssrc:1002 cname:x\r\n\
m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
c=IN IP4 0.0.0.0\r\n\
a=mid:2\r\n\
a=sctp-port:5000\r\n";

pub(super) fn offer(direction: &str) -> Offer {
    Offer::parse(&OFFER.replace("DIRECTION", direction)).unwrap()
}

/// The payload types taken of a kind.
pub(super) fn taken(selection: &Selection, kind: Kind) -> Vec<u8> {
    let mut tracks = selection.tracks();
    let track = tracks.find(|(k, ..)| *k == kind);
    track.map_or_else(Vec::new, |(_, _, codecs)| {
        codecs.iter().map(|c| c.pt).collect()
    })
}

pub(super) const OPUS: SourceCodec = SourceCodec {
    pt: 120,
    profile: Profile::Plain(Codec::Opus),
    profile_level_id: None,
    current: false,
};
pub(super) const VP8: SourceCodec = SourceCodec {
    pt: 121,
    profile: Profile::Plain(Codec::Vp8),
    profile_level_id: None,
    current: false,
};

/// The answer that goes to the client, by way of str0m.
pub(super) fn answer(offer: &Offer, selection: &Selection) -> String {
    try_answer(offer, selection).unwrap()
}

fn try_answer(offer: &Offer, selection: &Selection) -> Result<String, Box<dyn Error>> {
    let mut config = str0m::RtcConfig::new()
        .set_rtp_mode(true)
        .clear_codecs()
        .clear_extension_map();
    for (id, extension) in offer.extensions(selection) {
        config = config.set_extension(id, extension);
    }
    for codec in selection.codecs() {
        config.codec_config().add_config(
            codec.pt.into(),
            codec.rtx.map(Into::into),
            codec.codec.to_str0m(),
            str0m::media::Frequency::new(codec.codec.clock_rate()).unwrap(),
            codec.codec.channels(),
            codec.format,
        );
    }
    let mut rtc = config.build(std::time::Instant::now());
    let reduced = str0m::change::SdpOffer::from_sdp_string(&offer.reduced(selection))?;
    let answer = rtc.sdp_api().accept_offer(reduced)?.to_sdp_string();
    Ok(complete_answer(offer, selection, &answer, "live"))
}

pub(super) fn lines_with<'a>(sdp: &'a str, start: &str) -> Vec<&'a str> {
    sdp.lines().filter(|line| line.starts_with(start)).collect()
}

#[test]
fn the_answer_says_how_much_later_sound_may_come() {
    const FEEDBACK: &str = "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 transport-cc\r\na=extmap:3 \
        http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n";
    let offer_of = |direction, lag: &str| {
        let sdp = OFFER.replace("DIRECTION", direction);
        let sdp = sdp.replace("a=mid:", &format!("a=sound-lag:{lag}\r\na=mid:"));
        Offer::parse(&sdp.replace("a=rtpmap:96 VP8/90000\r\n", FEEDBACK)).unwrap()
    };
    let told = |offer: &Offer, selection: &Selection| {
        let sdp = answer(offer, selection);
        let lines = lines_with(&sdp, "a=sound-lag");
        lines.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let player = |lag| {
        let offer = offer_of("recvonly", lag);
        let selection = select_for_player(&offer, &[OPUS, VP8]).unwrap();
        (offer, selection)
    };
    let (offer, selection) = player("45");
    // Once, and in the audio's part.
    assert_eq!(told(&offer, &selection), ["a=sound-lag:45"]);
    let sdp = answer(&offer, &selection);
    assert!(sdp.find("a=sound-lag") < sdp.find("m=video"));
    // str0m's reports cannot say it.
    let layered = selection.with_transport_feedback(&offer);
    assert!(layered.has_transport_feedback());
    assert!(told(&offer, &layered).is_empty());
    let (offer, selection) = player("61");
    assert_eq!(told(&offer, &selection), ["a=sound-lag:60"]);
    let (offer, selection) = player("0");
    assert!(told(&offer, &selection).is_empty());
    let offer = offer_of("sendonly", "45");
    assert!(told(&offer, &select_for_publisher(&offer).unwrap()).is_empty());
}

#[test]
fn publishers_offer_everything_forwarded_best_first() {
    let selection = select_for_publisher(&offer("sendonly")).unwrap();
    assert_eq!(taken(&selection, Kind::Audio), [111, 0, 8]);
    assert_eq!(taken(&selection, Kind::Video), [106, 102, 96, 98, 35, 45]);
}

#[test]
fn the_answer_to_a_publisher_keeps_lines_order_and_numbers() {
    let offer = offer("sendonly");
    let sdp = answer(&offer, &select_for_publisher(&offer).unwrap());
    assert_eq!(
        lines_with(&sdp, "m="),
        [
            "m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8",
            "m=video 9 UDP/TLS/RTP/SAVPF 106 107 102 103 96 97 98 99 35 36 45 46",
            "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
        ]
    );
    assert_eq!(lines_with(&sdp, "a=group"), ["a=group:BUNDLE 0 1"]);
    assert_eq!(lines_with(&sdp, "a=mid"), ["a=mid:0", "a=mid:1", "a=mid:2"]);
    assert_eq!(lines_with(&sdp, "a=recvonly").len(), 2);
    assert_eq!(lines_with(&sdp, "a=inactive").len(), 1);
    assert_eq!(lines_with(&sdp, "a=setup").len(), 2);
    assert!(
        lines_with(&sdp, "a=setup")
            .iter()
            .all(|l| *l == "a=setup:passive")
    );
    assert_eq!(lines_with(&sdp, "a=rtcp-mux").len(), 2);
    assert_eq!(lines_with(&sdp, "a=end-of-candidates").len(), 1);
    assert!(sdp.contains("a=rtpmap:111 opus/48000/2\r\n"));
    assert!(sdp.contains("a=rtpmap:106 H264/90000\r\n"));
    assert!(sdp.contains("a=rtpmap:96 VP8/90000\r\n"));
    assert!(sdp.contains("transport-wide-cc"));
    let h264 = lines_with(&sdp, "a=fmtp:106")[0];
    assert!(h264.contains("profile-level-id=42e01f") && h264.contains("packetization-mode=1"));
    assert!(sdp.ends_with("\r\n"));
}

#[test]
fn the_answer_to_a_player_has_the_streams_codecs_alone() {
    let offer = offer("recvonly");
    let selection = select_for_player(&offer, &[VP8, OPUS]).unwrap();
    assert_eq!(selection.payload_types(Kind::Video), [(121, 96)]);
    assert_eq!(selection.payload_types(Kind::Audio), [(120, 111)]);
    let sdp = answer(&offer, &selection);
    assert_eq!(
        lines_with(&sdp, "m="),
        [
            "m=audio 9 UDP/TLS/RTP/SAVPF 111",
            "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
            "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
        ]
    );
    assert_eq!(lines_with(&sdp, "a=sendonly").len(), 2);
    let msids = lines_with(&sdp, "a=msid:");
    assert_eq!(msids.len(), 2);
    assert!(
        msids.iter().all(|l| l.starts_with("a=msid:live ")),
        "{msids:?}"
    );
    assert_eq!(lines_with(&sdp, "a=ssrc-group:FID").len(), 1);
    assert!(!sdp.contains("transport-wide-cc"));
}

#[test]
fn the_answer_to_a_player_may_have_all_codecs_behind_the_streams() {
    let offer = offer("recvonly");
    let selection = select_for_player(&offer, &[VP8]).unwrap();
    let selection = selection.with_all_codecs(&offer);
    assert_eq!(taken(&selection, Kind::Video), [96, 102, 106, 98, 35, 45]);
    assert_eq!(selection.payload_types(Kind::Video), [(121, 96)]);
    let sdp = answer(&offer, &selection);
    // A kind that the stream does not have is kept silent all the same.
    assert_eq!(
        lines_with(&sdp, "m=")[..2],
        [
            "m=audio 9 UDP/TLS/RTP/SAVPF 111",
            "m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 106 107 98 99 35 36 45 46",
        ]
    );
}

#[test]
fn a_player_goes_on_with_what_its_answer_took() {
    let source = |pt, profile, current| SourceCodec {
        pt,
        profile,
        profile_level_id: None,
        current,
    };
    let taken = [
        (96, Profile::Plain(Codec::Vp8)),
        (98, Profile::Vp9(0)),
        (35, Profile::Vp9(2)),
    ];
    let (vp8, vp9) = (Profile::Plain(Codec::Vp8), Profile::Vp9);
    let table = [
        (vec![], Some(vec![])),
        (vec![OPUS], Some(vec![])),
        (vec![OPUS, VP8], Some(vec![(121, 96)])),
        (
            vec![source(1, vp9(2), true), VP8],
            Some(vec![(1, 35), (121, 96)]),
        ),
        // What may come later is not what it waits for.
        (vec![VP8, source(1, vp9(1), false)], Some(vec![(121, 96)])),
        (vec![source(1, vp9(1), false)], None),
        (vec![source(1, vp9(1), true), source(2, vp8, false)], None),
    ];
    for (source, expected) in table {
        let got = payload_types(Kind::Video, &taken, &source);
        assert_eq!(got, expected, "{source:?}");
    }
}

#[test]
fn a_kind_that_is_not_shared_is_refused_alone() {
    let offer = offer("recvonly");
    let sdp = answer(&offer, &select_for_player(&offer, &[VP8]).unwrap());
    assert_eq!(
        lines_with(&sdp, "m=")[..2],
        [
            "m=audio 9 UDP/TLS/RTP/SAVPF 111",
            "m=video 9 UDP/TLS/RTP/SAVPF 96 97"
        ]
    );
    // The first m-line stays, silent, for the transport that all share.
    assert_eq!(lines_with(&sdp, "a=group"), ["a=group:BUNDLE 0 1"]);
    assert_eq!(lines_with(&sdp, "a=inactive").len(), 2, "{sdp}");
    assert_eq!(lines_with(&sdp, "a=ice-ufrag").len(), 2, "{sdp}");
    assert_eq!(lines_with(&sdp, "a=rtcp-mux").len(), 2, "{sdp}");
    assert_eq!(lines_with(&sdp, "a=end-of-candidates").len(), 1);
}

#[test]
fn players_get_the_profile_that_fits_best() {
    let h264 = |pt, line: &str| SourceCodec {
        pt,
        profile: Profile::new(Codec::H264, &str0m::format::FormatParams::parse_line(line)),
        profile_level_id: None,
        current: false,
    };
    let offer = offer("recvonly");
    let table = [
        (
            vec![h264(1, "packetization-mode=1;profile-level-id=42e01f")],
            vec![(1, 106)],
        ),
        (
            vec![h264(1, "packetization-mode=1;profile-level-id=42001f")],
            vec![(1, 102)],
        ),
        (vec![h264(1, "profile-level-id=42e034")], vec![(1, 106)]),
        (
            vec![h264(1, "packetization-mode=1;profile-level-id=640c1f")],
            vec![],
        ),
        (
            vec![VP8, h264(1, "packetization-mode=1;profile-level-id=42e01f")],
            vec![(121, 96), (1, 106)],
        ),
        (
            vec![SourceCodec {
                pt: 1,
                profile: Profile::Vp9(2),
                profile_level_id: None,
                current: false,
            }],
            vec![(1, 35)],
        ),
        (
            vec![SourceCodec {
                pt: 1,
                profile: Profile::Vp9(1),
                profile_level_id: None,
                current: false,
            }],
            vec![],
        ),
    ];
    for (source, expected) in table {
        let selection = select_for_player(&offer, &source);
        let got = selection.map_or_else(Vec::new, |s| s.payload_types(Kind::Video).to_vec());
        assert_eq!(got, expected, "{source:?}");
    }
}

/// The payload type that a player gets, and the `a=fmtp` line that it is told, for
/// a stream that was said to be of one profile and is of another.
fn check_real_profile(offered: [&str; 2], said: &str, real: u32, expected: (u8, &str)) {
    let mut sdp = OFFER.replace("DIRECTION", "recvonly");
    for (id, pt) in offered.into_iter().zip([102, 106]) {
        let line = format!("a=fmtp:{pt} level-asymmetry-allowed=1;packetization-mode=1;");
        let at = sdp.find(&line).unwrap() + line.len();
        sdp.replace_range(at..at + "profile-level-id=42001f".len(), id);
    }
    let offer = Offer::parse(&sdp).unwrap();
    let line = format!("packetization-mode=1;profile-level-id={said}");
    let stream = SourceCodec {
        pt: 1,
        profile: Profile::new(Codec::H264, &str0m::format::FormatParams::parse_line(&line)),
        profile_level_id: Some(real),
        current: true,
    };
    assert!(!needs_transcoding(&offer, &[stream]));
    let selection = select_for_player(&offer, &[stream]).unwrap();
    assert_eq!(selection.payload_types(Kind::Video), [(1, expected.0)]);
    let answer = answer(&offer, &selection);
    let told = lines_with(&answer, &format!("a=fmtp:{} ", expected.0));
    assert!(
        told[0].ends_with(expected.1),
        "{told:?} and not {expected:?}"
    );
    assert!(told[0].contains("packetization-mode=1"), "{told:?}");
}

#[test]
fn a_players_answer_tells_what_the_stream_really_is() {
    const BASELINE: &str = "profile-level-id=42e01f";
    const HIGH: &str = "profile-level-id=64001f";
    let both = [BASELINE, HIGH];
    // Said baseline, is High: to the High decoder, told so, with its level.
    check_real_profile(both, "42e01f", 0x64_00_28, (106, "profile-level-id=640028"));
    // Said High, is constrained baseline: to everybody.
    check_real_profile(both, "64001f", 0x42_c0_1f, (102, "profile-level-id=42c01f"));
    // Chromium's decoder of all H.264 goes by another name.
    let chromium = [BASELINE, "profile-level-id=f4001f"];
    check_real_profile(
        chromium,
        "640028",
        0x64_00_28,
        (106, "profile-level-id=f40028"),
    );
    // No decoder for it, but one for what was said: the profile that was offered
    // for it, as an answer has to, and the real level.
    check_real_profile(
        [BASELINE; 2],
        "42e01f",
        0x64_00_28,
        (102, "profile-level-id=42e028"),
    );
    // Not below what it may come to, and nothing that no receiver knows.
    check_real_profile(both, "42e01f", 0x42_c0_0d, (102, "profile-level-id=42c01f"));
    check_real_profile(both, "42e01f", 0x42_c0_ff, (102, BASELINE));
}

#[test]
fn what_the_stream_is_now_must_fit_and_comes_first() {
    let offer = offer("recvonly");
    let now = |profile| SourceCodec {
        pt: 1,
        profile,
        profile_level_id: None,
        current: true,
    };
    let selection = select_for_player(&offer, &[now(Profile::Vp9(2)), OPUS, VP8]).unwrap();
    assert_eq!(
        selection.payload_types(Kind::Video),
        [(1, 35), (121, 96)],
        "ready for a change"
    );
    assert!(!needs_transcoding(
        &offer,
        &[now(Profile::Vp9(2)), OPUS, VP8]
    ));
    let unknown = now(Profile::Vp9(1));
    assert!(needs_transcoding(&offer, &[unknown, OPUS, VP8]));
    let later = SourceCodec {
        current: false,
        ..unknown
    };
    assert!(!needs_transcoding(&offer, &[later, OPUS, VP8]));
}

#[test]
fn a_kind_that_is_not_asked_for_needs_no_transcoding() {
    let current = SourceCodec {
        pt: 1,
        profile: Profile::Vp9(1),
        profile_level_id: None,
        current: true,
    };
    assert!(!needs_transcoding(&offer("sendonly"), &[current, OPUS]));
    assert!(!needs_transcoding(&offer("inactive"), &[current, OPUS]));
}

#[test]
fn the_wrong_direction_is_not_taken() {
    assert_eq!(select_for_publisher(&offer("recvonly")), None);
    assert_eq!(select_for_player(&offer("sendonly"), &[VP8, OPUS]), None);
    assert_eq!(select_for_player(&offer("inactive"), &[VP8, OPUS]), None);
    assert!(select_for_player(&offer("sendrecv"), &[VP8, OPUS]).is_some());
}

/// Reference section 6.3: payloads leave the m-line and their lines go, by
/// prefix; retransmissions of what went stay; the m-line may end in a space
/// and a bare LF.
#[test]
fn an_offer_mangled_by_strip_codecs_is_read() {
    let mangled = OFFER
        .replace("DIRECTION", "recvonly")
        .replace("111 63 9 0 8 13 110\r\n", "111 63 0 8 \n")
        .replace("a=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n", "")
        .replace("a=fmtp:97 apt=96\r\n", "");
    let offer = Offer::parse(&mangled).unwrap();
    let selection = select_for_player(&offer, &[VP8, OPUS]).unwrap();
    let sdp = answer(&offer, &selection);
    assert_eq!(
        lines_with(&sdp, "m=")[..2],
        [
            "m=audio 9 UDP/TLS/RTP/SAVPF 111",
            "m=video 9 UDP/TLS/RTP/SAVPF 96"
        ]
    );
}

#[test]
fn payload_types_that_clash_are_used_once() {
    let clash = OFFER
        .replace("DIRECTION", "sendonly")
        .replace("a=rtpmap:111 opus", "a=rtpmap:96 opus")
        .replace("SAVPF 111 63", "SAVPF 96 63");
    let offer = Offer::parse(&clash).unwrap();
    let selection = select_for_publisher(&offer).unwrap();
    assert!(taken(&selection, Kind::Audio).contains(&96));
    assert!(!taken(&selection, Kind::Video).contains(&96));
    answer(&offer, &selection);
}

#[test]
fn a_second_line_of_a_kind_is_refused() {
    let sdp = OFFER.replace("DIRECTION", "sendonly");
    let video = sdp.find("m=video").unwrap();
    let application = sdp.find("m=application").unwrap();
    let second = sdp[video..application].replace("a=mid:1", "a=mid:second");
    let offer = Offer::parse(&format!("{sdp}{second}")).unwrap();
    let sdp = answer(&offer, &select_for_publisher(&offer).unwrap());
    assert_eq!(lines_with(&sdp, "m=").len(), 4);
    assert_eq!(lines_with(&sdp, "m=video 0").len(), 1);
    assert_eq!(lines_with(&sdp, "a=group"), ["a=group:BUNDLE 0 1"]);
}

#[test]
fn what_cannot_be_answered_is_said() {
    let sdp = OFFER.replace("DIRECTION", "sendonly");
    let without = |start: &str| -> String {
        let lines = sdp.lines().filter(|line| !line.starts_with(start));
        lines.map(|line| format!("{line}\r\n")).collect()
    };
    let table = [
        (String::new(), OfferError::NoMedia),
        ("\u{0}\u{1}garbage".into(), OfferError::NoMedia),
        (without("m="), OfferError::NoMedia),
        (without("a=ice-ufrag"), OfferError::NoIceCredentials),
        (without("a=ice-pwd"), OfferError::NoIceCredentials),
        (without("a=fingerprint"), OfferError::NoFingerprint),
        (
            sdp.replace("a=mid:0", "a=mid:seventeen-letters"),
            OfferError::LongMid,
        ),
        ("m=audio 9 X 0\r\n".repeat(17), OfferError::TooManySections),
    ];
    for (sdp, expected) in table {
        assert_eq!(Offer::parse(&sdp).unwrap_err(), expected);
    }
}

proptest::proptest! {
    /// Whatever is cut from an offer, or comes twice, it is answered or
    /// refused, but nothing panics.
    #[test]
    fn damaged_offers_never_panic(
        cut in 0..OFFER.len(),
        repeat in 0..OFFER.lines().count(),
        swap in proptest::collection::vec((0..OFFER.len(), 32u8..127), 0..8),
    ) {
        let mut bytes = OFFER.replace("DIRECTION", "sendrecv").into_bytes();
        let cut = cut.min(bytes.len());
        for (at, byte) in swap {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let text = String::from_utf8(bytes).unwrap();
        let line = text.lines().nth(repeat).unwrap_or_default();
        let damaged = format!("{}\r\n{line}\r\n{}", &text[..cut], &text[cut..]);
        if let Ok(offer) = Offer::parse(&damaged) {
            for selection in [
                select_for_publisher(&offer),
                select_for_player(&offer, &[VP8, OPUS]),
            ]
            .into_iter()
            .flatten()
            {
                // Refused or answered, both are fine.
                let _ = try_answer(&offer, &selection);
            }
        }
    }
}
