//! From the camera's lens to the viewer's screen, and where that time goes.

use super::{Figures, FrameTimes, Sample};

/// How a delay was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DelaySource {
    /// Each frame's capture time, brought to this page's clock by the browser.
    CaptureClock,
    /// What is playing now, by the last sender report and half the round trip.
    SenderReport,
}

/// From capture to display.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delay {
    /// In milliseconds.
    pub ms: f64,
    /// How it was found.
    pub source: DelaySource,
}

impl Delay {
    /// The best there is.
    pub fn of(frames: &FrameTimes, sample: &Sample) -> Option<Self> {
        let by_frames = frames.delay_ms.map(|ms| Self {
            ms,
            source: DelaySource::CaptureClock,
        });
        by_frames.or_else(|| {
            Some(Self {
                ms: by_sender_report(sample)?,
                source: DelaySource::SenderReport,
            })
        })
    }
}

/// The sender report left at one moment of the sender's clock and came half a
/// round trip later on ours (RFC 3550, section 6.4.1), which tells the offset
/// between the two.
fn by_sender_report(sample: &Sample) -> Option<f64> {
    let report = sample.video_sender;
    let one_way_ms = sample.path.round_trip_ms? / 2.0;
    let clocks_apart_ms = report.received_ms? - report.sent_ms? - one_way_ms;
    Some(sample.video.timestamp_ms? - sample.video.playout_ms? - clocks_apart_ms)
}

/// Where a delay's time goes, in milliseconds. `None` is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Split {
    /// From capture until it leaves the server: the publisher's encoder and
    /// uplink and the server, which cannot be told apart from here.
    pub upstream_ms: Option<f64>,
    /// From the server to here: half the round trip.
    pub network_ms: Option<f64>,
    /// In the jitter buffer.
    pub buffer_ms: Option<f64>,
    /// In the decoder.
    pub decode_ms: Option<f64>,
    /// From the decoder to the screen.
    pub display_ms: Option<f64>,
}

impl Split {
    /// Splits `total_ms`, however it was found.
    pub fn of(total_ms: Option<f64>, frames: &FrameTimes, figures: &Figures) -> Self {
        let network_ms = figures.round_trip_ms.map(|round_trip| round_trip / 2.0);
        let arrival_ms = frames
            .arrival_ms
            .or_else(|| Some(total_ms? - frames.display_ms?));
        let (buffer_ms, decode_ms) = (figures.buffer_ms, figures.decode_ms);
        // The buffer's time counts from a frame's first packet, the frame's own
        // from its last, so the rest may come out a little below nothing.
        let rest = |whole: Option<f64>, parts: Option<f64>| Some((whole? - parts?).max(0.0));
        Self {
            upstream_ms: rest(arrival_ms, network_ms),
            network_ms,
            buffer_ms,
            decode_ms,
            display_ms: rest(
                frames.display_ms,
                buffer_ms
                    .zip(decode_ms)
                    .map(|(buffer, decode)| buffer + decode),
            ),
        }
    }

    /// The parts in the order a frame meets them, with their names.
    pub fn parts(&self) -> [(&'static str, Option<f64>); 5] {
        [
            ("Publisher and server", self.upstream_ms),
            ("Network", self.network_ms),
            ("Buffer", self.buffer_ms),
            ("Decoder", self.decode_ms),
            ("Display", self.display_ms),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Inbound, Path, SenderReport};
    use super::*;

    fn sample(round_trip_ms: Option<f64>) -> Sample {
        Sample {
            video: Inbound {
                timestamp_ms: Some(10_000.0),
                // The sender's clock is five seconds behind.
                playout_ms: Some(4_900.0),
                ..Inbound::default()
            },
            video_sender: SenderReport {
                received_ms: Some(9_510.0),
                sent_ms: Some(4_500.0),
            },
            path: Path {
                round_trip_ms,
                ..Path::default()
            },
            ..Sample::default()
        }
    }

    #[test]
    fn the_capture_clock_wins() {
        let frames = FrameTimes {
            delay_ms: Some(41.0),
            ..FrameTimes::default()
        };
        let delay = Delay::of(&frames, &sample(Some(20.0))).unwrap();
        assert_eq!((delay.ms, delay.source), (41.0, DelaySource::CaptureClock));
    }

    #[test]
    fn a_sender_report_and_the_round_trip_will_do() {
        let frames = FrameTimes::default();
        let delay = Delay::of(&frames, &sample(Some(20.0))).unwrap();
        assert_eq!((delay.ms, delay.source), (100.0, DelaySource::SenderReport));
        assert_eq!(Delay::of(&frames, &sample(None)), None);
    }

    fn figures() -> Figures {
        Figures {
            round_trip_ms: Some(10.0),
            buffer_ms: Some(12.0),
            decode_ms: Some(3.0),
            ..Figures::default()
        }
    }

    #[test]
    fn all_parts_add_up() {
        let frames = FrameTimes {
            delay_ms: Some(60.0),
            arrival_ms: Some(35.0),
            display_ms: Some(25.0),
            strip_ms: None,
        };
        let parts = Split::of(Some(60.0), &frames, &figures()).parts();
        let known: Vec<f64> = parts.iter().filter_map(|(_, ms)| *ms).collect();
        assert_eq!(known, [30.0, 5.0, 12.0, 3.0, 10.0]);
    }

    #[test]
    fn a_total_from_elsewhere_tells_the_upstream() {
        let frames = FrameTimes {
            display_ms: Some(25.0),
            ..FrameTimes::default()
        };
        let split = Split::of(Some(60.0), &frames, &figures());
        assert_eq!(split.upstream_ms, Some(30.0));
    }

    #[test]
    fn what_is_not_known_is_not_invented() {
        let split = Split::of(Some(60.0), &FrameTimes::default(), &figures());
        assert_eq!((split.upstream_ms, split.display_ms), (None, None));
        let split = Split::of(None, &FrameTimes::default(), &Figures::default());
        assert_eq!(split, Split::default());
    }
}
