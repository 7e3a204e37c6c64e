//! Microphones by `cpal`: ALSA, Core Audio, WASAPI.
//!
//! Its thread calls us with each piece of sound; a bounded queue takes it to
//! the capture thread, and when that is behind, the newest is lost.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, Data, Device, DeviceId, Error, ErrorKind, FromSample, Host, InputCallbackInfo,
    SampleFormat, SizedSample, StreamConfig, StreamInstant, SupportedStreamConfigRange,
};
use tracing::debug;

use super::clock::ForeignClock;
use super::sound::{self, Offer};
use super::{Backend, Clock, Ear, Found, Gone, NOT_THERE, Open, Wanted};
use crate::source::AudioChunk;

/// Pieces of sound that may wait for the capture thread: more than half a
/// second of them.
const QUEUE: usize = 32;

/// Pieces asked for a second: the length of a packet.
const PIECES: u32 = 50;

/// How often cpal shall look whether a silent device is still there.
const CHECK: Duration = Duration::from_millis(500);

/// After these, sound goes on by itself.
const HARMLESS: [ErrorKind; 3] = [
    ErrorKind::DeviceChanged,
    ErrorKind::RealtimeDenied,
    ErrorKind::Xrun,
];

/// ALSA's names for what is no microphone, or one under another name. All start
/// like this.
const OTHER_NAMES: [&str; 17] = [
    "null",
    "dmix",
    "dsnoop",
    "front",
    "hdmi",
    "iec958",
    "lavrate",
    "oss",
    "plughw",
    "samplerate",
    "speex",
    "surround",
    "sysdefault",
    "upmix",
    "usbstream",
    "vdownmix",
    "modem",
];

pub(super) fn backend() -> Box<dyn Backend> {
    Box::new(Cpal)
}

struct Cpal;

impl Clock for Cpal {}

impl Backend for Cpal {
    fn microphones(&mut self) -> Result<Vec<Found>, String> {
        quiet();
        let host = host()?;
        let default = host
            .default_input_device()
            .and_then(|device| device.id().ok());
        let devices = host.input_devices();
        let devices = devices.map_err(|error| format!("sound cannot be captured: {error}"))?;
        let found = |device: Device| {
            let id = device.id().ok()?;
            Some(Found {
                name: device.to_string(),
                id: id.id().to_owned(),
                default: Some(&id) == default.as_ref(),
                hidden: is_other_name(id.id()),
            })
        };
        Ok(devices.filter_map(found).collect())
    }

    fn open(&mut self, id: Option<&str>, wanted: Wanted) -> Result<Open, String> {
        quiet();
        let host = host()?;
        let device = match id {
            None => host.default_input_device(),
            Some(id) => host.device_by_id(&DeviceId::new(host.id(), id)),
        };
        let device = device.ok_or(NOT_THERE)?;
        let offers = device
            .supported_input_configs()
            .map_err(|error| explain(&error))?;
        let offers: Vec<Offer<SampleFormat>> = offers.filter_map(offer).collect();
        let chosen = sound::choose(&offers, wanted);
        let (offer, rate) = chosen.ok_or("has no kind of sound that this program can use")?;
        let channels = sound::delivered(offer.channels, wanted.channels);
        let ear = listen(&device, &offer, rate, channels).map_err(|error| explain(&error))?;
        Ok(Open {
            ear: Box::new(ear),
            rate,
            channels,
        })
    }
}

/// The system's sound.
fn host() -> Result<Host, String> {
    // Not `default_host`, which panics when there is none.
    let id = cpal::ALL_HOSTS.first().ok_or("this system has no sound")?;
    cpal::host_from_id(*id).map_err(|error| format!("sound cannot be captured: {error}"))
}

/// Keeps the ALSA library from writing to stderr on this thread: what is wrong
/// is told by the error that follows.
#[cfg(target_os = "linux")]
fn quiet() {
    // Without it, only more is said.
    drop(alsa::Output::local_error_handler());
}

#[cfg(not(target_os = "linux"))]
fn quiet() {}

fn is_other_name(id: &str) -> bool {
    // Cards are listed by name; their numbers are the same again.
    let number = id.strip_prefix("hw:CARD=");
    let by_number =
        number.is_some_and(|card| card.starts_with(|digit: char| digit.is_ascii_digit()));
    cfg!(target_os = "linux") && (by_number || OTHER_NAMES.iter().any(|name| id.starts_with(name)))
}

/// The end of a sentence that starts with the microphone.
fn explain(error: &Error) -> String {
    let kind = error.kind();
    let gone = [ErrorKind::DeviceNotAvailable, ErrorKind::HostUnavailable];
    if gone.contains(&kind) {
        NOT_THERE.to_owned()
    } else if kind == ErrorKind::DeviceBusy {
        "is in use by another program".to_owned()
    } else if kind == ErrorKind::PermissionDenied {
        let remedy = if cfg!(target_os = "linux") {
            "join the group `audio`, then log in again"
        } else {
            "allow it in the system's privacy settings"
        };
        format!("may not be used by you: {remedy}")
    } else {
        format!("cannot be opened: {error}")
    }
}

/// `None`: of samples that we do not understand.
fn offer(range: SupportedStreamConfigRange) -> Option<Offer<SampleFormat>> {
    let rank = match range.sample_format() {
        SampleFormat::I16 => 0,
        SampleFormat::F32 => 1,
        SampleFormat::I32 => 2,
        SampleFormat::I24 => 3,
        SampleFormat::F64 => 4,
        SampleFormat::U16 => 5,
        SampleFormat::U24 => 6,
        SampleFormat::U32 => 7,
        SampleFormat::I64 => 8,
        SampleFormat::U64 => 9,
        SampleFormat::U8 => 10,
        SampleFormat::I8 => 11,
        SampleFormat::DsdU8 | SampleFormat::DsdU16 | SampleFormat::DsdU32 => return None,
        _ => return None,
    };
    Some(Offer {
        channels: range.channels(),
        min_rate: range.min_sample_rate(),
        max_rate: range.max_sample_rate(),
        format: (rank, range.sample_format()),
    })
}

