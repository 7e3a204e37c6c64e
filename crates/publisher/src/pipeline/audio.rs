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
