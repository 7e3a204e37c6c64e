//! Showing a stream in a `<video>` element, its sound and its speaker.

use core::cell::Cell;
use std::rc::{Rc, Weak};

use gloo_events::EventListener;
use js_sys::Promise;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlVideoElement;
use yew::{Callback, NodeRef};

use super::Thrown;
use super::media::Picture;
use super::picture_first::PictureFirst;
use super::task::Task;
use crate::state::{Loudness, Sound, SoundEvent};

/// The volume an element is probed with; any but 1 will do.
const PROBE_VOLUME: f64 = 0.5;

#[wasm_bindgen]
extern "C" {
    /// A `<video>`, with what `web-sys` has no stable name for.
    #[wasm_bindgen(extends = HtmlVideoElement)]
    type SinkVideo;
    /// Audio Output Devices API, section 2.3.
    #[wasm_bindgen(method, catch, js_name = setSinkId)]
    fn set_sink_id(this: &SinkVideo, id: &str) -> Result<Promise, JsValue>;
}

/// Which sound a stream is shown with.
#[derive(Debug, Clone, PartialEq)]
pub enum Audio {
    /// Never any: one's own camera.
    Silent,
    /// This, as soon as the browser allows it; told what becomes of it.
    Heard(Loudness, Callback<Shown>),
}

/// News of a shown stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shown {
    /// Its first picture is there.
    FirstFrame,
    /// Its sound has changed.
    Sound(Sound),
}

/// A stream shown in a `<video>` element. Dropping it takes it out again.
#[must_use = "dropping it empties the element"]
pub struct Showing {
    screen: Rc<Screen>,
    listeners: Vec<EventListener>,
    /// Brings the sound after the picture.
    joining: Option<Task>,
}

struct Screen {
    video: HtmlVideoElement,
    sound: Cell<Sound>,
    /// Waits for the answer to the last `play()`; the earlier ones count no more.
    playing: Cell<Option<Task>>,
    on_shown: Callback<Shown>,
}

impl Showing {
    /// Shows `picture` in the element of `node`; `None` if that is no `<video>`.
    ///
    /// It starts muted, which no browser forbids, and the sound comes after the
    /// first picture where the browser allows it.
    pub fn start(node: &NodeRef, picture: &Picture, audio: Audio) -> Option<Self> {
        let video = node.cast::<HtmlVideoElement>()?;
        let (wish, on_shown, is_heard) = match audio {
            Audio::Silent => (SILENCE, Callback::noop(), false),
            Audio::Heard(wish, on_shown) => (wish, on_shown, true),
        };
        let screen = Rc::new(Screen {
            video: video.clone(),
            sound: Cell::new(Sound::new(wish)),
            playing: Cell::new(None),
            on_shown,
        });
        video.set_muted(true);
        // What is never heard has no sound to wait for, and its tracks may change.
        let first = is_heard.then(|| PictureFirst::show(&video, picture.stream()));
        let first = first.flatten();
        if first.is_none() {
            video.set_src_object(Some(picture.stream()));
            screen.handle(SoundEvent::Joined);
        }
        Some(Self {
            joining: first.map(|first| screen.join(first)),
            listeners: screen.listeners(),
            screen,
        })
    }

    /// The user wants to hear something else.
    pub fn wish(&self, wish: Loudness) {
        self.screen.handle(SoundEvent::Wished(wish));
    }

    /// The user pressed what the browser waited for; to be called from that
    /// press.
    pub fn press(&self) {
        self.screen.handle(SoundEvent::Pressed);
    }
}

impl Drop for Showing {
    fn drop(&mut self) {
        self.listeners.clear();
        self.joining = None;
        self.screen.playing.set(None);
        self.screen.video.set_src_object(None);
    }
}

const SILENCE: Loudness = Loudness {
    volume: 1.0,
    muted: true,
};

