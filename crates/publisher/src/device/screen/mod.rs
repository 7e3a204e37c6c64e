//! Displays and windows.

#[cfg(target_os = "linux")]
#[path = "x11/mod.rs"]
mod platform;
#[cfg(any(target_os = "macos", target_os = "windows"))]
#[path = "xcap.rs"]
mod platform;
mod size;
#[cfg(test)]
mod tests;

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use tracing::debug;
use yuv::{YuvConversionMode, YuvRange, YuvStandardMatrix, bgra_to_yuv420, rgba_to_yuv420};

use super::away::{Away, Due};
use super::canvases::Canvases;
use super::planes::{Fitter, Planes};
use super::{Devices, DisplayInfo, ScreenOptions, ScreenTarget, WindowInfo};
use crate::Picture;
use crate::source::{Captured, Format, Source, SourceError, VideoFormat, VideoFrame};

/// How many windows an error lists.
const LISTED: usize = 20;

/// What a platform does for screens.
trait Backend: Send {
    /// What there is now. On failure, a sentence says why there is nothing.
    fn list(&mut self) -> Result<Targets, String>;

    /// Gets ready to grab. On failure, a sentence says why.
    fn open(&mut self, target: Target) -> Result<Box<dyn Grabber>, String>;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, duration: Duration) {
        thread::sleep(duration);
    }
}

/// Something that is open and can be looked at again and again.
trait Grabber: Send {
    /// What can be seen now.
    fn grab(&mut self) -> Result<Shot<'_>, Lost>;
}

/// All that can be grabbed.
#[derive(Debug, Clone, Default)]
struct Targets {
    displays: Vec<DisplayInfo>,
    /// The topmost last.
    windows: Vec<WindowInfo>,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// By its place in the list.
    Display(usize),
    /// By its id.
    Window(u32),
}

/// Pixels of four bytes each.
struct Shot<'a> {
    bytes: &'a [u8],
    width: usize,
    height: usize,
    order: Order,
}

/// Which byte of a pixel is which colour; each platform knows one only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Blue, green, red.
    #[cfg_attr(
        not(any(target_os = "linux", test)),
        expect(dead_code, reason = "X11's")
    )]
    Bgr,
    /// Red, green, blue.
    #[cfg_attr(
        not(any(target_os = "macos", target_os = "windows", test)),
        expect(dead_code, reason = "that of xcap")
    )]
    Rgb,
}

/// Why it cannot be seen now.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Lost {
    /// The window is closed, or the display unplugged.
    Gone,
    /// The window is minimised, or on a workspace that is not shown.
    Hidden,
    /// With the system's reason.
    Failed(String),
}

/// A display or window as a source, with the pointer in it.
///
/// A window that is closed or minimised, or a display that is unplugged, is
/// waited for; the stream is dark meanwhile. One that gets another size is
/// scaled to fit into the first.
pub struct Screen {
    backend: Box<dyn Backend>,
    what: ScreenTarget,
    period: Duration,
    fps: u32,
    next_picture: Instant,
    state: State,
    canvases: Canvases,
    converter: Converter,
}

enum State {
    Open(Box<dyn Grabber>),
    Away(Away),
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Screen({:?}, {})", self.what, self.canvases.size())
    }
}

impl Screen {
    /// Starts to capture a display or a window.
    ///
    /// # Errors
    /// There is no such thing (the sentence lists what there is), or the
    /// system lets nothing be captured.
    pub fn open(options: ScreenOptions) -> Result<Self, SourceError> {
        Self::open_with(platform::backend(), options)
    }

    /// Adds all there are, or a sentence on why there are none.
    pub(super) fn list(devices: &mut Devices) {
        match platform::backend().list() {
            Ok(targets) => {
                devices.displays = targets.displays;
                devices.windows = targets.windows;
            }
            Err(why) => devices.notes.push(why),
        }
    }

    fn open_with(
        mut backend: Box<dyn Backend>,
        options: ScreenOptions,
    ) -> Result<Self, SourceError> {
        let targets = backend.list().map_err(SourceError)?;
        let target = find(&options.what, &targets)?;
        let mut grabber = backend.open(target).map_err(SourceError)?;
        let shot = grabber.grab().map_err(|lost| {
            let thing = thing(&options.what);
            SourceError(format!("{thing} {}", lost.reason()))
        })?;
        let size = size::sendable(shot.width, shot.height, options.size);
        let fps = options.fps.max(1);
        let now = backend.now();
        Ok(Self {
            backend,
            what: options.what,
            period: Duration::from_secs(1) / fps,
            fps,
            next_picture: now,
            state: State::Open(grabber),
            canvases: Canvases::new(size),
            converter: Converter::default(),
        })
    }

    /// The next picture of what is open, when it is time.
    fn capture(&mut self) -> Captured {
        let State::Open(grabber) = &mut self.state else {
            return Captured::Nothing;
        };
        let early = self.next_picture - self.backend.now();
        self.backend.sleep(early);
        let capture_time = self.backend.now();
        // A machine that is too slow loses pictures rather than time.
        self.next_picture += self.period;
        if self.next_picture < capture_time {
            self.next_picture = capture_time + self.period;
        }
        let shot = match grabber.grab() {
            Ok(shot) => shot,
            Err(lost) => return self.lose(&lost),
        };
        let convert = |canvas: &mut Picture| self.converter.convert(&shot, canvas);
        match self.canvases.draw(convert) {
            Ok(picture) => Captured::Video(VideoFrame {
                capture_time,
                picture,
            }),
            Err(why) => self.lose(&Lost::Failed(why)),
        }
    }

