//! Opus for live sound: 48 kHz, mono, 20 ms packets.

use std::time::{Duration, Instant};

use opus_pure::{Application, MAX_PACKET_BYTES, OpusEncoder};

use super::EncodeError;
use crate::source::{AudioChunk, EncodedPacket, SAMPLE_RATE};

/// Samples in a packet: 20 ms (RFC 7587 section 4.2 recommends it).
const FRAME: usize = SAMPLE_RATE as usize / 50;

/// In bits per second; ample for mono (RFC 7587 section 3.1.1).
const BITRATE_BPS: i32 = 64_000;

/// Chunks further than this from where the one before ended start anew.
const MAX_DRIFT: Duration = Duration::from_millis(20);

/// Encodes sound as it comes, in chunks of any length.
pub struct AudioEncoder {
    encoder: OpusEncoder,
    look_ahead: Duration,
    pending: Vec<i16>,
    /// When the first pending sample was taken; `None` before the first chunk.
    start: Option<Instant>,
    packet: Vec<u8>,
}

impl AudioEncoder {
    /// # Errors
    /// `opus-pure` refuses.
    pub fn new() -> Result<Self, EncodeError> {
        let mut encoder = OpusEncoder::new(SAMPLE_RATE as i32, 1, Application::Audio)?;
        encoder.bitrate_bps = BITRATE_BPS;
        Ok(Self {
            look_ahead: duration_of(encoder.lookahead()),
            encoder,
            pending: Vec::with_capacity(2 * FRAME),
            start: None,
            packet: vec![0; MAX_PACKET_BYTES],
        })
    }

    /// Takes a chunk and returns the packets that are now complete.
    ///
    /// Packets follow each other by exactly 20 ms as long as the chunks' capture
    /// times do not drift from their lengths; after a gap they start anew.
    ///
    /// # Errors
    /// `opus-pure` refuses a frame.
    pub fn encode(&mut self, chunk: &AudioChunk) -> Result<Vec<EncodedPacket>, EncodeError> {
        let mut start = self.join(chunk);
        let mut packets = Vec::new();
        let mut frames = self.pending.chunks_exact(FRAME);
        for frame in frames.by_ref() {
            let length = self.encoder.encode_s16(frame, FRAME, &mut self.packet)?;
            packets.push(EncodedPacket {
                capture_time: start.checked_sub(self.look_ahead).unwrap_or(start),
                data: self.packet[..length].to_vec(),
            });
            start += duration_of(FRAME);
        }
        let rest = frames.remainder().len();
        self.pending.drain(..self.pending.len() - rest);
        self.start = Some(start);
        Ok(packets)
    }

    /// Appends a chunk; returns when the first pending sample was taken.
    fn join(&mut self, chunk: &AudioChunk) -> Instant {
        let start = match self.start {
            Some(start) => {
                let expected = start + duration_of(self.pending.len());
                let early = expected.saturating_duration_since(chunk.capture_time);
                let late = chunk.capture_time.saturating_duration_since(expected);
                if early.max(late) > MAX_DRIFT {
                    self.pending.clear();
                    chunk.capture_time
                } else {
                    start
                }
            }
            None => chunk.capture_time,
        };
        self.pending.extend_from_slice(&chunk.samples);
        start
    }
}