impl Screen {
    fn listeners(self: &Rc<Self>) -> Vec<EventListener> {
        vec![
            listen(self, "loadedmetadata", |screen| {
                screen.handle(SoundEvent::Loaded);
            }),
            listen(self, "loadeddata", |screen| {
                screen.on_shown.emit(Shown::FirstFrame);
            }),
            listen(self, "pause", |screen| {
                // Played again since, or at the stream's end.
                if screen.video.paused() && !screen.video.ended() {
                    screen.handle(SoundEvent::Paused);
                }
            }),
            listen(self, "playing", |screen| {
                screen.handle(SoundEvent::Resumed);
            }),
            // Safari pauses a picture that leaves its full screen.
            listen(self, "webkitendfullscreen", |screen| {
                screen.handle(SoundEvent::Loaded);
            }),
        ]
    }

    fn join(self: &Rc<Self>, first: PictureFirst) -> Task {
        let screen = Rc::downgrade(self);
        Task::spawn(async move {
            first.complete().await;
            if let Some(screen) = Weak::upgrade(&screen) {
                screen.handle(SoundEvent::Joined);
            }
        })
    }

    fn handle(self: &Rc<Self>, event: SoundEvent) {
        let mut sound = self.sound.get();
        let play = sound.handle(event);
        self.sound.set(sound);
        self.video.set_volume(sound.volume());
        self.video.set_muted(sound.muted());
        if play {
            self.play();
        }
        self.on_shown.emit(Shown::Sound(sound));
    }

    fn play(self: &Rc<Self>) {
        // Called right here, since it may count only within a press.
        let answer = self.video.play();
        let screen = Rc::downgrade(self);
        self.playing.set(Some(Task::spawn(async move {
            let answer = settled(answer).await;
            if let Some(screen) = Weak::upgrade(&screen) {
                screen.answered(answer);
            }
        })));
    }

    fn answered(self: &Rc<Self>, answer: Result<(), Thrown>) {
        match answer {
            // Browsers also pause what starts to make sound without leave.
            Ok(()) if self.video.paused() => self.handle(SoundEvent::Refused),
            Ok(()) => self.handle(SoundEvent::Played),
            // Overtaken by a pause or another stream, which tell themselves.
            Err(thrown) if thrown.name == "AbortError" => {}
            Err(_) => self.handle(SoundEvent::Refused),
        }
    }
}

fn listen(
    screen: &Rc<Screen>,
    event: &'static str,
    on_event: impl Fn(&Rc<Screen>) + 'static,
) -> EventListener {
    let weak = Rc::downgrade(screen);
    EventListener::new(&screen.video, event, move |_| {
        if let Some(screen) = weak.upgrade() {
            on_event(&screen);
        }
    })
}

async fn settled(answer: Result<Promise, JsValue>) -> Result<(), Thrown> {
    JsFuture::from(answer?).await?;
    Ok(())
}

/// Whether pages may set the volume. On iOS only the device's own keys do, and
/// the element keeps saying 1.
pub fn volume_works() -> bool {
    let created = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.create_element("video").ok());
    let Some(video) = created.and_then(|element| element.dyn_into::<HtmlVideoElement>().ok())
    else {
        return false;
    };
    video.set_volume(PROBE_VOLUME);
    video.volume() == PROBE_VOLUME
}

/// Sends the sound of the `<video>` at `node` to the speaker of this device id;
/// an empty one is the browser's choice.
///
/// # Errors
/// The browser cannot do that, the speaker is gone, or the user has not allowed
/// it.
pub async fn set_speaker(node: &NodeRef, id: &str) -> Result<(), Thrown> {
    let Some(video) = node.cast::<HtmlVideoElement>() else {
        return Ok(());
    };
    if !js_sys::Reflect::has(&video, &"setSinkId".into())? {
        return Err(Thrown {
            name: String::new(),
            message: "this browser cannot choose it".to_owned(),
        });
    }
    settled(video.unchecked_ref::<SinkVideo>().set_sink_id(id)).await
}
