//! A publisher whose clock is set while it sends.

use std::cell::Cell;

use str0m::crypto::{
    AeadAes256GcmCipher, CryptoError, CryptoProvider, SrtpProvider, SupportedAeadAes128Gcm,
    SupportedAeadAes256Gcm, SupportedAes128CmSha1_80,
};

use super::sync::report;
use super::*;

thread_local! {
    /// How far the publisher's clock is off, seconds. Each test has a thread.
    static OFF_S: Cell<i32> = const { Cell::new(0) };
    /// Sender reports that went out with it.
    static REPORTS: Cell<u32> = const { Cell::new(0) };
}

/// Sets the clock in the sender reports among RTCP packets.
fn set_clock(packets: &mut [u8]) {
    let mut rest = packets;
    while let [_, kind, high, low, ..] = *rest {
        let length = 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
        let (packet, others) = rest.split_at_mut(length);
        // RFC 3550 section 6.4.1: after the SSRC, the seconds of the NTP time.
        if kind == 200 {
            let seconds = u32::from_be_bytes(packet[8..12].try_into().unwrap());
            let seconds = seconds.wrapping_add_signed(OFF_S.get());
            packet[8..12].copy_from_slice(&seconds.to_be_bytes());
            REPORTS.set(REPORTS.get() + 1);
        }
        rest = others;
    }
}

/// Encrypts a client's packets, with the clock in its sender reports off: str0m
/// has no other way to send what it did not think of itself.
#[derive(Debug)]
struct Tampering;

#[derive(Debug)]
struct Tampered(Box<dyn AeadAes256GcmCipher>);

fn honest() -> &'static dyn SrtpProvider {
    from_feature_flags().srtp_provider
}

impl SrtpProvider for Tampering {
    fn aes_128_cm_sha1_80(&self) -> &'static dyn SupportedAes128CmSha1_80 {
        honest().aes_128_cm_sha1_80()
    }

    fn aead_aes_256_gcm(&self) -> &'static dyn SupportedAeadAes256Gcm {
        &Self
    }

    fn aead_aes_128_gcm(&self) -> &'static dyn SupportedAeadAes128Gcm {
        honest().aead_aes_128_gcm()
    }

    fn srtp_aes_128_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        honest().srtp_aes_128_ecb_round(key, input, output);
    }

    fn srtp_aes_256_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        honest().srtp_aes_256_ecb_round(key, input, output);
    }
}

impl SupportedAeadAes256Gcm for Tampering {
    fn create_cipher(&self, key: [u8; 32], encrypt: bool) -> Box<dyn AeadAes256GcmCipher> {
        let cipher = honest().aead_aes_256_gcm().create_cipher(key, encrypt);
        Box::new(Tampered(cipher))
    }
}

impl AeadAes256GcmCipher for Tampered {
    fn encrypt(
        &mut self,
        iv: &[u8; 12],
        aad: &[u8],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), CryptoError> {
        // What it has of RTCP begins after the first SSRC (RFC 7714 section 9.1).
        // With other types it is RTP (RFC 5761 section 4).
        if !(192..=223).contains(&aad[1]) {
            return self.0.encrypt(iv, aad, input, output);
        }
        let mut packets = [&aad[..8], input].concat();
        set_clock(&mut packets);
        self.0.encrypt(iv, aad, &packets[8..], output)
    }

    fn decrypt(
        &mut self,
        iv: &[u8; 12],
        aads: &[&[u8]],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<usize, CryptoError> {
        self.0.decrypt(iv, aads, input, output)
    }
}

/// How much later than it was the latest report puts the last packet of a kind,
/// seconds.
fn error(world: &World, viewer: usize, video: bool) -> f64 {
    let (delay, rate) = if video {
        (world.source.video_delay, 90_000.0)
    } else {
        (Duration::ZERO, 48_000.0)
    };
    let (report, ticks) = report(&world.clients[viewer], video);
    // A report names the moment it was sent.
    let sent = report.received_at.checked_sub(LATENCY).unwrap();
    let told = (sent - world.start).as_secs_f64() + f64::from(ticks) / rate;
    let captured = world.now.checked_sub(FRAME + delay).unwrap();
    told - (captured - world.start).as_secs_f64()
}

/// Fails if the RTP time of a kind does not go on by a frame each time.
fn assert_even(client: &Client, video: bool, since: Instant) {
    let ticks = FRAME.as_millis() as u32 * if video { 90 } else { 48 };
    let packets = client.of_kind(video).filter(|p| p.timestamp >= since);
    let times: Vec<_> = packets.map(|p| p.header.timestamp).collect();
    assert!(times.len() > 800, "{}", times.len());
    for pair in times.windows(2) {
        assert_eq!(pair[1].wrapping_sub(pair[0]), ticks, "{pair:?}");
    }
}

/// Fails if the clock of the reports of a kind is not the server's all along.
fn assert_one_clock(client: &Client, video: bool) {
    let ssrc = client.of_kind(video).next().unwrap().header.ssrc;
    let reports = client.reports.iter();
    let reports: Vec<_> = reports.filter(|r| r.sender_info.ssrc == ssrc).collect();
    assert!(reports.len() > 10);
    for pair in reports.windows(2) {
        let [before, after] = [pair[0], pair[1]];
        let passed = after.received_at - before.received_at;
        let told = after.sender_info.ntp_time;
        let told = told.duration_since(before.sender_info.ntp_time).unwrap();
        assert!(told.abs_diff(passed) < Duration::from_millis(1), "{pair:?}");
    }
}

#[test]
fn a_publisher_whose_clock_is_set_goes_on_for_its_viewers() {
    let mut world = World::new(1);
    world.source.video_delay = Duration::from_millis(200);
    world.crypto = Some(CryptoProvider {
        srtp_provider: &Tampering,
        ..from_feature_flags()
    });
    world.publish();
    world.crypto = None;
    let viewer = world.play();
    world.stream(3 * SECOND);
    let settled = world.now;
    for off_s in [3_600, -3_600, 0] {
        OFF_S.set(off_s);
        REPORTS.set(0);
        let set = world.now;
        while world.now < set + 10 * SECOND {
            world.stream(FRAME);
            let [sound, picture] = [false, true].map(|video| error(&world, viewer, video));
            // Until it reports again, its packets count from when they came.
            let at_most = world.source.video_delay.as_secs_f64() + 0.01;
            assert!((-0.005..0.01).contains(&sound), "{off_s}: {sound}");
            assert!((-0.005..at_most).contains(&picture), "{off_s}: {picture}");
            if world.now >= set + 3 * SECOND {
                assert!(sound.abs().max(picture.abs()) < 0.005, "{off_s}: {picture}");
            }
        }
        assert!(REPORTS.get() > 100, "{}", REPORTS.get());
    }
    let client = &world.clients[viewer];
    for video in [false, true] {
        assert_contiguous(&client.numbers(video));
        assert_even(client, video, settled);
        assert_one_clock(client, video);
    }
    assert_eq!(world.ends(PUBLISHER, world.start), []);
    assert_eq!(world.ends(VIEWER, world.start), []);
}