fn duration_of(samples: usize) -> Duration {
    Duration::from_nanos(samples as u64 * 1_000_000_000 / u64::from(SAMPLE_RATE))
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use opus_pure::OpusDecoder;

    use super::*;

    fn chunk(capture_time: Instant, samples: Vec<i16>) -> AudioChunk {
        AudioChunk {
            capture_time,
            samples,
        }
    }

    fn tone(samples: usize, hertz: f64) -> Vec<i16> {
        (0..samples)
            .map(|n| (16_384.0 * (TAU * hertz * n as f64 / 48_000.0).sin()) as i16)
            .collect()
    }

    /// Amplitude of the part of `samples` at `hertz` (Goertzel).
    fn level(samples: &[i16], hertz: f64) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, &sample) in samples.iter().enumerate() {
            let phase = TAU * hertz * n as f64 / 48_000.0;
            re += f64::from(sample) * phase.cos();
            im += f64::from(sample) * phase.sin();
        }
        2.0 * re.hypot(im) / samples.len() as f64
    }

    fn decode(packets: &[EncodedPacket]) -> Vec<i16> {
        let mut decoder = OpusDecoder::new(48_000, 1).unwrap();
        let mut out = vec![0; FRAME];
        let mut decoded = Vec::new();
        for packet in packets {
            let samples = decoder.decode_s16(&packet.data, FRAME, &mut out).unwrap();
            decoded.extend_from_slice(&out[..samples]);
        }
        decoded
    }

    #[test]
    fn a_tone_comes_back_as_loud_and_alone() {
        let mut encoder = AudioEncoder::new().unwrap();
        let packets = encoder
            .encode(&chunk(Instant::now(), tone(48_000, 1000.0)))
            .unwrap();
        assert_eq!(packets.len(), 50);
        let decoded = decode(&packets);
        let steady = &decoded[9_600..];
        let loud = level(steady, 1000.0);
        assert!((loud / 16_384.0 - 1.0).abs() < 0.05, "{loud}");
        for other in [300.0, 900.0, 1500.0, 2000.0, 3000.0, 7000.0] {
            assert!(level(steady, other) < loud / 100.0, "{other} Hz");
        }
    }

    #[test]
    fn silence_stays_silent_and_small() {
        let mut encoder = AudioEncoder::new().unwrap();
        let packets = encoder
            .encode(&chunk(Instant::now(), vec![0; 48_000]))
            .unwrap();
        assert!(decode(&packets).iter().all(|sample| sample.abs() < 8));
        assert!(packets.iter().all(|packet| packet.data.len() < 40));
    }

    #[test]
    fn a_packet_s_time_is_that_of_what_is_heard() {
        let start = Instant::now() + Duration::from_secs(1);
        let mut samples = vec![0; 48_000];
        samples[24_000..].copy_from_slice(&tone(24_000, 1000.0));
        let packets = AudioEncoder::new()
            .unwrap()
            .encode(&chunk(start, samples))
            .unwrap();
        let decoded = decode(&packets);
        let onset = decoded
            .iter()
            .position(|sample| sample.abs() > 4_000)
            .unwrap();
        let heard = packets[0].capture_time + duration_of(onset);
        let taken = start + duration_of(24_000);
        let apart = heard.max(taken).saturating_duration_since(heard.min(taken));
        assert!(apart < Duration::from_millis(1), "{apart:?}");
    }

    #[test]
    fn chunks_of_any_length_make_even_packets() {
        let mut encoder = AudioEncoder::new().unwrap();
        let start = Instant::now() + Duration::from_secs(1);
        let mut taken = 0;
        let mut packets = Vec::new();
        for length in [1, 959, 960, 3_000, 441, 441, 441, 441, 77] {
            let at = start + duration_of(taken);
            packets.extend(encoder.encode(&chunk(at, vec![0; length])).unwrap());
            taken += length;
        }
        assert_eq!(packets.len(), taken / FRAME);
        for pair in packets.windows(2) {
            let step = pair[1].capture_time - pair[0].capture_time;
            assert_eq!(step, Duration::from_millis(20));
        }
    }

    #[test]
    fn after_a_gap_packets_start_anew() {
        let mut encoder = AudioEncoder::new().unwrap();
        let start = Instant::now() + Duration::from_secs(1);
        let first = encoder.encode(&chunk(start, vec![0; 1_000])).unwrap();
        let later = start + Duration::from_secs(5);
        let second = encoder.encode(&chunk(later, vec![0; 960])).unwrap();
        assert_eq!((first.len(), second.len()), (1, 1));
        assert_eq!(
            second[0].capture_time - first[0].capture_time,
            Duration::from_secs(5)
        );
    }
}
