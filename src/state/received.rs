//! Data messages from the publisher of the played stream.

use std::collections::VecDeque;

use serde_json::Value;

/// Lines kept; the oldest go first.
const MAX_LINES: usize = 200;
/// Characters shown of one message; the rest is cut.
const MAX_CHARS: usize = 4_000;

/// One message, as a line of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedLine {
    /// Counts the messages since the page opened; never repeats.
    pub number: u64,
    /// `H:MM - <JSON>`. Text, never markup.
    pub text: String,
}

/// The last messages, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReceivedLog {
    lines: VecDeque<ReceivedLine>,
    received: u64,
}

impl ReceivedLog {
    /// Adds a message that came at a local time of day, hours and minutes.
    pub fn push(&mut self, payload: &Value, (hours, minutes): (u32, u32)) {
        let json = payload.to_string();
        let shown = match json.char_indices().nth(MAX_CHARS) {
            Some((end, _)) => format!("{}…", &json[..end]),
            None => json,
        };
        self.lines.push_back(ReceivedLine {
            number: self.received,
            text: format!("{hours}:{minutes:02} - {shown}"),
        });
        self.received += 1;
        if self.lines.len() > MAX_LINES {
            self.lines.pop_front();
        }
    }

    /// The messages kept, oldest first.
    pub fn lines(&self) -> impl Iterator<Item = &ReceivedLine> {
        self.lines.iter()
    }

    /// How many messages came since the page opened.
    pub fn received(&self) -> u64 {
        self.received
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hours_are_not_padded_and_minutes_are() {
        let mut log = ReceivedLog::default();
        log.push(&json!({"count": 23}), (9, 5));
        log.push(&json!("<b>"), (23, 59));
        let texts: Vec<_> = log.lines().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, [r#"9:05 - {"count":23}"#, r#"23:59 - "<b>""#]);
    }

    #[test]
    fn the_oldest_lines_go_and_long_ones_are_cut() {
        let mut log = ReceivedLog::default();
        for count in 0..MAX_LINES + 3 {
            log.push(&json!(count), (0, 0));
        }
        assert_eq!(log.lines().count(), MAX_LINES);
        assert_eq!(log.lines().next().unwrap().text, "0:00 - 3");

        log.push(&json!("é".repeat(2 * MAX_CHARS)), (0, 0));
        let last = log.lines().last().unwrap();
        assert_eq!(last.text.chars().count(), "0:00 - ".len() + MAX_CHARS + 1);
        assert_eq!(last.number, log.received() - 1);
    }
}
