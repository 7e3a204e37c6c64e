//! Distributions, as results have them.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::results::Quantiles;

/// Of a histogram; `None` of an empty one.
pub(crate) fn of_histogram(histogram: &Histogram<u64>) -> Option<Quantiles> {
    let at = |quantile| histogram.value_at_quantile(quantile) as f64;
    (!histogram.is_empty()).then(|| Quantiles {
        count: histogram.len(),
        median: at(0.5),
        p95: at(0.95),
        p99: at(0.99),
        max: histogram.max() as f64,
    })
}

/// Of some spans, in microseconds: nearest rank.
pub(crate) fn of_spans(spans: impl IntoIterator<Item = Duration>) -> Quantiles {
    let mut spans: Vec<_> = spans.into_iter().collect();
    spans.sort_unstable();
    let at = |quantile: f64| {
        let rank = (quantile * spans.len() as f64).ceil() as usize;
        let span = spans.get(rank.saturating_sub(1));
        span.map_or(0.0, |span| span.as_secs_f64() * 1_000_000.0)
    };
    Quantiles {
        count: spans.len() as u64,
        median: at(0.5),
        p95: at(0.95),
        p99: at(0.99),
        max: at(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_their_quantiles() {
        let spans = (1..=200).rev().map(Duration::from_millis);
        let wanted = Quantiles {
            count: 200,
            median: 100_000.0,
            p95: 190_000.0,
            p99: 198_000.0,
            max: 200_000.0,
        };
        assert_eq!(of_spans(spans), wanted);
        assert_eq!(of_spans([]), Quantiles::default());
    }

    #[test]
    fn an_empty_histogram_has_none() {
        let mut histogram = Histogram::new(2).unwrap();
        assert_eq!(of_histogram(&histogram), None);
        histogram.record(42).unwrap();
        let quantiles = of_histogram(&histogram).unwrap();
        assert_eq!((quantiles.count, quantiles.median), (1, 42.0));
    }
}
