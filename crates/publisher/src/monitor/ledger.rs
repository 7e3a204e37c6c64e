//! Which of the frames sent each frame is that comes back.
//!
//! A server passes frames on as they are, but numbers them anew, and may leave
//! some out or shift them in time. So a frame is known by its content, and by its
//! RTP timestamp, less what the server adds, where contents are alike.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use str0m::media::Frequency;

use crate::peer::rtp_ticks;
use crate::source::EncodedFrame;

/// A frame that has not come back for this long never will.
const LOST_AFTER: Duration = Duration::from_secs(5);

/// Frames under way at most; it takes more than 100 a second to get there.
const MAX_UNDER_WAY: usize = 512;

/// Bytes from a frame's end that tell it from others. What the codec's packets
/// leave out or add is at its beginning.
const TAIL: usize = 64;

/// What is known of a frame that came back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Returned {
    /// When it was captured.
    pub(super) captured: Option<Instant>,
    /// How long before it nothing was sent.
    pub(super) pause: Duration,
}

/// The frames under way.
#[derive(Debug)]
pub(super) struct Ledger {
    /// RTP time zero.
    start: Instant,
    under_way: VecDeque<UnderWay>,
    last_captured: Option<Instant>,
    /// What the server adds to RTP timestamps; `None` until a frame is known by
    /// its content.
    offset: Option<u32>,
    lost: u64,
}

#[derive(Debug)]
struct UnderWay {
    ticks: u32,
    captured: Instant,
    pause: Duration,
    print: u64,
}

impl Ledger {
    /// Empty; RTP timestamps count from `start`.
    pub(super) fn new(start: Instant) -> Self {
        Self {
            start,
            under_way: VecDeque::new(),
            last_captured: None,
            offset: None,
            lost: 0,
        }
    }

    /// A frame is on its way.
    pub(super) fn note_sent(&mut self, frame: &EncodedFrame) {
        let captured = frame.capture_time;
        let last = self.last_captured.replace(captured);
        if self.under_way.len() == MAX_UNDER_WAY {
            self.under_way.pop_front();
            self.lost += u64::from(self.offset.is_some());
        }
        self.under_way.push_back(UnderWay {
            ticks: rtp_ticks(captured, self.start, Frequency::NINETY_KHZ) as u32,
            captured,
            pause: last.map_or(Duration::ZERO, |last| {
                captured.saturating_duration_since(last)
            }),
            print: print(&frame.data),
        });
    }

    /// A frame came back, in the order of sending; those before it that did not
    /// are lost, once the first has come. `None`: it is none of those under way.
    pub(super) fn note_returned(&mut self, ticks: u32, data: &[u8]) -> Option<Returned> {
        let index = self.find(ticks, print(data))?;
        let skipped = self.under_way.drain(..index).count();
        let frame = self.under_way.pop_front()?;
        if self.offset.is_some() {
            self.lost += skipped as u64;
        }
        self.offset = Some(ticks.wrapping_sub(frame.ticks));
        Some(Returned {
            captured: Some(frame.captured),
            pause: frame.pause,
        })
    }

    fn find(&self, ticks: u32, print: u64) -> Option<usize> {
        let frames = self.under_way.iter().enumerate();
        let mut alike = frames.clone().filter(|(_, frame)| frame.print == print);
        if let (Some((index, _)), None) = (alike.next(), alike.next()) {
            return Some(index);
        }
        let sent = ticks.wrapping_sub(self.offset?);
        let (index, _) = frames.clone().find(|(_, frame)| frame.ticks == sent)?;
        Some(index)
    }

    /// Frames that did not come back.
    pub(super) fn lost(&mut self, now: Instant) -> u64 {
        let old = |f: &UnderWay| now.saturating_duration_since(f.captured) > LOST_AFTER;
        while self.under_way.front().is_some_and(old) {
            self.under_way.pop_front();
            self.lost += u64::from(self.offset.is_some());
        }
        self.lost
    }

    /// The connection is over: what is under way is nobody's loss.
    pub(super) fn close(&mut self) {
        self.under_way.clear();
        self.last_captured = None;
        self.offset = None;
    }
}

/// Two frames with the same one may be the same.
fn print(data: &[u8]) -> u64 {
    let tail = &data[data.len().saturating_sub(TAIL)..];
    let mut hasher = DefaultHasher::new();
    tail.hash(&mut hasher);
    hasher.finish()
}
