//! Files of sound alone, as symphonia reads them: Ogg, WAV, FLAC, MP3, AAC.

use std::fs::File;
use std::time::Instant;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader};
use symphonia::core::io::{
    MediaSource, MediaSourceStream, MediaSourceStreamOptions, ReadOnlySource,
};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::units::{Duration, TimeBase, Timestamp};

use super::bytes::Pipe;
use super::container::{
    Coding, Container, MAX_PACKET, Nanos, OpenError, Packet, ReadError, Track, clamped,
};

/// A reader of sound.
pub(super) struct Plain {
    reader: Box<dyn FormatReader>,
    tracks: Vec<Track>,
    time_base: TimeBase,
    /// Errors since the last packet: some of symphonia's readers cannot go on.
    errors: u32,
}

/// So many errors in a row are the end.
const MAX_ERRORS: u32 = 16;

impl Plain {
    /// Opens a file.
    pub(super) fn file(file: File) -> Result<Self, OpenError> {
        Self::open(Box::new(file))
    }

    /// Opens a pipe.
    pub(super) fn pipe(reader: Pipe) -> Result<Self, OpenError> {
        Self::open(Box::new(ReadOnlySource::new(reader)))
    }

    fn open(source: Box<dyn MediaSource>) -> Result<Self, OpenError> {
        let stream = MediaSourceStream::new(source, MediaSourceStreamOptions::default());
        let (format, metadata) = (FormatOptions::default(), MetadataOptions::default());
        let probed = symphonia::default::get_probe().probe(&Hint::new(), stream, format, metadata);
        let reader = probed.map_err(refused)?;
        let (tracks, time_base) = tracks(reader.as_ref());
        Ok(Self {
            reader,
            tracks,
            time_base,
            errors: 0,
        })
    }

    fn time(&self, time: Timestamp) -> Nanos {
        clamped(self.time_base.calc_time_saturating(time).as_nanos())
    }

    fn length(&self, duration: Duration) -> Nanos {
        clamped(self.time_base.calc_duration_saturating(duration).as_nanos())
    }

    fn read(&mut self) -> Result<Packet, ReadError> {
        let packet = match self.reader.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => return Err(ReadError::End),
            Err(_) if self.errors == MAX_ERRORS => return Err(ReadError::BrokenOff),
            Err(error) => {
                self.errors += 1;
                return Err(failed(error));
            }
        };
        self.errors = 0;
        if packet.data.len() > MAX_PACKET {
            return Err(ReadError::Corrupt);
        }
        Ok(Packet {
            track: packet.track_id,
            time: Some(self.time(packet.pts)),
            duration: Some(self.length(packet.block_dur())),
            cut_start: self.length(packet.trim_start),
            cut_end: self.length(packet.trim_end),
            data: packet.data.into_vec(),
        })
    }
}

/// The first track that is known, and the unit of its times.
fn tracks(reader: &dyn FormatReader) -> (Vec<Track>, TimeBase) {
    let found = reader.tracks().iter().find_map(|track| {
        let Some(CodecParameters::Audio(params)) = &track.codec_params else {
            return None;
        };
        Some((track, params))
    });
    let Some((track, params)) = found else {
        return (Vec::new(), TimeBase::default());
    };
    let extra = params.extra_data.as_deref().unwrap_or_default();
    let coding = match params.codec {
        CODEC_ID_OPUS => Coding::Opus(extra.to_vec()),
        _ => Coding::Sound(Box::new(params.clone())),
    };
    let by_rate = || TimeBase::try_from_recip(params.sample_rate?);
    let time_base = track.time_base.or_else(by_rate).unwrap_or_default();
    let track = Track {
        id: track.id,
        coding,
        reordered: false,
    };
    (vec![track], time_base)
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "symphonia's errors may become more"
)]
fn refused(error: Error) -> OpenError {
    match error {
        Error::IoError(error) => error.into(),
        Error::Unsupported(_) => "its format is not known".into(),
        _ => "its header makes no sense".into(),
    }
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "symphonia's errors may become more"
)]
fn failed(error: Error) -> ReadError {
    match error {
        Error::IoError(error) => error.into(),
        // Of several files strung together only the first is played.
        Error::ResetRequired => ReadError::End,
        _ => ReadError::Corrupt,
    }
}

impl Container for Plain {
    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn next(&mut self, _until: Instant) -> Result<Packet, ReadError> {
        self.read()
    }
}
