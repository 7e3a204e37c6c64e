//! The publishing half's camera, microphone and screen: it does the steps the
//! [`Studio`] asks for, one at a time, and offers what there is to publish.

use core::time::Duration;

use gloo_events::EventListener;
use session::{Input, Severity, StreamRole};
use wire::{MediaSessionId, StreamEventType, StreamStatus};

use super::{Event, Queue, Shell, Update};
use crate::platform::media::{self, Camera, Ended, MediaError, Opened, Preview, Track};
use crate::platform::peer::{Peer, Sender};
use crate::platform::permission::{self, Watch};
use crate::platform::task::{self, Task};
use crate::platform::timer::Timer;
use crate::platform::{Thrown, devices, dom};
use crate::state::{
    Ask, Capture, CapturePress, Device, Found, MediaKind, MediaProblem, Size, Step, Studio,
};

/// A browser that takes longer than this is asking the user.
const PATIENCE: Duration = Duration::from_secs(1);

/// What happens to the devices.
pub(super) enum CaptureEvent {
    /// A step is done, or cannot be.
    Done(StepNumber, Result<Outcome, MediaError>),
    /// A step takes so long that the browser must be asking the user.
    Waiting(StepNumber),
    /// A device went away, or the user stopped the sharing.
    Ended(Ended),
    /// Devices came or went.
    Changed,
    /// These are there now.
    Listed(Vec<Device>),
    /// The permissions refused before are being watched.
    Watching(Watch),
    /// One of them was given.
    Permitted,
    /// The published stream is live: its players can be told what is muted.
    Published(MediaSessionId),
}

/// What came of a step.
pub(super) enum Outcome {
    Opened(Ask, Opened),
    Shared(Track),
    Resized(Size),
}

/// Counts the steps of one loop, so that what comes of a step given up is
/// dropped, and with it its devices.
type StepNumber = u32;

/// Everything the loop holds for capturing.
pub(super) struct Desk {
    studio: Studio,
    camera: Option<Camera>,
    doing: Option<Doing>,
    steps: StepNumber,
    /// What the screen was last told.
    shown: Studio,
    preview: Option<Preview>,
    /// The stream to offer once the devices are on.
    to_offer: Option<MediaSessionId>,
    /// The stream that is live.
    published: Option<MediaSessionId>,
    limiting: Option<Task>,
    listing: Option<Task>,
    /// A device went away and the list may not know it: the next one is not
    /// opened before the list does.
    stale: bool,
    watch: Option<Watch>,
    _devices: Option<EventListener>,
}

struct Doing {
    number: StepNumber,
    step: Step,
    _patience: Timer,
}

impl Desk {
    pub(super) fn new(queue: &Queue) -> Self {
        let on_change = queue.callback(|()| Event::Capture(CaptureEvent::Changed));
        // The first list.
        on_change.emit(());
        Self {
            studio: Studio::default(),
            camera: None,
            doing: None,
            steps: 0,
            shown: Studio::default(),
            preview: None,
            to_offer: None,
            published: None,
            limiting: None,
            listing: None,
            stale: false,
            watch: None,
            _devices: devices::watch(on_change),
        }
    }

    fn is_free(&self) -> bool {
        self.doing.is_none() && !self.stale
    }

    /// The step of this number, unless it was given up meanwhile.
    fn finish(&mut self, number: StepNumber) -> Option<Step> {
        let doing = self.doing.take_if(|doing| doing.number == number)?;
        self.studio.waiting(false);
        Some(doing.step)
    }

    /// A track takes its place, muted or not as the user has it.
    fn put(&mut self, kind: MediaKind, track: Option<Track>) {
        if let Some(track) = &track {
            track.set_enabled(!self.studio.muted().of(kind));
        }
        if self.camera.is_none() {
            match Camera::new() {
                Ok(camera) => self.camera = Some(camera),
                Err(thrown) => return dom::log_warning(&thrown.to_string()),
            }
        }
        if let Some(camera) = &mut self.camera {
            camera.put(kind, track);
        }
    }

