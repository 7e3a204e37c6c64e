//! The text format (Prometheus' exposition format, version 0.0.4).

use std::fmt::Write as _;

use super::families::{FAMILIES, Family};
use crate::meters::{BOUNDS_MICROS, Times};

/// Numbers of all families, in any order.
#[derive(Debug, Default)]
pub(super) struct Samples(Vec<Sample>);

#[derive(Debug)]
struct Sample {
    family: &'static str,
    labels: String,
    value: Value,
}

#[derive(Debug)]
enum Value {
    Whole(u64),
    Seconds(f64),
    Times(Box<Times>),
}

impl Samples {
    /// Adds a number; labels are as they are to be written.
    pub(super) fn put(&mut self, family: &'static str, labels: &str, value: u64) {
        self.push(family, labels, Value::Whole(value));
    }

    pub(super) fn put_seconds(&mut self, family: &'static str, labels: &str, seconds: f64) {
        self.push(family, labels, Value::Seconds(seconds));
    }

    pub(super) fn put_times(&mut self, family: &'static str, labels: &str, times: &Times) {
        self.push(family, labels, Value::Times(Box::new(*times)));
    }

    fn push(&mut self, family: &'static str, labels: &str, value: Value) {
        self.0.push(Sample {
            family,
            labels: labels.to_owned(),
            value,
        });
    }

    /// All families that have something to tell.
    pub(super) fn write(&self) -> String {
        let mut text = String::new();
        for family in FAMILIES {
            let mut of_family = self.0.iter().filter(|s| s.family == family.name).peekable();
            if of_family.peek().is_some() {
                write_head(family, &mut text);
            }
            for sample in of_family {
                sample.write(&mut text);
            }
        }
        text
    }

    /// Those whose family is not among [`FAMILIES`], or has other labels.
    #[cfg(test)]
    pub(super) fn strangers(&self) -> Vec<String> {
        let is_known = |sample: &&Sample| {
            let labels = sample.labels.split(',').filter(|l| !l.is_empty());
            let names: Vec<_> = labels.map(|l| l.split('=').next().unwrap()).collect();
            let mut families = FAMILIES.iter();
            families.any(|family| family.name == sample.family && family.labels == names)
        };
        let strangers = self.0.iter().filter(|sample| !is_known(sample));
        strangers.map(|sample| format!("{sample:?}")).collect()
    }

    #[cfg(test)]
    pub(super) fn families(&self) -> Vec<&'static str> {
        self.0.iter().map(|sample| sample.family).collect()
    }
}

fn write_head(family: &Family, text: &mut String) {
    let (name, kind, help) = (family.name, family.kind.name(), family.help);
    // Writing to a String does not fail, here and below.
    let _ = write!(text, "# HELP {name} {help}.\n# TYPE {name} {kind}\n");
}

impl Sample {
    fn write(&self, text: &mut String) {
        match &self.value {
            Value::Whole(value) => self.write_line("", "", value, text),
            Value::Seconds(value) => self.write_line("", "", value, text),
            Value::Times(times) => self.write_times(times, text),
        }
    }

    /// Each bucket has what is in all the smaller ones as well.
    fn write_times(&self, times: &Times, text: &mut String) {
        let mut sum = 0;
        for (bound, count) in BOUNDS_MICROS.iter().zip(times.buckets) {
            sum += count;
            let bound = seconds(*bound);
            self.write_line("_bucket", &format!("le=\"{bound}\""), &sum, text);
        }
        let count = times.count();
        self.write_line("_bucket", "le=\"+Inf\"", &count, text);
        self.write_line("_sum", "", &seconds(times.micros), text);
        self.write_line("_count", "", &count, text);
    }

    fn write_line(
        &self,
        suffix: &str,
        label: &str,
        value: &dyn std::fmt::Display,
        out: &mut String,
    ) {
        let labels = [self.labels.as_str(), label];
        let labels: Vec<_> = labels.into_iter().filter(|l| !l.is_empty()).collect();
        let name = self.family;
        let _ = if labels.is_empty() {
            writeln!(out, "{name}{suffix} {value}")
        } else {
            writeln!(out, "{name}{suffix}{{{}}} {value}", labels.join(","))
        };
    }
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}
