//! A figure's last minute as lines to draw.

/// Time along a plot, in milliseconds.
pub(super) const SPAN_MS: f64 = 60_000.0;
/// Where the present is drawn.
const WIDTH: f64 = 600.0;
/// Where nothing is drawn; [`Scale::top`] is at 0.
const HEIGHT: f64 = 100.0;
/// A longer time than this without a value is a gap in the line, in milliseconds.
const GAP_MS: f64 = 2_500.0;

/// The vertical axis, from nothing to a round number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// The value at the top.
    pub top: f64,
}

impl Scale {
    /// The smallest of 1, 2 or 5 times a power of ten that holds `values` and
    /// `least`, so that small noise is not drawn large.
    fn holding(values: impl Iterator<Item = f64>, least: f64) -> Self {
        let most = values.fold(least, f64::max);
        let mut decade = 1e-3;
        while decade * 10.0 < most {
            decade *= 10.0;
        }
        let round = [1.0, 2.0, 5.0, 10.0].map(|step| step * decade);
        let top = round.into_iter().find(|&top| top >= most * (1.0 - 1e-9));
        Self {
            top: top.unwrap_or(most),
        }
    }

    fn y(self, value: f64) -> f64 {
        HEIGHT - (value / self.top).clamp(0.0, 1.0) * HEIGHT
    }
}

/// One or two figures over the last minute, ready to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// What it shows.
    pub title: &'static str,
    /// The value now; empty while it is unknown.
    pub now: String,
    /// The value at the top of the axis.
    pub top: String,
    /// The points of each line's pieces, for `<polyline>`: 600 wide, 100 high.
    pub lines: Vec<Vec<String>>,
    /// What the second line is, if there is one.
    pub dotted: Option<&'static str>,
    /// All of it in words.
    pub words: String,
}

/// Moments on the page's clock, in milliseconds, and values.
pub(super) type Series = Vec<(f64, Option<f64>)>;

impl Plot {
    /// Draws `series`, the first of them the most important, until `now_ms`;
    /// `write` makes text of a value.
    pub(super) fn of(
        title: &'static str,
        now_ms: f64,
        series: &[Series],
        least: f64,
        write: fn(f64) -> String,
    ) -> Self {
        let known = |series: &Series| -> Vec<f64> {
            let values = series.iter().filter_map(|&(_, value)| value);
            values.filter(|value| value.is_finite()).collect()
        };
        let scale = Scale::holding(series.iter().flat_map(known), least);
        let main = series.first().map(known).unwrap_or_default();
        let now = series
            .first()
            .and_then(|series| series.last()?.1)
            .map_or_else(String::new, write);
        let lowest = main.iter().copied().reduce(f64::min);
        let highest = main.iter().copied().reduce(f64::max);
        let words = match lowest.zip(highest) {
            None => format!("{title}: unknown"),
            Some((lowest, highest)) => format!(
                "{title} in the last minute: now {}, between {} and {}",
                if now.is_empty() { "unknown" } else { &now },
                write(lowest),
                write(highest)
            ),
        };
        Self {
            title,
            now,
            top: write(scale.top),
            lines: series
                .iter()
                .map(|series| pieces(series, now_ms, scale))
                .collect(),
            dotted: None,
            words,
        }
    }
}

impl Plot {
    /// Names the second line, if it is to be seen.
    pub(super) fn dotted(mut self, name: &'static str) -> Self {
        let is_seen = self.lines.get(1).is_some_and(|line| !line.is_empty());
        self.dotted = is_seen.then_some(name);
        self
    }
}

/// A line for each stretch without a gap.
fn pieces(series: &Series, now_ms: f64, scale: Scale) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut last_ms = f64::NEG_INFINITY;
    for &(at_ms, value) in series {
        let Some(value) = value else { continue };
        let x = WIDTH * (1.0 - (now_ms - at_ms) / SPAN_MS);
        if x < 0.0 {
            continue;
        }
        let point = format!("{},{}", x.round() as i64, scale.y(value).round() as i64);
        match pieces.last_mut() {
            Some(piece) if at_ms - last_ms <= GAP_MS => {
                piece.push(' ');
                piece.push_str(&point);
            }
            Some(_) | None => pieces.push(point),
        }
        last_ms = at_ms;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::super::millis;
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        let check = |most: f64, least: f64, top: f64| {
            let scale = Scale::holding([most].into_iter(), least);
            assert!((scale.top - top).abs() < top * 1e-6, "{most}: {scale:?}");
        };
        check(29.9, 10.0, 50.0);
        check(50.0, 10.0, 50.0);
        check(0.0, 100.0, 100.0);
        check(101.0, 100.0, 200.0);
        check(0.004, 0.01, 0.01);
        check(2_400_000.0, 1.0, 5_000_000.0);
    }

    #[test]
    fn lines_break_where_nothing_is_known() {
        let series = vec![
            (0.0, Some(1.0)),
            (40_000.0, Some(50.0)),
            (41_000.0, Some(100.0)),
            (42_000.0, None),
            (61_000.0, Some(0.0)),
        ];
        let plot = Plot::of("Delay", 61_000.0, &[series], 100.0, millis);
        assert_eq!(plot.lines, [["390,50 400,0", "600,100"]]);
        assert_eq!(plot.top, "100 ms");
        assert_eq!(plot.now, "0 ms");
        assert_eq!(
            plot.words,
            "Delay in the last minute: now 0 ms, between 0 ms and 100 ms"
        );
    }

    #[test]
    fn nothing_known() {
        let plot = Plot::of("Delay", 0.0, &[vec![(0.0, None)]], 100.0, millis);
        assert_eq!(plot.lines, [Vec::<String>::new()]);
        assert_eq!(
            (plot.now.as_str(), plot.words.as_str()),
            ("", "Delay: unknown")
        );
    }
}