    fn track(&self, kind: MediaKind) -> Option<&Track> {
        self.camera.as_ref()?.track(kind)
    }
}

impl Shell {
    /// Offers what is captured, turning it on first where it is off.
    pub(super) fn offer_capture(&mut self, id: MediaSessionId) {
        self.desk.studio.want();
        self.desk.to_offer = Some(id);
        self.settle();
    }

    /// Everything goes off.
    pub(super) fn end_capture(&mut self) {
        self.desk.studio.end();
        self.desk.doing = None;
        self.desk.camera = None;
        self.show();
    }

    /// The published stream ended; what it showed stays on.
    pub(super) fn publishing_ended(&mut self) {
        self.desk.studio.offer(false);
        self.desk.to_offer = None;
        self.desk.published = None;
        self.desk.limiting = None;
    }

    /// Whether a stream has audio and video.
    pub(super) fn kinds(&self, role: StreamRole) -> (bool, bool) {
        match (role, &self.desk.camera) {
            (StreamRole::Publisher, Some(camera)) => (camera.has_audio(), camera.has_video()),
            (StreamRole::Publisher, None) | (StreamRole::Player, _) => (true, true),
        }
    }

    pub(super) fn capture_press(&mut self, press: CapturePress) {
        self.desk.studio.press(press);
        if let CapturePress::Mute(kind) = press {
            self.mute(kind);
        }
        self.settle();
    }

    pub(super) fn capture_wishes(&mut self, wishes: Capture) {
        self.desk.studio.wish(wishes);
        self.limit_bitrate();
        self.settle();
    }

    pub(super) fn capture_event(&mut self, event: CaptureEvent) {
        match event {
            CaptureEvent::Done(number, result) => {
                if let Some(step) = self.desk.finish(number) {
                    self.done(&step, result);
                }
            }
            CaptureEvent::Waiting(number) => {
                let asks = |doing: &Doing| doing.number == number;
                let waits = self.desk.doing.as_ref().is_some_and(asks);
                self.desk.studio.waiting(waits);
            }
            CaptureEvent::Ended(ended) => self.ended(&ended),
            CaptureEvent::Changed => self.list_devices(),
            CaptureEvent::Listed(listed) => {
                self.desk.stale = false;
                self.desk.studio.listed(listed);
            }
            CaptureEvent::Watching(watch) => self.desk.watch = Some(watch),
            CaptureEvent::Permitted => {
                self.desk.watch = None;
                self.desk.studio.permitted();
            }
            CaptureEvent::Published(id) => self.published(id),
        }
        self.settle();
    }

    /// Begins what is to be done next; with nothing left, offers what is on.
    fn settle(&mut self) {
        while self.desk.is_free()
            && let Some(step) = self.desk.studio.next()
        {
            match step {
                Step::Close(kind) => {
                    self.desk.studio.closed(kind);
                    self.take_away(kind);
                }
                Step::Open(_) | Step::Share | Step::Resize(_) => self.begin(step),
            }
        }
        if self.desk.is_free() {
            self.offer_if_asked();
        }
        self.show();
    }

    /// Starts a step; its end comes as an event.
    fn begin(&mut self, step: Step) {
        self.desk.steps += 1;
        let number = self.desk.steps;
        let queue = self.queue.clone();
        let work = self.work(&step);
        // What the user is being asked cannot be taken back.
        task::detach(async move {
            let result = work.await;
            queue.push(Event::Capture(CaptureEvent::Done(number, result)));
        });
        let queue = self.queue.clone();
        self.desk.doing = Some(Doing {
            number,
            step,
            _patience: Timer::after(PATIENCE, move || {
                queue.push(Event::Capture(CaptureEvent::Waiting(number)));
            }),
        });
    }

