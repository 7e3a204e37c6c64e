//! Camera, microphone and screen: opening them, and streams as something to
//! show.

use thiserror::Error;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{MediaDevices, MediaStream, MediaStreamConstraints, MediaStreamTrack};
use yew::Callback;

pub use super::track::{Ended, Track};
use super::{Thrown, permission, track};
use crate::state::{Ask, MediaKind, MediaProblem, Permission, Wish};

/// Why there is no camera, microphone or screen.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}{}", .problem.text(), detail(.thrown.as_ref()))]
pub struct MediaError {
    /// What it comes down to.
    pub problem: MediaProblem,
    /// What the browser said, if it said anything.
    pub thrown: Option<Thrown>,
}

fn detail(thrown: Option<&Thrown>) -> String {
    thrown.map_or_else(String::new, |thrown| format!(" ({thrown})"))
}

impl MediaError {
    fn insecure() -> Self {
        Self {
            problem: MediaProblem::InsecurePage,
            thrown: None,
        }
    }

    /// Nobody knows.
    pub fn unknown() -> Self {
        Self {
            problem: MediaProblem::Unknown,
            thrown: None,
        }
    }

    fn of(thrown: Thrown, permission: Permission) -> Self {
        Self {
            problem: MediaProblem::of(&thrown.name, permission, permission::is_allowed()),
            thrown: Some(thrown),
        }
    }
}

/// A stream to put into a `<video>` element. Holding one keeps no device open.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture(MediaStream);

impl Picture {
    /// Another handle of `stream`. Its own `clone` method is JavaScript's and
    /// would copy the tracks, which then outlive the camera.
    pub(super) fn new(stream: &MediaStream) -> Self {
        Self(Clone::clone(stream))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.get_tracks().length() == 0
    }

    pub(super) fn stream(&self) -> &MediaStream {
        &self.0
    }
}

/// A microphone to listen to. Holding one keeps no device open.
#[derive(Debug, Clone, PartialEq)]
pub struct Sound(MediaStreamTrack);

impl Sound {
    pub(super) fn track(&self) -> &MediaStreamTrack {
        &self.0
    }
}

/// What is captured, as the page shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// Sound and picture; the same stream as long as anything is on.
    pub picture: Picture,
    /// There is a picture.
    pub has_picture: bool,
    /// The microphone.
    pub sound: Option<Sound>,
}

/// What is captured: a microphone and a camera or a screen, or one of them.
/// Dropping it turns them off.
#[derive(Debug)]
#[must_use = "dropping the camera turns it off"]
pub struct Camera {
    /// Ours: tracks of one kind come and go in it.
    stream: MediaStream,
    sound: Option<Track>,
    picture: Option<Track>,
}

impl Camera {
    /// Nothing yet.
    ///
    /// # Errors
    /// The browser makes no stream.
    pub fn new() -> Result<Self, Thrown> {
        Ok(Self {
            stream: MediaStream::new()?,
            sound: None,
            picture: None,
        })
    }

    /// Takes a track in place of the one of its kind, which is turned off.
    pub fn put(&mut self, kind: MediaKind, track: Option<Track>) {
        if let Some(track) = &track {
            self.stream.add_track(track.raw());
        }
        let slot = match kind {
            MediaKind::Sound => &mut self.sound,
            MediaKind::Picture => &mut self.picture,
        };
        if let Some(old) = core::mem::replace(slot, track) {
            self.stream.remove_track(old.raw());
        }
    }

    /// The track of a kind.
    pub fn track(&self, kind: MediaKind) -> Option<&Track> {
        match kind {
            MediaKind::Sound => self.sound.as_ref(),
            MediaKind::Picture => self.picture.as_ref(),
        }
    }

    /// There is a microphone.
    pub fn has_audio(&self) -> bool {
        self.sound.is_some()
    }

    /// There is a camera or a screen.
    pub fn has_video(&self) -> bool {
        self.picture.is_some()
    }

    /// What is captured, to be shown; `None` if nothing is.
    pub fn preview(&self) -> Option<Preview> {
        (self.has_audio() || self.has_video()).then(|| Preview {
            picture: Picture::new(&self.stream),
            has_picture: self.has_video(),
            sound: self
                .sound
                .as_ref()
                .map(|track| Sound(Clone::clone(track.raw()))),
        })
    }

    pub(super) fn stream(&self) -> &MediaStream {
        &self.stream
    }

    pub(super) fn tracks(&self) -> impl Iterator<Item = MediaStreamTrack> {
        self.sound
            .iter()
            .chain(&self.picture)
            .map(|track| Clone::clone(track.raw()))
    }
}

