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
    strip_delays_ms: Vec<f64>,
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

    /// Takes what a frame's strip says: display minus capture.
    pub fn push_strip(&mut self, delay_ms: f64) {
        if self.strip_delays_ms.len() < CAPACITY {
            self.strip_delays_ms.push(delay_ms);
        }
    }

    /// The very first frame of this play.
    pub fn first(&self) -> Option<Frame> {
        self.first
    }

    /// Takes the frames out, summed up.
    pub fn drain(&mut self) -> FrameTimes {
        let median_of = |time: fn(&Frame) -> Option<f64>| {
            median(&mut self.frames.iter().filter_map(time).collect::<Vec<_>>())
        };
        let times = FrameTimes {
            delay_ms: median_of(|frame| Some(frame.shown_ms - frame.captured_ms?)),
            arrival_ms: median_of(|frame| Some(frame.received_ms? - frame.captured_ms?)),
            display_ms: median_of(|frame| Some(frame.shown_ms - frame.received_ms?)),
            strip_ms: median(&mut self.strip_delays_ms),
        };
        self.frames.clear();
        self.strip_delays_ms.clear();
        times
    }
}

/// The middle value, the upper of the two if they are even.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
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
        for delay in [44.0, 41.0, 900.0] {
            log.push_strip(delay);
        }
        let times = log.drain();
        assert_eq!(times.delay_ms, Some(50.0));
        assert_eq!(times.arrival_ms, Some(20.0));
        assert_eq!(times.display_ms, Some(30.0));
        assert_eq!(times.strip_ms, Some(44.0));
        assert_eq!(log.drain(), FrameTimes::default());
        assert_eq!(log.first(), Some(frame(100.0, Some(80.0), None)));
    }

    #[test]
    fn nobody_takes_them_and_it_stays_small() {
        let mut log = FrameLog::default();
        for _ in 0..10 * CAPACITY {
            log.push(frame(1.0, None, None));
            log.push_strip(1.0);
        }
        assert_eq!(
            (log.frames.len(), log.strip_delays_ms.len()),
            (CAPACITY, CAPACITY)
        );
    }
}
