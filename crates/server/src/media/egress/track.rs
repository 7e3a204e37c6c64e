//! One m-line of a player on its way out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::error::Unspecified;
use str0m::media::MediaTime;
use str0m::rtp::Extension;
use str0m::rtp::rtcp::ReceptionReport;

use super::feedback::Receipts;
use super::header::{ExtensionIds, Header, Values};
use super::history::{History, Shown, What};
use super::report::SenderReport;
use super::srtp::{MAX_OVERHEAD, Srtp};
use super::stream::Stream;
use super::wall::WallClock;
use crate::media::codec::Kind;
use crate::media::demux::Path;
use crate::media::packet::MediaPacket;
use crate::media::picture::Shift;
use crate::media::repair::Credit;
use crate::media::sends::Sends;
use crate::meters::Meter;

/// What an m-line of the answer took.
#[derive(Debug)]
pub(in crate::media) struct TrackConfig {
    pub(in crate::media) kind: Kind,
    pub(in crate::media) mid: Box<str>,
    pub(in crate::media) ssrc: u32,
    /// That of retransmissions.
    pub(in crate::media) repair_ssrc: Option<u32>,
    pub(in crate::media) formats: Vec<Format>,
    pub(in crate::media) extensions: Vec<(u8, Extension)>,
    /// What video packets say instead of the publisher's own.
    pub(in crate::media) playout_delay: Option<(MediaTime, MediaTime)>,
    /// How much younger than it is the media is reported to be.
    pub(in crate::media) lag: Duration,
}

/// A payload type that the viewer takes.
#[derive(Debug, Clone, Copy)]
pub(in crate::media) struct Format {
    pub(in crate::media) pt: u8,
    /// That of its retransmissions.
    pub(in crate::media) rtx: Option<u8>,
    /// Lost packets can be asked for.
    pub(in crate::media) nack: bool,
}

/// A packet of the source, as the viewer is to get it.
#[derive(Debug)]
pub(in crate::media) struct Outgoing {
    pub(in crate::media) packet: Arc<MediaPacket>,
    pub(in crate::media) pt: u8,
    /// Extended past 16 bits.
    pub(in crate::media) sequence: u64,
    pub(in crate::media) timestamp: u32,
    pub(in crate::media) pictures: Shift,
    pub(in crate::media) captured: Instant,
}

/// What all packets of a flush have in common.
pub(super) struct Context<'a> {
    pub(super) srtp: &'a Srtp,
    pub(super) path: Path,
    pub(super) send_time: [u8; 3],
    pub(super) now: Instant,
    pub(super) credit: &'a mut Credit,
}

/// See the module.
pub(super) struct Track {
    pub(super) kind: Kind,
    mid: Box<str>,
    media: Stream,
    repair: Option<Stream>,
    /// Of the next retransmission.
    repair_number: u64,
    formats: Vec<Format>,
    ids: ExtensionIds,
    playout_delay: Option<(MediaTime, MediaTime)>,
    lag: Duration,
    /// The viewer has reported on the stream, so it knows whose it is.
    known: bool,
    /// The newest packet's time, when it was captured, and how fast that time is.
    newest: Option<(u32, Instant, u32)>,
    pub(super) history: History,
    receipts: Receipts,
    /// NACKs and requests for keyframes.
    pub(super) nacks: u64,
    pub(super) plis: u64,
}

impl Track {
    pub(super) fn new(config: TrackConfig, most: usize, longest: Duration) -> Self {
        Self {
            kind: config.kind,
            ids: ExtensionIds::new(&config.extensions, config.kind),
            mid: config.mid,
            media: Stream::new(config.ssrc),
            repair: config.repair_ssrc.map(Stream::new),
            repair_number: 0,
            formats: config.formats,
            playout_delay: config.playout_delay,
            lag: config.lag,
            known: false,
            newest: None,
            history: History::new(most, longest),
            receipts: Receipts::default(),
            nacks: 0,
            plis: 0,
        }
    }

    /// The stream is this one.
    pub(super) fn is(&self, ssrc: u32) -> bool {
        self.media.ssrc == ssrc
    }

    /// Those under which something was sent.
    pub(super) fn ssrcs(&self) -> impl Iterator<Item = u32> {
        let repair = self.repair.as_ref().filter(|_| self.repair_number > 0);
        let media = self.newest.map(|_| self.media.ssrc);
        media.into_iter().chain(repair.map(|repair| repair.ssrc))
    }

    /// Bytes of payload sent for the first time.
    pub(super) fn bytes(&self) -> u64 {
        self.media.bytes
    }

    /// Packets that never came.
    pub(super) fn lost(&self) -> u32 {
        self.receipts.lost
    }

    #[cfg(test)]
    pub(super) fn add_mid(&mut self, id: u8) {
        self.ids = ExtensionIds::new(&[(id, Extension::RtpMid)], self.kind);
    }

    /// Takes in what the viewer says of the stream; see [`Receipts::take`].
    pub(super) fn handle_report(&mut self, report: &ReceptionReport, now: Instant) -> Option<f32> {
        self.known = true;
        self.receipts.take(report, now)
    }

