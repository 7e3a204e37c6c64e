//! What a source's viewers are shown first: its latest keyframe and everything
//! since, of each of its layers, kept where the publisher is and where its
//! players are.
//!
//! The publisher is asked for a keyframe as soon as a viewer comes, not once it
//! is connected: the two take about as long, and the keyframe that comes first
//! is kept with what follows it. A publisher that does not answer, as many
//! encoders do not, has at least its last keyframe here.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::codec::Kind;
use super::config::Config;
use super::layers::MAX_LAYERS;
use super::packet::MediaPacket;

/// How long after its keyframe a group is given up: past what encoders leave
/// between two (250 frames, where nothing else is said), and past what a viewer
/// can be expected to decode in one go.
const MAX_AGE: Duration = Duration::from_secs(12);

/// A source's video from its latest keyframes on.
#[derive(Debug, Clone, Default)]
pub(super) struct HeadStart {
    /// One a layer, by its number.
    groups: Vec<Group>,
    max_packets: usize,
    max_bytes: usize,
}

/// A keyframe and what came since, in the publisher's order, or nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    packets: Vec<Arc<MediaPacket>>,
    bytes: usize,
    /// When the last packet came.
    arrival: Option<Instant>,
}

impl HeadStart {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            groups: Vec::new(),
            max_packets: config.group_packets,
            max_bytes: config.group_bytes,
        }
    }

    /// Keeps a packet if it is part of what can be shown.
    pub(super) fn keep(&mut self, packet: &Arc<MediaPacket>, now: Instant) {
        let layer = usize::from(packet.layer);
        if packet.kind != Kind::Video || layer >= MAX_LAYERS {
            return;
        }
        if self.groups.len() <= layer {
            self.groups.resize_with(layer + 1, Group::default);
        }
        let group = &mut self.groups[layer];
        group.keep(packet, now);
        if group.packets.len() > self.max_packets || group.bytes > self.max_bytes {
            *group = Group::default();
        }
    }

    /// The group of the layer that is liked best among those that there is
    /// something of.
    pub(super) fn best(&self, liking: impl Fn(u8) -> Option<u8>) -> Option<&Group> {
        let groups = self.groups.iter().zip(0..);
        groups
            .filter(|(group, _)| !group.packets.is_empty())
            .filter_map(|(group, layer)| Some((liking(layer)?, group)))
            .max_by_key(|(liking, _)| *liking)
            .map(|(_, group)| group)
    }
}

impl Group {
    /// Its packets, the keyframe's first.
    pub(super) fn packets(&self) -> &[Arc<MediaPacket>] {
        &self.packets
    }

    /// When the last packet came; `None` if there is none.
    pub(super) fn arrival(&self) -> Option<Instant> {
        self.arrival
    }

    /// The packets of the keyframe, if none is missing.
    pub(super) fn keyframe(&self) -> Option<&[Arc<MediaPacket>]> {
        let first = self.packets.first()?.position;
        let of_frame = |p: &&Arc<MediaPacket>| p.position.timestamp == first.timestamp;
        let length = self.packets.iter().take_while(of_frame).count();
        let (frame, rest) = self.packets.split_at(length);
        let last = frame.last()?;
        let sequence = last.position.sequence;
        let follows = |p: &Arc<MediaPacket>| p.position.sequence == sequence + 1;
        let ends = last.marker || rest.first().is_some_and(follows);
        let whole = sequence - first.sequence + 1 == length as u64;
        (ends && whole).then_some(frame)
    }

    fn keep(&mut self, packet: &Arc<MediaPacket>, now: Instant) {
        let at = packet.position;
        let Some(first) = self.packets.first().map(|first| first.position) else {
            if packet.starts_keyframe {
                self.insert(packet, now);
            }
            return;
        };
        let old = first.epoch == at.epoch && at.sequence < first.sequence;
        // One more packet of the same frame: a codec's headers may come in several.
        let continues = (first.epoch, first.timestamp) == (at.epoch, at.timestamp);
        let outlived = at.captured.saturating_duration_since(first.captured) > MAX_AGE;
        if packet.starts_keyframe && continues {
            self.insert(packet, now);
        } else if old {
            // Of what was given up for the keyframe.
        } else if packet.starts_keyframe {
            self.start_at(packet, now);
        } else if first.epoch != at.epoch || outlived {
            *self = Self::default();
        } else {
            self.insert(packet, now);
        }
    }

