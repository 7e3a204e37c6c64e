use super::*;
use crate::state::candidate::candidates;

const SERVER: &str = "wss://example.org:8443/x";

fn at(addresses: &[&str]) -> Vec<Candidate> {
    let lines = addresses.iter().enumerate().map(|(index, address)| {
        let port = 31_001 + index;
        format!("a=candidate:1 1 udp 1 {address} {port} typ host\n")
    });
    candidates(&lines.collect::<String>())
}

fn pair(state: PairState, requests: u64, responses: u64) -> Pair {
    Pair {
        local: at(&["192.168.1.2"]).remove(0),
        remote: at(&["203.0.113.9"]).remove(0),
        state,
        requests,
        responses,
    }
}

/// A player that found no way to `remote`.
fn searching(local: &[&str], remote: &[&str], pairs: Vec<Pair>) -> Evidence {
    Evidence {
        role: StreamRole::Player,
        progress: Progress::Searching,
        local: at(local),
        remote: at(remote),
        pairs,
        media: Media::default(),
    }
}

fn connected(role: StreamRole, media: Media) -> Evidence {
    Evidence {
        role,
        progress: Progress::Connected,
        pairs: vec![pair(PairState::Succeeded, 2, 2)],
        media,
        ..searching(&["192.168.1.2"], &["203.0.113.9"], Vec::new())
    }
}

fn check(evidence: &Evidence, server: &str, headline: &str, advice: &str) {
    let diagnosis = diagnose(evidence, server).expect("something is wrong");
    assert!(
        diagnosis.headline.contains(headline),
        "{} / {headline}",
        diagnosis.headline
    );
    let first = diagnosis.advice.first().expect("something to do");
    assert!(first.contains(advice), "{first} / {advice}");
    assert!(!diagnosis.findings.is_empty());
}

#[test]
fn sides_without_an_address() {
    let own = &["192.168.1.2"];
    check(
        &searching(own, &[], Vec::new()),
        SERVER,
        "names no address",
        "media port",
    );
    check(
        &searching(&[], &["203.0.113.9"], Vec::new()),
        SERVER,
        "no network address of its own",
        "extension",
    );
}

#[test]
fn addresses_out_of_reach() {
    let tried = || vec![pair(PairState::Failed, 9, 0)];
    let own = &["192.168.1.2"];
    let public_address = "--public-address";
    check(
        &searching(own, &["127.0.0.1", "::1"], tried()),
        SERVER,
        "loopback",
        public_address,
    );
    check(
        &searching(own, &["172.17.0.2"], tried()),
        "ws://192.168.1.9:8080",
        "container",
        public_address,
    );
    check(
        &searching(own, &["192.168.7.7", "fe80::1"], tried()),
        SERVER,
        "private network",
        public_address,
    );
    check(
        &searching(own, &["a-b.local"], tried()),
        SERVER,
        "names instead",
        "IP address",
    );
    // The same addresses are fine where the server is reached by such a one.
    for server in ["ws://10.0.0.5", "ws://localhost:8080"] {
        let evidence = searching(own, &["10.0.0.5"], tried());
        check(&evidence, server, "Nothing came back", "media ports");
    }
    let evidence = searching(own, &["127.0.0.1"], tried());
    check(
        &evidence,
        "ws://[::1]:1/",
        "Nothing came back",
        "media ports",
    );
}

#[test]
fn address_families() {
    let tried = || vec![pair(PairState::Failed, 0, 0)];
    check(
        &searching(&["192.168.1.2"], &["2001:db8::1"], tried()),
        SERVER,
        "only IPv4, the server offers only IPv6",
        "each family",
    );
    check(
        &searching(&["2001:db8::2"], &["203.0.113.9"], tried()),
        SERVER,
        "only IPv6, the server offers only IPv4",
        "each family",
    );
    // What is hidden may be of either family.
    check(
        &searching(&["192.168.1.2", "x.local"], &["2001:db8::1"], tried()),
        SERVER,
        "could try none",
        "extension",
    );
}

#[test]
fn checks_and_their_answers() {
    let with = |pairs| searching(&["x.local"], &["203.0.113.9"], pairs);
    check(
        &with(vec![
            pair(PairState::Trying, 9, 0),
            pair(PairState::Failed, 3, 0),
        ]),
        SERVER,
        "Nothing came back",
        "media ports",
    );
    check(&with(Vec::new()), SERVER, "could try none", "extension");
    check(
        &with(vec![pair(PairState::Failed, 9, 1)]),
        SERVER,
        "answered some checks",
        "same one",
    );
    let mut tcp = with(vec![pair(PairState::Failed, 9, 0)]);
    tcp.remote[0].transport = Transport::Tcp;
    let diagnosis = diagnose(&tcp, SERVER).unwrap();
    assert_eq!(diagnosis.findings[0], "Neither UDP nor TCP gets through.");
}

#[test]
fn after_ice() {
    let mut evidence = connected(StreamRole::Player, Media::default());
    check(&evidence, SERVER, "no packet", "publisher");
    evidence.progress = Progress::Securing;
    check(&evidence, SERVER, "DTLS", "large UDP packets");
    evidence.progress = Progress::Lost;
    check(&evidence, SERVER, "was lost", "network of this machine");
}

#[test]
fn media_that_does_not_flow() {
    let media = |packets, video_packets, frames| Media {
        packets,
        video_packets,
        frames,
        codec: Some("video/H264".to_owned()),
    };
    let player = |media| connected(StreamRole::Player, media);
    let evidence = player(media(90, 50, 0));
    check(&evidence, SERVER, "not one picture", "keyframe");
    let diagnosis = diagnose(&evidence, SERVER).unwrap();
    assert_eq!(diagnosis.findings[0], "50 packets of video/H264 came.");
    let publisher = connected(StreamRole::Publisher, media(0, 0, 0));
    check(&publisher, SERVER, "sends nothing", "camera");

    for healthy in [
        player(media(90, 50, 1)),
        player(media(40, 0, 0)),
        connected(StreamRole::Publisher, media(1, 0, 0)),
    ] {
        assert_eq!(diagnose(&healthy, SERVER), None);
    }
}

#[test]
fn hosts_of_addresses() {
    for (server, expected) in [
        ("ws://a.example:8080/x?y#z", "a.example"),
        ("a.example", "a.example"),
        ("wss://me:secret@10.0.0.1", "10.0.0.1"),
        ("ws://[::1]:8080", "[::1]"),
        ("ws://[::1]", "[::1]"),
        ("", ""),
    ] {
        assert_eq!(host(server), expected, "{server}");
    }
}

#[test]
fn a_report_says_what_was_offered_and_tried() {
    let pairs = vec![pair(PairState::Failed, 9, 0)];
    let evidence = searching(&["x.local"], &["203.0.113.9"], pairs);
    let text = diagnose(&evidence, SERVER).unwrap().to_text();
    for line in [
        "Nothing came back from any of the server's addresses\n\nFindings\n",
        "- The browser offered 1 address, the server 1 address; 1 pair was tried, 0 worked.\n",
        "\nBrowser\n- host UDP hidden:31001\n",
        "\nServer\n- host UDP 203.0.113.9:31001\n",
        "\nTried\n- 192.168.1.2:31001 to 203.0.113.9:31001: failed, 9 checks, 0 answers\n",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}
