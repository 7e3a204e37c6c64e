//! Cameras on Linux: Video4Linux 2, by its `VIDIOC_*` calls and mapped buffers.
//!
//! `moq-v4l` panics in two places instead of failing: on numbers that a driver
//! must not return, and on errors while a stream is closed. Both are caught
//! here. Its `query_caps` is not called: it panics on names cut inside a
//! character.

use std::fs;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::time::{Duration, Instant};

use moq_v4l::buffer::{Flags, Metadata, Type};
use moq_v4l::format::{Colorspace, Quantization};
use moq_v4l::frameinterval::FrameIntervalEnum;
use moq_v4l::framesize::{FrameSizeEnum, Stepwise};
use moq_v4l::io::traits::{CaptureStream, Stream as _};
use moq_v4l::prelude::{Device, MmapStream};
use moq_v4l::video::Capture;
use moq_v4l::video::capture::Parameters;
use moq_v4l::{Format, FourCC, Fraction};
use picture::{Colours, Layout, Matrix, PixelFormat};
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};

use super::modes::{Choice, Mode};
use super::{Backend, Clock, Found, Gone, RawFrame, Stream};

/// Buffers the driver fills: enough for a capture thread that is late by a few
/// frames.
const BUFFERS: u32 = 5;

/// `POLLIN` of poll(2).
const POLLIN: i16 = 1;

/// A frame cannot be older than this when it arrives; a timestamp that says so
/// is of another clock.
const MAX_AGE: Duration = Duration::from_secs(1);

/// What is looked for where any size will do.
const USUAL_SIZES: [(u32, u32); 10] = [
    (320, 180),
    (320, 240),
    (640, 360),
    (640, 480),
    (960, 540),
    (1280, 720),
    (1280, 960),
    (1920, 1080),
    (2560, 1440),
    (3840, 2160),
];

/// What is looked for where any rate will do.
const USUAL_RATES: [u32; 9] = [5, 10, 15, 20, 24, 25, 30, 50, 60];

pub(super) fn backend() -> Box<dyn Backend> {
    Box::new(V4l)
}

struct V4l;

impl Clock for V4l {}

impl Backend for V4l {
    fn cameras(&mut self) -> Vec<Found> {
        let mut numbers = numbers();
        numbers.sort_unstable();
        numbers.into_iter().filter_map(found).collect()
    }

    fn open(&mut self, path: &str, choice: &Choice) -> Result<Box<dyn Stream>, String> {
        let stream = guarded(|| V4lStream::open(path, choice));
        let stream = stream.unwrap_or_else(|| Err(io::ErrorKind::InvalidData.into()));
        match stream {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(explain(&error)),
        }
    }
}

/// The numbers of all `/dev/video*`.
fn numbers() -> Vec<u32> {
    let entries = fs::read_dir("/dev").into_iter().flatten().flatten();
    let number = |entry: fs::DirEntry| {
        let name = entry.file_name();
        name.to_str()?.strip_prefix("video")?.parse().ok()
    };
    entries.filter_map(number).collect()
}

/// `None` for what is no camera: the metadata that cameras have a device file
/// of their own for, decoders, and cameras of formats that we cannot use.
fn found(number: u32) -> Option<Found> {
    let path = format!("/dev/video{number}");
    let name = fs::read(format!("/sys/class/video4linux/video{number}/name"));
    let name = name.map_or_else(
        |_| path.clone(),
        |name| String::from_utf8_lossy(&name).trim().to_owned(),
    );
    let (modes, problem) = match Device::with_path(Path::new(&path)) {
        Ok(device) => (modes(&device), None),
        Err(error) => (Vec::new(), Some(explain(&error))),
    };
    let is_camera = problem.is_some() || !modes.is_empty();
    is_camera.then_some(Found {
        name,
        path,
        modes,
        problem,
    })
}

/// The end of a sentence that starts with the camera.
fn explain(error: &io::Error) -> String {
    match Errno::from_io_error(error) {
        Some(Errno::BUSY) => "is in use by another program".to_owned(),
        Some(Errno::ACCESS | Errno::PERM) => {
            "may not be used by you: join the group `video`, then log in again".to_owned()
        }
        _ => format!("cannot be opened: {error}"),
    }
}

