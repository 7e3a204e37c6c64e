//! Viewers that take nothing, or ask for too much.

use std::collections::HashSet;

use super::loss::PLAIN_TYPES;
use super::*;
use crate::counters::Reason;

/// Another viewer of the same.
const OTHER: PeerId = PeerId(11);

/// Packets of each frame here, and their size: 2.7 Mbit/s.
const PACKETS: u64 = 10;
const PACKET_BYTES: usize = 1_100;

impl World {
    /// Adds another player of the publisher, connected; its index.
    fn play_another(&mut self, types: PayloadTypes) -> usize {
        let source = PUBLISHER;
        let index = self.open_with(OTHER, Role::Player { source }, types, &[]);
        self.stream(SECOND);
        assert!(self.has_seen(&Event::Flowing { peer: OTHER }));
        index
    }

    /// Lets the publisher send frames of many packets.
    fn stream_much(&mut self, span: Duration) {
        let until = self.now + span;
        while self.now < until {
            for _ in 1..PACKETS {
                let mut payload = payload(H264, false, 0, self.source.sequence);
                payload.resize(PACKET_BYTES, 7);
                let (now, numbers) = (self.now, (self.source.sequence, self.source.time));
                self.clients[0].write(Some(H264), numbers, now, &payload, now);
                self.source.sent.push((self.source.sequence, now));
                self.source.sequence += 1;
            }
            self.send_frame();
            self.run_for(FRAME);
        }
    }

    /// What waits in the server to be sent to a player, bytes of video.
    pub(super) fn waiting(&mut self, peer: PeerId) -> usize {
        let Some(Peer::Player(player)) = self.shards[0].peers.get_mut(&peer) else {
            return 0;
        };
        // What is not str0m's to send never waits.
        if player.link.path().is_some() {
            return 0;
        }
        let mut api = player.link.rtc.direct_api();
        let mids = self.clients.iter().map(|client| client.video);
        let waiting = mids.filter_map(|mid| {
            let info = api.stream_tx_by_mid(mid, None)?.queue_info()?;
            let age = self.now - info.created_at();
            assert!(age <= SECOND, "it was measured {age:?} ago");
            Some(info.byte_size())
        });
        waiting.max().expect("it is measured")
    }

    /// Every packet since the `first` came to a viewer as soon as it can.
    fn assert_on_time(&self, viewer: usize, first: usize) {
        let received = &self.received(viewer)[first..];
        assert!(received.len() > 1_000);
        for (sent, came) in received {
            let (at, _) = came.expect("it comes");
            assert_eq!(at - *sent, 2 * LATENCY);
        }
    }
}

#[test]
fn a_viewer_that_takes_nothing_is_no_burden() {
    // All of its link, or all but its checks, which keep it alive.
    let lost: [fn(&[u8]) -> bool; 2] = [|_| true, |datagram| datagram[0] >= 128];
    for (lost, ends) in lost.into_iter().zip([1, 0]) {
        let mut world = World::new(1);
        world.publish();
        let viewer = world.play();
        let other = world.play_another(VIEWER_TYPES);
        world.lose(other, lost, |_| true);
        let first = world.source.sent.len();
        for _ in 0..60 {
            world.stream_much(SECOND);
            let waiting = world.waiting(OTHER);
            assert!(waiting <= PACKETS as usize * PACKET_BYTES, "{waiting}");
        }
        world.assert_on_time(viewer, first);
        let ended = world.ends(OTHER, world.start);
        assert_eq!(ended.len(), ends, "{ended:?}");
        assert_eq!(world.ends(VIEWER, world.start), []);
    }
}

/// What may be sent again at once, bytes, on top of what goes out for the first
/// time.
const AGAIN_AT_ONCE: usize = 1 << 20;

/// str0m takes one report many times, so anybody on the way can have a NACK
/// answered many times.
#[test]
fn nacks_without_end_are_answered_with_as_much_as_went_out_before() {
    for (types, rtx) in [(VIEWER_TYPES, Some(127)), (PLAIN_TYPES, None)] {
        let mut world = World::new(1);
        world.publish();
        let viewer = world.play();
        let other = world.play_another(types);
        world.ask_without_rtx(other);
        world.lose(other, is_rtp, |n| n % 2 == 0);
        world.network.tapped = Some(client_address(other));
        let first = world.source.sent.len();
        let (mut known, mut once, mut again) = (HashSet::new(), 0, 0);
        let start = world.now;
        while world.now < start + 10 * SECOND {
            world.stream_much(FRAME);
            for Datagram {
                source, contents, ..
            } in std::mem::take(&mut world.network.tape)
            {
                let is_report = contents[0] >= 128 && !is_rtp(&contents);
                if source == client_address(other) && is_report {
                    for _ in 0..100 {
                        world.inject(source, &contents);
                    }
                } else if is_rtp(&contents) {
                    // Type, number and SSRC.
                    let place = (
                        contents[1] & 0x7f,
                        contents[2..4].to_vec(),
                        contents[8..12].to_vec(),
                    );
                    let is_again = Some(place.0) == rtx || !known.insert(place);
                    *(if is_again { &mut again } else { &mut once }) += contents.len();
                }
            }
        }
        assert!(again <= once + AGAIN_AT_ONCE, "{again} again, {once} once");
        assert!(world.counted(Reason::TooManyReports) > 1_000);
        world.assert_on_time(viewer, first);
        assert_eq!(world.ends(OTHER, world.start), []);
    }
}
