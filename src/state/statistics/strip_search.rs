//! When to look for the test picture's strip: an ordinary camera has none, and
//! reading pixels is not free.

/// Time between two looks while it is there, in milliseconds.
const INTERVAL_MS: f64 = 200.0;
/// So many looks in vain, and there is no strip.
const MISSES: u32 = 5;
/// Time until the next look then, in milliseconds.
const PAUSE_MS: f64 = 5_000.0;

/// Decides, frame by frame.
#[derive(Debug, Default)]
pub struct StripSearch {
    next_ms: f64,
    misses: u32,
}

impl StripSearch {
    /// Whether to look now; the page's clock in milliseconds.
    pub fn is_due(&self, now_ms: f64) -> bool {
        now_ms >= self.next_ms
    }

    /// Takes the result of a look.
    pub fn looked(&mut self, found: bool, now_ms: f64) {
        self.misses = if found { 0 } else { self.misses + 1 };
        let gone = self.misses >= MISSES;
        self.next_ms = now_ms + if gone { PAUSE_MS } else { INTERVAL_MS };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks taken in a minute of 50 frames a second.
    fn looks(there: impl Fn(f64) -> bool) -> usize {
        let mut search = StripSearch::default();
        let frames = (0..3_000).map(|frame| f64::from(frame) * 20.0);
        let mut look = |now_ms: f64| {
            let due = search.is_due(now_ms);
            if due {
                search.looked(there(now_ms), now_ms);
            }
            due
        };
        frames.filter(|&now_ms| look(now_ms)).count()
    }

    #[test]
    fn a_few_a_second_while_there_is_one_and_hardly_any_without() {
        assert_eq!(looks(|_| true), 300);
        assert_eq!(looks(|_| false), 5 + 11);
        // A damaged strip now and then does not matter.
        assert_eq!(looks(|now_ms| now_ms % 1_000.0 != 0.0), 300);
    }

    #[test]
    fn a_strip_that_comes_later_is_found() {
        let found = looks(|now_ms| now_ms > 30_000.0);
        assert!(found > 100, "{found}");
    }
}
