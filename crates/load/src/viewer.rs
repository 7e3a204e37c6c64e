//! A viewer: a WebRTC peer that receives one stream and checks it.
//!
//! str0m does its ICE and DTLS. Its media it takes itself, because a generator has to
//! cost less per packet than the servers it measures: headers are read in clear, of the
//! payload only the stamp is decrypted ([`crate::srtp`]), and one packet in
//! [`LOOK_CLOSELY`] is authenticated and compared byte by byte. What it says back is what
//! a browser says: receiver reports each second, negative acknowledgements for what is
//! missing until it comes or ten have not helped, a request for a keyframe then, and
//! transport-wide feedback where it was negotiated. It makes no bandwidth estimate of
//! its own (REMB).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use str0m::media::{MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Event, IceConnectionState, Input, Output, Rtc, RtcError};
use tokio::sync::oneshot;
use tracing::{debug, trace};

use crate::clock;
use crate::keys;
use crate::meter::Meter;
use crate::negotiated::{Media, Negotiated};
use crate::reception::Reception;
use crate::rtcp;
use crate::rtp::{self, Datagram, Header};
use crate::shape::{self, STAMP_WITHIN};
use crate::socket::Socket;
use crate::srtp::{self, Inbound, Outbound};
use crate::stamp::{Kind, Stamp};
use crate::transport::TransportLog;

/// One packet in so many of a viewer is looked at as a whole.
pub(crate) const LOOK_CLOSELY: u32 = 64;

/// Between two receiver reports.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Between two reports of the transport's, as in browsers at these rates.
const TRANSPORT_INTERVAL: Duration = Duration::from_millis(100);

/// Between two requests for a keyframe while none is complete.
const KEYFRAME_INTERVAL: Duration = Duration::from_millis(500);

/// Ticks a second.
const VIDEO_RATE: u32 = 90_000;
const SOUND_RATE: u32 = 48_000;

/// When a viewer came how far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Milestones {
    pub(crate) ice: Instant,
    pub(crate) dtls: Instant,
    pub(crate) first_packet: Instant,
    pub(crate) keyframe: Instant,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    ice: Option<Instant>,
    dtls: Option<Instant>,
    first_packet: Option<Instant>,
}

/// The sources of a viewer.
#[derive(Debug, Default)]
struct Sources {
    video: Option<Reception>,
    sound: Option<Reception>,
    repairs: Option<Reception>,
}

/// See the module.
pub(crate) struct Viewer {
    rtc: Rtc,
    local: SocketAddr,
    remote: Option<SocketAddr>,
    mids: Vec<(Mid, MediaKind)>,
    negotiated: Negotiated,
    srtp: Option<(Inbound, Outbound)>,
    sources: Sources,
    transport: TransportLog,
    pub(crate) meter: Meter,
    progress: Progress,
    /// Told once, when a keyframe is complete.
    joined: Option<oneshot::Sender<Milestones>>,
    /// Packets until one is looked at closely.
    until_close_look: u32,
    rtc_due: Instant,
    report_due: Option<Instant>,
    keyframe_due: Option<Instant>,
    is_over: bool,
}

impl Viewer {
    /// Of a negotiated connection; `joined` hears when the first keyframe is complete.
    pub(crate) fn new(
        rtc: Rtc,
        local: SocketAddr,
        mids: Vec<(Mid, MediaKind)>,
        stream: u32,
        joined: oneshot::Sender<Milestones>,
    ) -> Self {
        Self {
            rtc,
            local,
            remote: None,
            mids,
            negotiated: Negotiated::default(),
            srtp: None,
            sources: Sources::default(),
            transport: TransportLog::default(),
            meter: Meter::new(stream),
            progress: Progress::default(),
            joined: Some(joined),
            until_close_look: 0,
            rtc_due: Instant::now(),
            report_due: None,
            keyframe_due: None,
            is_over: false,
        }
    }

    /// The connection is lost or ended.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// When [`Viewer::handle_timeout`] is due.
    pub(crate) fn due(&self) -> Instant {
        let sources = &self.sources;
        let asks = sources.video.as_ref().and_then(Reception::ask_at);
        let transport = self.transport.since().map(|at| at + TRANSPORT_INTERVAL);
        [self.report_due, self.keyframe_due, asks, transport]
            .into_iter()
            .flatten()
            .fold(self.rtc_due, Instant::min)
    }

    /// Takes a datagram that came at `at`.
    pub(crate) fn handle_datagram(
        &mut self,
        from: SocketAddr,
        datagram: &[u8],
        at: Instant,
        socket: &Socket,
        delays: &mut Histogram<u64>,
    ) {
        match rtp::kind(datagram) {
            Datagram::Rtp => self.take_rtp(datagram, at, delays),
            Datagram::Rtcp => self.take_rtcp(datagram, at),
            Datagram::Other => {
                self.remote = Some(from);
                // What is not STUN or DTLS either is dropped, as noise on the network.
                let Ok(receive) = Receive::new(Protocol::Udp, from, self.local, datagram) else {
                    return;
                };
                let now = Instant::now();
                let handled = self.rtc.handle_input(Input::Receive(now, receive));
                self.after(handled, socket);
            }
        }
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant, socket: &Socket) {
        if now >= self.rtc_due {
            let handled = self.rtc.handle_input(Input::Timeout(now));
            self.after(handled, socket);
        }
        self.send_feedback(now, socket);
    }

