//! The publishing half's devices: what is wanted, what is on, and what is to
//! be done next to bring both together.
//!
//! The driver asks [`Studio::next`] after whatever happens, does that one step
//! and tells how it went, until there is nothing left to do. What failed is
//! not tried again by itself until something changes.

use super::media_texts::{self as texts, MediaProblem};
use super::{Capture, Device, DeviceKind, Devices};

/// Sound or picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// Of a microphone.
    Sound,
    /// Of a camera or a screen.
    Picture,
}

/// Something for the sound and for the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds {
    /// For the sound.
    pub sound: bool,
    /// For the picture.
    pub picture: bool,
}

impl Kinds {
    /// That of a kind.
    pub fn of(self, kind: MediaKind) -> bool {
        match kind {
            MediaKind::Sound => self.sound,
            MediaKind::Picture => self.picture,
        }
    }

    fn at(&mut self, kind: MediaKind) -> &mut bool {
        match kind {
            MediaKind::Sound => &mut self.sound,
            MediaKind::Picture => &mut self.picture,
        }
    }
}

/// The user pressed one of the capture buttons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapturePress {
    /// Camera and microphone on or off.
    Camera,
    /// The screen instead of the camera, or the camera again.
    Screen,
    /// Nothing is heard, or heard again; nothing is seen, or seen again.
    Mute(MediaKind),
}

/// A device to ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wish {
    /// Its id; `None` is the browser's choice.
    pub device: Option<String>,
}

/// A picture's wished size and rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Height in pixels; the width follows at 16:9.
    pub height: u32,
    /// Frames a second.
    pub frame_rate: u32,
}

/// What the browser is asked for at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The microphone, if one is needed.
    pub microphone: Option<Wish>,
    /// The camera, if one is needed.
    pub camera: Option<Wish>,
    /// The camera's picture.
    pub size: Size,
}

/// A device that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What people call it.
    pub label: String,
    /// The device asked for was not there; the browser chose this one.
    pub instead: bool,
    /// It is one of a phone's cameras, of which one can be on at a time.
    pub of_phone: bool,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Open devices, and replace those of the same kind.
    Open(Ask),
    /// Let the user choose a screen, and replace the camera by it.
    Share,
    /// Change the camera's picture.
    Resize(Size),
    /// Turn off.
    Close(MediaKind),
}

/// A device that is on.
#[derive(Debug, Clone, PartialEq)]
struct InUse {
    wish: Wish,
    label: String,
    of_phone: bool,
}

/// Where the picture comes from.
#[derive(Debug, Clone, PartialEq)]
enum Shown {
    Camera(InUse, Size),
    Screen,
}

/// Everything the page knows of its own sound and picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Studio {
    wishes: Capture,
    /// Camera and microphone are wanted.
    on: bool,
    /// The screen is wanted instead of the camera.
    sharing: bool,
    devices: Devices,
    sound: Option<InUse>,
    shown: Option<Shown>,
    /// What is being sent; `None` while nothing is offered. A kind that was
    /// not offered cannot join later.
    offered: Option<Kinds>,
    /// What could not be had.
    given_up: Kinds,
    /// The phone's camera that made room for another one.
    made_room: Option<Wish>,
    muted: Kinds,
    /// What comes next was not asked for by the user, who is told of it.
    unasked: bool,
    waiting: bool,
    notice: String,
    advice: &'static str,
}

impl Studio {
    /// What the user wants of devices and pictures.
    pub fn wishes(&self) -> &Capture {
        &self.wishes
    }

    /// The devices there are.
    pub fn devices(&self) -> &Devices {
        &self.devices
    }

    /// Camera and microphone are on, or about to be.
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// The screen is shared, or about to be.
    pub fn is_sharing(&self) -> bool {
        self.sharing
    }

    /// The picture is to be shown as in a mirror.
    pub fn is_mirrored(&self) -> bool {
        self.wishes.mirrored && matches!(self.shown, Some(Shown::Camera(..)))
    }

    /// What the user muted.
    pub fn muted(&self) -> Kinds {
        self.muted
    }

    /// What is there to be sent.
    pub fn kinds(&self) -> Kinds {
        Kinds {
            sound: self.sound.is_some(),
            picture: self.shown.is_some(),
        }
    }

    /// What happened to the devices; may be empty.
    pub fn notice(&self) -> &str {
        if self.waiting {
            texts::WAITING
        } else {
            &self.notice
        }
    }