    /// Gives up what comes before a keyframe, whose first packet some of the
    /// next may have overtaken.
    fn start_at(&mut self, keyframe: &Arc<MediaPacket>, now: Instant) {
        let at = keyframe.position;
        let follows = |p: &Arc<MediaPacket>| {
            p.position.epoch == at.epoch && p.position.sequence > at.sequence
        };
        self.packets.retain(follows);
        self.bytes = self.packets.iter().map(|p| p.payload.len()).sum();
        self.insert(keyframe, now);
    }

    /// In its place; most come in order.
    fn insert(&mut self, packet: &Arc<MediaPacket>, now: Instant) {
        let sequence = packet.position.sequence;
        let before = |p: &Arc<MediaPacket>| p.position.sequence <= sequence;
        let place = self.packets.iter().rposition(before).map_or(0, |i| i + 1);
        if place > 0 && self.packets[place - 1].position.sequence == sequence {
            return;
        }
        self.packets.insert(place, packet.clone());
        self.bytes += packet.payload.len();
        self.arrival = Some(now);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::media::codec::Codec;
    use crate::media::packet::Extensions;
    use crate::media::picture::PictureNumbers;
    use crate::media::rewrite::Position;

    /// A video packet of a frame.
    pub(in crate::media) fn packet(
        starts_keyframe: bool,
        sequence: u64,
        timestamp: u32,
        captured: Instant,
    ) -> MediaPacket {
        MediaPacket {
            kind: Kind::Video,
            codec: Codec::H264,
            layer: 0,
            pt: 102,
            position: Position {
                epoch: 0,
                sequence,
                timestamp,
                captured,
                picture: PictureNumbers::default(),
            },
            marker: false,
            starts_keyframe,
            extensions: Extensions::default(),
            payload: Arc::from([0; 10]),
        }
    }

    const NOTHING: [u64; 0] = [];

    /// Whether it starts a keyframe, its sequence number and its timestamp.
    type Packet = (bool, u64, u32);

    struct Fixture {
        start: Instant,
        head: HeadStart,
    }

    impl Fixture {
        fn new() -> Self {
            let config = Config {
                group_packets: 4,
                group_bytes: 100,
                ..Config::default()
            };
            Self {
                start: Instant::now(),
                head: HeadStart::new(&config),
            }
        }

        /// Keeps a packet that is `change`d; what is kept then.
        fn keep(
            &mut self,
            (starts, sequence, timestamp): Packet,
            change: impl FnOnce(&mut MediaPacket),
        ) -> Vec<u64> {
            let mut packet = packet(starts, sequence, timestamp, self.start);
            change(&mut packet);
            self.head.keep(&Arc::new(packet), self.start);
            self.kept(0)
        }

        fn kept(&self, layer: u8) -> Vec<u64> {
            let group = self.head.best(|of| (of == layer).then_some(0));
            let packets = group.into_iter().flat_map(Group::packets);
            packets.map(|p| p.position.sequence).collect()
        }
    }

    #[test]
    fn the_latest_keyframe_is_first() {
        let mut f = Fixture::new();
        // A packet; the sequence numbers kept then.
        let table: &[(Packet, &[u64])] = &[
            ((false, 1, 1), &[]),
            ((true, 2, 2), &[2]),
            ((true, 3, 2), &[2, 3]),
            ((false, 4, 3), &[2, 3, 4]),
            ((true, 5, 4), &[5]),
            ((false, 6, 5), &[5, 6]),
        ];
        for (packet, kept) in table {
            assert_eq!(f.keep(*packet, |_| ()), *kept, "{packet:?}");
        }
        assert_eq!(f.keep((false, 7, 6), |p| p.kind = Kind::Audio), [5, 6]);
    }

    #[test]
    fn what_comes_late_is_put_in_its_place_once() {
        let mut f = Fixture::new();
        let table: &[(Packet, &[u64])] = &[
            ((true, 10, 1), &[10]),
            ((false, 12, 2), &[10, 12]),
            ((false, 11, 2), &[10, 11, 12]),
            ((false, 11, 2), &[10, 11, 12]),
            // From before the keyframe, and that keyframe's own.
            ((false, 9, 0), &[10, 11, 12]),
            ((true, 8, 0), &[10, 11, 12]),
            // A keyframe overtaken by its second packet.
            ((false, 14, 3), &[10, 11, 12, 14]),
            ((true, 13, 3), &[13, 14]),
        ];
        for (packet, kept) in table {
            assert_eq!(f.keep(*packet, |_| ()), *kept, "{packet:?}");
        }
    }

    #[test]
    fn another_stream_starts_anew() {
        let mut f = Fixture::new();
        f.keep((true, 10, 1), |_| ());
        assert_eq!(f.keep((false, 500, 7), |p| p.position.epoch = 1), NOTHING);
        f.keep((true, 10, 1), |_| ());
        assert_eq!(f.keep((true, 5, 7), |p| p.position.epoch = 1), [5]);
        assert_eq!(f.keep((false, 6, 8), |p| p.position.epoch = 1), [5, 6]);
    }

    #[test]
    fn too_much_is_given_up_until_the_next_keyframe() {
        let late = |p: &mut MediaPacket| p.position.captured += MAX_AGE + Duration::from_millis(1);
        let large = |p: &mut MediaPacket| p.payload = Arc::from([0; 91]);
        let none = |_: &mut MediaPacket| ();
        let mut f = Fixture::new();
        for sequence in 0..4 {
            f.keep((sequence == 0, sequence, sequence as u32), none);
        }
        assert_eq!(f.kept(0), [0, 1, 2, 3]);
        assert_eq!(f.keep((false, 4, 4), none), NOTHING);
        assert_eq!(f.keep((false, 5, 5), none), NOTHING);
        assert_eq!(f.keep((true, 6, 6), none), [6]);
        assert_eq!(f.keep((false, 7, 7), large), NOTHING);
        assert_eq!(f.keep((true, 8, 8), none), [8]);
        assert_eq!(f.keep((false, 9, 9), late), NOTHING);
        assert_eq!(f.keep((true, 10, 10), late), [10]);
    }

    #[test]
    fn a_keyframe_is_whole_or_none() {
        let mut f = Fixture::new();
        let mut keyframe = |packet, marker| {
            f.keep(packet, |p| p.marker = marker);
            let keyframe = f.head.best(Some).and_then(Group::keyframe);
            keyframe.map(<[_]>::len)
        };
        assert_eq!(keyframe((true, 10, 1), false), None);
        assert_eq!(keyframe((false, 12, 1), true), None, "one is missing");
        assert_eq!(keyframe((false, 11, 1), false), Some(3));
        // Without a marker the next frame tells that it is whole.
        assert_eq!(keyframe((true, 20, 2), false), None);
        assert_eq!(keyframe((false, 22, 3), false), None);
        assert_eq!(keyframe((false, 21, 3), false), Some(1));
    }

    #[test]
    fn layers_are_kept_apart() {
        let mut f = Fixture::new();
        let of = |layer| move |p: &mut MediaPacket| p.layer = layer;
        f.keep((true, 1, 1), of(2));
        f.keep((true, 5, 1), of(0));
        f.keep((false, 2, 2), of(2));
        f.keep((true, 1, 1), of(u8::MAX));
        assert_eq!(f.kept(0), [5]);
        assert_eq!(f.kept(1), NOTHING);
        assert_eq!(f.kept(2), [1, 2]);
        let best = |liking: fn(u8) -> Option<u8>| {
            let group = f.head.best(liking);
            group.map(|group| group.packets().len())
        };
        assert_eq!(best(Some), Some(2), "the greatest liking");
        assert_eq!(best(|layer| Some(9 - layer)), Some(1));
        assert_eq!(best(|_| None), None);
    }
}
