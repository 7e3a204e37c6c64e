//! The reference's interop traps 10 to 16, 35 and 36 (section 10), and offers of
//! clients that are not Chromium. Trap 34 is in the shard's loss tests.

use super::tests::{OFFER, OPUS, VP8, answer, lines_with, offer, taken};
use super::*;
use crate::media::codec::{Codec, Kind, Profile};

const FINGERPRINT: &str = "a=fingerprint:sha-256 AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB";

/// What a publisher of H.264 and Opus may send, with its own numbers.
fn h264_source() -> [SourceCodec; 2] {
    let line = "packetization-mode=1;profile-level-id=42e01f";
    let format = str0m::format::FormatParams::parse_line(line);
    let video = SourceCodec {
        pt: 127,
        profile: Profile::new(Codec::H264, &format),
        profile_level_id: Some(0x42_e01f),
        current: true,
    };
    [video, OPUS]
}

fn play(sdp: &str, source: &[SourceCodec]) -> String {
    let offer = Offer::parse(sdp).unwrap();
    answer(&offer, &select_for_player(&offer, source).unwrap())
}

fn publish(sdp: &str) -> String {
    let offer = Offer::parse(sdp).unwrap();
    answer(&offer, &select_for_publisher(&offer).unwrap())
}

/// Both answers there are to the browser's offer.
fn both() -> [String; 2] {
    [
        play(&OFFER.replace("DIRECTION", "recvonly"), &[VP8, OPUS]),
        publish(&OFFER.replace("DIRECTION", "sendonly")),
    ]
}

/// The answer has what clients reject an answer without.
#[track_caller]
fn assert_complete(sdp: &str, direction: &str, mids: [&str; 2]) {
    let mids = mids.map(|mid| format!("a=mid:{mid}"));
    assert_eq!(lines_with(sdp, "a=mid:")[..2], mids, "{sdp}");
    assert_eq!(lines_with(sdp, &format!("a={direction}")).len(), 2, "{sdp}");
    assert_eq!(lines_with(sdp, "a=setup:passive").len(), 2, "{sdp}");
    assert_eq!(lines_with(sdp, "a=fingerprint:sha-256 ").len(), 2, "{sdp}");
    assert_eq!(lines_with(sdp, "a=ice-ufrag:").len(), 2, "{sdp}");
    assert_eq!(lines_with(sdp, "a=rtcp-mux").len(), 2, "{sdp}");
    assert!(sdp.ends_with("\r\n") && !sdp.contains("\n\n"), "{sdp}");
}

#[test]
fn trap_10_an_answer_to_a_player_only_sends() {
    for asked in ["recvonly", "sendrecv"] {
        let sdp = play(&OFFER.replace("DIRECTION", asked), &[VP8, OPUS]);
        assert_complete(&sdp, "sendonly", ["0", "1"]);
        assert_eq!(lines_with(&sdp, "a=sendrecv").len(), 0);
        assert_eq!(lines_with(&sdp, "a=recvonly").len(), 0);
    }
}

#[test]
fn trap_11_setup_mux_newline_order_and_bundle() {
    for sdp in both() {
        assert_eq!(lines_with(&sdp, "a=setup:actpass").len(), 0);
        assert_eq!(lines_with(&sdp, "a=setup:passive").len(), 2);
        assert_eq!(lines_with(&sdp, "a=rtcp-mux").len(), 2);
        assert_eq!(lines_with(&sdp, "a=group:"), ["a=group:BUNDLE 0 1"]);
        let kinds: Vec<_> = lines_with(&sdp, "m=")
            .iter()
            .map(|line| line.split(' ').next().unwrap())
            .collect();
        assert_eq!(kinds, ["m=audio", "m=video", "m=application"]);
        assert!(sdp.ends_with("\r\n"));
    }
}

#[test]
fn trap_12_and_13_nothing_waits_for_trickled_candidates() {
    // The offer has no candidate, and the answer says that its are all there
    // are. That there are some is proved with a forwarder (tests/media).
    assert!(!OFFER.contains("a=candidate"));
    for sdp in both() {
        assert_eq!(lines_with(&sdp, "a=end-of-candidates").len(), 1);
    }
}

#[test]
fn trap_14_audio_and_video_are_one_stream() {
    let sdp = play(&OFFER.replace("DIRECTION", "recvonly"), &[VP8, OPUS]);
    let msids = lines_with(&sdp, "a=msid:");
    let streams: Vec<_> = msids.iter().map(|l| l.split(' ').next().unwrap()).collect();
    assert_eq!(streams, ["a=msid:live", "a=msid:live"]);
    assert_ne!(msids[0], msids[1], "two tracks");
}