    /// What the user can do about it; may be empty.
    pub fn advice(&self) -> &'static str {
        self.advice
    }

    /// The user pressed.
    pub fn press(&mut self, press: CapturePress) {
        match press {
            CapturePress::Mute(kind) => *self.muted.at(kind) ^= true,
            CapturePress::Camera => {
                self.hopeful();
                self.on = !self.on;
            }
            CapturePress::Screen => {
                self.hopeful();
                self.sharing = !self.sharing;
            }
        }
    }

    /// The user changed what is wanted.
    pub fn wish(&mut self, wishes: Capture) {
        self.hopeful();
        self.wishes = wishes;
    }

    /// Publishing needs all there is.
    pub fn want(&mut self) {
        self.hopeful();
        self.on = true;
    }

    /// Everything off. What is muted stays so.
    pub fn end(&mut self) {
        self.on = false;
        self.sharing = false;
        self.sound = None;
        self.shown = None;
        self.offered = None;
        self.waiting = false;
        self.notice.clear();
    }

    /// What is there is being sent from now on; `false` ends that.
    pub fn offer(&mut self, offered: bool) {
        self.offered = offered.then(|| self.kinds());
    }

    /// The browser is asking the user, or has the answer.
    pub fn waiting(&mut self, waiting: bool) {
        self.waiting = waiting;
    }

    /// The one thing to do now.
    pub fn next(&self) -> Option<Step> {
        if let Some(kind) = self.to_close() {
            return Some(Step::Close(kind));
        }
        let shares = self.shown == Some(Shown::Screen);
        if self.sharing && !shares && self.sends(MediaKind::Picture) {
            return Some(Step::Share);
        }
        let (microphone, camera) = (self.microphone_to_open(), self.camera_to_open());
        if microphone.is_some() || camera.is_some() {
            return Some(Step::Open(Ask {
                microphone,
                camera,
                size: self.size(),
            }));
        }
        match self.shown {
            Some(Shown::Camera(_, size)) if size != self.size() => Some(Step::Resize(self.size())),
            Some(Shown::Camera(..) | Shown::Screen) | None => None,
        }
    }

    /// The devices asked for are on, or those of them there are.
    pub fn opened(&mut self, ask: &Ask, microphone: Option<Found>, camera: Option<Found>) {
        self.advice = "";
        if let Some(wish) = &ask.microphone {
            let had_one = self.sound.is_some();
            let opened = self.take(DeviceKind::Microphone, wish, microphone, had_one);
            self.sound = opened.or(self.sound.take());
        }
        if let Some(wish) = &ask.camera {
            let had_one = self.shown.is_some();
            let opened = self.take(DeviceKind::Camera, wish, camera, had_one);
            self.made_room = None;
            let shown = opened.map(|device| Shown::Camera(device, ask.size));
            self.shown = shown.or(self.shown.take());
        }
    }

    /// The screen is shared.
    pub fn shared(&mut self) {
        self.shown = Some(Shown::Screen);
    }

    /// The camera's picture was changed.
    pub fn resized(&mut self, new: Size) {
        if let Some(Shown::Camera(_, size)) = &mut self.shown {
            *size = new;
        }
    }

    /// It was turned off.
    pub fn closed(&mut self, kind: MediaKind) {
        match kind {
            MediaKind::Sound => self.sound = None,
            MediaKind::Picture => self.shown = None,
        }
    }

    /// A step could not be done. What was on before stays, and the wishes go
    /// back to it; what was not on is given up.
    pub fn failed(&mut self, step: &Step, problem: MediaProblem, reason: &str) {
        match step {
            Step::Open(ask) => {
                if ask.microphone.is_some() {
                    self.microphone_failed(reason);
                }
                if ask.camera.is_some() {
                    self.camera_failed(problem, reason);
                }
                self.advice = problem.advice();
                if self.kinds() == Kinds::default() && self.next().is_none() {
                    self.on = false;
                }
            }
            Step::Share => {
                self.sharing = false;
                // The user who closed the question knows why.
                let chosen = matches!(problem, MediaProblem::Blocked | MediaProblem::Dismissed);
                self.notice = texts::NO_SCREEN.to_owned();
                if !chosen {
                    self.notice = format!("{}: {reason}", texts::NO_SCREEN);
                }
            }
            Step::Resize(_) => {
                if let Some(Shown::Camera(_, size)) = self.shown {
                    self.wishes.height = size.height;
                    self.wishes.frame_rate = size.frame_rate;
                }
                self.notice = texts::kept(DeviceKind::Camera, reason);
            }
            Step::Close(_) => {}
        }
    }

    /// A device went away, or the user ended the sharing in the browser.
    pub fn ended(&mut self, kind: MediaKind) {
        self.unasked = true;
        let vanished = match kind {
            MediaKind::Sound => self.sound.take().map(|device| {
                let label = &device.label;
                texts::vanished(DeviceKind::Microphone, label)
            }),
            MediaKind::Picture => match self.shown.take() {
                Some(Shown::Camera(device, _)) => {
                    Some(texts::vanished(DeviceKind::Camera, &device.label))
                }
                Some(Shown::Screen) => {
                    self.sharing = false;
                    self.unasked = false;
                    Some(texts::SCREEN_ENDED.to_owned())
                }
                None => None,
            },
        };
        if let Some(vanished) = vanished {
            self.notice = vanished;
        }
    }

    /// Devices came or went: what could not be had may be there now.
    pub fn listed(&mut self, listed: Vec<Device>) {
        let devices = Devices::new(listed);
        if devices != self.devices {
            self.devices = devices;
            self.given_up = Kinds::default();
            // Devices that are just being opened for the first time were asked for.
            self.unasked |= self.kinds() != Kinds::default();
        }
    }

    /// The user is told elsewhere what happened.
    pub fn told(&mut self) {
        self.notice.clear();
    }

    /// What was refused is allowed now.
    pub fn permitted(&mut self) {
        self.hopeful();
        self.notice = texts::PERMITTED.to_owned();
    }

    /// The user acts: everything is worth a try again.
    fn hopeful(&mut self) {
        self.given_up = Kinds::default();
        self.made_room = None;
        self.unasked = false;
        self.notice.clear();
        self.advice = "";
    }

    fn size(&self) -> Size {
        Size {
            height: self.wishes.height,
            frame_rate: self.wishes.frame_rate,
        }
    }

    fn sends(&self, kind: MediaKind) -> bool {
        self.offered.is_none_or(|offered| offered.of(kind))
    }

    fn to_close(&self) -> Option<MediaKind> {
        if self.sound.is_some() && !self.on {
            return Some(MediaKind::Sound);
        }
        let wanted = match &self.shown {
            Some(Shown::Camera(..)) => self.on || self.sharing,
            // It stays until the camera takes its place, or cannot.
            Some(Shown::Screen) => self.sharing || (self.on && !self.given_up.picture),
            None => true,
        };
        (!wanted).then_some(MediaKind::Picture)
    }

    fn microphone_to_open(&self) -> Option<Wish> {
        let wished = self.wishes.microphone.as_deref();
        let device = self.devices.resolve(DeviceKind::Microphone, wished);
        let wish = Wish { device };
        let has_it = self.sound.as_ref().is_some_and(|used| used.wish == wish);
        (!has_it && self.may_open(MediaKind::Sound)).then_some(wish)
    }

    fn camera_to_open(&self) -> Option<Wish> {
        let wished = self.wishes.camera.as_deref();
        let device = self.devices.resolve(DeviceKind::Camera, wished);
        let wish = Wish { device };
        let has_it = matches!(&self.shown, Some(Shown::Camera(used, _)) if used.wish == wish);
        (!self.sharing && !has_it && self.may_open(MediaKind::Picture)).then_some(wish)
    }

    fn may_open(&self, kind: MediaKind) -> bool {
        self.on && self.sends(kind) && !self.given_up.of(kind)
    }

    /// The device that came of a wish, with what there is to say about it.
    fn take(
        &mut self,
        kind: DeviceKind,
        wish: &Wish,
        found: Option<Found>,
        had_one: bool,
    ) -> Option<InUse> {
        let Some(found) = found else {
            *self.given_up.at(media_kind(kind)) = true;
            self.notice = texts::missing(kind);
            return None;
        };
        if self.unasked {
            let now = texts::now_in_use(kind, &found.label);
            let lost = !had_one && !self.notice.is_empty();
            self.notice = if lost {
                format!("{}. {now}", self.notice)
            } else {
                now
            };
        }
        let mut wish = wish.clone();
        if found.instead
            && let Some(absent) = wish.device.take()
        {
            self.devices.forget(kind, &absent);
        }
        Some(InUse {
            wish,
            label: found.label,
            of_phone: found.of_phone,
        })
    }

    fn microphone_failed(&mut self, reason: &str) {
        if let Some(used) = &self.sound {
            self.wishes.microphone.clone_from(&used.wish.device);
            self.notice = texts::kept(DeviceKind::Microphone, reason);
        } else {
            self.given_up.sound = true;
            self.lost(reason);
        }
    }

    fn camera_failed(&mut self, problem: MediaProblem, reason: &str) {
        let before = match &self.shown {
            Some(Shown::Camera(used, _)) if used.of_phone && problem == MediaProblem::Busy => {
                self.made_room = Some(used.wish.clone());
                self.shown = None;
                return;
            }
            Some(Shown::Camera(used, _)) => Some(used.wish.clone()),
            Some(Shown::Screen) | None => self.made_room.take(),
        };
        if let Some(before) = before {
            self.wishes.camera = before.device;
            self.notice = texts::kept(DeviceKind::Camera, reason);
        } else {
            self.given_up.picture = true;
            self.lost(reason);
        }
    }

    /// Nothing takes the place of what went away.
    fn lost(&mut self, reason: &str) {
        self.notice = if self.unasked && !self.notice.is_empty() {
            format!("{}, and there is no other: {reason}", self.notice)
        } else {
            capitalised(reason)
        };
    }
}

fn media_kind(kind: DeviceKind) -> MediaKind {
    match kind {
        DeviceKind::Camera => MediaKind::Picture,
        DeviceKind::Microphone | DeviceKind::Speaker => MediaKind::Sound,
    }
}

/// The texts are English: Unicode's tables of capitals would be no small part of
/// the page.
fn capitalised(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

#[cfg(test)]
#[path = "studio_tests.rs"]
mod tests;
