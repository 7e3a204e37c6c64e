use std::net::SocketAddr;
use std::time::Duration;

use str0m::change::{SdpAnswer, SdpOffer};
use str0m::crypto::dtls::SrtpProfile;
use str0m::media::{Direction, MediaKind};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output};

use super::*;

/// The longest that nothing is done.
const IDLE: Duration = Duration::from_secs(1);

/// One end of a connection over memory.
struct End {
    rtc: Rtc,
    secret: Secret,
    address: SocketAddr,
    due: Instant,
    is_connected: bool,
}

impl End {
    fn new(port: u16, now: Instant) -> Self {
        let (mut rtc, secret) = build(RtcConfig::new(), now);
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        rtc.add_local_candidate(Candidate::host(address, Protocol::Udp).unwrap());
        Self {
            rtc,
            secret,
            address,
            due: now,
            is_connected: false,
        }
    }

    /// Has `other` take whatever comes out; true if anything did.
    fn send_to(&mut self, other: &mut Self, now: Instant) -> bool {
        let mut has_sent = false;
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(at) => {
                    self.due = at;
                    return has_sent;
                }
                Output::Transmit(sent) => {
                    let (from, to) = (self.address, other.address);
                    let receive = Receive::new(Protocol::Udp, from, to, &sent.contents).unwrap();
                    let input = Input::Receive(now, receive);
                    other.rtc.handle_input(input).unwrap();
                    has_sent = true;
                }
                Output::Event(event) => self.is_connected |= matches!(event, Event::Connected),
            }
        }
    }
}

/// Two ends of which the first has offered to the second.
fn negotiated(ports: [u16; 2], now: Instant) -> [End; 2] {
    let [mut offerer, mut answerer] = ports.map(|port| End::new(port, now));
    let mut changes = offerer.rtc.sdp_api();
    changes.add_media(MediaKind::Audio, Direction::SendOnly, None, None, None);
    let (offer, pending) = changes.apply().unwrap();
    let offer = SdpOffer::from_sdp_string(&offer.to_sdp_string()).unwrap();
    let answer = answerer.rtc.sdp_api().accept_offer(offer).unwrap();
    let answer = SdpAnswer::from_sdp_string(&answer.to_sdp_string()).unwrap();
    let accepted = offerer.rtc.sdp_api().accept_answer(pending, answer);
    accepted.unwrap();
    [offerer, answerer]
}

/// Lets time pass, from one deadline to the next, until all are connected.
fn connect(pairs: &mut [[End; 2]], mut now: Instant) {
    const TURNS: usize = 1_000;
    for _ in 0..TURNS {
        for [one, other] in &mut *pairs {
            while one.send_to(other, now) | other.send_to(one, now) {}
        }
        let ends = || pairs.iter().flatten();
        if ends().all(|end| end.is_connected) {
            return;
        }
        now = ends()
            .map(|end| end.due)
            .fold(now + IDLE, Instant::min)
            .max(now);
        for end in pairs.iter_mut().flatten().filter(|end| end.due <= now) {
            end.rtc.handle_input(Input::Timeout(now)).unwrap();
        }
    }
    panic!("not connected after {TURNS} turns");
}

fn keying(end: &End) -> &Keying {
    end.secret.keying().expect("it is connected")
}

#[test]
fn both_ends_have_the_same_keys() {
    let now = Instant::now();
    let mut pairs = [negotiated([1, 2], now)];
    assert!(pairs[0].iter().all(|end| end.secret.keying().is_none()));
    connect(&mut pairs, now);
    let [one, other] = pairs[0].each_ref().map(keying);
    assert_eq!(one.profile, other.profile);
    assert_eq!(one.material, other.material);
    assert_ne!(one.is_client, other.is_client);
    let (ours, theirs) = (one.ours().unwrap(), other.theirs().unwrap());
    assert_eq!((ours.key, ours.salt), (theirs.key, theirs.salt));
}

#[test]
fn every_peer_of_a_thread_has_its_own() {
    let now = Instant::now();
    let mut pairs = [negotiated([1, 2], now), negotiated([3, 4], now)];
    connect(&mut pairs, now);
    let [first, second] = pairs.each_ref().map(|pair| pair.each_ref().map(keying));
    assert_eq!(first[0].material, first[1].material);
    assert_eq!(second[0].material, second[1].material);
    assert_ne!(first[0].material, second[0].material);
}

/// Of bytes that count up from 0.
fn counted(profile: SrtpProfile, length: u8, is_client: bool) -> Keying {
    Keying {
        profile,
        material: (0..length).collect(),
        is_client,
    }
}

#[test]
fn keys_stand_before_salts_and_the_clients_before_the_servers() {
    fn check(profile: SrtpProfile, (key, salt): (u8, u8)) {
        let bytes = |from: u8, length: u8| (from..from + length).collect::<Vec<_>>();
        let client = (bytes(0, key), bytes(2 * key, salt));
        let server = (bytes(key, key), bytes(2 * key + salt, salt));
        let length = 2 * (key + salt);
        for (is_client, ours, theirs) in [(true, &client, &server), (false, &server, &client)] {
            let keying = counted(profile, length, is_client);
            let (our, their) = (keying.ours().unwrap(), keying.theirs().unwrap());
            assert_eq!((our.key, our.salt), (&*ours.0, &*ours.1));
            assert_eq!((their.key, their.salt), (&*theirs.0, &*theirs.1));
        }
        for wrong in [0, length - 1, length + 1] {
            assert!(counted(profile, wrong, true).ours().is_none(), "{wrong}");
        }
    }
    check(SrtpProfile::AES128_CM_SHA1_80, (16, 14));
    check(SrtpProfile::AEAD_AES_128_GCM, (16, 12));
    check(SrtpProfile::AEAD_AES_256_GCM, (32, 12));
}

#[test]
fn keys_are_in_no_log() {
    let secret = Secret::from(counted(SrtpProfile::AEAD_AES_128_GCM, 56, true));
    assert!(secret.keying().is_some());
    assert_eq!(format!("{secret:?}"), "Secret");
}
