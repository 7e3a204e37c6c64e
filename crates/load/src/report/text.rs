//! Numbers and tables as people read them.

use std::fmt::Write;

/// Three digits that count, thousands set apart: `0.45`, `12.3`, `1,235`.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        "0".to_owned()
    } else if size < 0.0995 {
        format!("{value:.3}")
    } else if size < 9.995 {
        format!("{value:.2}")
    } else if size < 99.95 {
        format!("{value:.1}")
    } else {
        grouped(value)
    }
}

/// A count, thousands set apart.
pub(super) fn count(value: u64) -> String {
    grouped(value as f64)
}

fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        let left = digits.len() - index;
        if index > 0 && left.is_multiple_of(3) && digit.is_ascii_digit() && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number, or a dash where nothing was measured.
pub(super) fn number_or_dash(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), number)
}

/// `1 viewer`, `1,000 viewers`.
pub(super) fn plural(how_many: u64, thing: &str) -> String {
    let s = if how_many == 1 { "" } else { "s" };
    format!("{} {thing}{s}", count(how_many))
}

/// A Markdown table: the first columns are words, the others numbers.
pub(super) struct Table {
    text: String,
    columns: usize,
}

impl Table {
    /// With a heading for each column, the first `words` of which are set to the left.
    pub(super) fn new(headings: &[&str], words: usize) -> Self {
        let mut table = Self {
            text: String::new(),
            columns: headings.len(),
        };
        table.line(headings.iter().map(|heading| (*heading).to_owned()));
        table.line((0..headings.len()).map(|column| {
            let rule = if column < words { "---" } else { "---:" };
            rule.to_owned()
        }));
        table
    }

    /// Adds a row; cells that are missing at its end stay empty.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells = cells.into_iter().map(|cell| escaped(&cell));
        let padded = cells.chain(std::iter::repeat_with(String::new));
        self.line(padded.take(self.columns));
    }

    fn line(&mut self, cells: impl Iterator<Item = String>) {
        let cells: Vec<_> = cells.collect();
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "| {} |", cells.join(" | "));
    }

    /// As Markdown, with an empty line after it.
    pub(super) fn finish(mut self) -> String {
        self.text.push('\n');
        self.text
    }
}

/// A Markdown table as columns of a terminal, turned on its side if it has one row: a
/// line for each heading then.
pub(super) fn aligned(table: &str) -> String {
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| ---"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let rows = match rows.as_slice() {
        [headings, figures] => headings
            .iter()
            .zip(figures)
            .map(|(h, f)| vec![*h, *f])
            .collect(),
        _ => rows,
    };
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let line = |row: &Vec<&str>| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// Without what would end a cell or begin another one.
fn escaped(cell: &str) -> String {
    cell.replace('|', "\\|").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_that_count() {
        for (value, expected) in [
            (0.0, "0"),
            (0.0123, "0.012"),
            (0.4567, "0.46"),
            (4.0, "4.00"),
            (12.34, "12.3"),
            (99.96, "100"),
            (1_234.5, "1,234"),
            (1_234_567.0, "1,234,567"),
            (-123_456.0, "-123,456"),
        ] {
            assert_eq!(number(value), expected);
        }
        assert_eq!(number_or_dash(None), "–");
        assert_eq!(plural(1, "viewer"), "1 viewer");
        assert_eq!(plural(1_000, "viewer"), "1,000 viewers");
    }

    #[test]
    fn a_terminal_gets_columns_or_lines() {
        let mut table = Table::new(&["server", "viewers", ""], 1);
        table.row(["first", "7", "clean"].map(str::to_owned));
        let one = "server   first\nviewers  7\n         clean\n";
        assert_eq!(aligned(&table.text), one);
        table.row(["second", "1,000", ""].map(str::to_owned));
        let two = "server  viewers\nfirst   7        clean\nsecond  1,000\n";
        assert_eq!(aligned(&table.finish()), two);
    }

    #[test]
    fn a_table_is_markdown_whatever_is_in_it() {
        let mut table = Table::new(&["server", "viewers"], 1);
        table.row(["a|b\nc".to_owned(), "7".to_owned()]);
        table.row(["alone".to_owned()]);
        let expected = "| server | viewers |\n| --- | ---: |\n| a\\|b c | 7 |\n| alone |  |\n\n";
        assert_eq!(table.finish(), expected);
    }
}
