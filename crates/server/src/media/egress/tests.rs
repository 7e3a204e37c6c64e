//! What goes out, as it is on the wire.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use srtp_keys::Keying;
use str0m::crypto::dtls::SrtpProfile;
use str0m::net::Protocol;
use str0m::rtp::rtcp::{NackEntry, ReceiverReport};

use super::*;
use crate::media::packet::tests::video;
use crate::media::picture::Shift;
use crate::media::rtp_header::{RtpHeader, payload_type};
use crate::media::sends::Run;

const SSRC: u32 = 7;
const REPAIR_SSRC: u32 = 8;
const PT: u8 = 102;
const RTX: u8 = 103;
const AGE: Duration = Duration::from_secs(1);

fn path() -> Path {
    Path {
        protocol: Protocol::Udp,
        local: SocketAddr::from(([127, 0, 0, 1], 1)),
        remote: SocketAddr::from(([127, 0, 0, 1], 2)),
    }
}

struct Fixture {
    egress: Egress,
    sends: Sends,
    start: Instant,
}

impl Fixture {
    fn new(rtx: Option<u8>) -> Self {
        let secret = Secret::from(Keying {
            profile: SrtpProfile::AEAD_AES_128_GCM,
            material: vec![1; 56].into(),
            is_client: false,
        });
        let track = TrackConfig {
            kind: Kind::Video,
            mid: "v".into(),
            ssrc: SSRC,
            repair_ssrc: rtx.map(|_| REPAIR_SSRC),
            formats: vec![Format {
                pt: PT,
                rtx,
                nack: true,
            }],
            extensions: Vec::new(),
            playout_delay: None,
            lag: Duration::ZERO,
        };
        let start = Instant::now();
        let clock = WallClock::new(start, SystemTime::now());
        let mut egress = Egress::new(secret, [track], "name", clock, (100, AGE));
        assert!(egress.start(Some(Duration::from_millis(20))));
        Self {
            egress,
            sends: Sends::default(),
            start,
        }
    }

    fn at(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }

    /// Writes packets of these numbers, and sends them.
    fn write(&mut self, numbers: impl IntoIterator<Item = u64>, ms: u64) -> Vec<Vec<u8>> {
        for sequence in numbers {
            let packet = Outgoing {
                packet: Arc::new(video(0, 100)),
                pt: PT,
                sequence,
                timestamp: sequence as u32 * 90,
                pictures: Shift::default(),
                captured: self.at(ms),
            };
            self.egress.write(0, packet);
        }
        self.flush(ms)
    }

    /// What goes out, without reports.
    fn flush(&mut self, ms: u64) -> Vec<Vec<u8>> {
        let now = self.at(ms);
        self.egress.flush(Some(path()), now, &mut self.sends);
        let packets = self.sends.runs().flat_map(Run::packets);
        let rtp = packets.filter(|packet| payload_type(packet).is_some());
        let rtp = rtp.map(<[u8]>::to_vec).collect();
        self.sends.clear();
        rtp
    }

    fn ask(&mut self, pid: u16, blp: u16, ms: u64) -> Vec<Vec<u8>> {
        let nack = Nack {
            sender_ssrc: 1.into(),
            ssrc: SSRC.into(),
            reports: NackEntry { pid, blp }.into(),
        };
        let now = self.at(ms);
        self.egress.handle_rtcp(&Rtcp::Nack(nack), now);
        self.flush(ms)
    }
}

/// Type, SSRC and number of each.
fn told(packets: &[Vec<u8>]) -> Vec<(u8, u32, u16)> {
    let headers = packets.iter().map(|p| RtpHeader::parse(p).unwrap());
    headers.map(|h| (h.pt, h.ssrc, h.sequence)).collect()
}

#[test]
fn a_number_is_never_used_for_two_packets() {
    let mut f = Fixture::new(Some(RTX));
    let first = f.write([65_534, 65_535, 65_536], 0);
    let expected = [65_534, 65_535, 0].map(|number| (PT, SSRC, number));
    assert_eq!(told(&first), expected);
    assert_eq!(f.write([65_535, 65_536], 40).len(), 0);
    assert_eq!(told(&f.write([65_533, 65_537], 80)).len(), 2);
}