fn modes(device: &Device) -> Vec<Mode> {
    let formats = device.enum_formats().unwrap_or_default();
    let known = formats.iter().filter_map(|format| {
        let known = pixel_format(format.fourcc)?;
        Some((known, format.fourcc))
    });
    let modes = known.flat_map(|(format, fourcc)| {
        let sizes = device.enum_framesizes(fourcc).unwrap_or_default();
        let sizes = sizes.into_iter().flat_map(|size| sizes_of(&size.size));
        sizes.map(move |(width, height)| Mode {
            format,
            width,
            height,
            fps: rates(device, fourcc, width, height),
        })
    });
    modes.collect()
}

fn pixel_format(fourcc: FourCC) -> Option<PixelFormat> {
    match &fourcc.repr {
        b"YU12" => Some(PixelFormat::I420),
        b"NV12" => Some(PixelFormat::Nv12),
        b"YUYV" => Some(PixelFormat::Yuyv),
        b"MJPG" | b"JPEG" => Some(PixelFormat::Mjpeg),
        _ => None,
    }
}

fn sizes_of(size: &FrameSizeEnum) -> Vec<(u32, u32)> {
    match size {
        FrameSizeEnum::Discrete(size) => vec![(size.width, size.height)],
        FrameSizeEnum::Stepwise(range) => {
            let fits = |(width, height): &(u32, u32)| fits(range, *width, *height);
            let usual = USUAL_SIZES.into_iter().filter(fits);
            let largest = (range.max_width, range.max_height);
            let mut sizes: Vec<_> = usual.chain([largest]).collect();
            sizes.dedup();
            sizes
        }
    }
}

fn fits(range: &Stepwise, width: u32, height: u32) -> bool {
    let one = |length: u32, least: u32, most: u32, step: u32| {
        (least..=most).contains(&length) && (length - least).is_multiple_of(step.max(1))
    };
    one(width, range.min_width, range.max_width, range.step_width)
        && one(
            height,
            range.min_height,
            range.max_height,
            range.step_height,
        )
}

fn rates(device: &Device, fourcc: FourCC, width: u32, height: u32) -> Vec<u32> {
    let intervals = device.enum_frameintervals(fourcc, width, height);
    let intervals = intervals.unwrap_or_default().into_iter();
    let mut rates: Vec<u32> = intervals
        .flat_map(|interval| rates_of(&interval.interval))
        .collect();
    rates.sort_unstable_by(|a, b| b.cmp(a));
    rates.dedup();
    rates
}

fn rates_of(interval: &FrameIntervalEnum) -> Vec<u32> {
    match interval {
        FrameIntervalEnum::Discrete(interval) => rate(*interval).into_iter().collect(),
        // The shortest interval is the highest rate.
        FrameIntervalEnum::Stepwise(range) => match (rate(range.max), rate(range.min)) {
            (least, Some(most)) => {
                let usual = USUAL_RATES.into_iter();
                let usual = usual.filter(|rate| (least.unwrap_or(1)..most).contains(rate));
                usual.chain([most]).collect()
            }
            (_, None) => Vec::new(),
        },
    }
}

/// Pictures a second, rounded; `None` if it is none.
fn rate(interval: Fraction) -> Option<u32> {
    let (seconds, pictures) = (interval.numerator, interval.denominator);
    let rate =
        (u64::from(pictures) * 2 + u64::from(seconds)).checked_div(u64::from(seconds) * 2)?;
    u32::try_from(rate).ok().filter(|rate| *rate > 0)
}

/// A camera that delivers. Its buffers are unmapped before its file is closed.
struct V4lStream {
    /// Never `None` before the drop.
    stream: Option<MmapStream<'static>>,
    layout: Layout,
}

impl V4lStream {
    fn open(path: &str, choice: &Choice) -> io::Result<Self> {
        let device = Device::with_path(Path::new(path))?;
        let fourcc = fourcc(&device, choice.format)?;
        let format = device.set_format(&Format::new(choice.width, choice.height, fourcc))?;
        if format.fourcc != fourcc {
            return Err(io::Error::other("it does not take the format it offers"));
        }
        // A camera that has one rate only may not know this call.
        let _ = device.set_params(&Parameters::with_fps(choice.fps));
        let mut stream = MmapStream::with_buffers(&device, Type::VideoCapture, BUFFERS)?;
        // The first is queued by the first `next`. The driver may have given
        // fewer than asked for.
        for index in 1..BUFFERS as usize {
            if CaptureStream::queue(&mut stream, index).is_err() {
                break;
            }
        }
        stream.start()?;
        Ok(Self {
            stream: Some(stream),
            layout: layout(choice.format, &format),
        })
    }
}