    /// What the viewer is reported of the stream; `None` before it starts.
    pub(super) fn report(&self, clock: &WallClock, now: Instant) -> Option<SenderReport> {
        let (timestamp, captured, rate) = self.newest?;
        let ticks = |span: Duration| (span.as_nanos() * u128::from(rate) / 1_000_000_000) as u32;
        let age = ticks(now.saturating_duration_since(captured));
        Some(SenderReport {
            ssrc: self.media.ssrc,
            ntp: clock.ntp(now),
            rtp: timestamp.wrapping_add(age).wrapping_sub(ticks(self.lag)),
            packets: self.media.packets,
            bytes: self.media.bytes as u32,
        })
    }

    /// Sends a packet; true if it is the first one. One whose number has had a
    /// packet is dropped.
    pub(super) fn send(
        &mut self,
        out: Outgoing,
        context: &mut Context<'_>,
        sends: &mut Sends,
    ) -> bool {
        if !self.media.spend(out.sequence) {
            return false;
        }
        let shown = Shown {
            packet: out.packet,
            timestamp: out.timestamp,
            pt: out.pt,
            pictures: out.pictures,
        };
        let header = Header {
            pt: shown.pt,
            marker: shown.packet.marker,
            sequence: out.sequence,
            timestamp: shown.timestamp,
            ssrc: self.media.ssrc,
        };
        if self.put(header, None, &shown, context, sends).is_err() {
            return false;
        }
        let payload = shown.packet.payload.len();
        self.media.count(payload);
        context.credit.earn(payload);
        let is_first = self.newest.is_none();
        self.newest = Some((out.timestamp, out.captured, shown.packet.codec.clock_rate()));
        self.keep(out.sequence, shown, context.now, sends);
        is_first
    }

    /// Keeps what the viewer may ask for again, of the packet put last.
    fn keep(&mut self, number: u64, shown: Shown, now: Instant, sends: &Sends) {
        let mut formats = self.formats.iter();
        let Some(format) = formats.find(|format| format.pt == shown.pt) else {
            return;
        };
        if !format.nack || self.kind == Kind::Audio {
            return;
        }
        let what = if format.rtx.is_some() && self.repair.is_some() {
            What::Packet(shown)
        } else {
            What::Datagram(sends.last().into())
        };
        self.history.keep(number, what, now);
    }

    /// Sends what is left of a packet by the lower 16 bits of its number, if that
    /// was not less than `wait` ago; false if it would be one too many.
    pub(super) fn send_again(
        &mut self,
        number: u16,
        wait: Duration,
        context: &mut Context<'_>,
        sends: &mut Sends,
    ) -> bool {
        let (number, shown) = match self.history.again(number, wait, context.now) {
            Some((number, What::Packet(shown))) => (number, shown.clone()),
            Some((_, What::Datagram(datagram))) => {
                let allowed = context.credit.spend(datagram.len());
                if allowed {
                    sends.meters.add(Meter::SentAgain, 1);
                    let _ = sends.put(context.path, |bytes| {
                        bytes.extend_from_slice(datagram);
                        Ok::<(), Unspecified>(())
                    });
                }
                return allowed;
            }
            None => {
                sends.meters.add(Meter::NotKept, 1);
                return true;
            }
        };
        let mut formats = self.formats.iter();
        let rtx = formats.find(|format| format.pt == shown.pt);
        let (Some(pt), Some(repair)) = (rtx.and_then(|f| f.rtx), &mut self.repair) else {
            return true;
        };
        let most = shown.packet.payload.len() + MAX_HEADER + MAX_OVERHEAD;
        if !context.credit.spend(most) {
            return false;
        }
        self.repair_number += 1;
        if repair.spend(self.repair_number) {
            sends.meters.add(Meter::SentAgain, 1);
            let header = Header {
                pt,
                marker: shown.packet.marker,
                sequence: self.repair_number,
                timestamp: shown.timestamp,
                ssrc: repair.ssrc,
            };
            let _ = self.put(header, Some(number as u16), &shown, context, sends);
        }
        true
    }

    /// Writes a packet and seals it; of a retransmission, with the number that it
    /// had (RFC 4588 section 4).
    fn put(
        &self,
        header: Header,
        original: Option<u16>,
        shown: &Shown,
        context: &Context<'_>,
        sends: &mut Sends,
    ) -> Result<(), Unspecified> {
        let packet = &shown.packet;
        let values = Values {
            mid: (original.is_some() || !self.known).then_some(&self.mid),
            send_time: context.send_time,
            of_publisher: &packet.extensions,
            playout_delay: self.playout_delay,
        };
        sends.put(context.path, |bytes| {
            let start = bytes.len();
            bytes.reserve(packet.payload.len() + MAX_HEADER + MAX_OVERHEAD);
            let length = header.write(&self.ids, &values, bytes);
            bytes.extend(original.into_iter().flat_map(u16::to_be_bytes));
            let payload = bytes.len();
            bytes.extend_from_slice(&packet.payload);
            shown.pictures.apply(&mut bytes[payload..]);
            let place = (header.ssrc, header.sequence);
            context.srtp.seal_rtp(bytes, (start, length), place)
        })
    }
}

/// More than a header takes, with all extensions.
const MAX_HEADER: usize = 64;