    /// Says goodbye.
    pub(crate) fn close(&mut self, socket: &Socket) {
        let closed = self.rtc.close();
        self.after(closed, socket);
    }

    fn after(&mut self, handled: Result<(), RtcError>, socket: &Socket) {
        if let Err(error) = handled.and_then(|()| self.drain(socket)) {
            debug!(%error, local = %self.local, "a viewer's connection ends");
            self.is_over = true;
        }
    }

    fn drain(&mut self, socket: &Socket) -> Result<(), RtcError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => {
                    self.rtc_due = at;
                    return Ok(());
                }
                // All RTCP is this viewer's own: two that count would collide.
                Output::Transmit(transmit) if rtp::kind(&transmit.contents) != Datagram::Other => {
                    trace!("str0m has nothing to report");
                }
                Output::Transmit(transmit) => {
                    socket.send(transmit.destination, &transmit.contents, None);
                }
                Output::Event(event) => self.handle(&event),
            }
        }
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "str0m sees nothing of the media, whose events are most of them"
    )]
    fn handle(&mut self, event: &Event) {
        match event {
            Event::IceConnectionStateChange(state) => match state {
                IceConnectionState::Connected | IceConnectionState::Completed => {
                    self.progress.ice.get_or_insert_with(Instant::now);
                }
                IceConnectionState::Disconnected => self.is_over = true,
                IceConnectionState::New | IceConnectionState::Checking => {}
            },
            Event::MediaAdded(added) => {
                let media = (added.mid, added.kind);
                if !self.mids.contains(&media) {
                    self.mids.push(media);
                }
            }
            Event::Connected => self.handle_connected(),
            Event::Closed => self.is_over = true,
            _ => {}
        }
    }

    fn handle_connected(&mut self) {
        let now = Instant::now();
        self.progress.dtls.get_or_insert(now);
        self.srtp = keys::take().and_then(|keying| srtp::contexts(&keying));
        if self.srtp.is_none() {
            debug!(local = %self.local, "no keys for the media");
            self.is_over = true;
        }
        self.negotiated = Negotiated::read(&self.rtc, &self.mids);
        self.report_due = Some(now + REPORT_INTERVAL);
        self.keyframe_due = Some(now + KEYFRAME_INTERVAL);
    }

    fn take_rtp(&mut self, packet: &[u8], at: Instant, delays: &mut Histogram<u64>) {
        let Some(header) = Header::parse(packet, self.negotiated.transport_wide) else {
            return;
        };
        let (Some((inbound, _)), Some(of)) = (&self.srtp, self.negotiated.media(&header)) else {
            return;
        };
        if let Some(number) = header.transport_sequence {
            self.transport.note(number, at);
        }
        let at_ns = clock::nanoseconds(at);
        let reception = self.sources.of(of, &header);
        let index = reception.index(header.sequence);
        let late = reception.arrived(index, header.timestamp, at, at_ns);
        let mut buffer = [0; REPAIR_HEAD + STAMP_WITHIN];
        let start = inbound.peek(&header, index, packet, &mut buffer);
        let head = if of == Media::Repairs { REPAIR_HEAD } else { 0 };
        let Some((before, payload)) = start.and_then(|start| start.split_at_checked(head)) else {
            return;
        };
        // A repair without anything in it probes the path.
        if payload.is_empty() {
            return;
        }
        let length = inbound.payload_bytes(&header, packet) - head;
        let stamp = shape::read_stamp(payload, of == Media::Sound);
        let stamp = stamp.filter(|stamp| usize::from(stamp.length) == length);
        let Some(stamp) =
            stamp.filter(|stamp| self.is_as_sent(stamp, &header, index, packet, head))
        else {
            return self.meter.damaged(at_ns);
        };
        let mended = before.try_into().ok().map(u16::from_be_bytes);
        let late = match (mended, &mut self.sources.video) {
            (Some(sequence), Some(video)) => {
                let index = video.index(sequence);
                video.arrived(index, header.timestamp, at, at_ns)
            }
            (None, _) | (_, None) => late,
        };
        self.count(&stamp, packet.len(), at, late, delays);
    }

    /// Looks at a packet closely if it is its turn.
    fn is_as_sent(
        &mut self,
        stamp: &Stamp,
        header: &Header,
        index: u64,
        packet: &[u8],
        head: usize,
    ) -> bool {
        if self.until_close_look > 0 {
            self.until_close_look -= 1;
            return true;
        }
        self.until_close_look = LOOK_CLOSELY - 1;
        let Some((inbound, _)) = &mut self.srtp else {
            return false;
        };
        let whole = inbound.open(header, index, packet);
        whole.is_some_and(|whole| shape::is_whole(&whole[head..], stamp))
    }

    fn count(
        &mut self,
        stamp: &Stamp,
        bytes: usize,
        at: Instant,
        late: bool,
        delays: &mut Histogram<u64>,
    ) {
        // What came with the end of the handshake could be read only then.
        let readable = self.progress.dtls.map_or(at, |dtls| at.max(dtls));
        self.progress.first_packet.get_or_insert(readable);
        let taken = self.meter.take(stamp, bytes, clock::nanoseconds(at), late);
        if let Some(delay) = taken.delay_us {
            delays.saturating_record(delay);
        }
        if taken.completed && stamp.kind == Kind::Key {
            self.keyframe_due = None;
            self.tell_joined(readable);
        }
    }

    fn tell_joined(&mut self, keyframe: Instant) {
        let Progress {
            ice: Some(ice),
            dtls: Some(dtls),
            first_packet: Some(first_packet),
        } = self.progress
        else {
            return;
        };
        if let Some(joined) = self.joined.take() {
            // Whoever does not wait any more has given up this viewer.
            let _ = joined.send(Milestones {
                ice,
                dtls,
                first_packet,
                keyframe,
            });
        }
    }

    fn take_rtcp(&mut self, packet: &[u8], at: Instant) {
        let Some((inbound, _)) = &mut self.srtp else {
            return;
        };
        let Some(packet) = inbound.open_rtcp(packet) else {
            return;
        };
        for (ssrc, clock) in rtcp::sender_reports(packet) {
            let sources = [&mut self.sources.video, &mut self.sources.sound];
            let sources = sources.into_iter().flatten();
            for source in sources.filter(|source| source.ssrc == ssrc) {
                source.reported(clock, at);
            }
        }
    }

    /// Reports, if any is due: all in one packet that begins with a receiver report.
    fn send_feedback(&mut self, now: Instant, socket: &Socket) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let video = &mut self.sources.video;
        let asks = video.as_mut().map_or_else(Vec::new, |v| v.asks(now));
        if video.as_mut().is_some_and(Reception::take_given_up) {
            self.keyframe_due.get_or_insert(now);
        }
        let wants_report = due(self.report_due);
        let wants_keyframe = due(self.keyframe_due);
        let transport = self.transport.since().map(|at| at + TRANSPORT_INTERVAL);
        let wants_transport = due(transport);
        if !(wants_report || wants_keyframe || wants_transport) && asks.is_empty() {
            return;
        }
        let mut blocks = Vec::new();
        if wants_report {
            self.report_due = Some(now + REPORT_INTERVAL);
            let sources = [&mut self.sources.video, &mut self.sources.sound];
            blocks.extend(sources.into_iter().flatten().map(|s| s.block(now)));
        }
        let mut packet = Vec::new();
        rtcp::receiver_report(&mut packet, &blocks);
        let ssrc = self.sources.video.as_ref().map(|video| video.ssrc);
        if let Some(ssrc) = ssrc.filter(|_| !asks.is_empty()) {
            rtcp::nack(&mut packet, ssrc, &asks);
        }
        if wants_keyframe {
            self.keyframe_due = Some(now + KEYFRAME_INTERVAL);
            rtcp::picture_loss(&mut packet, ssrc.unwrap_or_default());
        }
        if wants_transport {
            self.transport.report(&mut packet, ssrc.unwrap_or_default());
        }
        self.send_rtcp(&packet, socket);
    }

    fn send_rtcp(&mut self, packet: &[u8], socket: &Socket) {
        if let (Some((_, outbound)), Some(remote)) = (&mut self.srtp, self.remote)
            && let Some(sealed) = outbound.seal_rtcp(packet)
        {
            socket.send(remote, &sealed, None);
        }
    }
}

/// The original sequence number that a repair has before the payload.
const REPAIR_HEAD: usize = 2;

impl Sources {
    /// The reception of a packet's source: a new one, where the source is.
    fn of(&mut self, media: Media, header: &Header) -> &mut Reception {
        let Header { ssrc, sequence, .. } = *header;
        let (place, fresh) = match media {
            Media::Video => (
                &mut self.video,
                Reception::mended(ssrc, VIDEO_RATE, sequence),
            ),
            Media::Repairs => (
                &mut self.repairs,
                Reception::new(ssrc, VIDEO_RATE, sequence),
            ),
            Media::Sound => (&mut self.sound, Reception::new(ssrc, SOUND_RATE, sequence)),
        };
        if place.as_ref().is_some_and(|had| had.ssrc != ssrc) {
            *place = None;
        }
        place.get_or_insert(fresh)
    }
}