/// The camera's name for a format.
fn fourcc(device: &Device, format: PixelFormat) -> io::Result<FourCC> {
    let formats = device.enum_formats()?;
    let mut names = formats.into_iter().map(|format| format.fourcc);
    let name = names.find(|name| pixel_format(*name) == Some(format));
    name.ok_or_else(|| io::ErrorKind::Unsupported.into())
}

fn layout(pixels: PixelFormat, format: &Format) -> Layout {
    let width = format.width as usize;
    Layout {
        format: pixels,
        width,
        height: format.height as usize,
        stride: pixels.stride(width).max(format.stride as usize),
        colours: colours(format),
    }
}

/// As the kernel's `V4L2_MAP_*_DEFAULT` have it.
fn colours(format: &Format) -> Colours {
    let matrix = match format.colorspace {
        Colorspace::Rec709 | Colorspace::DCIP3 => Matrix::Bt709,
        Colorspace::Default
        | Colorspace::SMPTE170M
        | Colorspace::SMPTE240M
        | Colorspace::NTSC
        | Colorspace::EBUTech3212
        | Colorspace::JPEG
        | Colorspace::SRGB
        | Colorspace::OPRGB
        | Colorspace::Rec2020
        | Colorspace::RAW => Matrix::Bt601,
    };
    let full_range = match format.quantization {
        Quantization::FullRange => true,
        Quantization::LimitedRange => false,
        Quantization::Default => matches!(format.colorspace, Colorspace::JPEG),
    };
    Colours { matrix, full_range }
}

impl Stream for V4lStream {
    fn next(&mut self, patience: Duration) -> Result<Option<RawFrame<'_>>, Gone> {
        let Some(stream) = &mut self.stream else {
            return Err(Gone::Unplugged);
        };
        let patience = i32::try_from(patience.as_millis()).unwrap_or(i32::MAX);
        match stream.handle().poll(POLLIN, patience) {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(None),
            Err(error) => return Err(gone(&error)),
        }
        let (bytes, meta) = CaptureStream::next(stream).map_err(|error| gone(&error))?;
        // What the driver marks as damaged is empty, hence corrupt.
        let damaged = meta.flags.contains(Flags::ERROR);
        let length = if damaged { 0 } else { meta.bytesused as usize };
        Ok(Some(RawFrame {
            layout: self.layout,
            bytes: &bytes[..length.min(bytes.len())],
            capture_time: capture_time(meta),
        }))
    }
}

impl Drop for V4lStream {
    fn drop(&mut self) {
        let stream = self.stream.take();
        guarded(|| drop(stream));
    }
}

fn gone(error: &io::Error) -> Gone {
    match Errno::from_io_error(error) {
        Some(Errno::NODEV | Errno::NXIO) => Gone::Unplugged,
        _ => Gone::Failed(error.to_string()),
    }
}

/// When the frame was taken, as its driver says if its clock is ours; else now.
fn capture_time(meta: &Metadata) -> Instant {
    let now = Instant::now();
    age(meta)
        .filter(|age| *age <= MAX_AGE)
        .and_then(|age| now.checked_sub(age))
        .unwrap_or(now)
}

fn age(meta: &Metadata) -> Option<Duration> {
    if meta.flags & Flags::TIMESTAMP_MASK != Flags::TIMESTAMP_MONOTONIC {
        return None;
    }
    let taken = duration(meta.timestamp.sec, meta.timestamp.usec.checked_mul(1000)?)?;
    let now = clock_gettime(ClockId::Monotonic);
    duration(now.tv_sec, now.tv_nsec)?.checked_sub(taken)
}

fn duration(seconds: i64, nanoseconds: i64) -> Option<Duration> {
    let seconds = u64::try_from(seconds).ok()?;
    Some(Duration::new(seconds, u32::try_from(nanoseconds).ok()?))
}

/// Runs what may panic on a driver that breaks the rules.
fn guarded<T>(run: impl FnOnce() -> T) -> Option<T> {
    // What a panic leaves behind is dropped by it.
    panic::catch_unwind(AssertUnwindSafe(run)).ok()
}
