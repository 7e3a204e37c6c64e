//! How a player's media goes out: by ourselves, or by str0m.

use std::time::{Duration, Instant};

use str0m::media::{MediaTime, Mid};
use str0m::net::Transmit;
use str0m::rtp::{Extension, Ssrc};

use super::codec::Kind;
use super::egress::{Egress, Format, Outgoing, TrackConfig};
use super::estimated::EstimatedTrack;
use super::link::{Link, Settings};
use super::sdp::{Offer, OfferedCodec, Selection};
use super::sends::Sends;
use crate::counters::Reason;

/// See [`super::link::MediaWay`]. Tracks go by their places among the m-lines.
pub(super) enum Way {
    Own(Box<Egress>),
    Str0m(Vec<EstimatedTrack>),
}

/// An m-line of the answer.
pub(super) struct Line<'a> {
    pub(super) kind: Kind,
    pub(super) mid: Mid,
    pub(super) ssrc: Ssrc,
    pub(super) repair_ssrc: Option<Ssrc>,
    pub(super) codecs: &'a [OfferedCodec],
    extensions: Vec<(u8, Extension)>,
    lag: Duration,
}

impl<'a> Line<'a> {
    /// Those that are `taken` of an offer.
    pub(super) fn all(link: &mut Link, offer: &Offer, taken: &'a Selection) -> Vec<Self> {
        let extensions = offer.extensions_by_line(taken);
        let lines = taken.tracks().zip(extensions);
        lines
            .filter_map(|((kind, mid, codecs), extensions)| {
                let mid = Mid::from(mid);
                let mut api = link.rtc.direct_api();
                let stream = api.stream_tx_by_mid(mid, None)?;
                let (ssrc, repair_ssrc) = (stream.ssrc(), stream.rtx());
                // str0m reports on a stream as soon as it exists, with RTP time zero
                // while nothing was sent, which would throw off the viewer's sync. So
                // it exists only from the first packet on, if at all.
                api.remove_stream_tx(ssrc);
                Some(Self {
                    kind,
                    mid,
                    ssrc,
                    repair_ssrc,
                    codecs,
                    extensions,
                    lag: taken.sound_lag(kind),
                })
            })
            .collect()
    }

    fn config(&self, playout_delay: Option<(MediaTime, MediaTime)>) -> TrackConfig {
        let formats = self.codecs.iter().map(|codec| Format {
            pt: codec.pt,
            rtx: codec.rtx,
            nack: codec.rtx.is_some() || codec.has_feedback("nack"),
        });
        TrackConfig {
            kind: self.kind,
            mid: self.mid.to_string().into(),
            ssrc: *self.ssrc,
            repair_ssrc: self.repair_ssrc.map(|ssrc| *ssrc),
            formats: formats.collect(),
            extensions: self.extensions.clone(),
            playout_delay,
            lag: self.lag,
        }
    }
}

impl Way {
    pub(super) fn new(
        link: &Link,
        lines: &[Line<'_>],
        playout_delay: Option<(MediaTime, MediaTime)>,
        settings: &Settings,
    ) -> Self {
        let Some(tap) = &link.tap else {
            let tracks = lines.iter().map(|line| EstimatedTrack {
                kind: line.kind,
                mid: line.mid,
                ssrc: line.ssrc,
                repair_ssrc: line.repair_ssrc,
                playout_delay,
                declared: false,
            });
            return Self::Str0m(tracks.collect());
        };
        let config = &settings.config;
        let first = lines.first().and_then(|line| link.rtc.media(line.mid));
        let cname = first.map(|media| media.cname()).unwrap_or_default();
        let tracks = lines.iter().map(|line| line.config(playout_delay));
        let cache = (config.rtx_packets, config.rtx_age);
        let egress = Egress::new(tap.secret(), tracks, cname, settings.clock, cache);
        Self::Own(Box::new(egress))
    }

    /// Writes a packet of a track. With `anew` nothing from before can be asked for
    /// again.
    pub(super) fn write(&mut self, link: &mut Link, track: usize, out: Outgoing, anew: bool) {
        match self {
            Self::Own(egress) => {
                if anew {
                    egress.forget();
                }
                egress.write(track, out);
            }
            Self::Str0m(tracks) => {
                if let Some(track) = tracks.get_mut(track) {
                    track.write(link, &out, anew);
                }
            }
        }
    }

    /// Forgets what could be sent again.
    pub(super) fn forget(&mut self, link: &mut Link) {
        match self {
            Self::Own(egress) => egress.forget(),
            Self::Str0m(_) => link.forget_sent(),
        }
    }

    /// Sends what was written, but what str0m sends. What came to nothing.
    pub(super) fn flush(&mut self, link: &Link, now: Instant, sends: &mut Sends) -> Option<Reason> {
        match self {
            Self::Own(egress) => egress.flush(link.path(), now, sends),
            Self::Str0m(_) => None,
        }
    }

    /// What says that it is over, but where str0m does.
    pub(super) fn close(&mut self, link: &Link) -> Option<Transmit> {
        match self {
            Self::Own(egress) => egress.close(link.path()?),
            Self::Str0m(_) => None,
        }
    }
}
