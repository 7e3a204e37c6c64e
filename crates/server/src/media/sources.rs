//! Which RTP streams (SSRCs) a publisher may send.
//!
//! str0m takes note of a new SSRC, and lets it take the place of the one before,
//! by what the RTP header says and before SRTP has proved that the publisher
//! sent it (RFC 3711 section 3.3 has the proof last). Who can send from the
//! publisher's address could so silence it, or fill the memory. Here an SSRC
//! that was not in the offer is on trial: str0m is told of it apart from all
//! others, and it stays only if its packet is taken.

use std::time::{Duration, Instant};

use str0m::Rtc;
use str0m::media::{Mid, Rid};
use str0m::rtp::{Extension, Ssrc};

use super::rtp_header::RtpHeader;
use super::sdp::{Offer, Selection};
use crate::allowance::Allowance;
use crate::counters::Reason;

/// Trials a second, and at once: a publisher with three simulcast layers starts
/// with three new SSRCs, and begins anew a few times in its life.
const TRIALS_PER_SECOND: u32 = 4;
const TRIALS_AT_ONCE: u32 = 16;

/// Most streams at a time.
const MOST_STREAMS: usize = 16;

/// Most SSRCs that one peer may change to: str0m remembers where each was.
const MOST_CHANGES: u32 = 256;

/// How long packets of an SSRC that was left may be on their way. Later than
/// this the publisher has gone back to it.
pub(super) const STRAGGLERS: Duration = Duration::from_secs(2);

/// The RTP streams of one publisher.
#[derive(Debug)]
pub(super) struct Sources {
    formats: Vec<Format>,
    rid_id: Option<u8>,
    repaired_rid_id: Option<u8>,
    streams: Vec<Stream>,
    trials: Allowance,
    changes: u32,
    pending: Pending,
}

/// A payload type that may be sent.
#[derive(Debug)]
struct Format {
    pt: u8,
    mid: Mid,
    /// It carries retransmissions (RFC 4588).
    repairs: bool,
    /// What is lost of it can be asked for.
    nack: bool,
}

#[derive(Debug)]
struct Stream {
    mid: Mid,
    rid: Option<Rid>,
    main: Ssrc,
    repair: Option<Ssrc>,
    /// The SSRC before, and until when what comes from it is late.
    former: Option<(Ssrc, Instant)>,
}

/// What the packet that str0m has just been given is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pending {
    /// It need not lead to anything.
    Nothing,
    /// Media of a known stream.
    Media,
    /// The first of a new stream.
    Stream {
        main: Ssrc,
        mid: Mid,
        rid: Option<Rid>,
    },
    /// The first retransmission by another SSRC than before.
    Repair { index: usize, repair: Ssrc },
}

impl Sources {
    /// The streams that the offer names, of what is `taken` of it.
    pub(super) fn new(offer: &Offer, taken: &Selection) -> Self {
        let mut formats = Vec::new();
        for (_, mid, codecs) in taken.tracks() {
            let mid = Mid::from(mid);
            for codec in codecs {
                let nack = codec.rtx.is_some() || codec.has_feedback("nack");
                let format = |pt, repairs| Format {
                    pt,
                    mid,
                    repairs,
                    nack,
                };
                formats.push(format(codec.pt, false));
                formats.extend(codec.rtx.map(|pt| format(pt, true)));
            }
        }
        let extensions = offer.extensions(taken);
        let id_of = |wanted| {
            let mut extensions = extensions.iter();
            extensions.find_map(|(id, extension)| (*extension == wanted).then_some(*id))
        };
        let streams = offer.sources(taken).into_iter();
        Self {
            formats,
            rid_id: id_of(Extension::RtpStreamId),
            repaired_rid_id: id_of(Extension::RepairedRtpStreamId),
            streams: streams
                .map(|(mid, main, repair)| Stream {
                    mid: Mid::from(mid),
                    rid: None,
                    main: main.into(),
                    repair: repair.map(Ssrc::from),
                    former: None,
                })
                .collect(),
            trials: Allowance::new(TRIALS_PER_SECOND, TRIALS_AT_ONCE),
            changes: 0,
            pending: Pending::Nothing,
        }
    }

