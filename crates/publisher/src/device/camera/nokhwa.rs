//! Cameras on macOS (AVFoundation) and Windows (Media Foundation), by `nokhwa`.
//!
//! Its calls for frames wait as long as there is none, so they are made by a
//! thread of their own; it ends with the first frame that nobody wants.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use nokhwa::utils::{
    ApiBackend, CameraFormat, CameraIndex, CameraInfo, FrameFormat, RequestedFormat,
    RequestedFormatType, Resolution,
};
use nokhwa::{Buffer, Camera, NokhwaError};
use picture::{Colours, Layout, Matrix, PixelFormat};

use super::modes::{Choice, Mode};
use super::{Backend, Clock, Found, Gone, RawFrame, Stream};

/// Frames that may wait for the capture thread.
const QUEUE: usize = 2;

/// How long the user may take to allow the camera, where he is asked.
const CONSENT: Duration = Duration::from_secs(60);

/// The formats we can use.
const FORMATS: [FrameFormat; 3] = [FrameFormat::NV12, FrameFormat::YUYV, FrameFormat::MJPEG];

pub(super) fn backend() -> Box<dyn Backend> {
    Box::new(Nokhwa)
}

struct Nokhwa;

impl Clock for Nokhwa {}

impl Backend for Nokhwa {
    fn cameras(&mut self) -> Vec<Found> {
        if !is_allowed() {
            return Vec::new();
        }
        let cameras = nokhwa::query(ApiBackend::Auto).unwrap_or_default();
        cameras.iter().map(found).collect()
    }

    fn open(&mut self, path: &str, choice: &Choice) -> Result<Box<dyn Stream>, String> {
        let cameras = nokhwa::query(ApiBackend::Auto).map_err(explain)?;
        let camera = cameras.iter().find(|camera| path_of(camera) == path);
        let index = camera.ok_or("is gone")?.index().clone();
        let (told, opened) = sync_channel(1);
        let (frames, received) = sync_channel(QUEUE);
        let choice = *choice;
        let deliver = move || deliver(index, choice, &told, &frames);
        let thread = thread::Builder::new().name("camera".to_owned());
        let started = thread.spawn(deliver);
        started.map_err(|error| format!("cannot be opened: {error}"))?;
        // The thread tells before it ends, whatever happens.
        opened.recv().map_err(|_| "cannot be opened")??;
        Ok(Box::new(NokhwaStream {
            frames: received,
            last: None,
        }))
    }
}

/// macOS asks the user, once for each program.
fn is_allowed() -> bool {
    if nokhwa::nokhwa_check() {
        return true;
    }
    let (answer, answered) = sync_channel(1);
    nokhwa::nokhwa_initialize(move |allowed| {
        // Nobody waits for a second answer.
        let _ = answer.try_send(allowed);
    });
    answered.recv_timeout(CONSENT).unwrap_or(false)
}

/// What stays the same while cameras come and go.
fn path_of(camera: &CameraInfo) -> String {
    let unique = camera.misc();
    if unique.is_empty() {
        camera.index().as_string()
    } else {
        unique
    }
}

fn found(camera: &CameraInfo) -> Found {
    let (modes, problem) = match modes(camera.index()) {
        Ok(modes) => (modes, None),
        Err(error) => (Vec::new(), Some(explain(error))),
    };
    Found {
        name: camera.human_name(),
        path: path_of(camera),
        modes,
        problem,
    }
}

fn modes(index: &CameraIndex) -> Result<Vec<Mode>, NokhwaError> {
    let any = RequestedFormat::with_formats(RequestedFormatType::None, &FORMATS);
    let mut camera = Camera::new(index.clone(), any)?;
    let mut modes: Vec<Mode> = Vec::new();
    for offered in camera.compatible_camera_formats()? {
        let Some(format) = pixel_format(offered.format()) else {
            continue;
        };
        let (width, height) = (offered.width(), offered.height());
        let same =
            |mode: &&mut Mode| (mode.format, mode.width, mode.height) == (format, width, height);
        match modes.iter_mut().find(same) {
            Some(mode) => mode.fps.push(offered.frame_rate()),
            None => modes.push(Mode {
                format,
                width,
                height,
                fps: vec![offered.frame_rate()],
            }),
        }
    }
    for mode in &mut modes {
        mode.fps.sort_unstable_by(|a, b| b.cmp(a));
        mode.fps.dedup();
    }
    Ok(modes)
}

fn pixel_format(format: FrameFormat) -> Option<PixelFormat> {
    match format {
        FrameFormat::NV12 => Some(PixelFormat::Nv12),
        FrameFormat::YUYV => Some(PixelFormat::Yuyv),
        FrameFormat::MJPEG => Some(PixelFormat::Mjpeg),
        FrameFormat::GRAY | FrameFormat::RAWRGB | FrameFormat::RAWBGR => None,
    }
}

/// The end of a sentence that starts with the camera.
fn explain(error: NokhwaError) -> String {
    format!("cannot be opened: {error}")
}

/// What the thread does: opens the camera, tells whether that went well, and
/// delivers as long as somebody listens.
fn deliver(
    index: CameraIndex,
    choice: Choice,
    told: &SyncSender<Result<(), String>>,
    frames: &SyncSender<Result<(Buffer, Instant), String>>,
) {
    let mut camera = match open(index, choice) {
        Ok(camera) => camera,
        Err(error) => return drop(told.send(Err(explain(error)))),
    };
    if told.send(Ok(())).is_err() {
        return;
    }
    loop {
        let frame = camera.frame().map_err(|error| error.to_string());
        let failed = frame.is_err();
        let frame = frame.map(|frame| (frame, Instant::now()));
        if frames.send(frame).is_err() || failed {
            return;
        }
    }
}

fn open(index: CameraIndex, choice: Choice) -> Result<Camera, NokhwaError> {
    let mut formats = FORMATS.into_iter();
    let format = formats.find(|format| pixel_format(*format) == Some(choice.format));
    // One of them is what `modes` made the choice of.
    let format = format.unwrap_or(FrameFormat::NV12);
    let size = Resolution::new(choice.width, choice.height);
    let exact = RequestedFormatType::Exact(CameraFormat::new(size, format, choice.fps));
    let formats = [format];
    let mut camera = Camera::new(index, RequestedFormat::with_formats(exact, &formats))?;
    camera.open_stream()?;
    Ok(camera)
}

struct NokhwaStream {
    frames: Receiver<Result<(Buffer, Instant), String>>,
    last: Option<Buffer>,
}

impl Stream for NokhwaStream {
    fn next(&mut self, patience: Duration) -> Result<Option<RawFrame<'_>>, Gone> {
        let (buffer, capture_time) = match self.frames.recv_timeout(patience) {
            Ok(Ok(frame)) => frame,
            Ok(Err(why)) => return Err(Gone::Failed(why)),
            Err(RecvTimeoutError::Timeout) => return Ok(None),
            Err(RecvTimeoutError::Disconnected) => return Err(Gone::Unplugged),
        };
        let Some(format) = pixel_format(buffer.source_frame_format()) else {
            return Err(Gone::Failed("its format is another now".to_owned()));
        };
        let size = buffer.resolution();
        let layout = Layout {
            colours: Colours {
                matrix: Matrix::Bt601,
                full_range: false,
            },
            ..Layout::packed(format, size.width() as usize, size.height() as usize)
        };
        Ok(Some(RawFrame {
            layout,
            bytes: self.last.insert(buffer).buffer(),
            capture_time,
        }))
    }
}
