//! Packets of sound as they are in a file become what is sent, or samples.

use opus_pure::OpusMSDecoder;
use symphonia::core::audio::AudioSpec;
use symphonia::core::codecs::audio::well_known::*;
use symphonia::core::codecs::audio::{
    AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions,
};
use symphonia::core::packet::PacketRef;
use symphonia::core::units::{Duration, Timestamp};

use super::container::{Coding, Nanos, OpenError, Packet, SECOND};
use super::xiph::{OpusHead, opus_head};
use crate::source::{AudioFormat, SAMPLE_RATE};

/// Samples of the longest packet of Opus, 120 ms (RFC 6716 section 3.1).
const MAX_OPUS: usize = SAMPLE_RATE as usize * 120 / 1_000;

/// How to make what can be played of sound that cannot.
const CONVERT: &str = "convert it with `ffmpeg -i FILE -c:v copy -c:a libopus -ac 2 NEW.mkv`";

/// Turns a track's packets into what is sent.
pub(super) enum Sound {
    /// Sent as it is.
    Opus,
    /// To be encoded anew.
    Samples(Decoder),
}

/// What a packet becomes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A packet of Opus and its length in samples at [`SAMPLE_RATE`].
    Opus(Vec<u8>, usize),
    /// Samples, channels interleaved.
    Samples(Vec<i16>),
}

impl Sound {
    /// `first` are the track's first packets: some codecs tell only there what
    /// they make.
    pub(super) fn open(
        coding: &Coding,
        first: &[&Packet],
    ) -> Result<(Self, AudioFormat), OpenError> {
        let decoder = match coding {
            Coding::Opus(header) => {
                // Without a header it is what browsers take (RFC 7587 section 6.1).
                let head = opus_head(header).unwrap_or(OpusHead {
                    channels: 2,
                    mapping_family: 0,
                });
                match head.channels {
                    channels @ 1..=2 => {
                        let channels = channels.into();
                        return Ok((Self::Opus, AudioFormat::Opus { channels }));
                    }
                    _ => Decoder::surround(head)?,
                }
            }
            Coding::Sound(params) => Decoder::open(params, first)?,
            Coding::OtherSound(codec) => return Err(unplayable(codec)),
            Coding::H264(_)
            | Coding::Vp8
            | Coding::Vp9
            | Coding::Av1(_)
            | Coding::OtherPictures(_) => return Err(unplayable("pictures")),
        };
        let (rate, channels) = (decoder.rate, decoder.channels);
        if !(8_000..=192_000).contains(&rate) || !(1..=8).contains(&channels) {
            let what = format!("of {channels} channels at {rate} Hz");
            return Err(unplayable(&what));
        }
        Ok((Self::Samples(decoder), AudioFormat::Raw { rate, channels }))
    }

    /// Of its samples; without any, 1.
    pub(super) fn channels(&self) -> usize {
        match self {
            Self::Opus => 1,
            Self::Samples(decoder) => decoder.channels.into(),
        }
    }

    /// `None`: the packet is corrupt.
    pub(super) fn piece(&mut self, packet: Packet) -> Option<Piece> {
        match self {
            Self::Opus => {
                let samples = opus_pure::packet::samples(&packet.data, SAMPLE_RATE as i32).ok()?;
                Some(Piece::Opus(packet.data, samples))
            }
            Self::Samples(decoder) => decoder.decode(&packet).map(Piece::Samples),
        }
    }

    /// Forgets what came before: the file starts anew.
    pub(super) fn restart(&mut self) {
        if let Self::Samples(decoder) = self {
            decoder.restart();
        }
    }
}

fn unplayable(what: &str) -> OpenError {
    OpenError(format!(
        "its sound is {what}, which cannot be played; {CONVERT}"
    ))
}

/// Decodes to samples.
pub(super) struct Decoder {
    inner: Inner,
    rate: u32,
    channels: u16,
}

enum Inner {
    Symphonia(Box<dyn AudioDecoder>),
    Opus(Box<OpusMSDecoder>),
}

impl Decoder {
    fn open(params: &AudioCodecParameters, first: &[&Packet]) -> Result<Self, OpenError> {
        let refused = || unplayable(name(params.codec));
        // The cuts are ours to make.
        let options = AudioDecoderOptions::default().gapless(false);
        let mut inner = symphonia::default::get_codecs()
            .make_audio_decoder(params, &options)
            .map_err(|_| refused())?;
        // What the file says may be half of what the decoder makes, or twice.
        let mut decoded = first.iter().filter_map(|packet| {
            symphonia_decode(inner.as_mut(), packet, params.sample_rate, None)
        });
        let made = decoded.find(|(samples, ..)| !samples.is_empty());
        let (rate, channels) = match made {
            Some((_, rate, channels)) => (rate, channels),
            None if first.is_empty() => told(params).ok_or_else(refused)?,
            None => return Err(refused()),
        };
        inner.reset();
        Ok(Self {
            inner: Inner::Symphonia(inner),
            rate,
            channels,
        })
    }

    fn surround(head: OpusHead) -> Result<Self, OpenError> {
        let channels = usize::from(head.channels);
        let decoder = OpusMSDecoder::new(SAMPLE_RATE as i32, channels, head.mapping_family)
            .map_err(|_| unplayable(&format!("Opus of {channels} channels")))?;
        Ok(Self {
            inner: Inner::Opus(Box::new(decoder)),
            rate: SAMPLE_RATE,
            channels: head.channels.into(),
        })
    }