    /// Says what happened and waits.
    fn lose(&mut self, lost: &Lost) -> Captured {
        self.state = State::Away(Away::since(self.backend.now()));
        let thing = thing(&self.what);
        Captured::Notice(format!("{thing} {}: waiting for it", lost.reason()))
    }

    /// Does what is due meanwhile.
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

    /// Goes on if it can be seen again.
    fn look(&mut self) -> Option<Captured> {
        let targets = self.backend.list().ok()?;
        let target = find(&self.what, &targets).ok()?;
        let opened = self.backend.open(target).map_err(Lost::Failed);
        let seen = opened.and_then(|mut grabber| grabber.grab().map(drop).map(|()| grabber));
        match seen {
            Ok(grabber) => {
                self.state = State::Open(grabber);
                self.next_picture = self.backend.now();
                Some(Captured::Notice(format!("{} is back", thing(&self.what))))
            }
            Err(lost) => {
                debug!(what = ?self.what, ?lost, "it is there, but not to be seen");
                None
            }
        }
    }
}

impl Source for Screen {
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
            State::Open(_) => self.capture(),
            State::Away(away) => {
                let due = away.due(now);
                self.wait(due)
            }
        })
    }
}

impl Lost {
    /// The end of a sentence that starts with the thing.
    fn reason(&self) -> String {
        match self {
            Self::Gone => "is gone".to_owned(),
            Self::Hidden => "is not to be seen".to_owned(),
            Self::Failed(why) => format!("cannot be captured ({why})"),
        }
    }
}

/// What a sentence calls it.
fn thing(what: &ScreenTarget) -> String {
    match what {
        ScreenTarget::Display(index) => format!("the display {index}"),
        ScreenTarget::Window(title) => format!("the window {title:?}"),
    }
}

fn find(what: &ScreenTarget, targets: &Targets) -> Result<Target, SourceError> {
    match what {
        ScreenTarget::Display(index) if *index < targets.displays.len() => {
            Ok(Target::Display(*index))
        }
        ScreenTarget::Display(index) => {
            let count = targets.displays.len();
            let there_is = match count {
                0 => "there is none".to_owned(),
                1 => "there is 0 only".to_owned(),
                _ => format!("there are 0 to {}", count - 1),
            };
            Err(SourceError(format!(
                "there is no display {index}; {there_is}"
            )))
        }
        ScreenTarget::Window(title) => {
            let found = find_window(title, &targets.windows);
            found.ok_or_else(|| no_window(title, &targets.windows))
        }
    }
}

/// The window of an id, as decimal or with `0x`; else the topmost of a title;
/// else the topmost whose title has it as a part, in any case.
fn find_window(wanted: &str, windows: &[WindowInfo]) -> Option<Target> {
    let id = match wanted.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => wanted.parse().ok(),
    };
    let lower = wanted.to_lowercase();
    let topmost = |suits: &dyn Fn(&WindowInfo) -> bool| {
        let window = windows.iter().rev().find(|window| suits(window))?;
        Some(Target::Window(window.id))
    };
    topmost(&|window| Some(window.id) == id)
        .or_else(|| topmost(&|window| window.title.to_lowercase() == lower))
        .or_else(|| {
            let has = |window: &WindowInfo| window.title.to_lowercase().contains(&lower);
            topmost(&has).filter(|_| !lower.is_empty())
        })
}

fn no_window(wanted: &str, windows: &[WindowInfo]) -> SourceError {
    let titles = windows.iter().rev().take(LISTED);
    let titles: Vec<String> = titles.map(|window| format!("{:?}", window.title)).collect();
    let there_is = match titles.as_slice() {
        [] => "none".to_owned(),
        titles => titles.join(", "),
    };
    SourceError(format!(
        "there is no window {wanted:?}; there is {there_is}"
    ))
}

/// Makes shots pictures.
#[derive(Debug, Default)]
struct Converter {
    planes: Planes,
    fitter: Fitter,
}

impl Converter {
    fn convert(&mut self, shot: &Shot<'_>, into: &mut Picture) -> Result<(), String> {
        // An odd column or row is cut off; what has none is shown by two.
        let (width, height) = ((shot.width & !1), (shot.height & !1));
        if width == 0 || height == 0 {
            return Err("it has no pixels".to_owned());
        }
        let stride = shot.width * 4;
        let bytes = shot.bytes.get(..stride * height);
        let bytes = bytes.ok_or("the system delivered less than it said")?;
        self.planes.reset(width, height);
        let convert = match shot.order {
            Order::Bgr => bgra_to_yuv420,
            Order::Rgb => rgba_to_yuv420,
        };
        convert(
            &mut self.planes.borrowed(),
            bytes,
            stride as u32,
            YuvRange::Limited,
            YuvStandardMatrix::Bt709,
            YuvConversionMode::Balanced,
        )
        .map_err(|error| error.to_string())?;
        self.fitter.fit(&mut self.planes, into);
        Ok(())
    }
}
