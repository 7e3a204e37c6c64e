//! What a viewer has received of each source, and when it says so.

use std::time::{Duration, Instant};

use crate::negotiated::Media;
use crate::reception::Reception;
use crate::rtcp;
use crate::rtp::Header;
use crate::transport::TransportLog;

/// Between two receiver reports.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Between two reports of the transport's, as in browsers at these rates.
const TRANSPORT_INTERVAL: Duration = Duration::from_millis(100);

/// Between two requests for a keyframe while none is complete.
const KEYFRAME_INTERVAL: Duration = Duration::from_millis(500);

/// Ticks a second.
const VIDEO_RATE: u32 = 90_000;
const SOUND_RATE: u32 = 48_000;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Feedback {
    video: Option<Reception>,
    sound: Option<Reception>,
    repairs: Option<Reception>,
    transport: TransportLog,
    report_due: Option<Instant>,
    keyframe_due: Option<Instant>,
}

impl Feedback {
    /// The connection is up.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.report_due = Some(now + REPORT_INTERVAL);
        self.keyframe_due = Some(now + KEYFRAME_INTERVAL);
    }

    /// Takes note of a packet: its number with its roll-overs, and whether one with a
    /// higher number came before.
    pub(crate) fn arrived(
        &mut self,
        of: Media,
        header: &Header,
        at: Instant,
        at_ns: u64,
    ) -> (u64, bool) {
        if let Some(number) = header.transport_sequence {
            self.transport.note(number, at);
        }
        let reception = self.source(of, header);
        let index = reception.index(header.sequence);
        let late = reception.arrived(index, header.timestamp, at, at_ns);
        (index, late)
    }

    /// Takes note of what a repair brought: true if pictures with a higher number came
    /// before.
    pub(crate) fn mended(
        &mut self,
        sequence: u16,
        header: &Header,
        at: Instant,
        at_ns: u64,
    ) -> bool {
        self.video.as_mut().is_some_and(|video| {
            let index = video.index(sequence);
            video.arrived(index, header.timestamp, at, at_ns)
        })
    }

    /// A keyframe is complete.
    pub(crate) fn has_keyframe(&mut self) {
        self.keyframe_due = None;
    }

    /// The server's RTCP, in clear.
    pub(crate) fn heard(&mut self, packet: &[u8], at: Instant) {
        for (ssrc, clock) in rtcp::sender_reports(packet) {
            let sources = [&mut self.video, &mut self.sound].into_iter().flatten();
            for source in sources.filter(|source| source.ssrc == ssrc) {
                source.reported(clock, at);
            }
        }
    }

    /// When there is something to say.
    pub(crate) fn due(&self) -> Option<Instant> {
        let asks = self.video.as_ref().and_then(Reception::ask_at);
        let dues = [
            self.report_due,
            self.keyframe_due,
            asks,
            self.transport_due(),
        ];
        dues.into_iter().flatten().min()
    }

    fn transport_due(&self) -> Option<Instant> {
        self.transport.since().map(|at| at + TRANSPORT_INTERVAL)
    }

    /// What there is to say, all in one packet that begins with a receiver report.
    pub(crate) fn say(&mut self, now: Instant) -> Option<Vec<u8>> {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let mut blocks = Vec::new();
        if due(self.report_due) {
            self.report_due = Some(now + REPORT_INTERVAL);
            let sources = [&mut self.video, &mut self.sound].into_iter().flatten();
            blocks.extend(sources.map(|source| source.block(now)));
        }
        let mut packet = Vec::new();
        rtcp::receiver_report(&mut packet, &blocks);
        let empty = packet.len();
        if let Some(video) = &mut self.video {
            let asks = video.asks(now);
            if !asks.is_empty() {
                rtcp::nack(&mut packet, video.ssrc, &asks);
            }
            if video.take_given_up() {
                self.keyframe_due.get_or_insert(now);
            }
        }
        let source = self.video.as_ref().map(|video| video.ssrc);
        if due(self.keyframe_due) {
            self.keyframe_due = Some(now + KEYFRAME_INTERVAL);
            if let Some(source) = source {
                rtcp::picture_loss(&mut packet, source);
            }
        }
        if due(self.transport_due()) {
            self.transport
                .report(&mut packet, source.unwrap_or_default());
        }
        (packet.len() > empty || !blocks.is_empty()).then_some(packet)
    }

    /// The reception of a packet's source: a new one, where the source is.
    fn source(&mut self, of: Media, header: &Header) -> &mut Reception {
        let Header { ssrc, sequence, .. } = *header;
        let place = match of {
            Media::Video => &mut self.video,
            Media::Repairs => &mut self.repairs,
            Media::Sound => &mut self.sound,
        };
        if place.as_ref().is_some_and(|had| had.ssrc != ssrc) {
            *place = None;
        }
        place.get_or_insert_with(|| match of {
            Media::Video => Reception::mended(ssrc, VIDEO_RATE, sequence),
            Media::Repairs => Reception::new(ssrc, VIDEO_RATE, sequence),
            Media::Sound => Reception::new(ssrc, SOUND_RATE, sequence),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(ssrc: u32, sequence: u16) -> Header {
        Header {
            payload_type: 108,
            sequence,
            timestamp: 0,
            ssrc,
            payload_at: 12,
            is_padded: false,
            transport_sequence: None,
        }
    }

    /// Types and formats of the packets in a compound one.
    fn kinds(mut packet: &[u8]) -> Vec<(u8, u8)> {
        let mut kinds = Vec::new();
        while let [head, kind, high, low, ..] = *packet {
            kinds.push((kind, head & 0x1f));
            packet = &packet[4 + 4 * usize::from(u16::from_be_bytes([high, low]))..];
        }
        kinds
    }

    fn take(feedback: &mut Feedback, sequences: &[u16], at: Instant) {
        for &sequence in sequences {
            feedback.arrived(Media::Video, &header(9, sequence), at, 0);
        }
    }

    #[test]
    fn all_that_is_due_goes_in_one_packet() {
        let start = Instant::now();
        let mut feedback = Feedback::default();
        feedback.begin(start);
        take(&mut feedback, &[1, 3], start);
        assert_eq!(feedback.due(), Some(start));
        let packet = feedback.say(start).unwrap();
        assert_eq!(kinds(&packet), [(201, 0), (205, 1)]);
        assert_eq!(feedback.say(start), None);
        let packet = feedback.say(start + REPORT_INTERVAL).unwrap();
        assert_eq!(kinds(&packet), [(201, 1), (205, 1), (206, 1)]);
    }

    #[test]
    fn a_viewer_with_a_keyframe_and_nothing_missing_only_reports() {
        let start = Instant::now();
        let mut feedback = Feedback::default();
        feedback.begin(start);
        take(&mut feedback, &[1, 2, 3], start);
        feedback.has_keyframe();
        assert_eq!(feedback.due(), Some(start + REPORT_INTERVAL));
        let packet = feedback.say(start + REPORT_INTERVAL).unwrap();
        assert_eq!(kinds(&packet), [(201, 1)]);
    }

    #[test]
    fn what_asking_does_not_bring_needs_a_keyframe() {
        let start = Instant::now();
        let mut feedback = Feedback::default();
        feedback.begin(start + Duration::from_secs(3_600));
        take(&mut feedback, &[1, 3], start);
        feedback.has_keyframe();
        let said = (0..100).filter_map(|turn| feedback.say(start + turn * REPORT_INTERVAL));
        let said: Vec<_> = said.map(|packet| kinds(&packet)[1..].to_vec()).collect();
        assert!(said[..10].iter().all(|kinds| *kinds == [(205, 1)]));
        assert!(said[10..].iter().all(|kinds| *kinds == [(206, 1)]));
        assert!(said.len() > 10);
    }

    #[test]
    fn what_a_repair_brings_is_not_asked_for() {
        let start = Instant::now();
        let mut feedback = Feedback::default();
        take(&mut feedback, &[1, 3], start);
        feedback.arrived(Media::Repairs, &header(10, 500), start, 0);
        assert!(feedback.mended(2, &header(10, 500), start, 0));
        assert_eq!(feedback.due(), None);
    }
}