    /// Judges an RTP packet by its header and tells str0m of its stream.
    /// [`Sources::settle`] must follow once str0m has had it.
    ///
    /// # Errors
    /// str0m must not see it, and why.
    pub(super) fn admit(
        &mut self,
        rtc: &mut Rtc,
        datagram: &[u8],
        now: Instant,
    ) -> Result<(), Reason> {
        let header = RtpHeader::parse(datagram).ok_or(Reason::BadDatagram)?;
        let ssrc = Ssrc::from(header.ssrc);
        // Probes for bandwidth, which str0m keeps apart.
        if ssrc.is_probe() {
            self.pending = Pending::Nothing;
            return Ok(());
        }
        for stream in &self.streams {
            if stream.main == ssrc {
                self.pending = Pending::Media;
                return Ok(());
            }
            if stream.repair == Some(ssrc) {
                self.pending = Pending::Nothing;
                return Ok(());
            }
            if stream
                .former
                .is_some_and(|(s, until)| s == ssrc && now < until)
            {
                return Err(Reason::UselessMedia);
            }
        }
        self.pending = self.try_stream(rtc, &header, now)?;
        Ok(())
    }

    fn try_stream(
        &mut self,
        rtc: &mut Rtc,
        header: &RtpHeader<'_>,
        now: Instant,
    ) -> Result<Pending, Reason> {
        let mut formats = self.formats.iter();
        let format = formats.find(|format| format.pt == header.pt);
        let &Format {
            mid, repairs, nack, ..
        } = format.ok_or(Reason::ForeignMedia)?;
        let rid_id = if repairs {
            self.repaired_rid_id
        } else {
            self.rid_id
        };
        let rid = rid_id.and_then(|id| header.extension(id)).map(Rid::from);
        let ssrc = Ssrc::from(header.ssrc);
        let mut streams = self.streams.iter();
        let known = streams.position(|s| s.mid == mid && s.rid == rid);
        if repairs {
            return match known {
                Some(index) => self.try_repair(rtc, index, ssrc, now),
                // Padding may come before what it repairs; str0m keeps it apart.
                None => Ok(Pending::Nothing),
            };
        }
        let full = known.is_none() && self.streams.len() >= MOST_STREAMS;
        if full || self.changes >= MOST_CHANGES || !self.trials.take(1, now) {
            return Err(Reason::ForeignMedia);
        }
        rtc.direct_api()
            .expect_stream_rx(ssrc, None, mid, rid)
            .suppress_nack(!nack);
        let main = ssrc;
        Ok(Pending::Stream { main, mid, rid })
    }

    fn try_repair(
        &mut self,
        rtc: &mut Rtc,
        index: usize,
        repair: Ssrc,
        now: Instant,
    ) -> Result<Pending, Reason> {
        let stream = &mut self.streams[index];
        let pending = match stream.repair {
            // The first is believed: it may be padding, of which nothing is seen
            // here, and another one can still prove that it is the right one.
            None => {
                stream.repair = Some(repair);
                Pending::Nothing
            }
            Some(_) if !self.trials.take(1, now) => return Err(Reason::ForeignMedia),
            Some(_) => Pending::Repair { index, repair },
        };
        stream.declare(rtc, Some(repair));
        Ok(pending)
    }

    /// Draws the conclusion from what str0m made of the packet that was admitted.
    /// What it is worth counting for, if it came to nothing.
    pub(super) fn settle(&mut self, rtc: &mut Rtc, taken: bool, now: Instant) -> Option<Reason> {
        match std::mem::replace(&mut self.pending, Pending::Nothing) {
            Pending::Nothing => None,
            Pending::Media => (!taken).then_some(Reason::UselessMedia),
            Pending::Stream { main, mid, rid } if taken => {
                self.change(rtc, main, mid, rid, now);
                None
            }
            Pending::Stream { main, .. } => {
                rtc.direct_api().remove_stream_rx(main);
                Some(Reason::ForeignMedia)
            }
            Pending::Repair { index, repair } if taken => {
                self.streams[index].repair = Some(repair);
                None
            }
            Pending::Repair { index, .. } => {
                let stream = &self.streams[index];
                stream.declare(rtc, stream.repair);
                Some(Reason::ForeignMedia)
            }
        }
    }

    /// The publisher has begun a new stream, in place of the one before.
    fn change(&mut self, rtc: &mut Rtc, main: Ssrc, mid: Mid, rid: Option<Rid>, now: Instant) {
        self.changes += 1;
        let mut former = None;
        self.streams.retain(|stream| {
            let replaced = stream.mid == mid && stream.rid == rid;
            if replaced {
                rtc.direct_api().remove_stream_rx(stream.main);
                former = Some((stream.main, now + STRAGGLERS));
            }
            !replaced
        });
        self.streams.push(Stream {
            mid,
            rid,
            main,
            repair: None,
            former,
        });
    }
}

impl Stream {
    fn declare(&self, rtc: &mut Rtc, repair: Option<Ssrc>) {
        rtc.direct_api()
            .expect_stream_rx(self.main, repair, self.mid, self.rid);
    }
}