#[test]
fn trap_15_codecs_are_spelled_as_the_sdk_looks_for_them() {
    let shouted = OFFER
        .replace("DIRECTION", "sendonly")
        .replace("opus/48000", "OPUS/48000")
        .replace("H264/90000", "h264/90000")
        .replace("VP8/90000", "vp8/90000");
    let sdp = publish(&shouted);
    for line in [
        "a=rtpmap:111 opus/48000/2",
        "a=rtpmap:106 H264/90000",
        "a=rtpmap:96 VP8/90000",
    ] {
        assert!(sdp.contains(&format!("{line}\r\n")), "{line} in {sdp}");
    }
}

#[test]
fn trap_16_payload_types_are_the_players_own() {
    let offer = offer("recvonly");
    let selection = select_for_player(&offer, &[VP8, OPUS]).unwrap();
    assert_eq!(selection.payload_types(Kind::Video), [(VP8.pt, 96)]);
    assert_eq!(selection.payload_types(Kind::Audio), [(OPUS.pt, 111)]);
    let sdp = answer(&offer, &selection);
    for pt in [VP8.pt, OPUS.pt] {
        assert!(!sdp.contains(&format!("a=rtpmap:{pt} ")), "{sdp}");
    }
}

/// What `stripCodecs` does to an offer (section 6.3): the payload leaves the
/// m-line, and lines go that belong to any payload that begins alike.
fn strip(sdp: &str, name: &str) -> String {
    let mapped = |line: &str| {
        let map = line.strip_prefix("a=rtpmap:")?;
        let (pt, codec) = map.split_once(' ')?;
        let named = codec
            .to_ascii_lowercase()
            .contains(&name.to_ascii_lowercase());
        named.then(|| pt.to_owned())
    };
    let gone: Vec<_> = sdp.lines().filter_map(mapped).collect();
    let mut stripped = String::new();
    for line in sdp.lines() {
        let of_gone = |start: &str| {
            let rest = line.strip_prefix(start);
            rest.is_some_and(|rest| gone.iter().any(|pt| rest.starts_with(pt.as_str())))
        };
        if line.starts_with("m=") {
            let (head, formats) = line.split_at(line.match_indices(' ').nth(2).unwrap().0);
            let last_goes = gone.iter().any(|pt| formats.ends_with(&format!(" {pt}")));
            let mut kept = formats
                .split(' ')
                .filter(|f| !gone.iter().any(|pt| pt == f));
            let kept = kept.by_ref().collect::<Vec<_>>().join(" ");
            stripped += &format!("{head}{kept}{}", if last_goes { " \n" } else { "\r\n" });
        } else if mapped(line).is_none() && !of_gone("a=fmtp:") && !of_gone("a=rtcp-fb:") {
            stripped += &format!("{line}\r\n");
        }
    }
    stripped
}

#[test]
fn trap_35_stripped_offers_are_answered_with_what_is_left() {
    let sent = OFFER.replace("DIRECTION", "sendonly");
    let received = OFFER.replace("DIRECTION", "recvonly");
    // G722 is payload 9, and with it go the lines of 96 to 99: VP8 has lost its
    // feedback and its retransmissions.
    let stripped = strip(&received, "g722");
    assert!(!stripped.contains("a=rtcp-fb:96") && !stripped.contains("apt=96"));
    let sdp = play(&stripped, &[VP8, OPUS]);
    assert_eq!(
        lines_with(&sdp, "m=video"),
        ["m=video 9 UDP/TLS/RTP/SAVPF 96"]
    );
    for feedback in ["nack", "nack pli", "ccm fir"] {
        let line = format!("a=rtcp-fb:96 {feedback}\r\n");
        assert!(sdp.contains(&line), "{line} in {sdp}");
    }
    // Several at once, the last of an m-line among them: it ends in a space.
    for names in [
        vec!["av1"],
        vec!["vp9", "av1"],
        vec!["telephone-event"],
        vec!["vp8", "g722"],
    ] {
        let strip_all = |sdp: &str| names.iter().fold(sdp.to_owned(), |sdp, n| strip(&sdp, n));
        assert_complete(&publish(&strip_all(&sent)), "recvonly", ["0", "1"]);
        let sdp = play(&strip_all(&received), &h264_source());
        assert_complete(&sdp, "sendonly", ["0", "1"]);
        assert!(
            sdp.contains("a=rtpmap:106 H264/90000\r\n"),
            "{names:?}: {sdp}"
        );
    }
}

#[test]
fn trap_36_publishers_are_asked_for_what_every_player_takes() {
    let selection = select_for_publisher(&offer("sendonly")).unwrap();
    let video = taken(&selection, Kind::Video);
    // Constrained baseline, then baseline, then VP8.
    assert_eq!(video[..3], [106, 102, 96]);
    let without = strip(&OFFER.replace("DIRECTION", "sendonly"), "h264");
    let offer = Offer::parse(&without).unwrap();
    let selection = select_for_publisher(&offer).unwrap();
    assert_eq!(taken(&selection, Kind::Video)[0], 96);
}

