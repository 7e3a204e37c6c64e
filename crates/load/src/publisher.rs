//! A publisher: a WebRTC peer whose frames are packets of [`crate::shape`], each at its
//! time by the clock.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

use str0m::media::{MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Event, IceConnectionState, Input, Output, Rtc, RtcError};
use tokio::sync::oneshot;
use tracing::debug;

use crate::clock;
use crate::meter::Sent;
use crate::negotiated::Negotiated;
use crate::results::MediaShape;
use crate::run::Run;
use crate::shape::{self, Frame, SOUND_RATE};
use crate::socket::Socket;
use crate::stamp::Kind;

/// Between two keyframes that were asked for, as browsers' encoders have it.
const MIN_KEYFRAME_GAP: Duration = Duration::from_millis(300);

/// Rounds of time given to str0m in one go: it takes one for each packet.
const MAX_ROUNDS: usize = shape::MAX_PACKETS * 2;

/// Ticks a second of the RTP clocks.
const VIDEO_TICKS: u64 = 90_000;
const SOUND_TICKS: u64 = 48_000;

/// Frames of one kind: which is next, and when.
#[derive(Debug)]
struct Beat {
    mid: Mid,
    payload_type: Pt,
    /// Frames a second.
    rate: u64,
    start: Instant,
    frame: u32,
    /// RTP sequence number, with its roll-overs.
    sequence: u64,
}

impl Beat {
    fn due(&self) -> Instant {
        self.start + Duration::from_nanos(u64::from(self.frame) * 1_000_000_000 / self.rate)
    }
}

/// See the module.
pub(crate) struct Publisher {
    rtc: Rtc,
    local: SocketAddr,
    mids: Vec<(Mid, MediaKind)>,
    shape: MediaShape,
    stream: u32,
    /// Bytes of a usual frame and of a keyframe.
    bytes: (usize, usize),
    video: Option<Beat>,
    sound: Option<Beat>,
    /// The last keyframe, and when it was sent.
    keyframe: Option<(u32, Instant)>,
    keyframe_wanted: bool,
    /// Told once, when the connection is up.
    ready: Option<oneshot::Sender<()>>,
    rtc_due: Instant,
    run: Run,
    window: Range<u64>,
    sent: Sent,
    worst_lateness: Duration,
    is_over: bool,
}

impl Publisher {
    /// Of a negotiated connection; `ready` hears when it is up and frames go out.
    pub(crate) fn new(
        rtc: Rtc,
        local: SocketAddr,
        mids: Vec<(Mid, MediaKind)>,
        (stream, shape): (u32, MediaShape),
        ready: oneshot::Sender<()>,
    ) -> Self {
        Self {
            rtc,
            local,
            mids,
            shape,
            stream,
            bytes: shape::frame_bytes(&shape),
            video: None,
            sound: None,
            keyframe: None,
            keyframe_wanted: false,
            ready: Some(ready),
            rtc_due: Instant::now(),
            run: Run::default(),
            window: 0..0,
            sent: Sent::default(),
            worst_lateness: Duration::ZERO,
            is_over: false,
        }
    }

    /// The connection is lost or ended.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Counts anew, what is sent in this span.
    pub(crate) fn measure(&mut self, window: Range<u64>) {
        self.window = window;
        self.sent = Sent::default();
        self.worst_lateness = Duration::ZERO;
    }

    /// The stream, what was sent in the span, and the most that a frame of it was late;
    /// of all frames, where no span is measured.
    pub(crate) fn counts(&self) -> (u32, Sent, Duration) {
        (self.stream, self.sent, self.worst_lateness)
    }

    /// When [`Publisher::handle_timeout`] is due.
    pub(crate) fn due(&self) -> Instant {
        let beats = [&self.video, &self.sound].into_iter().flatten();
        beats.map(Beat::due).fold(self.rtc_due, Instant::min)
    }

    /// Takes a datagram.
    pub(crate) fn handle_datagram(&mut self, from: SocketAddr, datagram: &[u8], socket: &Socket) {
        // What is none of WebRTC's is dropped, as noise on the network.
        if let Ok(receive) = Receive::new(Protocol::Udp, from, self.local, datagram) {
            let input = Input::Receive(Instant::now(), receive);
            self.step(input, socket);
        }
    }

    /// Sends the frames that are due.
    pub(crate) fn handle_timeout(&mut self, now: Instant, socket: &Socket) {
        while self.video.as_ref().is_some_and(|beat| beat.due() <= now) {
            self.send_picture();
        }
        while self.sound.as_ref().is_some_and(|beat| beat.due() <= now) {
            self.send_sound();
        }
        self.step(Input::Timeout(now), socket);
    }

    /// Says goodbye.
    pub(crate) fn close(&mut self, socket: &Socket) {
        if self.rtc.close().is_ok() {
            self.step(Input::Timeout(Instant::now()), socket);
        }
    }

