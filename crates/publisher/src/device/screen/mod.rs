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
use std::time::{Duration, Instant};

use picture::{Canvases, Converter, Layout};
use tracing::debug;

use super::away::{Clock, DARK, Device, Lasting, StandIns};
use super::{Devices, DisplayInfo, ScreenOptions, ScreenTarget, WindowInfo};
use crate::Picture;
use crate::source::{Captured, Format, Source, SourceError, VideoFormat, VideoFrame};

/// How many windows an error lists.
const LISTED: usize = 20;

/// What a platform does for screens.
trait Backend: Clock + Send {
    /// What there is now. On failure, a sentence says why there is nothing.
    fn list(&mut self) -> Result<Targets, String>;

    /// Gets ready to grab. On failure, a sentence says why.
    fn open(&mut self, target: Target) -> Result<Box<dyn Grabber>, String>;
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

/// What can be seen, as the platform has it.
struct Shot<'a> {
    layout: Layout,
    bytes: &'a [u8],
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
pub struct Screen(Lasting<View>);

/// What there is of a display or window, also while it is away.
struct View {
    backend: Box<dyn Backend>,
    what: ScreenTarget,
    period: Duration,
    fps: u32,
    next_picture: Instant,
    canvases: Canvases,
    converter: Converter,
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let View { what, canvases, .. } = &self.0.device;
        write!(f, "Screen({what:?}, {})", canvases.size())
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
        let Layout { width, height, .. } = shot.layout;
        let size = size::sendable(width, height, options.size);
        let fps = options.fps.max(1);
        let now = backend.now();
        let view = View {
            backend,
            what: options.what,
            period: Duration::from_secs(1) / fps,
            fps,
            next_picture: now,
            canvases: Canvases::new(Picture::black(size)),
            converter: Converter::default(),
        };
        Ok(Self(Lasting::new(view, grabber)))
    }
}

impl Device for View {
    type Open = Box<dyn Grabber>;

    const STAND_INS: StandIns = DARK;

    fn clock(&self) -> &dyn Clock {
        &*self.backend
    }

    fn title(&self) -> String {
        thing(&self.what)
    }

    /// The next picture, when it is time.
    fn capture(&mut self, grabber: &mut Self::Open) -> Result<Captured, String> {
        let early = self.next_picture - self.backend.now();
        self.backend.sleep(early);
        let capture_time = self.backend.now();
        // A machine that is too slow loses pictures rather than time.
        self.next_picture += self.period;
        if self.next_picture < capture_time {
            self.next_picture = capture_time + self.period;
        }
        let Shot { layout, bytes } = grabber.grab().map_err(|lost| lost.reason())?;
        let convert = |canvas: &mut Picture| self.converter.convert(&layout, bytes, canvas);
        let picture = self.canvases.draw(convert);
        let picture = picture.map_err(|bad| Lost::Failed(bad.to_string()).reason())?;
        Ok(Captured::Video(VideoFrame {
            capture_time,
            picture,
        }))
    }

    fn stand_in(&mut self, at: Instant) -> Captured {
        Captured::Video(VideoFrame {
            capture_time: at,
            picture: self.canvases.blank(),
        })
    }

    /// Goes on if it can be seen again.
    fn look(&mut self) -> Option<Self::Open> {
        let targets = self.backend.list().ok()?;
        let target = find(&self.what, &targets).ok()?;
        let opened = self.backend.open(target).map_err(Lost::Failed);
        let seen = opened.and_then(|mut grabber| grabber.grab().map(drop).map(|()| grabber));
        match seen {
            Ok(grabber) => {
                self.next_picture = self.backend.now();
                Some(grabber)
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
        let View { canvases, fps, .. } = &self.0.device;
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
