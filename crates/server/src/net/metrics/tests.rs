use std::collections::HashSet;

use super::families::{FAMILIES, Type};
use super::*;
use crate::core::Stats;

/// Everything there can be to tell, of two workers.
fn samples() -> Samples {
    let mut samples = Samples::default();
    let stats = Stats {
        sessions: 5,
        publishers: 2,
        players: 7,
        whip: 1,
        whep: 3,
    };
    let measured = Measured {
        stats,
        sockets: 6,
        ..Measured::default()
    };
    add_measured(&measured, &mut samples);
    let workers: Vec<Arc<Meters>> = vec![Arc::default(), Arc::default()];
    for worker in &workers {
        worker.add(Meter::VideoIn, 20);
        for millis in [1, 3, 20_000] {
            worker.took(Time::ViewerIce, Duration::from_millis(millis));
        }
    }
    add_media(&workers, &mut samples);
    add_workers(&workers, Instant::now(), &mut samples);
    samples
}

#[test]
fn numbers_of_workers_are_added_up_and_buckets_hold_the_smaller_ones() {
    let text = samples().write();
    for line in [
        "twoway_sessions 5",
        "twoway_streams{kind=\"publisher\",signalling=\"websocket\"} 1",
        "twoway_streams{kind=\"player\",signalling=\"whep\"} 3",
        "twoway_rtp_received_packets_total{kind=\"video\"} 40",
        "twoway_join_seconds_bucket{kind=\"player\",phase=\"ice\",le=\"0.001\"} 2",
        "twoway_join_seconds_bucket{kind=\"player\",phase=\"ice\",le=\"0.005\"} 4",
        "twoway_join_seconds_bucket{kind=\"player\",phase=\"ice\",le=\"10\"} 4",
        "twoway_join_seconds_bucket{kind=\"player\",phase=\"ice\",le=\"+Inf\"} 6",
        "twoway_join_seconds_sum{kind=\"player\",phase=\"ice\"} 40.008",
        "twoway_join_seconds_count{kind=\"player\",phase=\"ice\"} 6",
        "twoway_worker_up{worker=\"1\"} 1",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
}

#[test]
fn every_metric_is_of_a_family_that_is_told_of() {
    assert_eq!(samples().strangers(), [""; 0]);
    let known: HashSet<_> = FAMILIES.iter().map(|family| family.name).collect();
    assert_eq!(known.len(), FAMILIES.len(), "each once");
    for family in samples().families() {
        assert!(known.contains(family), "{family}");
    }
}

/// <https://prometheus.io/docs/practices/naming/>
#[test]
fn names_follow_the_conventions() {
    for family in FAMILIES {
        let name = family.name;
        let counts = name.ends_with("_total");
        assert_eq!(counts, family.kind == Type::Counter, "{name}");
        let prefixed = name.starts_with("twoway_") || name.starts_with("process_");
        assert!(prefixed, "{name}");
        let in_seconds = family.kind != Type::Histogram || name.ends_with("_seconds");
        assert!(in_seconds, "{name}");
        assert!(!family.help.ends_with('.') && !family.help.contains(['\\', '\n']));
    }
}
