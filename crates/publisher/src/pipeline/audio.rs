//! The encoder's thread for sound.

use std::sync::Arc;

use super::{AudioChunk, Controls, Counters, EncodedPacket, Item};
use crate::encode::{AudioConfig, AudioEncoder};
use crate::options::AudioOptions;
use crate::queue::{Closed, Receiver, Sender};

pub(super) struct Stage {
    /// Of the source, samples a second.
    pub(super) rate: u32,
    /// Of the source.
    pub(super) channels: u16,
    pub(super) options: AudioOptions,
    pub(super) sounds: Receiver<Item<AudioChunk>>,
    pub(super) packets: Sender<Item<EncodedPacket>>,
    pub(super) controls: Arc<Controls>,
    pub(super) counters: Arc<Counters>,
}

impl Stage {
    pub(super) fn run(self) -> Result<(), Closed> {
        let config = AudioConfig {
            rate: self.rate,
            channels: self.channels,
            options: self.options.clone(),
        };
        let mut encoder = match AudioEncoder::new(config) {
            Ok(encoder) => encoder,
            Err(error) => return self.packets.send(Err(error.into())).map(drop),
        };
        while let Some(sound) = self.sounds.recv_blocking() {
            encoder.set_muted(self.controls.audio_is_muted());
            encoder.set_expected_loss(self.controls.expected_loss());
            match sound.and_then(|chunk| Ok(encoder.encode(&chunk)?)) {
                Ok(packets) => self.pass_on(packets)?,
                Err(error) => return self.packets.send(Err(error)).map(drop),
            }
            self.counters.set_drift_ppm(encoder.drift_ppm());
        }
        Ok(())
    }

    fn pass_on(&self, packets: Vec<EncodedPacket>) -> Result<(), Closed> {
        for packet in packets {
            if self.packets.send(Ok(packet))?.is_some() {
                self.counters.dropped_sound();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::queue::bounded;

    const CHUNKS: usize = 100;

    /// What a stage makes of a second of a 44.1 kHz hum, with room for this many
    /// packets; `prepare` tells it something before.
    fn run(room: usize, prepare: impl FnOnce(&Controls)) -> (Vec<EncodedPacket>, Arc<Counters>) {
        let (sound_sender, sounds) = bounded(CHUNKS);
        let (packet_sender, packets) = bounded(room);
        let stage = Stage {
            rate: 44_100,
            channels: 2,
            options: AudioOptions::default(),
            sounds,
            packets: packet_sender,
            controls: Arc::default(),
            counters: Arc::default(),
        };
        prepare(&stage.controls);
        let counters = Arc::clone(&stage.counters);
        let start = Instant::now();
        for number in 0..CHUNKS {
            let samples = (0..882).map(|n| (n % 100 * 100) as i16).collect();
            let chunk = AudioChunk {
                capture_time: start + Duration::from_millis(10) * number as u32,
                samples,
            };
            assert!(sound_sender.send(Ok(chunk)).unwrap().is_none());
        }
        drop(sound_sender);
        assert_eq!(stage.run(), Ok(()));
        let packets = std::iter::from_fn(|| packets.recv_blocking());
        (packets.map(Result::unwrap).collect(), counters)
    }

    fn bytes(packets: &[EncodedPacket]) -> usize {
        packets.iter().map(|packet| packet.data.len()).sum()
    }

    #[test]
    fn sound_is_encoded_or_silence_if_it_is_muted() {
        let (packets, counters) = run(CHUNKS, |_| {});
        // The last 20 ms wait for what the resampler looks ahead to.
        assert_eq!(packets.len(), 49);
        assert!(bytes(&packets) > 4_000);
        assert_eq!(counters.snapshot().dropped_sound, 0);
        let (muted, _) = run(CHUNKS, |controls| controls.mute(true, false));
        assert_eq!(muted.len(), 49);
        assert!(bytes(&muted) < 500);
    }

    #[test]
    fn packets_nobody_takes_are_counted() {
        let (packets, counters) = run(9, |_| {});
        assert_eq!(packets.len(), 9);
        assert_eq!(counters.snapshot().dropped_sound, 40);
    }

    #[test]
    fn loss_makes_packets_repeat_the_ones_before() {
        // Only the modes for speech repeat (RFC 6716 section 3.1).
        let speech = |packets: &[EncodedPacket]| {
            let modes = packets.iter().map(|packet| packet.data[0] >> 3);
            modes.filter(|mode| *mode < 16).count()
        };
        let (packets, _) = run(CHUNKS, |controls| controls.set_expected_loss(0.1));
        assert!(speech(&packets) > 40);
        let (packets, _) = run(CHUNKS, |_| {});
        assert!(speech(&packets) < 10);
    }
}