    fn restart(&mut self) {
        match &mut self.inner {
            Inner::Symphonia(decoder) => decoder.reset(),
            // An error leaves it as it was, which nobody hears.
            Inner::Opus(decoder) => drop(decoder.reset_state()),
        }
    }

    /// The samples of a packet that are meant to be heard.
    fn decode(&mut self, packet: &Packet) -> Option<Vec<i16>> {
        let format = (self.rate, self.channels);
        let mut samples = match &mut self.inner {
            Inner::Symphonia(decoder) => {
                symphonia_decode(decoder.as_mut(), packet, Some(self.rate), Some(format))?.0
            }
            Inner::Opus(decoder) => {
                let channels = usize::from(self.channels);
                let mut samples = vec![0; MAX_OPUS * channels];
                let made = decoder
                    .decode_s16(&packet.data, MAX_OPUS, &mut samples)
                    .ok()?;
                samples.truncate(made * channels);
                reorder(&mut samples, channels);
                samples
            }
        };
        let channels = usize::from(self.channels);
        let cut = |length| channels.saturating_mul(samples_in(length, self.rate));
        samples.truncate(samples.len().saturating_sub(cut(packet.cut_end)));
        samples.drain(..cut(packet.cut_start).min(samples.len()));
        Some(samples)
    }
}

/// Samples of each channel, rounded.
fn samples_in(length: Nanos, rate: u32) -> usize {
    let second = i128::from(SECOND);
    let samples = i128::from(length.max(0)) * i128::from(rate) + second / 2;
    (samples / second) as usize
}

/// The rate and channels that a file tells.
fn told(params: &AudioCodecParameters) -> Option<(u32, u16)> {
    let channels = params.channels.as_ref()?.count();
    Some((params.sample_rate?, u16::try_from(channels).ok()?))
}

/// Samples, their rate and channels; `None` if the packet is corrupt, or is not
/// of the `expected` format.
fn symphonia_decode(
    decoder: &mut dyn AudioDecoder,
    packet: &Packet,
    rate: Option<u32>,
    expected: Option<(u32, u16)>,
) -> Option<(Vec<i16>, u32, u16)> {
    // ADPCM tells nowhere else how many samples there are.
    let length = packet
        .duration
        .map_or(0, |duration| samples_in(duration, rate.unwrap_or(0)));
    let length = Duration::new(length as u64);
    let packet = PacketRef::new(0, Timestamp::ZERO, length, &packet.data);
    let decoded = decoder.decode_ref(&packet).ok()?;
    let spec: &AudioSpec = decoded.spec();
    let format = (spec.rate(), u16::try_from(spec.channels().count()).ok()?);
    if expected.is_some_and(|expected| expected != format && decoded.frames() > 0) {
        return None;
    }
    let mut samples = Vec::new();
    decoded.copy_to_vec_interleaved(&mut samples);
    Some((samples, format.0, format.1))
}

/// From the order of Vorbis and Opus (RFC 7845 section 5.1.1.2) to that of WAV,
/// which everything else here has.
fn reorder(samples: &mut [i16], channels: usize) {
    let order: &[usize] = match channels {
        3 => &[0, 2, 1],
        5 => &[0, 2, 1, 3, 4],
        6 => &[0, 2, 1, 5, 3, 4],
        7 => &[0, 2, 1, 6, 5, 3, 4],
        8 => &[0, 2, 1, 7, 5, 6, 3, 4],
        _ => return,
    };
    let mut ordered = [0; 8];
    for frame in samples.chunks_exact_mut(channels) {
        for (target, source) in ordered.iter_mut().zip(order) {
            *target = frame[*source];
        }
        frame.copy_from_slice(&ordered[..channels]);
    }
}

/// What people call a codec.
fn name(codec: AudioCodecId) -> &'static str {
    match codec {
        CODEC_ID_AAC => "AAC of a profile other than LC",
        CODEC_ID_ALAC => "ALAC",
        CODEC_ID_FLAC => "FLAC",
        CODEC_ID_VORBIS => "Vorbis",
        CODEC_ID_MP1 => "MPEG layer 1",
        CODEC_ID_MP2 => "MPEG layer 2",
        CODEC_ID_MP3 => "MP3",
        CODEC_ID_ADPCM_IMA_WAV | CODEC_ID_ADPCM_MS => "ADPCM",
        CODEC_ID_SPEEX => "Speex",
        _ => "of a codec that is not known",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surround_sound_gets_the_order_of_wav() {
        let mut samples = [1, 3, 2, 5, 6, 4, 11, 13, 12, 15, 16, 14];
        reorder(&mut samples, 6);
        assert_eq!(samples, [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16]);
        let mut stereo = [1, 2, 3, 4];
        reorder(&mut stereo, 2);
        assert_eq!(stereo, [1, 2, 3, 4]);
    }

    #[test]
    fn sound_that_cannot_be_decoded_is_refused_by_its_name() {
        let check = |coding, name: &str| {
            let OpenError(why) = Sound::open(&coding, &[]).err().unwrap();
            assert!(why.contains(name) && why.contains("ffmpeg"), "{why}");
        };
        check(Coding::OtherSound("AC-3".to_owned()), "AC-3");
        let mut params = AudioCodecParameters::new();
        params.for_codec(CODEC_ID_SPEEX);
        check(Coding::Sound(Box::new(params)), "Speex");
    }
}
