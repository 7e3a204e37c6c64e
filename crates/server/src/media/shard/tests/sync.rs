//! Sender reports that keep a viewer's audio and video together.

use std::time::UNIX_EPOCH;

use super::*;

/// The moment, in seconds of the server's clock, that the latest report gives
/// the last packet of a kind.
fn moment(client: &Client, video: bool) -> f64 {
    let rate = if video { 90_000.0 } else { 48_000.0 };
    let packet = client.of_kind(video).last().unwrap();
    let mut reports = client.reports.iter().rev();
    let report = reports.find(|r| r.ssrc == packet.header.ssrc).unwrap();
    let reported = report.rtp_time.numer() as u32;
    let ticks = packet.header.timestamp.wrapping_sub(reported) as i32;
    let ntp = report.ntp_time.duration_since(UNIX_EPOCH).unwrap();
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
        world.stream(2 * SECOND);
        for _ in 0..100 {
            world.stream(FRAME);
            let client = &world.clients[viewer];
            let older = moment(client, false) - moment(client, true);
            let off = (older - delay.as_secs_f64()).abs();
            assert!(off < 0.005, "off by {off} s");
        }
    }
}
