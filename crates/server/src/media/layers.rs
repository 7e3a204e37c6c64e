//! What the simulcast layers of a stream carry, measured.
//!
//! Nothing that a publisher declares says which of its layers is the better one:
//! applications name them and order them as they like (RFC 8853 section 5.2 says
//! preference only). What each takes of the network does, and that is what
//! matters to viewers. A publisher stops a layer without a word, when its uplink
//! or its processor is short; that it is gone shows in the others going on.

use std::ops::Deref;
use std::time::{Duration, Instant};

use super::codec::Kind;
use super::packet::MediaPacket;
pub(super) use super::sdp::MAX_LAYERS;

/// Over which time a rate is taken.
const WINDOW: Duration = Duration::from_millis(500);

/// A layer is gone once another one has sent so many frames since its last
/// packet: a quarter of a second at 30 frames a second, and more where a
/// publisher has few.
const FRAMES_MISSED: u32 = 8;

/// A layer that comes back is believed in after this long: while a publisher
/// finds out what its uplink takes, layers come and go.
const SETTLING: Duration = Duration::from_secs(1);

/// The layers of one stream; a stream that is one only has one layer.
#[derive(Debug, Clone, Default)]
pub(super) struct Layers {
    layers: [Option<Layer>; MAX_LAYERS],
    audio: Meter,
}

#[derive(Debug, Clone)]
struct Layer {
    meter: Meter,
    /// When it came, or came back.
    since: Instant,
    /// Frames of each other layer since its last packet.
    missed: [u32; MAX_LAYERS],
}

/// A layer that flows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flowing {
    pub(super) layer: u8,
    /// RTP payload, bits per second.
    pub(super) bps: u64,
    /// It has been there long enough to go up to.
    pub(super) settled: bool,
}

/// The layers that flow, least first: a list that takes nothing of the allocator,
/// for it is made for each viewer again and again.
#[derive(Debug, Default)]
pub(super) struct AllFlowing {
    layers: [Flowing; MAX_LAYERS],
    count: usize,
}

impl Deref for AllFlowing {
    type Target = [Flowing];

    fn deref(&self) -> &[Flowing] {
        &self.layers[..self.count]
    }
}

impl Layers {
    /// Takes note of a packet of the stream.
    pub(super) fn note(&mut self, packet: &MediaPacket, now: Instant) {
        let bytes = packet.payload.len() as u64;
        if packet.kind == Kind::Audio {
            return self.audio.count(bytes, now);
        }
        let index = usize::from(packet.layer);
        let Some(place) = self.layers.get_mut(index) else {
            return;
        };
        match place {
            Some(layer) if !layer.is_gone() => layer.meter.count(bytes, now),
            Some(_) | None => {
                let mut meter = Meter::default();
                meter.count(bytes, now);
                *place = Some(Layer {
                    meter,
                    since: now,
                    missed: [0; MAX_LAYERS],
                });
            }
        }
        if let Some(layer) = place {
            layer.missed = [0; MAX_LAYERS];
        }
        if packet.marker {
            for other in self.layers.iter_mut().flatten() {
                let missed = &mut other.missed[index];
                *missed = missed.saturating_add(1);
            }
        }
    }

    /// What flows, least first.
    pub(super) fn flowing(&self, now: Instant) -> AllFlowing {
        let layers = self.layers.iter().zip(0..);
        let flowing = layers.filter_map(|(layer, index)| {
            let layer = layer.as_ref().filter(|layer| !layer.is_gone())?;
            Some(Flowing {
                layer: index,
                bps: layer.meter.bps(now),
                settled: now.saturating_duration_since(layer.since) >= SETTLING,
            })
        });
        let mut all = AllFlowing::default();
        for (place, layer) in all.layers.iter_mut().zip(flowing) {
            *place = layer;
            all.count += 1;
        }
        // Few, so that nothing is allocated; those that take the same stay in order.
        all.layers[..all.count].sort_by_key(|flowing| flowing.bps);
        all
    }

    /// What the audio takes beside any of them, bits per second.
    pub(super) fn audio_bps(&self, now: Instant) -> u64 {
        self.audio.bps(now)
    }
}

