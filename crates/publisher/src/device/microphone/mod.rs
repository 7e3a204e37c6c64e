//! Microphones.

mod clock;
#[path = "cpal.rs"]
mod platform;
mod sound;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::{Duration, Instant};

use tracing::debug;

use super::away::{Clock, Device, Gone, Lasting, StandIns};
use super::choose::{self, Named};
use super::{Devices, MicrophoneInfo, MicrophoneOptions};
use crate::source::{AudioChunk, AudioFormat, Captured, Format, Source, SourceError};

/// How long to wait for sound before looking up.
const PATIENCE: Duration = Duration::from_millis(500);

/// A microphone that delivers nothing for so long is opened again.
const SILENCE: Duration = Duration::from_secs(2);

/// Sound that is older when it is taken was captured before anybody wanted it,
/// while the stream was waiting for its server.
const STALE: Duration = Duration::from_secs(1);

/// Length of a piece of the silence that stands in for a microphone.
const PIECE: Duration = Duration::from_millis(20);

/// Why the default does not open on a machine that has none.
const NOT_THERE: &str = "is not there";

/// What a platform does for microphones.
trait Backend: Clock + Send {
    /// Those there are now. On failure, a sentence says why there are none.
    fn microphones(&mut self) -> Result<Vec<Found>, String>;

    /// Starts one; `None`: the system's default. On failure, the end of a
    /// sentence says why.
    fn open(&mut self, id: Option<&str>, wanted: Wanted) -> Result<Open, String>;
}

/// A microphone that is open. Dropped, it is closed.
trait Ear: Send {
    /// The next piece of sound, if one comes in time.
    fn next(&mut self, patience: Duration) -> Result<Option<AudioChunk>, Gone>;
}

/// What sound shall come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    /// Samples a second; `None`: what suits Opus best.
    rate: Option<u32>,
    channels: Channels,
}

/// How many channels shall come, 1 or 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Channels {
    /// Fewer if the microphone has no more.
    AtMost(u16),
    /// Made of what it has, so that the source stays what it was.
    Exactly(u16),
}

/// A microphone that has been opened, and what comes from it.
struct Open {
    ear: Box<dyn Ear>,
    rate: u32,
    channels: u16,
}

/// A microphone of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    name: String,
    id: String,
    default: bool,
    /// One of the many other names of something else, or of nothing: not to be
    /// listed, but to be had by its id.
    hidden: bool,
}

impl Named for Found {
    fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> &str {
        &self.id
    }
}

/// A microphone as a source.
///
/// Unplugged, it is waited for, and silence is sent meanwhile.
pub struct Microphone(Lasting<Mic>);

/// What there is of a microphone, also while it is away.
struct Mic {
    backend: Box<dyn Backend>,
    /// `None`: the system's default.
    id: Option<String>,
    /// What a sentence calls it.
    title: String,
    rate: u32,
    channels: u16,
}

/// A microphone that delivers.
struct Listening {
    ear: Box<dyn Ear>,
    last_sound: Instant,
}

impl fmt::Debug for Microphone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Microphone({})", self.0.device.title)
    }
}

impl Microphone {
    /// Opens a microphone.
    ///
    /// # Errors
    /// There is no such microphone (the sentence lists those there are), it may
    /// not be used, or another program has it.
    pub fn open(options: MicrophoneOptions) -> Result<Self, SourceError> {
        Self::open_with(platform::backend(), options)
    }

    /// Adds all there are, or a sentence on why there are none.
    pub(super) fn list(devices: &mut Devices) {
        let all = match platform::backend().microphones() {
            Ok(all) => all,
            Err(why) => return devices.notes.push(why),
        };
        let listed = all.into_iter().filter(|found| !found.hidden).enumerate();
        let info = |(index, found): (usize, Found)| MicrophoneInfo {
            index,
            name: found.name,
            id: found.id,
            default: found.default,
        };
        devices.microphones.extend(listed.map(info));
    }

    fn open_with(
        mut backend: Box<dyn Backend>,
        options: MicrophoneOptions,
    ) -> Result<Self, SourceError> {
        let (id, title) = match options.device {
            None => (None, "the microphone".to_owned()),
            Some(device) => {
                let found = find(&device, backend.microphones().map_err(SourceError)?)?;
                (Some(found.id), format!("the microphone {:?}", found.name))
            }
        };
        let wanted = Wanted {
            rate: None,
            channels: Channels::AtMost(options.channels.clamp(1, 2)),
        };
        let open = backend.open(id.as_deref(), wanted);
        let open = open.map_err(|why| {
            SourceError(match id {
                None if why == NOT_THERE => "there is no microphone on this machine".to_owned(),
                _ => format!("{title} {why}"),
            })
        })?;
        debug!(title, rate = open.rate, channels = open.channels, "opened");
        let listening = Listening {
            ear: open.ear,
            last_sound: backend.now(),
        };
        let mic = Mic {
            backend,
            id,
            title,
            rate: open.rate,
            channels: open.channels,
        };
        Ok(Self(Lasting::new(mic, listening)))
    }
}

impl Device for Mic {
    type Open = Listening;

    /// As a microphone's, a piece of silence is complete when it is over.
    const STAND_INS: StandIns = StandIns {
        first: PIECE,
        every: PIECE,
    };

    fn clock(&self) -> &dyn Clock {
        &*self.backend
    }

    fn title(&self) -> String {
        self.title.clone()
    }

    fn capture(&mut self, open: &mut Listening) -> Result<Captured, String> {
        match open.ear.next(PATIENCE) {
            Ok(Some(chunk)) => {
                let now = self.backend.now();
                open.last_sound = now;
                let age = now.saturating_duration_since(chunk.capture_time);
                Ok(if age > STALE {
                    Captured::Nothing
                } else {
                    Captured::Audio(chunk)
                })
            }
            Ok(None) if self.backend.now() < open.last_sound + SILENCE => Ok(Captured::Nothing),
            Ok(None) => Err("delivers no sound".to_owned()),
            Err(gone) => Err(gone.reason()),
        }
    }

    fn stand_in(&mut self, at: Instant) -> Captured {
        let frames = u64::from(self.rate) * PIECE.as_millis() as u64 / 1000;
        Captured::Audio(AudioChunk {
            capture_time: at - PIECE,
            samples: vec![0; frames as usize * usize::from(self.channels)],
        })
    }

    fn look(&mut self) -> Option<Listening> {
        let wanted = Wanted {
            rate: Some(self.rate),
            channels: Channels::Exactly(self.channels),
        };
        match self.backend.open(self.id.as_deref(), wanted) {
            Ok(open) => Some(Listening {
                ear: open.ear,
                last_sound: self.backend.now(),
            }),
            Err(why) => {
                debug!(title = self.title, why, "it does not open yet");
                None
            }
        }
    }
}

impl Source for Microphone {
    fn format(&self) -> Format {
        let Mic { rate, channels, .. } = self.0.device;
        Format {
            video: None,
            audio: Some(AudioFormat::Raw { rate, channels }),
        }
    }

    fn next(&mut self) -> Result<Captured, SourceError> {
        Ok(self.0.next())
    }
}

/// One of those that are listed, by what a person calls it; else any by its id.
fn find(device: &str, all: Vec<Found>) -> Result<Found, SourceError> {
    let (hidden, listed): (Vec<_>, Vec<_>) = all.into_iter().partition(|found| found.hidden);
    let chosen = choose::choose("microphone", Some(device), &listed).cloned();
    let by_id = || hidden.into_iter().find(|found| found.id == device);
    chosen.or_else(|error| by_id().ok_or(error))
}
