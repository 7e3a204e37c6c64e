//! Cameras.

mod frame;
mod modes;
#[cfg(any(target_os = "macos", target_os = "windows"))]
#[path = "nokhwa.rs"]
mod platform;
#[cfg(target_os = "linux")]
#[path = "v4l.rs"]
mod platform;
#[cfg(test)]
mod tests;

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use frame::{Converter, Corrupt, RawFrame};
use modes::{Choice, Mode};
use tracing::debug;

use super::away::{Away, Due};
use super::canvases::Canvases;
use super::choose::{self, Named};
use super::{CameraInfo, CameraMode, CameraOptions, Devices};
use crate::source::{Captured, Format, Source, SourceError, VideoFormat, VideoFrame};
use crate::{Picture, Size};

/// The size to look for when none is wanted.
const DEFAULT_SIZE: (u32, u32) = (1280, 720);

/// The rate to look for when none is wanted.
const DEFAULT_FPS: u32 = 30;

/// How long to wait for a frame before looking up.
const PATIENCE: Duration = Duration::from_millis(500);

/// A camera that delivers nothing for so long is opened again. Some need
/// seconds to start.
const SILENCE: Duration = Duration::from_secs(5);

/// Time between two notices on corrupt pictures.
const COMPLAINT: Duration = Duration::from_secs(10);

/// What a platform does for cameras.
trait Backend: Send {
    /// Those there are now.
    fn cameras(&mut self) -> Vec<Found>;

    /// Starts one. On failure, the end of a sentence says why.
    fn open(&mut self, path: &str, choice: &Choice) -> Result<Box<dyn Stream>, String>;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, duration: Duration) {
        thread::sleep(duration);
    }
}

/// A camera that is open. Dropped, it is closed.
trait Stream: Send {
    /// The next frame, if one comes in time.
    fn next(&mut self, patience: Duration) -> Result<Option<RawFrame<'_>>, Gone>;
}

/// Why an open camera delivers no more.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Gone {
    Unplugged,
    /// With the system's reason.
    Failed(String),
}

/// A camera of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    name: String,
    path: String,
    /// Those whose frames we can convert.
    modes: Vec<Mode>,
    /// Why it cannot be opened, as the end of a sentence.
    problem: Option<String>,
}

impl Named for Found {
    fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> &str {
        &self.path
    }
}

fn info(index: usize, found: Found) -> CameraInfo {
    let mode = |mode: Mode| CameraMode {
        format: mode.format.name(),
        width: mode.width,
        height: mode.height,
        fps: mode.fps,
    };
    CameraInfo {
        index,
        name: found.name,
        path: found.path,
        modes: found.modes.into_iter().map(mode).collect(),
    }
}

/// A camera as a source.
///
/// Unplugged, it is waited for; the stream is dark meanwhile and goes on in the
/// same size, whatever the camera then delivers. Corrupt frames are left out.
pub struct Camera {
    backend: Box<dyn Backend>,
    name: String,
    path: String,
    fps: u32,
    state: State,
    canvases: Canvases,
    converter: Converter,
    corrupt: u64,
    next_complaint: Instant,
}

enum State {
    Open {
        stream: Box<dyn Stream>,
        last_frame: Instant,
    },
    Away(Away),
}

impl fmt::Debug for Camera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Camera({:?}, {})", self.name, self.canvases.size())
    }
}

impl Camera {
    /// Opens a camera in the mode nearest to what is wanted.
    ///
    /// # Errors
    /// There is no such camera (the sentence lists those there are), another
    /// program has it, it may not be used, or it has no mode we can use.
    pub fn open(options: CameraOptions) -> Result<Self, SourceError> {
        Self::open_with(platform::backend(), options)
    }

    /// Adds all there are, and sentences on those that cannot be used.
    pub(super) fn list(devices: &mut Devices) {
        for (index, found) in platform::backend().cameras().into_iter().enumerate() {
            if let Some(problem) = &found.problem {
                let note = format!("the camera {:?} {problem}", found.name);
                devices.notes.push(note);
            }
            devices.cameras.push(info(index, found));
        }
    }

