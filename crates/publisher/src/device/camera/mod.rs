//! Cameras.

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
use std::time::{Duration, Instant};

use modes::{Choice, Mode};
use picture::{BadFrame, Canvases, Converter, Layout};
use tracing::debug;

use super::away::{Clock, DARK, Device, Gone, Lasting, StandIns};
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
trait Backend: Clock + Send {
    /// Those there are now.
    fn cameras(&mut self) -> Vec<Found>;

    /// Starts one. On failure, the end of a sentence says why.
    fn open(&mut self, path: &str, choice: &Choice) -> Result<Box<dyn Stream>, String>;
}

/// A camera that is open. Dropped, it is closed.
trait Stream: Send {
    /// The next frame, if one comes in time.
    fn next(&mut self, patience: Duration) -> Result<Option<RawFrame<'_>>, Gone>;
}

/// A frame as the camera delivered it.
#[derive(Debug, Clone, Copy)]
struct RawFrame<'a> {
    layout: Layout,
    bytes: &'a [u8],
    capture_time: Instant,
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
pub struct Camera(Lasting<Webcam>);

/// What there is of a camera, also while it is away.
struct Webcam {
    backend: Box<dyn Backend>,
    name: String,
    path: String,
    fps: u32,
    canvases: Canvases,
    converter: Converter,
    corrupt: u64,
    next_complaint: Instant,
}

/// A camera that delivers.
struct Open {
    stream: Box<dyn Stream>,
    last_frame: Instant,
}

impl fmt::Debug for Camera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Webcam { name, canvases, .. } = &self.0.device;
        write!(f, "Camera({name:?}, {})", canvases.size())
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
        let webcam = Webcam {
            backend,
            name: found.name.clone(),
            path: found.path.clone(),
            fps: choice.fps,
            canvases: Canvases::new(Picture::black(size)),
            converter: Converter::default(),
            corrupt: 0,
            next_complaint: now,
        };
        let last_frame = now;
        Ok(Self(Lasting::new(webcam, Open { stream, last_frame })))
    }
}

impl Device for Webcam {
    type Open = Open;

    const STAND_INS: StandIns = DARK;

    fn clock(&self) -> &dyn Clock {
        &*self.backend
    }

    fn title(&self) -> String {
        format!("the camera {:?}", self.name)
    }

    fn capture(&mut self, open: &mut Open) -> Result<Captured, String> {
        match open.stream.next(PATIENCE) {
            Ok(Some(frame)) => {
                open.last_frame = self.backend.now();
                Ok(self.take(&frame))
            }
            Ok(None) if self.backend.now() < open.last_frame + SILENCE => Ok(Captured::Nothing),
            Ok(None) => Err("delivers no pictures".to_owned()),
            Err(gone) => Err(gone.reason()),
        }
    }

    fn stand_in(&mut self, at: Instant) -> Captured {
        Captured::Video(VideoFrame {
            capture_time: at,
            picture: self.canvases.blank(),
        })
    }

    fn look(&mut self) -> Option<Open> {
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
                let last_frame = self.backend.now();
                Some(Open { stream, last_frame })
            }
            Err(why) => {
                debug!(camera = self.name, why, "it is there, but does not open");
                None
            }
        }
    }
}

impl Webcam {
    /// Makes a frame a picture.
    fn take(&mut self, frame: &RawFrame<'_>) -> Captured {
        let convert =
            |canvas: &mut Picture| self.converter.convert(&frame.layout, frame.bytes, canvas);
        match self.canvases.draw(convert) {
            Ok(picture) => Captured::Video(VideoFrame {
                capture_time: frame.capture_time,
                picture,
            }),
            Err(bad) => self.complain(&bad),
        }
    }

    fn complain(&mut self, why: &BadFrame) -> Captured {
        debug!(camera = self.name, %why, "a corrupt picture is skipped");
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
}

impl Source for Camera {
    fn format(&self) -> Format {
        let Webcam { canvases, fps, .. } = &self.0.device;
        Format {
            video: Some(VideoFormat::Raw {
                size: canvases.size(),
                fps: *fps,
            }),
            audio: None,
        }
    }

    fn next(&mut self) -> Result<Captured, SourceError> {
        Ok(self.0.next())
    }
}

/// A path as the system has it, as links to cameras have names that stay; what
/// is none is left alone.
fn real_path(device: &str) -> String {
    let path = device.contains('/').then(|| std::fs::canonicalize(device));
    let path = path.and_then(Result::ok);
    path.map_or_else(|| device.to_owned(), |path| path.display().to_string())
}
