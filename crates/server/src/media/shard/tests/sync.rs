//! Sender reports that keep a viewer's audio and video together and tell it how
//! old they are.

use std::time::UNIX_EPOCH;

use str0m::media::SenderFeedback;

use super::*;

/// The latest report on a kind, and the ticks from it to the kind's last packet.
pub(super) fn report(client: &Client, video: bool) -> (SenderFeedback, i32) {
    let packet = client.of_kind(video).last().unwrap();
    let ssrc = packet.header.ssrc;
    let mut reports = client.reports.iter().rev();
    let report = reports.find(|r| r.sender_info.ssrc == ssrc).unwrap();
    let reported = report.sender_info.rtp_time.numer() as u32;
    let ticks = packet.header.timestamp.wrapping_sub(reported) as i32;
    (*report, ticks)
}

/// The moment, in seconds of the server's clock, that the latest report gives
/// the last packet of a kind.
pub(super) fn moment(client: &Client, video: bool) -> f64 {
    let rate = if video { 90_000.0 } else { 48_000.0 };
    let (report, ticks) = report(client, video);
    let ntp = report.sender_info.ntp_time;
    let ntp = ntp.duration_since(UNIX_EPOCH).unwrap();
    ntp.as_secs_f64() + f64::from(ticks) / rate
}

#[test]
fn audio_and_video_are_reported_on_one_clock() {
    for workers in [1, 2] {
        let mut world = World::new(workers);
        // The video of a frame is that much older than its audio. Reports
        // stamped on arrival would make it as old.
        let delay = Duration::from_millis(200);
        world.source.video_delay = delay;
        world.publish();
        let viewer = world.play();
        // The round trip is measured, and told by new reports.
        world.stream(3 * SECOND);
        for _ in 0..100 {
            world.stream(FRAME);
            let client = &world.clients[viewer];
            let older = moment(client, false) - moment(client, true);
            let off = (older - delay.as_secs_f64()).abs();
            assert!(off < 0.005, "off by {off} s");
        }
    }
}

/// What becomes of an offer on the way.
type Edit = fn(String) -> String;

/// How much later than its picture a viewer's sound is reported to be captured.
fn told_lag(edit_offers: Edit) -> f64 {
    let mut world = World::new(1);
    world.publish();
    world.edit_offers = edit_offers;
    let viewer = world.play();
    world.stream(3 * SECOND);
    let client = &world.clients[viewer];
    moment(client, false) - moment(client, true)
}

/// The offer, every m-line of which asks for this.
fn asking(offer: &str, lag: &str) -> String {
    offer.replace("a=mid:", &format!("a=sound-lag:{lag}\r\na=mid:"))
}

#[test]
fn a_viewer_may_let_its_sound_lag() {
    let table: [(Edit, f64); 4] = [
        (|offer| asking(&offer, "45"), 0.045),
        (|offer| asking(&offer, "5000"), 0.060),
        (|offer| asking(&offer, "-1"), 0.0),
        (|offer| offer, 0.0),
    ];
    for (edit_offers, granted) in table {
        let lag = told_lag(edit_offers);
        assert!((lag - granted).abs() < 0.005, "{lag} instead of {granted}");
    }
}

#[test]
fn reports_count_the_encoder_and_the_way_from_the_publisher() {
    let mut world = World::new(1);
    let delay = Duration::from_millis(40);
    world.source.video_delay = delay;
    world.publish();
    let viewer = world.play();
    world.stream(3 * SECOND);
    for _ in 0..100 {
        world.stream(FRAME);
        let captured = world.now.checked_sub(FRAME + delay).unwrap();
        // A report names the moment it was sent.
        let (report, ticks) = report(&world.clients[viewer], true);
        let sent = report.received_at.checked_sub(LATENCY).unwrap();
        let since_report = f64::from(ticks) / 90_000.0;
        let real = captured.duration_since(world.start).as_secs_f64();
        let told = sent.duration_since(world.start).as_secs_f64() + since_report;
        let off = (told - real).abs();
        assert!(off < 0.002, "off by {off} s");
    }
}
