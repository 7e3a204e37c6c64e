//! When frames were captured, received and shown.

/// How many frames are kept until the next sample: four seconds of 60 a second.
const CAPACITY: usize = 240;

/// What the browser tells of a presented frame
/// (`requestVideoFrameCallback`), in milliseconds on the page's clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// When it is expected to be visible.
    pub shown_ms: f64,
    /// When its last packet came.
    pub received_ms: Option<f64>,
    /// When it was captured, by the sender reports and the browser's estimate
    /// of the two clocks' offset.
    pub captured_ms: Option<f64>,
}

/// The frames since the last sample.
#[derive(Debug, Default)]
pub struct FrameLog {
    first: Option<Frame>,
    frames: Vec<Frame>,
    strips: Vec<Strip>,
}

/// A frame whose strip was read.
#[derive(Debug, Clone, Copy)]
struct Strip {
    /// Display minus the strip's capture time.
    delay_ms: f64,
    /// The capture clock's capture time minus the strip's.
    apart_ms: Option<f64>,
}

/// The medians of some frames, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FrameTimes {
    /// From capture to display, by the capture clock.
    pub delay_ms: Option<f64>,
    /// From capture to the last packet's arrival.
    pub arrival_ms: Option<f64>,
    /// From the last packet's arrival to display.
    pub display_ms: Option<f64>,
    /// From capture to display, by the picture's strip.
    pub strip_ms: Option<f64>,
}

impl FrameLog {
    /// Takes a frame.
    pub fn push(&mut self, frame: Frame) {
        self.first.get_or_insert(frame);
        if self.frames.len() < CAPACITY {
            self.frames.push(frame);
        }
    }

    /// Takes what the strip of a frame says: when it was captured, on the
    /// page's clock as far as the publisher's wall clock is right.
    pub fn push_strip(&mut self, frame: &Frame, captured_ms: f64) {
        if self.strips.len() < CAPACITY {
            self.strips.push(Strip {
                delay_ms: frame.shown_ms - captured_ms,
                apart_ms: frame.captured_ms.map(|clock| clock - captured_ms),
            });
        }
    }

    /// The very first frame of this play.
    pub fn first(&self) -> Option<Frame> {
        self.first
    }

    /// Takes the frames out, summed up.
    pub fn drain(&mut self) -> FrameTimes {
        let median_of =
            |time: fn(&Frame) -> Option<f64>| median(self.frames.iter().filter_map(time));
        let delay_ms = median_of(|frame| Some(frame.shown_ms - frame.captured_ms?));
        let times = FrameTimes {
            delay_ms,
            arrival_ms: median_of(|frame| Some(frame.received_ms? - frame.captured_ms?)),
            display_ms: median_of(|frame| Some(frame.shown_ms - frame.received_ms?)),
            strip_ms: self.strip_ms(delay_ms),
        };
        self.frames.clear();
        self.strips.clear();
        times
    }

    /// Only some strips are read, and the delay goes up and down with the
    /// screen's refresh. So what they say of the capture clock, which does not,
    /// is applied to the delay of all frames.
    fn strip_ms(&self, delay_ms: Option<f64>) -> Option<f64> {
        let apart_ms = median(self.strips.iter().filter_map(|strip| strip.apart_ms));
        let by_clock = delay_ms.zip(apart_ms).map(|(delay, apart)| delay + apart);
        by_clock.or_else(|| median(self.strips.iter().map(|strip| strip.delay_ms)))
    }
}

/// The middle value, the upper of the two if they are even.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    // They are few, and mostly in order: not worth the code of a fast sort.
    let mut sorted: Vec<f64> = Vec::new();
    for value in values {
        let at = sorted.partition_point(|other| other.total_cmp(&value).is_le());
        sorted.insert(at, value);
    }
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(shown_ms: f64, received_ms: Option<f64>, captured_ms: Option<f64>) -> Frame {
        Frame {
            shown_ms,
            received_ms,
            captured_ms,
        }
    }

    #[test]
    fn medians_of_what_is_known() {
        let mut log = FrameLog::default();
        log.push(frame(100.0, Some(80.0), None));
        log.push(frame(140.0, Some(110.0), Some(90.0)));
        log.push(frame(900.0, Some(150.0), Some(130.0)));
        log.push(frame(210.0, None, Some(170.0)));
        let times = log.drain();
        assert_eq!(times.delay_ms, Some(50.0));
        assert_eq!(times.arrival_ms, Some(20.0));
        assert_eq!(times.display_ms, Some(30.0));
        assert_eq!(times.strip_ms, None);
        assert_eq!(log.drain(), FrameTimes::default());
        assert_eq!(log.first(), Some(frame(100.0, Some(80.0), None)));
    }

    #[test]
    fn strips_without_a_capture_clock_are_what_they_are() {
        let mut log = FrameLog::default();
        for shown_ms in [144.0, 141.0, 1_000.0] {
            log.push_strip(&frame(shown_ms, None, None), 100.0);
        }
        assert_eq!(log.drain().strip_ms, Some(44.0));
    }

    #[test]
    fn strips_of_a_few_frames_stand_for_all() {
        let mut log = FrameLog::default();
        // Every third frame waits for the screen, and only those are read.
        for number in 0..30 {
            let captured_ms = f64::from(number) * 33.0;
            let waits = number % 3 == 0;
            let delay_ms = if waits { 57.0 } else { 40.0 };
            let frame = frame(captured_ms + delay_ms, None, Some(captured_ms));
            log.push(frame);
            if waits {
                log.push_strip(&frame, captured_ms - 3.0);
            }
        }
        let times = log.drain();
        assert_eq!((times.delay_ms, times.strip_ms), (Some(40.0), Some(43.0)));
    }

    #[test]
    fn nobody_takes_them_and_it_stays_small() {
        let mut log = FrameLog::default();
        for _ in 0..10 * CAPACITY {
            log.push(frame(1.0, None, None));
            log.push_strip(&frame(1.0, None, None), 1.0);
        }
        assert_eq!((log.frames.len(), log.strips.len()), (CAPACITY, CAPACITY));
    }
}
