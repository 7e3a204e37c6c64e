//! An axis: its range, where its ticks are and what they say.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

use super::text::number;

/// Linear or logarithmic, with ticks at round values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    is_log: bool,
    /// In rising order: at least two, and the range is from the first to the last.
    ticks: Vec<f64>,
}

impl Axis {
    /// With room for all `values`, which are above 0 where it is logarithmic. A linear
    /// one starts at 0: what is half as high is half as much.
    pub(super) fn of(values: impl Iterator<Item = f64> + Clone, is_log: bool) -> Self {
        let most = values.clone().fold(f64::MIN, f64::max);
        if is_log {
            let least = values.fold(f64::MAX, f64::min);
            Self::logarithmic(least, most)
        } else {
            Self::linear(most)
        }
    }

    fn linear(most: f64) -> Self {
        const ABOUT: f64 = 6.0;
        let most = if most > 0.0 { most } else { 1.0 };
        let rough = most / ABOUT;
        let unit = 10_f64.powf(rough.log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * unit);
        let step = steps
            .into_iter()
            .find(|step| *step >= rough)
            .unwrap_or(rough);
        let count = (most / step).ceil();
        Self {
            is_log: false,
            ticks: (0..=count as u32)
                .map(|tick| f64::from(tick) * step)
                .collect(),
        }
    }

    fn logarithmic(least: f64, most: f64) -> Self {
        let decades = least.log10().floor() as i32..=most.log10().ceil() as i32;
        let is_long = decades.end() - decades.start() > 3;
        let within: &[f64] = if is_long { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let all =
            decades.flat_map(|decade| within.iter().map(move |one| one * 10_f64.powi(decade)));
        let all: Vec<_> = all.collect();
        let first = all.iter().rposition(|tick| *tick <= least).unwrap_or(0);
        let last = all
            .iter()
            .position(|tick| *tick >= most)
            .unwrap_or(all.len() - 1);
        // One value alone still needs some width.
        let last = last.max((first + 1).min(all.len() - 1));
        Self {
            is_log: true,
            ticks: all[first..=last].to_vec(),
        }
    }

    pub(super) fn ticks(&self) -> &[f64] {
        &self.ticks
    }

    /// How far along the axis a value is: 0 at its beginning, 1 at its end.
    pub(super) fn part(&self, value: f64) -> f64 {
        let scaled = |value: f64| if self.is_log { value.log10() } else { value };
        let Range { start, end } = self.range();
        (scaled(value) - scaled(start)) / (scaled(end) - scaled(start))
    }
}

/// What a tick says.
pub(super) fn label(value: f64) -> String {
    let said = number(value);
    if said.contains('.') {
        said.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        said
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        from + (self.part(*value) * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.ticks[0]..self.ticks[self.ticks.len() - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[f64], is_log: bool, expected: &[&str]) {
        let axis = Axis::of(values.iter().copied(), is_log);
        let labels: Vec<_> = axis.ticks.iter().map(|tick| label(*tick)).collect();
        assert_eq!(labels, expected);
        for value in values {
            let part = axis.part(*value);
            assert!((0.0..=1.0).contains(&part), "{value} is not on the axis");
        }
    }

    #[test]
    fn linear_axes_start_at_zero_and_have_round_steps() {
        check(
            &[3.0, 57.0],
            false,
            &["0", "10", "20", "30", "40", "50", "60"],
        );
        check(&[0.5], false, &["0", "0.1", "0.2", "0.3", "0.4", "0.5"]);
        check(&[0.0], false, &["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        check(
            &[1_000.0],
            false,
            &["0", "200", "400", "600", "800", "1,000"],
        );
    }

    #[test]
    fn logarithmic_axes_reach_from_the_tick_below_to_the_one_above() {
        check(&[30.0, 400.0], true, &["20", "50", "100", "200", "500"]);
        check(
            &[1.0, 4_000.0],
            true,
            &["1", "10", "100", "1,000", "10,000"],
        );
        check(&[100.0], true, &["100", "200"]);
        check(&[0.03, 0.04], true, &["0.02", "0.05"]);
    }
}