    fn work(&self, step: &Step) -> impl Future<Output = Result<Outcome, MediaError>> + use<> {
        let on_ended = self
            .queue
            .callback(|ended| Event::Capture(CaptureEvent::Ended(ended)));
        let sound = self.sender(MediaKind::Sound);
        let picture = self.sender(MediaKind::Picture);
        let resizing = match (step, self.desk.track(MediaKind::Picture)) {
            (Step::Resize(size), Some(track)) => Some(track.resize(*size)),
            _ => None,
        };
        let step = step.clone();
        async move {
            match step {
                Step::Open(ask) => {
                    let opened = media::open(&ask, on_ended).await?;
                    send(sound, opened.microphone.as_ref()).await?;
                    send(picture, opened.camera.as_ref()).await?;
                    Ok(Outcome::Opened(ask, opened))
                }
                Step::Share => {
                    let screen = media::share_screen(on_ended).await?;
                    send(picture, Some(&screen)).await?;
                    Ok(Outcome::Shared(screen))
                }
                Step::Resize(size) => {
                    if let Some(resizing) = resizing {
                        resizing.await.map_err(unsuitable)?;
                    }
                    Ok(Outcome::Resized(size))
                }
                Step::Close(_) => Err(MediaError::unknown()),
            }
        }
    }

    fn done(&mut self, step: &Step, result: Result<Outcome, MediaError>) {
        match result {
            Ok(Outcome::Opened(ask, opened)) => {
                let found = |track: &Option<Track>| {
                    track.as_ref().map(|track| Found {
                        label: track.label(),
                        instead: opened.instead,
                        of_phone: track.is_of_phone(),
                    })
                };
                let (microphone, camera) = (found(&opened.microphone), found(&opened.camera));
                self.desk.studio.opened(&ask, microphone, camera);
                if opened.microphone.is_some() {
                    self.desk.put(MediaKind::Sound, opened.microphone);
                }
                if opened.camera.is_some() {
                    self.desk.put(MediaKind::Picture, opened.camera);
                }
                // With the permission come names.
                self.list_devices();
            }
            Ok(Outcome::Shared(screen)) => {
                self.desk.studio.shared();
                self.desk.put(MediaKind::Picture, Some(screen));
            }
            Ok(Outcome::Resized(size)) => self.desk.studio.resized(size),
            Err(error) => self.failed(step, &error),
        }
    }

    fn failed(&mut self, step: &Step, error: &MediaError) {
        let reason = error.to_string();
        let wished = self.desk.studio.wishes().clone();
        self.desk.studio.failed(step, error.problem, &reason);
        let wishes = self.desk.studio.wishes();
        if *wishes != wished {
            self.updates.emit(Update::Wishes(wishes.clone()));
        }
        // It may have made room for another one.
        if !self.desk.studio.kinds().picture && self.desk.track(MediaKind::Picture).is_some() {
            self.take_away(MediaKind::Picture);
        }
        self.watch_permissions(error.problem);
        if !self.desk.studio.is_on()
            && let Some(id) = self.desk.to_offer.take()
        {
            self.desk.studio.told();
            self.media_failed(id, reason, Severity::Fatal);
        }
    }

    /// A track that ended without our doing.
    fn ended(&mut self, ended: &Ended) {
        let is_ours = |track: &Track| track.id() == ended.track;
        if self.desk.track(ended.kind).is_some_and(is_ours) {
            self.desk.studio.ended(ended.kind);
            self.take_away(ended.kind);
            self.desk.stale = true;
            self.list_devices();
        }
    }

    /// A kind goes off and is not sent any more; its sender stays for the next.
    fn take_away(&mut self, kind: MediaKind) {
        self.desk.put(kind, None);
        if let Some(sender) = self.sender(kind) {
            task::detach(async move {
                if let Err(thrown) = sender.replace(None).await {
                    dom::log_warning(&thrown.to_string());
                }
            });
        }
    }

    fn offer_if_asked(&mut self) {
        let Some(id) = self.desk.to_offer.take() else {
            return;
        };
        if self.role_of(&id).is_none() {
            // The stream ended while the user was asked.
            return;
        }
        self.desk.studio.offer(true);
        let on_event = self.peer_callback(&id);
        if let Some(camera) = &self.desk.camera {
            let peer = Peer::publisher(camera, on_event);
            self.negotiate(&id, peer);
        }
    }