/// The offer of an Android client of 2018, before Unified Plan: SDES keys beside
/// DTLS, one m-line a kind with all its SSRCs, no `a=msid`, no mid extension.
fn plan_b(direction: &str) -> String {
    let transport = format!(
        "c=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:pB7x\r\n\
         a=ice-pwd:passwordpasswordpassword\r\n{FINGERPRINT}\r\na=setup:actpass\r\n"
    );
    format!(
        "v=0\r\no=- 7394 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE audio video\r\n\
         a=msid-semantic: WMS ARDAMS\r\n\
         m=audio 9 RTP/SAVPF 111 103 9 0 8 106 105 13 110 113 126\r\n{transport}a=mid:audio\r\n\
         a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na={direction}\r\na=rtcp-mux\r\n\
         a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n\
         a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n\
         a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:103 ISAC/16000\r\n\
         a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
         a=ssrc:3001 cname:k\r\na=ssrc:3001 msid:ARDAMS ARDAMSa0\r\n\
         a=ssrc:3001 mslabel:ARDAMS\r\na=ssrc:3001 label:ARDAMSa0\r\n\
         m=video 9 RTP/SAVPF 96 98 100 127 97 99 101\r\n{transport}a=mid:video\r\n\
         a=extmap:2 urn:ietf:params:rtp-hdrext:toffset\r\n\
         a=extmap:3 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n\
         a=extmap:4 urn:3gpp:video-orientation\r\na={direction}\r\na=rtcp-mux\r\n\
         a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n\
         a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 nack\r\n\
         a=rtcp-fb:96 nack pli\r\na=rtcp-fb:96 goog-remb\r\na=rtpmap:98 VP9/90000\r\n\
         a=rtpmap:100 H264/90000\r\na=rtcp-fb:100 nack\r\na=rtcp-fb:100 nack pli\r\n\
         a=fmtp:100 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n\
         a=rtpmap:127 red/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n\
         a=rtpmap:99 rtx/90000\r\na=fmtp:99 apt=98\r\na=rtpmap:101 rtx/90000\r\n\
         a=fmtp:101 apt=100\r\na=ssrc-group:FID 4001 4002\r\na=ssrc:4001 cname:k\r\n\
         a=ssrc:4001 msid:ARDAMS ARDAMSv0\r\na=ssrc:4002 cname:k\r\n\
         a=ssrc:4002 msid:ARDAMS ARDAMSv0\r\na=ssrc:5001 cname:k\r\n\
         a=ssrc:5001 msid:second v1\r\n"
    )
}

#[test]
fn plan_b_publishers_are_answered_in_their_own_words() {
    for direction in ["sendrecv", "sendonly"] {
        let offer = Offer::parse(&plan_b(direction)).unwrap();
        let selection = select_for_publisher(&offer).unwrap();
        // Their packets say nothing of the m-line: it is known by the SSRC.
        let sources = [("audio", 3001, None), ("video", 4001, Some(4002))];
        assert_eq!(offer.sources(&selection), sources);
        let sdp = answer(&offer, &selection);
        assert_complete(&sdp, "recvonly", ["audio", "video"]);
        assert_eq!(lines_with(&sdp, "a=group:"), ["a=group:BUNDLE audio video"]);
        let expected = [
            "m=audio 9 RTP/SAVPF 111 0 8",
            "m=video 9 RTP/SAVPF 100 101 96 97 98 99",
        ];
        assert_eq!(lines_with(&sdp, "m="), expected);
        assert_eq!(
            lines_with(&sdp, "a=crypto").len(),
            0,
            "keys come by DTLS alone"
        );
    }
}

#[test]
fn plan_b_players_are_answered_in_their_own_words() {
    for direction in ["sendrecv", "recvonly"] {
        let sdp = play(&plan_b(direction), &h264_source());
        assert_complete(&sdp, "sendonly", ["audio", "video"]);
        let expected = ["m=audio 9 RTP/SAVPF 111", "m=video 9 RTP/SAVPF 100 101"];
        assert_eq!(lines_with(&sdp, "m="), expected);
        // Clients from before `a=msid` look at the SSRC lines.
        let streams = lines_with(&sdp, "a=ssrc:");
        assert!(streams.iter().any(|l| l.contains(" msid:live ")), "{sdp}");
    }
}