impl Layer {
    fn is_gone(&self) -> bool {
        self.missed.iter().any(|frames| *frames > FRAMES_MISSED)
    }
}

/// A bitrate.
#[derive(Debug, Clone, Default)]
struct Meter {
    /// Of the window that is not over.
    bytes: u64,
    since: Option<Instant>,
    /// Over the windows before, the later the more.
    bps: Option<u64>,
}

impl Meter {
    fn count(&mut self, bytes: u64, now: Instant) {
        let since = *self.since.get_or_insert(now);
        let passed = now.saturating_duration_since(since);
        if passed >= WINDOW {
            let latest = rate(self.bytes, passed);
            self.bps = Some(self.bps.map_or(latest, |before| (before + latest) / 2));
            self.bytes = 0;
            self.since = Some(now);
        }
        self.bytes += bytes;
    }

    /// Before the first window is over, what it would come to.
    fn bps(&self, now: Instant) -> u64 {
        self.bps.unwrap_or_else(|| {
            let passed = self
                .since
                .map_or(WINDOW, |s| now.saturating_duration_since(s));
            rate(self.bytes, passed.max(WINDOW / 4))
        })
    }
}

/// Bits per second.
fn rate(bytes: u64, passed: Duration) -> u64 {
    let us = passed.as_micros().max(1) as u64;
    (bytes * 8).saturating_mul(1_000_000) / us
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::packet::tests::video;

    const FRAME: Duration = Duration::from_millis(33);

    /// One second of frames of these layers, each of so many bytes.
    fn second(layers: &mut Layers, frames: &[(u8, usize)], from: Instant) -> Instant {
        let mut now = from;
        while now < from + Duration::from_secs(1) {
            for (layer, bytes) in frames {
                layers.note(&video(*layer, *bytes), now);
            }
            now += FRAME;
        }
        now
    }

    fn order(layers: &Layers, now: Instant) -> Vec<u8> {
        layers.flowing(now).iter().map(|f| f.layer).collect()
    }

    #[test]
    fn what_they_take_orders_them() {
        let start = Instant::now();
        let mut layers = Layers::default();
        assert!(layers.flowing(start).is_empty());
        // Named from the best to the least.
        let now = second(&mut layers, &[(0, 6_000), (1, 2_000), (2, 500)], start);
        assert_eq!(order(&layers, now), [2, 1, 0]);
        let best = layers.flowing(now)[2];
        assert!((1_300_000..1_600_000).contains(&best.bps), "{}", best.bps);
        assert!(best.settled);
        // And not the other way round after a keyframe of the least.
        layers.note(&video(2, 9_000), now);
        assert_eq!(order(&layers, now), [2, 1, 0]);
    }

    #[test]
    fn a_layer_is_gone_when_the_others_go_on() {
        let start = Instant::now();
        let mut layers = Layers::default();
        let now = second(&mut layers, &[(0, 500), (1, 2_000)], start);
        for frame in 0..=FRAMES_MISSED {
            assert_eq!(order(&layers, now), [0, 1], "after {frame}");
            layers.note(&video(0, 500), now);
        }
        assert_eq!(order(&layers, now), [0]);
        // Back again, and not believed in at once.
        layers.note(&video(1, 2_000), now);
        assert!(!layers.flowing(now)[1].settled);
        let now = second(&mut layers, &[(0, 500), (1, 2_000)], now);
        assert!(layers.flowing(now)[1].settled);
    }

    #[test]
    fn a_publisher_that_pauses_loses_none() {
        let start = Instant::now();
        let mut layers = Layers::default();
        let now = second(&mut layers, &[(0, 500), (1, 2_000)], start);
        let later = now + Duration::from_secs(60);
        assert_eq!(order(&layers, later), [0, 1]);
    }

    #[test]
    fn layers_past_the_limit_are_not_counted() {
        let now = Instant::now();
        let mut layers = Layers::default();
        layers.note(&video(MAX_LAYERS as u8, 500), now);
        assert!(layers.flowing(now).is_empty());
    }
}
