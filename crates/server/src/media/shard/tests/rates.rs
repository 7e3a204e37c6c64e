//! What publishers and players are told of their video.

use super::*;
use crate::core::backend::VideoRate;

impl World {
    /// When each rate of a peer was told, and the rate.
    pub(super) fn rates(&self, of: PeerId) -> Vec<(Instant, VideoRate)> {
        let rates = self.events.iter().filter_map(|(at, event)| match event {
            Event::Rate { peer, rate } if *peer == of => Some((*at, *rate)),
            _ => None,
        });
        rates.collect()
    }

    fn flowing_since(&self, of: PeerId) -> Instant {
        let mut events = self.events.iter();
        let flowing = events.find(|(_, event)| *event == Event::Flowing { peer: of });
        flowing.unwrap().0
    }
}

/// Payload bits a second of what the publisher sends.
const PAYLOAD_BPS: u64 = 11 * 8 * 1000 / FRAME.as_millis() as u64;

#[test]
fn both_ends_are_told_once_a_second_from_the_first_packet_on() {
    for workers in [1, 2] {
        let mut world = World::new(workers);
        world.publish();
        world.play();
        world.stream(10 * SECOND);
        for peer in [PUBLISHER, VIEWER] {
            let rates = world.rates(peer);
            assert!((9..=12).contains(&rates.len()), "{}", rates.len());
            assert!(rates[0].0 >= world.flowing_since(peer));
            for pair in rates.windows(2) {
                let between = pair[1].0.duration_since(pair[0].0);
                assert!(between.abs_diff(SECOND) <= FRAME, "{between:?}");
            }
            for (_, rate) in &rates[1..] {
                let off = rate.bitrate_bps.abs_diff(PAYLOAD_BPS);
                assert!(off <= PAYLOAD_BPS / 10, "{} bit/s", rate.bitrate_bps);
                assert!((29.0..=31.0).contains(&rate.fps), "{} fps", rate.fps);
            }
        }
    }
}

#[test]
fn a_publisher_that_pauses_has_a_rate_of_zero() {
    let mut world = World::new(1);
    world.publish();
    world.stream(2 * SECOND);
    world.run_for(3 * SECOND);
    let (_, last) = *world.rates(PUBLISHER).last().unwrap();
    assert_eq!((last.bitrate_bps, last.fps), (0, 0.0));
}

#[test]
fn what_is_lost_and_asked_for_is_counted() {
    let mut world = World::new(1);
    world.publish();
    let viewer = world.play();
    // Every fifth packet to the viewer, retransmissions too.
    world.lose(viewer, is_rtp, |count| count % 5 == 0);
    world.stream(5 * SECOND);
    let (_, sent) = *world.rates(VIEWER).last().unwrap();
    assert!(sent.nacks > 0);
    assert!(sent.plis <= 1);
    let (_, received) = *world.rates(PUBLISHER).last().unwrap();
    assert_eq!((received.nacks, received.lost_packets), (0, 0));
    // The network is gone for a while; all of it is asked for and comes.
    world.network.losses.clear();
    world.lose(0, is_rtp, |count| count < 60);
    world.stream(10 * SECOND);
    let (_, received) = *world.rates(PUBLISHER).last().unwrap();
    assert!(received.nacks > 0);
    assert_eq!(received.lost_packets, 0);
}

#[test]
fn an_interval_of_zero_is_off() {
    let mut world = World::with(
        1,
        Config {
            rate_interval: Duration::ZERO,
            ..Config::default()
        },
    );
    world.publish();
    world.play();
    world.stream(3 * SECOND);
    assert_eq!(world.rates(PUBLISHER), []);
    assert_eq!(world.rates(VIEWER), []);
}
