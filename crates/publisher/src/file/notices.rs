//! What the user is told about a file, not more often than can be read.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Corrupt frames are told of this often at most.
const INTERVAL: Duration = Duration::from_secs(5);

/// Sentences that wait to be told.
#[derive(Debug, Default)]
pub(super) struct Notices {
    waiting: VecDeque<String>,
    /// Frames that nobody has been told of.
    corrupt: u64,
    told_at: Option<Instant>,
    /// The user knows that the file breaks off.
    broken_off: bool,
}

impl Notices {
    /// A frame is corrupt and skipped.
    pub(super) fn corrupt(&mut self) {
        self.corrupt += 1;
    }

    /// The file ends in the middle of something; told once.
    pub(super) fn broken_off(&mut self, name: &str) {
        if !self.broken_off {
            self.broken_off = true;
            self.waiting
                .push_back(format!("{name} is cut off: played up to there"));
        }
    }

    /// The next sentence that is due.
    pub(super) fn take(&mut self, name: &str, now: Instant) -> Option<String> {
        let recent = |told: Instant| now.saturating_duration_since(told) < INTERVAL;
        if self.corrupt > 0 && !self.told_at.is_some_and(recent) {
            let count = std::mem::take(&mut self.corrupt);
            self.told_at = Some(now);
            let what = match count {
                1 => "a corrupt frame".to_owned(),
                count => format!("{count} corrupt frames"),
            };
            return Some(format!("{name}: skipped {what}"));
        }
        self.waiting.pop_front()
    }

    /// What is left to tell at the end.
    pub(super) fn take_rest(&mut self, name: &str, now: Instant) -> Option<String> {
        self.told_at = None;
        self.take(name, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrupt_frames_are_told_at_once_and_then_counted() {
        let mut notices = Notices::default();
        let start = Instant::now();
        let take =
            |notices: &mut Notices, ms| notices.take("a.mkv", start + Duration::from_millis(ms));
        assert_eq!(take(&mut notices, 0), None);
        notices.corrupt();
        let first = take(&mut notices, 0);
        assert_eq!(first.as_deref(), Some("a.mkv: skipped a corrupt frame"));
        notices.corrupt();
        notices.corrupt();
        assert_eq!(take(&mut notices, 4_999), None);
        let second = take(&mut notices, 5_000);
        assert_eq!(second.as_deref(), Some("a.mkv: skipped 2 corrupt frames"));
        assert_eq!(take(&mut notices, 20_000), None);
        notices.corrupt();
        let rest = notices.take_rest("a.mkv", start + Duration::from_secs(5));
        assert_eq!(rest.as_deref(), Some("a.mkv: skipped a corrupt frame"));
    }

    #[test]
    fn that_a_file_breaks_off_is_told_once() {
        let mut notices = Notices::default();
        notices.broken_off("a.mkv");
        notices.broken_off("a.mkv");
        let now = Instant::now();
        assert!(notices.take("a.mkv", now).unwrap().contains("cut off"));
        assert_eq!(notices.take("a.mkv", now), None);
    }
}
