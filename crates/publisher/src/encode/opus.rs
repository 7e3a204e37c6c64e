//! Opus for live sound: 48 kHz, mono or stereo, 20 ms packets.

use std::time::Duration;

use opus_pure::{Application, MAX_PACKET_BYTES, OpusEncoder, Signal};

use super::EncodeError;
use crate::options::AudioOptions;
use crate::sound::{Conditioner, FRAME, Frame, duration_of};
use crate::source::{AudioChunk, EncodedPacket, SAMPLE_RATE};

/// In bits per second (RFC 7587 section 6.1).
const BITRATES: std::ops::RangeInclusive<u32> = 6_000..=510_000;

/// Sources deliver 16 bits; what is finer than that is the resampler's.
const LSB_DEPTH: i32 = 16;

/// From this loss on, in percent, repeating the packet before is worth its bits.
const FEC_FROM_LOSS: u8 = 2;

/// Opus repeats packets only in the modes for speech, which it gives up above
/// about these bitrates, in bits per second, for one and for two channels. While
/// packets are lost, arriving is worth more than finesse.
const FEC_MAX_BITRATES: [u32; 2] = [48_000, 36_000];

/// What an [`AudioEncoder`] is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioConfig {
    /// Of the source, samples a second of each channel, 8,000 to 192,000.
    pub rate: u32,
    /// Of the source, 1 to 8.
    pub channels: u16,
    /// How to encode.
    pub options: AudioOptions,
}

impl Default for AudioConfig {
    /// For a source of 48 kHz, mono.
    fn default() -> Self {
        Self {
            rate: SAMPLE_RATE,
            channels: 1,
            options: AudioOptions::default(),
        }
    }
}

impl AudioConfig {
    /// Channels that are sent, 1 or 2.
    pub fn sent_channels(&self) -> u16 {
        if self.options.stereo {
            self.channels.min(2)
        } else {
            1
        }
    }
}

/// Encodes sound as it comes, in chunks of any length: mixes it down, brings it
/// to 48 kHz, follows the drift of the source's clock and fills gaps.
pub struct AudioEncoder {
    conditioner: Conditioner,
    encoder: OpusEncoder,
    bitrate_bps: u32,
    fec_max_bitrate_bps: u32,
    look_ahead: Duration,
    muted: bool,
    packet: Vec<u8>,
}

impl AudioEncoder {
    /// # Errors
    /// No source has such a format, or `opus-pure` or `rubato` refuse.
    pub fn new(config: AudioConfig) -> Result<Self, EncodeError> {
        let channels = config.sent_channels();
        let conditioner = Conditioner::new(config.rate, config.channels, channels)?;
        let channels = usize::from(channels.max(1));
        let mut encoder = OpusEncoder::new(SAMPLE_RATE as i32, channels, Application::Audio)?;
        encoder.lsb_depth = LSB_DEPTH;
        encoder.use_inband_fec = config.options.fec;
        let mut encoder = Self {
            conditioner,
            look_ahead: duration_of(encoder.lookahead() as u64),
            encoder,
            bitrate_bps: config
                .options
                .bitrate_bps
                .clamp(*BITRATES.start(), *BITRATES.end()),
            fec_max_bitrate_bps: FEC_MAX_BITRATES[channels - 1],
            muted: false,
            packet: vec![0; MAX_PACKET_BYTES],
        };
        encoder.set_expected_loss(0);
        Ok(encoder)
    }

    /// Tells how many percent of the packets are lost on the way. With forward
    /// error correction, each packet then repeats the one before in brief (RFC
    /// 6716 section 2.1.7).
    pub fn set_expected_loss(&mut self, percent: u8) {
        let repeat = self.encoder.use_inband_fec && percent >= FEC_FROM_LOSS;
        self.encoder.packet_loss_perc = i32::from(percent.min(100));
        self.encoder.signal_type = repeat.then_some(Signal::Voice);
        let bitrate_bps = if repeat {
            self.bitrate_bps.min(self.fec_max_bitrate_bps)
        } else {
            self.bitrate_bps
        };
        self.encoder.bitrate_bps = bitrate_bps as i32;
    }

    /// Sends silence instead, in packets of a byte or a few; their times go on
    /// as before.
    pub fn set_muted(&mut self, muted: bool) {
        self.muted = muted;
        self.encoder.use_dtx = muted;
    }

    /// How much faster than the clock of the capture times the source runs, in
    /// parts per million; the encoder makes up for it.
    pub fn drift_ppm(&self) -> f32 {
        self.conditioner.drift_ppm() as f32
    }

    /// Takes a chunk and returns the packets that are now complete.
    ///
    /// Packets follow each other by exactly 20 ms, whatever the source's clock
    /// does, and stay in step with the chunks' capture times. A gap in these of
    /// more than 60 ms is filled with silence, or, if it is longer than a second,
    /// packets start anew after it.
    ///
    /// # Errors
    /// `opus-pure` or `rubato` refuse.
    pub fn encode(&mut self, chunk: &AudioChunk) -> Result<Vec<EncodedPacket>, EncodeError> {
        self.conditioner.push(chunk)?;
        let mut packets = Vec::new();
        while let Some(frame) = self.conditioner.pop() {
            packets.push(self.encode_frame(frame)?);
        }
        Ok(packets)
    }

    fn encode_frame(&mut self, mut frame: Frame) -> Result<EncodedPacket, EncodeError> {
        if self.muted {
            frame.samples.fill(0.0);
        }
        let length = self
            .encoder
            .encode(&frame.samples, FRAME, &mut self.packet)?;
        let at = frame.capture_time;
        Ok(EncodedPacket {
            capture_time: at.checked_sub(self.look_ahead).unwrap_or(at),
            data: self.packet[..length].to_vec(),
        })
    }
}

#[cfg(test)]
mod tests;