    fn step(&mut self, input: Input<'_>, socket: &Socket) {
        let mut handled = self.rtc.handle_input(input);
        for _ in 0..MAX_ROUNDS {
            if let Err(error) = handled.and_then(|()| self.drain(socket)) {
                debug!(%error, local = %self.local, "a publisher's connection ends");
                self.is_over = true;
                break;
            }
            let now = Instant::now();
            if self.rtc_due > now {
                break;
            }
            handled = self.rtc.handle_input(Input::Timeout(now));
        }
        self.run.flush(socket);
    }

    fn drain(&mut self, socket: &Socket) -> Result<(), RtcError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => {
                    self.rtc_due = at;
                    return Ok(());
                }
                Output::Transmit(transmit) => {
                    let (to, contents) = (transmit.destination, &transmit.contents);
                    self.run.push(to, contents, socket);
                }
                Output::Event(event) => self.handle(&event),
            }
        }
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "a sender has no use for the many events of receivers"
    )]
    fn handle(&mut self, event: &Event) {
        match event {
            Event::Connected => self.handle_connected(),
            Event::KeyframeRequest(_) => self.keyframe_wanted = true,
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) | Event::Closed => {
                self.is_over = true;
            }
            _ => {}
        }
    }

    fn handle_connected(&mut self) {
        let negotiated = Negotiated::read(&self.rtc, &self.mids);
        // Streams do not all have their frames at the same moment.
        let rate = u64::from(self.shape.frame_rate.max(1));
        let part = u64::from(self.stream).wrapping_mul(0x9e37_79b9) % 1_024;
        let phase = Duration::from_nanos(1_000_000_000 / rate * part / 1_024);
        let start = Instant::now() + phase;
        let beat = |kind, payload_type: Option<u8>, rate| {
            let (mid, _) = *self.mids.iter().find(|(_, is)| *is == kind)?;
            Some(Beat {
                mid,
                payload_type: payload_type?.into(),
                rate,
                start,
                frame: 0,
                sequence: 1,
            })
        };
        let video = beat(MediaKind::Video, negotiated.video, rate);
        let sound = beat(MediaKind::Audio, negotiated.sound, u64::from(SOUND_RATE));
        self.video = video;
        self.sound = sound.filter(|_| self.shape.audio);
        let beats = [&self.video, &self.sound].into_iter().flatten();
        for mid in beats.map(|beat| beat.mid) {
            if let Some(stream) = self.rtc.direct_api().stream_tx_by_mid(mid, None) {
                stream.set_unpaced(true);
            }
        }
        if let Some(ready) = self.ready.take() {
            // Whoever does not wait any more has given up this publisher.
            let _ = ready.send(());
        }
    }

    fn is_keyframe_due(&self, frame: u32, now: Instant) -> bool {
        self.keyframe.is_none_or(|(last, at)| {
            frame - last >= self.shape.keyframe_interval.max(1)
                || self.keyframe_wanted && now.saturating_duration_since(at) >= MIN_KEYFRAME_GAP
        })
    }

    fn send_picture(&mut self) {
        let now = Instant::now();
        let Some(frame) = self.video.as_ref().map(|beat| beat.frame) else {
            return;
        };
        let (usual, key) = self.bytes;
        if self.is_keyframe_due(frame, now) {
            self.keyframe = Some((frame, now));
            self.keyframe_wanted = false;
            self.send_frame(Kind::Key, key, now);
        } else {
            self.send_frame(Kind::Delta, usual, now);
        }
    }

    fn send_sound(&mut self) {
        self.send_frame(Kind::Sound, 0, Instant::now());
    }

    /// Gives str0m the packets of the frame whose turn it is.
    fn send_frame(&mut self, kind: Kind, bytes: usize, now: Instant) {
        let (beat, ticks) = match kind {
            Kind::Delta | Kind::Key => (&mut self.video, VIDEO_TICKS),
            Kind::Sound => (&mut self.sound, SOUND_TICKS),
        };
        let Some(beat) = beat else {
            return;
        };
        let due = beat.due();
        let frame = Frame {
            stream: self.stream,
            number: beat.frame,
            kind,
            sent_ns: clock::nanoseconds(now),
        };
        let time = (u64::from(beat.frame) * ticks / beat.rate) as u32;
        let payloads = shape::payloads(&frame, bytes);
        let count = payloads.len();
        let mut api = self.rtc.direct_api();
        if let Some(stream) = api.stream_tx_by_mid(beat.mid, None) {
            for (index, payload) in payloads.into_iter().enumerate() {
                let sequence = beat.sequence.into();
                beat.sequence += 1;
                stream.write_rtp(
                    RtpWrite::new(beat.payload_type, sequence, time, now, payload)
                        .marker(index + 1 == count && kind != Kind::Sound)
                        .nackable(kind != Kind::Sound),
                );
            }
        }
        beat.frame += 1;
        let is_in_window = self.window.contains(&frame.sent_ns);
        if is_in_window {
            self.sent.packets += count as u64;
            self.sent.frames += u64::from(kind != Kind::Sound);
        }
        if is_in_window || self.window.is_empty() {
            let lateness = now.saturating_duration_since(due);
            self.worst_lateness = self.worst_lateness.max(lateness);
        }
    }
}
