//! Displays and windows on macOS and Windows, by `xcap`.
//!
//! Its monitors belong to the thread that found them, so each that is open has
//! one of its own, which takes a picture whenever it is asked.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use picture::{Layout, PixelFormat};
use xcap::image::RgbaImage;
use xcap::{Monitor, Window, XCapResult};

use super::{Backend, Clock, DisplayInfo, Grabber, Lost, Shot, Target, Targets, WindowInfo};

pub(super) fn backend() -> Box<dyn Backend> {
    Box::new(Xcap)
}

struct Xcap;

impl Clock for Xcap {}

impl Backend for Xcap {
    fn list(&mut self) -> Result<Targets, String> {
        let explain = |error| format!("the screen cannot be captured: {error}");
        let monitors = Monitor::all().map_err(explain)?;
        let windows = Window::all().map_err(explain)?;
        let monitors = monitors.iter().enumerate();
        Ok(Targets {
            displays: monitors
                .filter_map(|(index, monitor)| display(index, monitor).ok())
                .collect(),
            // It has the topmost first.
            windows: windows.iter().rev().filter_map(window).collect(),
        })
    }

    fn open(&mut self, target: Target) -> Result<Box<dyn Grabber>, String> {
        let (ask, asked) = sync_channel(1);
        let (answer, answers) = sync_channel(1);
        let thread = thread::Builder::new().name("screen".to_owned());
        let started = thread.spawn(move || serve(target, &asked, &answer));
        started.map_err(|error| format!("the screen cannot be captured: {error}"))?;
        Ok(Box::new(XcapGrabber {
            ask,
            answers,
            last: RgbaImage::default(),
        }))
    }
}

fn display(index: usize, monitor: &Monitor) -> XCapResult<DisplayInfo> {
    Ok(DisplayInfo {
        index,
        name: monitor.friendly_name().or_else(|_| monitor.name())?,
        width: monitor.width()?,
        height: monitor.height()?,
        primary: monitor.is_primary()?,
    })
}

/// `None` if it cannot be seen, or has no title.
fn window(window: &Window) -> Option<WindowInfo> {
    let title = window.title().ok().filter(|title| !title.is_empty())?;
    if window.is_minimized().unwrap_or(false) {
        return None;
    }
    Some(WindowInfo {
        id: window.id().ok()?,
        title,
        width: window.width().ok()?,
        height: window.height().ok()?,
    })
}

/// What the thread does: a picture for each time it is asked.
fn serve(target: Target, asked: &Receiver<()>, answer: &SyncSender<Result<RgbaImage, Lost>>) {
    let mut thing = None;
    while asked.recv().is_ok() {
        let image = picture(target, &mut thing);
        if image.is_err() {
            thing = None;
        }
        if answer.send(image).is_err() {
            return;
        }
    }
}

enum Thing {
    Monitor(Monitor),
    Window(Window),
}

fn picture(target: Target, thing: &mut Option<Thing>) -> Result<RgbaImage, Lost> {
    let failed = |error: xcap::XCapError| Lost::Failed(error.to_string());
    let thing = match thing {
        Some(thing) => thing,
        None => thing.insert(find(target).map_err(failed)?.ok_or(Lost::Gone)?),
    };
    match thing {
        Thing::Monitor(monitor) => monitor.capture_image().map_err(failed),
        Thing::Window(window) if window.is_minimized().unwrap_or(false) => Err(Lost::Hidden),
        Thing::Window(window) => window.capture_image().map_err(failed),
    }
}

fn find(target: Target) -> XCapResult<Option<Thing>> {
    Ok(match target {
        Target::Display(index) => Monitor::all()?.into_iter().nth(index).map(Thing::Monitor),
        Target::Window(id) => {
            let is_it = |window: &Window| window.id().is_ok_and(|its| its == id);
            Window::all()?.into_iter().find(is_it).map(Thing::Window)
        }
    })
}

struct XcapGrabber {
    ask: SyncSender<()>,
    answers: Receiver<Result<RgbaImage, Lost>>,
    last: RgbaImage,
}

impl Grabber for XcapGrabber {
    fn grab(&mut self) -> Result<Shot<'_>, Lost> {
        let ended = || Lost::Failed("its thread has ended".to_owned());
        self.ask.send(()).map_err(|_| ended())?;
        self.last = self.answers.recv().map_err(|_| ended())??;
        let (width, height) = (self.last.width() as usize, self.last.height() as usize);
        Ok(Shot {
            layout: Layout::packed(PixelFormat::Rgbx, width, height),
            bytes: self.last.as_raw(),
        })
    }
}