/// What came of an [`Ask`]; all of it is silent and black until
/// [`Track::set_enabled`].
#[derive(Debug)]
pub struct Opened {
    /// The microphone; `None` if there is none or none was asked for.
    pub microphone: Option<Track>,
    /// The camera; `None` if there is none or none was asked for.
    pub camera: Option<Track>,
    /// The browser chose devices because a chosen one is not there.
    pub instead: bool,
}

/// Opens devices; the browser may ask the user first. Where one of two kinds
/// does not exist the other one is opened alone.
///
/// # Errors
/// The devices are missing, in use or refused.
pub async fn open(ask: &Ask, on_ended: Callback<Ended>) -> Result<Opened, MediaError> {
    let devices = devices().ok_or_else(MediaError::insecure)?;
    let mut instead = false;
    let mut result = request(&devices, ask).await;
    if chose(ask) && result.as_ref().err().is_some_and(is_absent) {
        instead = true;
        result = request(&devices, &without_choice(ask)).await;
    }
    if let (Some(_), Some(_), Err(thrown)) = (&ask.microphone, &ask.camera, &result)
        && thrown.name == "NotFoundError"
    {
        result = request_one(&devices, &without_choice(ask), result).await;
    }
    match result {
        Ok(stream) => Ok(opened(&stream, instead, &on_ended)),
        Err(thrown) => {
            let permission = permission::of(ask.microphone.is_some(), ask.camera.is_some()).await;
            Err(MediaError::of(thrown, permission))
        }
    }
}

/// Lets the user choose a screen, a window or a tab.
///
/// # Errors
/// The user chose none, or the browser cannot.
pub async fn share_screen(on_ended: Callback<Ended>) -> Result<Track, MediaError> {
    let devices = devices().ok_or_else(MediaError::insecure)?;
    let shared = async {
        let promise = devices.get_display_media()?;
        JsFuture::from(promise).await
    };
    let stream: MediaStream = shared
        .await
        .map_err(|cause| MediaError::of(cause.into(), Permission::Ask))?
        .unchecked_into();
    opened(&stream, false, &on_ended)
        .camera
        .ok_or_else(MediaError::unknown)
}

/// The browser's devices; `None` on a page that may not use them, where
/// `mediaDevices` is undefined rather than missing.
pub(super) fn devices() -> Option<MediaDevices> {
    let devices = web_sys::window()?.navigator().media_devices().ok()?;
    (!devices.is_undefined()).then_some(devices)
}

async fn request(devices: &MediaDevices, ask: &Ask) -> Result<MediaStream, Thrown> {
    let promise = devices.get_user_media_with_constraints(&constraints(ask))?;
    let stream = JsFuture::from(promise).await?;
    Ok(stream.unchecked_into())
}

/// Asks for the camera alone and then for the microphone alone.
async fn request_one(
    devices: &MediaDevices,
    ask: &Ask,
    both: Result<MediaStream, Thrown>,
) -> Result<MediaStream, Thrown> {
    for (microphone, camera) in [(None, ask.camera.clone()), (ask.microphone.clone(), None)] {
        let one = Ask {
            microphone,
            camera,
            size: ask.size,
        };
        let result = request(devices, &one).await;
        if result.is_ok() {
            return result;
        }
    }
    both
}

fn opened(stream: &MediaStream, instead: bool, on_ended: &Callback<Ended>) -> Opened {
    // A second track of a kind, which no browser gives, would stay on.
    let first = |tracks: js_sys::Array, kind: MediaKind| {
        let track: MediaStreamTrack = tracks.get(0).dyn_into().ok()?;
        track.set_enabled(false);
        Some(Track::new(kind, track, on_ended.clone()))
    };
    Opened {
        microphone: first(stream.get_audio_tracks(), MediaKind::Sound),
        camera: first(stream.get_video_tracks(), MediaKind::Picture),
        instead,
    }
}

fn chose(ask: &Ask) -> bool {
    let wishes = [&ask.microphone, &ask.camera];
    wishes
        .into_iter()
        .flatten()
        .any(|wish| wish.device.is_some())
}

fn without_choice(ask: &Ask) -> Ask {
    let any = |wish: &Option<Wish>| wish.as_ref().map(|_| Wish::default());
    Ask {
        microphone: any(&ask.microphone),
        camera: any(&ask.camera),
        size: ask.size,
    }
}

/// The device asked for by its id is not there.
fn is_absent(thrown: &Thrown) -> bool {
    matches!(
        thrown.name.as_str(),
        "OverconstrainedError" | "NotFoundError"
    )
}

fn constraints(ask: &Ask) -> MediaStreamConstraints {
    let constraints = MediaStreamConstraints::new();
    if let Some(wish) = &ask.microphone {
        let audio = js_sys::Object::new();
        track::set_device(&audio, wish);
        constraints.set_audio(&audio);
    }
    if let Some(wish) = &ask.camera {
        let video = track::size_constraints(ask.size);
        track::set_device(&video, wish);
        constraints.set_video(&video);
    }
    constraints
}
