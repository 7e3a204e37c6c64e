//! What a viewer that is still connecting will be shown first.
//!
//! The publisher is asked for a keyframe as soon as a viewer comes, not once it
//! is connected: the two take about as long, and the keyframe that comes first
//! is kept with what follows it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::codec::Kind;
use super::packet::MediaPacket;

/// How long ago the keyframe may have come. A viewer who takes longer to
/// connect does better with a new one than with all that came since, sent at
/// once.
const MAX_AGE: Duration = Duration::from_millis(500);

/// Most packets kept: half a second of 8 Mbit/s.
const MAX_PACKETS: usize = 512;

/// Video from its latest keyframe on.
#[derive(Debug, Default)]
pub(super) struct HeadStart {
    packets: Vec<Arc<MediaPacket>>,
    since: Option<Instant>,
}

impl HeadStart {
    /// Keeps a packet if it is part of what can be shown. True if a keyframe
    /// starts with it.
    pub(super) fn keep(&mut self, packet: &Arc<MediaPacket>, now: Instant) -> bool {
        if packet.kind != Kind::Video {
            return false;
        }
        let starts = packet.starts_keyframe && !self.continues(packet);
        if starts || self.packets.len() == MAX_PACKETS {
            self.packets.clear();
        }
        if starts {
            self.since = Some(now);
        }
        if starts || !self.packets.is_empty() {
            self.packets.push(packet.clone());
        }
        starts
    }

    /// Everything kept; nothing if that is no longer of use.
    pub(super) fn take(&mut self, now: Instant) -> Vec<Arc<MediaPacket>> {
        let packets = std::mem::take(&mut self.packets);
        match self.since {
            Some(since) if now.saturating_duration_since(since) <= MAX_AGE => packets,
            Some(_) | None => Vec::new(),
        }
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

    #[test]
    fn the_latest_keyframe_is_first() {
        let now = Instant::now();
        let mut head = HeadStart::default();
        // Starts a keyframe, kind, frame; keyframe begins, frames kept.
        let table: &[(bool, Kind, u32, bool, &[u32])] = &[
            (false, Kind::Video, 1, false, &[]),
            (true, Kind::Video, 2, true, &[2]),
            (true, Kind::Video, 2, false, &[2, 2]),
            (false, Kind::Audio, 2, false, &[2, 2]),
            (false, Kind::Video, 3, false, &[2, 2, 3]),
            (true, Kind::Video, 4, true, &[4]),
            (false, Kind::Video, 5, false, &[4, 5]),
        ];
        for (starts, kind, frame, expected, kept) in table {
            let began = head.keep(&packet(*starts, *kind, *frame, now), now);
            let frames: Vec<_> = head.packets.iter().map(|p| p.position.timestamp).collect();
            assert_eq!((began, &*frames), (*expected, *kept), "frame {frame}");
        }
        assert_eq!(head.take(now).len(), 2);
        assert!(head.take(now).is_empty(), "taken once");
    }

    #[test]
    fn what_is_old_is_not_shown() {
        let now = Instant::now();
        for (age, kept) in [(MAX_AGE, 1), (MAX_AGE + Duration::from_millis(1), 0)] {
            let mut head = HeadStart::default();
            head.keep(&packet(true, Kind::Video, 1, now), now);
            assert_eq!(head.take(now + age).len(), kept, "{age:?}");
        }
    }

    #[test]
    fn too_much_is_given_up_until_the_next_keyframe() {
        let now = Instant::now();
        let mut head = HeadStart::default();
        head.keep(&packet(true, Kind::Video, 0, now), now);
        for frame in 1..MAX_PACKETS as u32 {
            head.keep(&packet(false, Kind::Video, frame, now), now);
        }
        assert_eq!(head.packets.len(), MAX_PACKETS);
        head.keep(&packet(false, Kind::Video, 1_000, now), now);
        head.keep(&packet(false, Kind::Video, 1_001, now), now);
        assert!(head.packets.is_empty());
        assert!(head.keep(&packet(true, Kind::Video, 1_002, now), now));
        assert_eq!(head.take(now).len(), 1);
    }
}
