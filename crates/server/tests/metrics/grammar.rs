//! The text format of Prometheus, read as strictly as it is defined
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::collections::{HashMap, HashSet};

/// What a scrape has, by name and labels as they stand there.
pub(crate) struct Scrape(HashMap<String, f64>);

impl Scrape {
    /// # Panics
    /// It is not in the format.
    pub(crate) fn parse(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line ends, too");
        let mut reader = Reader::default();
        text.lines().for_each(|line| reader.take(line));
        reader.end_family();
        Self(reader.samples)
    }

    #[track_caller]
    pub(crate) fn of(&self, metric: &str) -> f64 {
        let value = self.0.get(metric);
        *value.unwrap_or_else(|| panic!("there is no {metric}"))
    }
}

#[derive(Default)]
struct Reader {
    samples: HashMap<String, f64>,
    families: HashSet<String>,
    family: String,
    kind: String,
    /// The buckets of the histogram at hand, by its other labels: the last bound and
    /// how many there were.
    buckets: HashMap<String, (f64, f64)>,
    counts: HashMap<String, f64>,
}

impl Reader {
    fn take(&mut self, line: &str) {
        if let Some(help) = line.strip_prefix("# HELP ") {
            self.end_family();
            let (name, help) = help.split_once(' ').expect("a help text");
            assert!(!help.is_empty() && is_name(name), "{line}");
            assert!(
                self.families.insert(name.to_owned()),
                "{name} is told twice"
            );
            name.clone_into(&mut self.family);
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').expect("a type");
            assert_eq!(name, self.family, "{line}");
            assert!(matches!(kind, "counter" | "gauge" | "histogram"), "{line}");
            kind.clone_into(&mut self.kind);
        } else {
            self.take_sample(line);
        }
    }

    fn take_sample(&mut self, line: &str) {
        let (metric, value) = line.rsplit_once(' ').expect(line);
        let value: f64 = value.parse().expect(line);
        assert!(value.is_finite() && value >= 0.0, "{line}");
        let (name, labels) = match metric.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}').expect(line)),
            None => (metric, ""),
        };
        assert!(is_name(name), "{line}");
        let labels = read_labels(labels);
        if self.kind == "histogram" {
            self.take_part(name, &labels, value);
        } else {
            assert_eq!(name, self.family, "{line}");
        }
        let before = self.samples.insert(metric.to_owned(), value);
        assert_eq!(before, None, "{metric} is told twice");
    }

    fn take_part(&mut self, name: &str, labels: &[(String, String)], value: f64) {
        let others = labels.iter().filter(|(name, _)| name != "le");
        let others = format!("{:?}", others.collect::<Vec<_>>());
        match name.strip_prefix(&self.family).expect(name) {
            "_bucket" => {
                let (_, bound) = labels.iter().find(|(name, _)| name == "le").expect(name);
                let bound: f64 = bound.parse().expect(bound);
                let start = (f64::NEG_INFINITY, 0.0);
                let last = self.buckets.entry(others).or_insert(start);
                assert!(bound > last.0 && value >= last.1, "{name} {bound}");
                *last = (bound, value);
            }
            "_sum" => {}
            "_count" => drop(self.counts.insert(others, value)),
            other => panic!("a histogram has no {other}"),
        }
    }

    /// A histogram's last bucket holds all there is.
    fn end_family(&mut self) {
        for (labels, (bound, count)) in self.buckets.drain() {
            assert_eq!(bound, f64::INFINITY, "{labels}");
            assert_eq!(self.counts.remove(&labels), Some(count), "{labels}");
        }
        assert!(self.counts.is_empty());
    }
}

fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `name="value",...`, in which nothing has to be escaped here.
fn read_labels(text: &str) -> Vec<(String, String)> {
    let labels = text.split(',').filter(|label| !label.is_empty());
    labels
        .map(|label| {
            let (name, value) = label.split_once('=').expect(label);
            let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
            let value = value.expect(label);
            assert!(is_name(name) && !value.contains(['"', '\\']), "{label}");
            (name.to_owned(), value.to_owned())
        })
        .collect()
}