    fn list_devices(&mut self) {
        let queue = self.queue.clone();
        self.desk.listing = Some(Task::spawn(async move {
            let listed = devices::list().await;
            queue.push(Event::Capture(CaptureEvent::Listed(listed)));
        }));
    }

    fn watch_permissions(&self, problem: MediaProblem) {
        if !matches!(problem, MediaProblem::Blocked | MediaProblem::Dismissed) {
            return;
        }
        let queue = self.queue.clone();
        let on_granted = self
            .queue
            .callback(|()| Event::Capture(CaptureEvent::Permitted));
        task::detach(async move {
            let watch = permission::watch(on_granted).await;
            queue.push(Event::Capture(CaptureEvent::Watching(watch)));
        });
    }

    fn published(&mut self, id: MediaSessionId) {
        if self.desk.published.as_ref() == Some(&id) {
            return;
        }
        self.desk.published = Some(id);
        self.limit_bitrate();
        for kind in [MediaKind::Sound, MediaKind::Picture] {
            if self.desk.studio.muted().of(kind) {
                self.tell_mute(kind);
            }
        }
    }

    fn mute(&mut self, kind: MediaKind) {
        let muted = self.desk.studio.muted().of(kind);
        if let Some(track) = self.desk.track(kind) {
            track.set_enabled(!muted);
        }
        self.tell_mute(kind);
    }

    /// Tells the players whether a kind is muted, once they can be told.
    fn tell_mute(&mut self, kind: MediaKind) {
        let Some(id) = self.desk.published.clone() else {
            return;
        };
        let event_type = match (kind, self.desk.studio.muted().of(kind)) {
            (MediaKind::Sound, true) => StreamEventType::AudioMuted,
            (MediaKind::Sound, false) => StreamEventType::AudioUnmuted,
            (MediaKind::Picture, true) => StreamEventType::VideoMuted,
            (MediaKind::Picture, false) => StreamEventType::VideoUnmuted,
        };
        let payload = None;
        self.ask(Input::SendStreamEvent {
            id,
            event_type,
            payload,
        });
    }

    fn limit_bitrate(&mut self) {
        let limit = self.desk.studio.wishes().max_bitrate_bps;
        self.desk.limiting = self.sender(MediaKind::Picture).map(|sender| {
            Task::spawn(async move {
                if let Err(thrown) = sender.limit(limit).await {
                    dom::log_warning(&format!("the bitrate was not limited: {thrown}"));
                }
            })
        });
    }

    /// The published stream's sender of a kind.
    fn sender(&self, kind: MediaKind) -> Option<Sender> {
        let leg = self.live.as_ref()?.publisher.as_ref()?;
        leg.peer.as_ref()?.sender(kind)
    }

    /// Tells the screen what is on.
    fn show(&mut self) {
        if self.desk.studio != self.desk.shown {
            self.desk.shown.clone_from(&self.desk.studio);
            let shown = Box::new(self.desk.shown.clone());
            self.updates.emit(Update::Studio(shown));
        }
        let preview = self.desk.camera.as_ref().and_then(Camera::preview);
        if preview != self.desk.preview {
            self.desk.preview.clone_from(&preview);
            self.updates.emit(Update::Preview(preview));
        }
    }
}

/// The stream that an update says is being published.
pub(super) fn published(event: &session::Event) -> Option<CaptureEvent> {
    let session::Event::Stream(update) = event else {
        return None;
    };
    (update.status == StreamStatus::Publishing).then(|| CaptureEvent::Published(update.id.clone()))
}

async fn send(sender: Option<Sender>, track: Option<&Track>) -> Result<(), MediaError> {
    if let (Some(sender), Some(track)) = (sender, track) {
        sender.replace(Some(track)).await.map_err(unsuitable)?;
    }
    Ok(())
}

fn unsuitable(thrown: Thrown) -> MediaError {
    MediaError {
        problem: MediaProblem::Unsuitable,
        thrown: Some(thrown),
    }
}
