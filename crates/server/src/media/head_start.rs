//! What a source's viewers are shown first.
//!
//! The publisher is asked for a keyframe as soon as a viewer comes, not once it
//! is connected: the two take about as long, and the keyframe that comes first
//! is kept with what follows it. So is one that other viewers have just had.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::codec::Kind;
use super::packet::MediaPacket;

/// How long ago the keyframe may have come. Past it, a viewer does better with
/// a new one than with all that came since, sent at once.
const MAX_AGE: Duration = Duration::from_millis(500);

/// Most packets kept: half a second of 8 Mbit/s.
const MAX_PACKETS: usize = 512;

/// A source's video from its latest keyframe on, if that is recent.
#[derive(Debug, Default)]
pub(super) struct HeadStart {
    packets: Vec<Arc<MediaPacket>>,
    since: Option<Instant>,
}

impl HeadStart {
    /// Keeps a packet if it is part of what can be shown.
    pub(super) fn keep(&mut self, packet: &Arc<MediaPacket>, now: Instant) {
        if packet.kind != Kind::Video {
            return;
        }
        let starts = packet.starts_keyframe && !self.continues(packet);
        if starts || self.is_old(now) || self.packets.len() == MAX_PACKETS {
            self.packets.clear();
        }
        if starts {
            self.since = Some(now);
        }
        if starts || !self.packets.is_empty() {
            self.packets.push(packet.clone());
        }
    }

    /// What is kept; nothing if that is no longer of use.
    pub(super) fn packets(&self, now: Instant) -> &[Arc<MediaPacket>] {
        if self.is_old(now) { &[] } else { &self.packets }
    }

    fn is_old(&self, now: Instant) -> bool {
        self.since
            .is_none_or(|since| now.saturating_duration_since(since) > MAX_AGE)
    }

    /// The packet is one more of the frame that was kept first: a codec's
    /// headers may come in several.
    fn continues(&self, packet: &MediaPacket) -> bool {
        self.packets.first().is_some_and(|first| {
            let (first, this) = (&first.position, &packet.position);
            (first.epoch, first.timestamp) == (this.epoch, this.timestamp)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::codec::Codec;
    use crate::media::rewrite::Position;
    use str0m::rtp::ExtensionValues;

    /// A keyframe's first packet, or another packet, of a frame.
    fn packet(starts_keyframe: bool, kind: Kind, frame: u32, now: Instant) -> Arc<MediaPacket> {
        Arc::new(MediaPacket {
            kind,
            codec: Codec::H264,
            layer: 0,
            pt: 102,
            position: Position {
                epoch: 0,
                sequence: frame.into(),
                timestamp: frame,
                captured: now,
            },
            marker: false,
            starts_keyframe,
            extensions: ExtensionValues::default(),
            payload: Arc::from([]),
        })
    }

    fn check(head: &HeadStart, frames: &[u32], now: Instant) {
        let kept = head.packets(now).iter();
        assert_eq!(
            kept.map(|p| p.position.timestamp).collect::<Vec<_>>(),
            frames
        );
    }

    #[test]
    fn the_latest_keyframe_is_first() {
        let now = Instant::now();
        let mut head = HeadStart::default();
        // Starts a keyframe, kind, frame; frames kept.
        let table: &[(bool, Kind, u32, &[u32])] = &[
            (false, Kind::Video, 1, &[]),
            (true, Kind::Video, 2, &[2]),
            (true, Kind::Video, 2, &[2, 2]),
            (false, Kind::Audio, 2, &[2, 2]),
            (false, Kind::Video, 3, &[2, 2, 3]),
            (true, Kind::Video, 4, &[4]),
            (false, Kind::Video, 5, &[4, 5]),
        ];
        for (starts, kind, frame, kept) in table {
            head.keep(&packet(*starts, *kind, *frame, now), now);
            check(&head, kept, now);
        }
    }

    #[test]
    fn what_is_old_is_not_shown() {
        let now = Instant::now();
        let late = now + MAX_AGE + Duration::from_millis(1);
        let mut head = HeadStart::default();
        head.keep(&packet(true, Kind::Video, 1, now), now);
        check(&head, &[1], now + MAX_AGE);
        check(&head, &[], late);
        head.keep(&packet(false, Kind::Video, 2, late), late);
        assert!(head.packets.is_empty(), "kept for nothing");
        head.keep(&packet(true, Kind::Video, 3, late), late);
        check(&head, &[3], late);
    }

    #[test]
    fn too_much_is_given_up_until_the_next_keyframe() {
        let now = Instant::now();
        let mut head = HeadStart::default();
        head.keep(&packet(true, Kind::Video, 0, now), now);
        for frame in 1..MAX_PACKETS as u32 {
            head.keep(&packet(false, Kind::Video, frame, now), now);
        }
        assert_eq!(head.packets(now).len(), MAX_PACKETS);
        head.keep(&packet(false, Kind::Video, 1_000, now), now);
        head.keep(&packet(false, Kind::Video, 1_001, now), now);
        check(&head, &[], now);
        head.keep(&packet(true, Kind::Video, 1_002, now), now);
        check(&head, &[1_002], now);
    }
}