/// Samples of any format that [`offer`] lets through.
fn samples(data: &Data) -> Option<Vec<i16>> {
    fn of<T: SizedSample>(data: &Data) -> Option<Vec<i16>>
    where
        i16: FromSample<T>,
    {
        let samples = data.as_slice::<T>()?.iter();
        Some(samples.map(|sample| i16::from_sample_(*sample)).collect())
    }
    match data.sample_format() {
        SampleFormat::I8 => of::<i8>(data),
        SampleFormat::I16 => of::<i16>(data),
        SampleFormat::I24 => of::<cpal::I24>(data),
        SampleFormat::I32 => of::<i32>(data),
        SampleFormat::I64 => of::<i64>(data),
        SampleFormat::U8 => of::<u8>(data),
        SampleFormat::U16 => of::<u16>(data),
        SampleFormat::U24 => of::<cpal::U24>(data),
        SampleFormat::U32 => of::<u32>(data),
        SampleFormat::U64 => of::<u64>(data),
        SampleFormat::F32 => of::<f32>(data),
        SampleFormat::F64 => of::<f64>(data),
        SampleFormat::DsdU8 | SampleFormat::DsdU16 | SampleFormat::DsdU32 => None,
        _ => None,
    }
}

/// What comes from cpal's thread; `None` wakes who waits.
type Piece = Option<AudioChunk>;

/// Starts a device, in short pieces if it has them.
fn listen(
    device: &Device,
    offer: &Offer<SampleFormat>,
    rate: u32,
    channels: u16,
) -> Result<CpalEar, Error> {
    let start = |buffer_size| {
        let config = StreamConfig {
            channels: offer.channels,
            sample_rate: rate,
            buffer_size,
        };
        let (pieces, received) = sync_channel(QUEUE);
        let lost = Arc::new(OnceLock::new());
        let mut inlet = Inlet {
            clock: ForeignClock::default(),
            channels: (offer.channels, channels),
            pieces: pieces.clone(),
        };
        let on_error = on_error(pieces, Arc::clone(&lost));
        let on_data = move |data: &Data, info: &InputCallbackInfo| inlet.take(data, info);
        let (format, check) = (offer.format.1, Some(CHECK));
        let stream = device.build_input_stream_raw(config, format, on_data, on_error, check)?;
        stream.play()?;
        Ok(CpalEar {
            _stream: stream,
            pieces: received,
            lost,
        })
    };
    start(BufferSize::Fixed(rate / PIECES)).or_else(|error: Error| {
        debug!(%error, "no short pieces: taking what comes");
        start(BufferSize::Default)
    })
}

/// Where sound comes in, on cpal's thread.
struct Inlet {
    clock: ForeignClock,
    /// Those that come, and those that are delivered.
    channels: (u16, u16),
    pieces: SyncSender<Piece>,
}

impl Inlet {
    fn take(&mut self, data: &Data, info: &InputCallbackInfo) {
        let now = Instant::now();
        let Some(samples) = samples(data) else {
            return;
        };
        let times = info.timestamp();
        let since_zero = |at: StreamInstant| at.duration_since(StreamInstant::ZERO);
        let (capture, callback) = (since_zero(times.capture), since_zero(times.callback));
        let chunk = AudioChunk {
            capture_time: self.clock.map(capture, callback, now),
            samples: sound::with_channels(samples, self.channels.0, self.channels.1),
        };
        if let Err(TrySendError::Full(_)) = self.pieces.try_send(Some(chunk)) {
            debug!("the capture thread is behind: a piece of sound is lost");
        }
    }
}

fn on_error(pieces: SyncSender<Piece>, lost: Arc<OnceLock<Gone>>) -> impl FnMut(Error) {
    move |error| {
        if HARMLESS.contains(&error.kind()) {
            return debug!(%error, "sound goes on");
        }
        let gone = if error.kind() == ErrorKind::DeviceNotAvailable {
            Gone::Unplugged
        } else {
            Gone::Failed(error.to_string())
        };
        // The first reason counts.
        if lost.set(gone).is_ok() {
            // If it is full, nobody sleeps.
            let _ = pieces.try_send(None);
        }
    }
}

struct CpalEar {
    /// Delivers as long as it lives.
    _stream: cpal::Stream,
    pieces: Receiver<Piece>,
    lost: Arc<OnceLock<Gone>>,
}

impl Ear for CpalEar {
    fn next(&mut self, patience: Duration) -> Result<Option<AudioChunk>, Gone> {
        let piece = self.pieces.recv_timeout(patience);
        if let Some(gone) = self.lost.get() {
            return Err(gone.clone());
        }
        match piece {
            Ok(piece) => Ok(piece),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Gone::Unplugged),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_names_of_the_same_are_hidden() {
        let check = |id, hidden| assert_eq!(is_other_name(id), hidden && cfg!(target_os = "linux"));
        check("default", false);
        check("pipewire", false);
        check("pulse", false);
        check("hw:CARD=PCH,DEV=0", false);
        check("hw:CARD=0,DEV=0", true);
        check("plughw:CARD=PCH,DEV=0", true);
        check("null", true);
        check("sysdefault:CARD=PCH", true);
    }
}