/// Firefox: fingerprint and direction at session level, ids in braces, its own
/// payload types.
fn firefox(direction: &str) -> String {
    let transport = "c=IN IP4 0.0.0.0\r\na=ice-pwd:passwordpasswordpassword\r\n\
         a=ice-ufrag:fF0x\r\na=setup:actpass\r\na=rtcp-mux\r\n";
    format!(
        "v=0\r\no=mozilla...THIS_IS_SDPARTA-99.0 5 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n{FINGERPRINT}\r\n\
         a=group:BUNDLE 0 1\r\na=ice-options:trickle\r\na=msid-semantic:WMS *\r\na={direction}\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101\r\n{transport}\
         a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n\
         a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level\r\n\
         a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
         a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1\r\na=fmtp:101 0-15\r\n\
         a=mid:0\r\na=msid:{{a}} {{b}}\r\na=rtpmap:109 opus/48000/2\r\na=rtpmap:9 G722/8000/1\r\n\
         a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000/1\r\n\
         a=ssrc:6001 cname:{{c}}\r\n\
         m=video 9 UDP/TLS/RTP/SAVPF 120 124 121 125 126 127 97 98\r\n{transport}\
         a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
         a=extmap:4 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n\
         a=extmap:5 urn:ietf:params:rtp-hdrext:toffset\r\n\
         a=fmtp:126 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1\r\n\
         a=fmtp:97 profile-level-id=42e01f;level-asymmetry-allowed=1\r\n\
         a=fmtp:120 max-fs=12288;max-fr=60\r\na=fmtp:124 apt=120\r\na=fmtp:121 max-fs=12288;max-fr=60\r\n\
         a=fmtp:125 apt=121\r\na=fmtp:127 apt=126\r\na=fmtp:98 apt=97\r\na=mid:1\r\n\
         a=msid:{{a}} {{d}}\r\na=rtcp-fb:* nack\r\na=rtcp-fb:* nack pli\r\na=rtcp-fb:120 ccm fir\r\n\
         a=rtpmap:120 VP8/90000\r\na=rtpmap:124 rtx/90000\r\na=rtpmap:121 VP9/90000\r\n\
         a=rtpmap:125 rtx/90000\r\na=rtpmap:126 H264/90000\r\na=rtpmap:127 rtx/90000\r\n\
         a=rtpmap:97 H264/90000\r\na=rtpmap:98 rtx/90000\r\n\
         a=ssrc-group:FID 7001 7002\r\na=ssrc:7001 cname:{{c}}\r\na=ssrc:7002 cname:{{c}}\r\n"
    )
}

#[test]
fn what_firefox_says_once_is_for_every_m_line() {
    let sdp = publish(&firefox("sendonly"));
    assert_complete(&sdp, "recvonly", ["0", "1"]);
    assert!(sdp.contains("a=rtcp-fb:126 nack pli\r\n"), "{sdp}");
    let video = lines_with(&sdp, "m=video");
    assert_eq!(
        video,
        ["m=video 9 UDP/TLS/RTP/SAVPF 126 127 120 124 121 125 97 98"]
    );
    let sdp = play(&firefox("recvonly"), &h264_source());
    assert_complete(&sdp, "sendonly", ["0", "1"]);
    assert_eq!(
        lines_with(&sdp, "m=video"),
        ["m=video 9 UDP/TLS/RTP/SAVPF 126 127"]
    );
    // A publisher's offer is no player's, and the other way round.
    let offer = Offer::parse(&firefox("recvonly")).unwrap();
    assert_eq!(select_for_publisher(&offer), None);
}

/// Safari: H.264 first, constrained high before baseline, and the rest of it as
/// Chromium, of whose library it is made.
#[test]
fn safari_is_answered_with_the_profile_that_all_take() {
    let safari = OFFER
        .replace("DIRECTION", "sendonly")
        .replace("42001f", "640c1f")
        .replace("96 97 102 103 106 107", "102 103 106 107 96 97");
    let sdp = publish(&safari);
    assert_complete(&sdp, "recvonly", ["0", "1"]);
    let video = lines_with(&sdp, "m=video")[0];
    assert!(
        video.starts_with("m=video 9 UDP/TLS/RTP/SAVPF 106 107 96 97"),
        "{video}"
    );
    let sdp = play(&safari.replace("sendonly", "recvonly"), &h264_source());
    assert!(sdp.contains("a=rtpmap:106 H264/90000\r\n"), "{sdp}");
}

#[test]
fn line_ends_and_spaces_do_not_matter() {
    let crlf = OFFER.replace("DIRECTION", "recvonly");
    let lf = crlf.replace("\r\n", "\n");
    let spaced = crlf.replace("\r\n", "  \r\n");
    let cut = crlf.trim_end().to_owned();
    for sdp in [lf, spaced, cut] {
        assert_complete(&play(&sdp, &[VP8, OPUS]), "sendonly", ["0", "1"]);
    }
}