#[test]
fn what_is_asked_for_goes_out_under_numbers_of_its_own() {
    let mut f = Fixture::new(Some(RTX));
    f.write(65_530..65_540, 0);
    let again = f.ask(65_534, 0b11, 10);
    let expected = [1, 2, 3].map(|number| (RTX, REPAIR_SSRC, number));
    assert_eq!(told(&again), expected);
    // Two bytes say which one it was (RFC 4588 section 4).
    assert_eq!(again[0].len(), 12 + 2 + 100 + 16);
    assert_eq!(f.ask(65_534, 0b11, 15).len(), 0, "they are on their way");
    let later = f.ask(65_534, 0, 30);
    assert_eq!(told(&later), [(RTX, REPAIR_SSRC, 4)]);
    assert_eq!(f.ask(5_000, 0, 30).len(), 0);
    assert_eq!(f.ask(65_534, 0, 2_000).len(), 0, "it is of no more use");
}

#[test]
fn without_rtx_the_same_datagram_goes_out_again() {
    let mut f = Fixture::new(None);
    let first = f.write([10, 11], 0);
    assert_eq!(f.ask(11, 0, 10), first[1..]);
    f.write([12], 500);
    assert_eq!(f.ask(10, 0b1, 600), Vec::<Vec<u8>>::new());
    f.egress.forget();
    assert_eq!(f.ask(12, 0, 610), Vec::<Vec<u8>>::new());
}

#[test]
fn no_more_goes_out_again_than_went_out() {
    let mut f = Fixture::new(Some(RTX));
    f.write([1], 0);
    let mut bytes = 0;
    for round in 1..20_000 {
        f.write([1 + round], round * 20);
        let packets = f.ask((1 + round) as u16, 0, round * 20);
        bytes += packets.iter().map(Vec::len).sum::<usize>();
        for again in 0..8 {
            let packets = f.ask((1 + round) as u16, 0, round * 20 + 11 + again);
            bytes += packets.iter().map(Vec::len).sum::<usize>();
        }
    }
    let first = 20_000 * 100;
    assert!(bytes > first, "{bytes}");
    assert!(bytes <= first + (1 << 20), "{bytes}");
}

/// The first report comes with the first packet, the others once a second.
#[test]
fn a_sender_report_says_what_was_sent_and_when() {
    let mut f = Fixture::new(Some(RTX));
    assert_eq!(f.egress.deadline(), None);
    f.write([1, 2], 0);
    assert_eq!(f.egress.deadline(), Some(f.at(1_000)));
    f.write([3], 500);
    f.ask(3, 0, 600);
    let report = f.egress.tracks[0]
        .report(&f.egress.clock, f.at(1_000))
        .unwrap();
    assert_eq!((report.packets, report.bytes), (3, 300));
    // Captured half a second ago at 90 kHz.
    assert_eq!(report.rtp, 3 * 90 + 45_000);
    assert_eq!(report.ntp, f.egress.clock.ntp(f.at(1_000)));
    let sent = |f: &mut Fixture, ms| {
        let before = f.egress.deadline();
        f.flush(ms);
        f.egress.deadline() != before
    };
    assert!(!sent(&mut f, 999));
    assert!(sent(&mut f, 1_000));
}

/// Until it has, it may not know whose packets they are.
#[test]
fn a_viewer_that_reports_on_a_stream_knows_it() {
    let mut f = Fixture::new(Some(RTX));
    f.egress.tracks[0].add_mid(4);
    let long = f.write([1], 0)[0].len();
    let report = ReceptionReport {
        ssrc: SSRC.into(),
        fraction_lost: 0,
        packets_lost: 0,
        max_seq: 1,
        jitter: 0,
        last_sr_time: 0,
        last_sr_delay: 0,
    };
    let report = Rtcp::ReceiverReport(ReceiverReport {
        sender_ssrc: 1.into(),
        reports: report.into(),
    });
    let now = f.at(10);
    f.egress.handle_rtcp(&report, now);
    assert_eq!(f.write([2], 20)[0].len() + 8, long);
}

#[test]
fn nothing_goes_out_without_keys_or_a_way() {
    let mut f = Fixture::new(Some(RTX));
    let packet = Outgoing {
        packet: Arc::new(video(0, 100)),
        pt: PT,
        sequence: 1,
        timestamp: 0,
        pictures: Shift::default(),
        captured: f.start,
    };
    f.egress.write(0, packet);
    let now = f.at(1);
    f.egress.flush(None, now, &mut f.sends);
    assert_eq!(f.sends.len(), 0);
    assert!(f.egress.close(path()).is_none(), "nothing was sent");
    assert_eq!(f.write([2], 2).len(), 0, "it is over");
}

#[test]
fn what_was_sent_is_said_to_be_over() {
    let mut f = Fixture::new(Some(RTX));
    f.write([1], 0);
    let goodbye = f.egress.close(path()).unwrap();
    assert_eq!(goodbye.contents[..8], [0x81, 203, 0, 1, 0, 0, 0, 7]);
    assert!(f.egress.close(path()).is_none());
}
