//! What a packet on its way to viewers takes of the allocator: nothing for any of
//! them.

#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "clippy exempts test functions, but not what they share"
)]

#[path = "media/client.rs"]
#[allow(dead_code, reason = "each test program uses its part")]
mod client;
#[path = "media/rig.rs"]
#[allow(dead_code, reason = "each test program uses its part")]
mod rig;

use rig::{FRAME, ONE, PACKETS, Rig};

/// Frames from keyframe to keyframe.
const GROUP: usize = 50;

/// Allocations while a group of pictures goes to so many viewers, once everything
/// has its size.
fn allocations(viewers: usize, sockets: bool) -> u64 {
    let mut rig = Rig::new(viewers, ONE, sockets);
    let mut of_group = || {
        let frames = (0..GROUP).map(|index| {
            let mut sent = 0;
            let info = allocation_counter::measure(|| sent = rig.frame(index == 0));
            assert_eq!(sent, PACKETS * viewers);
            rig.now += FRAME;
            rig.exchange();
            info.count_total
        });
        frames.sum()
    };
    for _ in 0..3 {
        let _: u64 = of_group();
    }
    of_group()
}

#[test]
fn a_viewer_more_costs_no_allocation_a_packet() {
    for sockets in [false, true] {
        let [few, many] = [2, 20].map(|viewers| allocations(viewers, sockets));
        let packets = (GROUP * PACKETS) as u64;
        // The publisher's packet, its payload, and what it is made of here.
        assert!(few <= 4 * packets, "{few} for {packets} packets");
        assert_eq!(many, few, "sockets: {sockets}");
    }
}