    fn open_with(
        mut backend: Box<dyn Backend>,
        options: CameraOptions,
    ) -> Result<Self, SourceError> {
        let cameras = backend.cameras();
        let wanted = options.device.as_deref().map(real_path);
        let found = choose::choose("camera", wanted.as_deref(), &cameras)?;
        let cannot = |why: &str| SourceError(format!("the camera {:?} {why}", found.name));
        if let Some(problem) = &found.problem {
            return Err(cannot(problem));
        }
        let (width, height) = DEFAULT_SIZE;
        let wanted = options.size.or_else(|| Size::new(width, height).ok());
        let fps = options.fps.unwrap_or(DEFAULT_FPS).max(1);
        let choice = modes::choose(&found.modes, wanted.unwrap_or(Size::MIN), fps);
        let choice = choice.ok_or_else(|| cannot("has no mode that this program can use"))?;
        let size = Size::new(choice.width & !1, choice.height & !1)
            .map_err(|error| cannot(&format!("has no usable mode: {error}")))?;
        let stream = backend.open(&found.path, &choice);
        let stream = stream.map_err(|why| cannot(&why))?;
        debug!(camera = found.name, ?choice, "opened");
        let now = backend.now();
        Ok(Self {
            backend,
            name: found.name.clone(),
            path: found.path.clone(),
            fps: choice.fps,
            state: State::Open {
                stream,
                last_frame: now,
            },
            canvases: Canvases::new(size),
            converter: Converter::default(),
            corrupt: 0,
            next_complaint: now,
        })
    }

    /// The next frame of an open camera.
    fn capture(&mut self) -> Captured {
        let State::Open { stream, last_frame } = &mut self.state else {
            return Captured::Nothing;
        };
        match stream.next(PATIENCE) {
            Ok(Some(frame)) => {
                *last_frame = self.backend.now();
                let capture_time = frame.capture_time;
                let convert = |canvas: &mut Picture| self.converter.convert(&frame, canvas);
                match self.canvases.draw(convert) {
                    Ok(picture) => Captured::Video(VideoFrame {
                        capture_time,
                        picture,
                    }),
                    Err(corrupt) => self.complain(&corrupt),
                }
            }
            Ok(None) if self.backend.now() < *last_frame + SILENCE => Captured::Nothing,
            Ok(None) => self.lose("delivers no pictures"),
            Err(Gone::Unplugged) => self.lose("is unplugged"),
            Err(Gone::Failed(why)) => self.lose(&format!("fails ({why})")),
        }
    }

    /// Does what is due while the camera is away.
    fn wait(&mut self, due: Due) -> Captured {
        match due {
            Due::Dark => Captured::Video(VideoFrame {
                capture_time: self.backend.now(),
                picture: self.canvases.black(),
            }),
            Due::Look => self.look().unwrap_or(Captured::Nothing),
            Due::Wait(duration) => {
                self.backend.sleep(duration);
                Captured::Nothing
            }
        }
    }

    /// Says what happened and waits for the camera.
    fn lose(&mut self, why: &str) -> Captured {
        self.state = State::Away(Away::since(self.backend.now()));
        Captured::Notice(format!("the camera {:?} {why}: waiting for it", self.name))
    }

    fn complain(&mut self, Corrupt(why): &Corrupt) -> Captured {
        debug!(camera = self.name, why, "a corrupt picture is skipped");
        self.corrupt += 1;
        let now = self.backend.now();
        if now < self.next_complaint {
            return Captured::Nothing;
        }
        self.next_complaint = now + COMPLAINT;
        Captured::Notice(format!(
            "the camera {:?} sends corrupt pictures: {} skipped so far",
            self.name, self.corrupt
        ))
    }

    /// Opens the camera again if it is there.
    fn look(&mut self) -> Option<Captured> {
        let cameras = self.backend.cameras();
        // Its path may be another now.
        let found = cameras
            .iter()
            .filter(|camera| camera.name == self.name)
            .max_by_key(|camera| camera.path == self.path)?;
        let choice = modes::choose(&found.modes, self.canvases.size(), self.fps)?;
        match self.backend.open(&found.path, &choice) {
            Ok(stream) => {
                self.path.clone_from(&found.path);
                self.state = State::Open {
                    stream,
                    last_frame: self.backend.now(),
                };
                Some(Captured::Notice(format!(
                    "the camera {:?} is back",
                    self.name
                )))
            }
            Err(why) => {
                debug!(camera = self.name, why, "it is there, but does not open");
                None
            }
        }
    }
}

impl Source for Camera {
    fn format(&self) -> Format {
        Format {
            video: Some(VideoFormat::Raw {
                size: self.canvases.size(),
                fps: self.fps,
            }),
            audio: None,
        }
    }

    fn next(&mut self) -> Result<Captured, SourceError> {
        let now = self.backend.now();
        Ok(match &mut self.state {
            State::Open { .. } => self.capture(),
            State::Away(away) => {
                let due = away.due(now);
                self.wait(due)
            }
        })
    }
}

/// A path as the system has it, as links to cameras have names that stay; what
/// is none is left alone.
fn real_path(device: &str) -> String {
    let path = device.contains('/').then(|| std::fs::canonicalize(device));
    let path = path.and_then(Result::ok);
    path.map_or_else(|| device.to_owned(), |path| path.display().to_string())
}
