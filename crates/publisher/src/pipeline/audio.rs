//! The encoder's thread for sound.

use std::sync::Arc;

use super::{AudioChunk, Controls, Counters, EncodedPacket, Item};
use crate::encode::AudioEncoder;
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
        let mut encoder = match AudioEncoder::new() {
            Ok(encoder) => encoder,
            Err(error) => return self.packets.send(Err(error.into())).map(drop),
        };
        while let Some(sound) = self.sounds.recv_blocking() {
            match sound.and_then(|chunk| Ok(encoder.encode(&chunk)?)) {
                Ok(encoded) => {
                    for packet in encoded {
                        self.packets.send(Ok(packet))?;
                    }
                }
                Err(error) => return self.packets.send(Err(error)).map(drop),
            }
        }
        Ok(())
    }
}
