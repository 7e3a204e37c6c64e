//! A viewer: a WebRTC peer that receives one stream and checks it.
//!
//! str0m does its ICE and DTLS. Its media it takes itself, because a generator has to
//! cost less per packet than the servers it measures: headers are read in clear, of the
//! payload only the stamp is decrypted ([`crate::srtp`]), and one packet in
//! [`LOOK_CLOSELY`] is authenticated and compared byte by byte. Delays are by the
//! kernel's stamp on each datagram, so that a viewer that is slow to read adds nothing.
//!
//! All in, system calls and publisher included, a packet then costs the generator 1.2 to
//! 1.9 microseconds where 500 to 1,000 viewers get 1.5 Mbit/s each, and 3 where 100 do,
//! since each burst wakes the thread. Servers were found to need 2 to 14. That it was
//! not the limit is not taken for granted but measured in each run
//! ([`crate::results::GeneratorUse`]).
//!
//! What it says back is what a browser says: receiver reports each second, negative
//! acknowledgements for what is missing until it comes or ten have not helped, a request
//! for a keyframe then, and transport-wide feedback where it was negotiated. It makes no
//! bandwidth estimate of its own (REMB).

use std::net::SocketAddr;
use std::time::Instant;

use hdrhistogram::Histogram;
use srtp_keys::Secret;
use str0m::media::{MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Event, IceConnectionState, Input, Output, Rtc, RtcError};
use tokio::sync::oneshot;
use tracing::{debug, trace};

use crate::clock;
use crate::feedback::Feedback;
use crate::meter::Meter;
use crate::negotiated::{Media, Negotiated};
use crate::rtp::{self, Datagram, Header};
use crate::shape::{self, STAMP_WITHIN};
use crate::socket::Socket;
use crate::srtp::{self, Inbound, Outbound};
use crate::stamp::{Kind, Stamp};

/// One packet in so many of a viewer is looked at as a whole.
pub(crate) const LOOK_CLOSELY: u32 = 64;

/// The original sequence number that a repair has before the payload (RFC 4588 section
/// 4), in bytes.
const REPAIR_HEAD: usize = 2;

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

/// See the module.
pub(crate) struct Viewer {
    rtc: Rtc,
    secret: Secret,
    local: SocketAddr,
    remote: Option<SocketAddr>,
    mids: Vec<(Mid, MediaKind)>,
    negotiated: Negotiated,
    srtp: Option<(Inbound, Outbound)>,
    feedback: Feedback,
    pub(crate) meter: Meter,
    progress: Progress,
    /// Told once, when a keyframe is complete.
    joined: Option<oneshot::Sender<Milestones>>,
    /// Packets until one is looked at closely.
    until_close_look: u32,
    rtc_due: Instant,
    is_over: bool,
}

impl Viewer {
    /// Of a negotiated connection; `joined` hears when the first keyframe is complete.
    pub(crate) fn new(
        (rtc, secret): (Rtc, Secret),
        local: SocketAddr,
        mids: Vec<(Mid, MediaKind)>,
        stream: u32,
        joined: oneshot::Sender<Milestones>,
    ) -> Self {
        Self {
            rtc,
            secret,
            local,
            remote: None,
            mids,
            negotiated: Negotiated::default(),
            srtp: None,
            feedback: Feedback::default(),
            meter: Meter::new(stream),
            progress: Progress::default(),
            joined: Some(joined),
            until_close_look: 0,
            rtc_due: Instant::now(),
            is_over: false,
        }
    }

    /// The connection is lost or ended.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// When [`Viewer::handle_timeout`] is due.
    pub(crate) fn due(&self) -> Instant {
        let feedback = self.feedback.due();
        feedback.map_or(self.rtc_due, |due| due.min(self.rtc_due))
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
        if let Some(packet) = self.feedback.say(now) {
            self.send_rtcp(&packet, socket);
        }
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
        self.srtp = self.secret.keying().and_then(srtp::contexts);
        if self.srtp.is_none() {
            debug!(local = %self.local, "no keys for the media");
            self.is_over = true;
        }
        self.negotiated = Negotiated::read(&self.rtc, &self.mids);
        self.feedback.begin(now);
    }

    fn take_rtp(&mut self, packet: &[u8], at: Instant, delays: &mut Histogram<u64>) {
        let Some(header) = Header::parse(packet, self.negotiated.transport_wide) else {
            return;
        };
        let (Some((inbound, _)), Some(of)) = (&self.srtp, self.negotiated.media(&header)) else {
            return;
        };
        let at_ns = clock::nanoseconds(at);
        let (index, late) = self.feedback.arrived(of, &header, at, at_ns);
        let mut buffer = [0; REPAIR_HEAD + STAMP_WITHIN];
        let start = inbound.peek(&header, index, packet, &mut buffer);
        let head = if of == Media::Repairs { REPAIR_HEAD } else { 0 };
        let Some((original, payload)) = start.and_then(|start| start.split_at_checked(head)) else {
            return;
        };
        let stamp = shape::read_stamp(payload, of == Media::Sound);
        // What is nothing but padding probes the path.
        if stamp.is_none() && (header.is_padded || payload.is_empty()) {
            return;
        }
        let length = inbound.payload_bytes(&header, packet) - head;
        let stamp = stamp.filter(|stamp| {
            let wanted = usize::from(stamp.length);
            length == wanted || header.is_padded && length > wanted
        });
        let Some(stamp) =
            stamp.filter(|stamp| self.is_as_sent(stamp, &header, index, packet, head))
        else {
            return self.meter.damaged(at_ns);
        };
        let late = match original.try_into().map(u16::from_be_bytes) {
            Ok(sequence) => self.feedback.mended(sequence, &header, at, at_ns),
            Err(_) => late,
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
        let payload = whole.and_then(|whole| whole.get(head..head + usize::from(stamp.length)));
        payload.is_some_and(|payload| shape::is_whole(payload, stamp))
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
            self.feedback.has_keyframe();
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
        self.feedback.heard(packet, at);
    }

    fn send_rtcp(&mut self, packet: &[u8], socket: &Socket) {
        if let (Some((_, outbound)), Some(remote)) = (&mut self.srtp, self.remote)
            && let Some(sealed) = outbound.seal_rtcp(packet)
        {
            socket.send(remote, &sealed, None);
        }
    }
}
