//! A made-up report, and what its page and plots have to say of it.

use std::fs;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::*;
use crate::plan::USUAL_MEDIA as MEDIA;
use crate::results::{
    Browser, Churn, GeneratorUse, Join, Load, Outcome, ProcessUse, Quantiles, Received, Run,
    Unjoined,
};

const KIB: u64 = 1_024;

fn quantiles(median: f64) -> Quantiles {
    Quantiles {
        count: 100,
        median,
        p95: median * 2.0,
        p99: median * 3.0,
        max: median * 4.0,
    }
}

/// Ten seconds in which each viewer costs `viewer_ms` a second and `viewer_kib`.
fn load(viewers: u32, viewer_ms: f64, viewer_kib: u64) -> Load {
    let frames = u64::from(viewers) * 300;
    Load {
        seconds: 10.0,
        viewers,
        received: Received {
            packets: frames * 5,
            bytes: frames * 6_250,
            frames,
            ..Received::default()
        },
        sent_packets: 1_500,
        delay_us: Some(quantiles(f64::from(viewers) * 2.0)),
        server: Some(ProcessUse {
            cpu_seconds: f64::from(viewers) * viewer_ms / 100.0,
            system_seconds: 0.0,
            idle_bytes: 10_000 * KIB,
            resident_bytes: (10_000 + u64::from(viewers) * viewer_kib) * KIB,
            context_switches: 5_000,
            dropped_datagrams: 0,
        }),
        generator: GeneratorUse {
            busiest_thread: 0.4,
            ..GeneratorUse::default()
        },
    }
}

fn overloaded(viewers: u32) -> Load {
    let mut load = load(viewers, 1.0, 50);
    load.received.late_frames = 77;
    load.received.lost_frames = 1_234;
    load
}

fn run(server: &str, round: u32, scenario: Scenario, outcome: Outcome) -> Run {
    Run {
        server: server.to_owned(),
        round,
        scenario,
        outcome,
    }
}

fn fan_out(server: &str, load: Load) -> Run {
    let viewers = load.viewers;
    let media = MEDIA;
    run(
        server,
        0,
        Scenario::FanOut { viewers, media },
        Outcome::Load(load),
    )
}

fn join(server: &str, crowd: u32, keyframe_ms: f64) -> Run {
    let phase = |part: f64| quantiles(keyframe_ms * 1_000.0 * part);
    let outcome = Outcome::Join(Join {
        joined: crowd * 3,
        failed: 0,
        answered_us: phase(0.2),
        ice_us: phase(0.4),
        dtls_us: phase(0.7),
        first_packet_us: phase(0.9),
        keyframe_us: phase(1.0),
        server: None,
        generator: GeneratorUse::default(),
    });
    run(
        server,
        0,
        Scenario::Join {
            crowd,
            media: MEDIA,
        },
        outcome,
    )
}

fn churn(server: &str) -> Run {
    let outcome = Outcome::Churn(Churn {
        seconds: 60.0,
        visits: 2_048,
        failures: 3,
        resident: vec![
            (0.0, 10_000 * KIB),
            (30.0, 30_720 * KIB),
            (60.0, 14_096 * KIB),
        ],
        server: load(1, 1.0, 1).server,
        generator: GeneratorUse::default(),
    });
    let (viewers, media) = (100, MEDIA);
    run(server, 0, Scenario::Churn { viewers, media }, outcome)
}

fn alone(server: &str) -> Run {
    let scenario = Scenario::Streams {
        streams: 50,
        viewers_each: 0,
        media: MEDIA,
    };
    let mut load = load(0, 0.0, 0);
    load.delay_us = None;
    run(server, 0, scenario, Outcome::Load(load))
}

fn browser() -> Browser {
    Browser {
        version: "Chromium 142".to_owned(),
        join_ms: quantiles(110.0),
        join_phases_ms: vec![("answer".to_owned(), quantiles(20.0))],
        glass_to_glass_ms: quantiles(95.0),
        glass_to_glass_over_time: vec![(0.0, 90.0), (60.0, 91.0), (600.0, 96.0)],
        transfer: vec![
            ("index.html".to_owned(), 1_000),
            ("page.wasm".to_owned(), 180_000),
        ],
        interactive_ms: quantiles(300.0),
        memory: vec![(0.0, 5_242_880), (600.0, 6_291_456)],
    }
}

/// Ours costs half of what the other does and carries more.
fn report() -> Report {
    let info = |name: &str, version: Option<&str>| ServerInfo {
        name: name.to_owned(),
        version: version.map(str::to_owned),
        cores: vec![0],
    };
    let too_many = overloaded(2_000);
    let refused = Scenario::FanOut {
        viewers: 400,
        media: MEDIA,
    };
    Report {
        began: "2026-01-31 12:00".to_owned(),
        command: "cargo xtask bench --against janus".to_owned(),
        quick: false,
        machine: Machine {
            processor: "Some Processor <9000>".to_owned(),
            cores: 2,
            memory_bytes: 8 << 30,
            system: "Some Linux 1".to_owned(),
        },
        servers: vec![info("twoway", Some("0.1.0")), info("janus", None)],
        runs: vec![
            fan_out("twoway", load(10, 0.5, 60)),
            fan_out("janus", load(10, 1.0, 240)),
            fan_out("janus", load(300, 1.0, 240)),
            fan_out("twoway", load(300, 0.5, 60)),
            fan_out("twoway", load(1_000, 0.4, 60)),
            fan_out("twoway", too_many.clone()),
            fan_out("twoway", too_many),
            run(
                "janus",
                0,
                refused.clone(),
                Outcome::Failed("full | really".to_owned()),
            ),
            run(
                "janus",
                1,
                refused,
                Outcome::Failed("full | really".to_owned()),
            ),
            alone("twoway"),
            join("twoway", 1, 40.0),
            join("janus", 1, 60.0),
            join("twoway", 100, 200.0),
            join("janus", 100, 150.0),
            churn("twoway"),
        ],
        browser: Some(browser()),
    }
}

fn text(report: &Report) -> String {
    page(report, &plots::all(report).expect("it can be drawn"))
}

/// The cells of the only row that begins with these.
fn row(text: &str, start: &[&str]) -> Vec<String> {
    let mut rows = rows(text, start);
    assert_eq!(rows.len(), 1, "not one row {start:?} in:\n{text}");
    rows.remove(0)
}

/// The cells of each row that begins with these.
fn rows(text: &str, start: &[&str]) -> Vec<Vec<String>> {
    let start = format!("| {} | ", start.join(" | "));
    let found = text.lines().filter_map(|line| line.strip_prefix(&start));
    let cells = found.map(|row| {
        let cells = row.trim_end_matches(" |").split(" | ");
        cells.map(|cell| cell.trim().to_owned()).collect()
    });
    cells.collect()
}

#[test]
fn ratios_are_of_the_most_viewers_that_both_carried() {
    let text = text(&report());
    let ratio = |what| row(&text, &[what]);
    assert_eq!(
        ratio("processor time a viewer, 300 viewers"),
        ["0.50 ms/s", "1.00 ms/s", "**2.0 times better**"]
    );
    assert_eq!(
        ratio("memory a viewer, 300 viewers"),
        ["60.0 KiB", "240 KiB", "**4.0 times better**"]
    );
    assert_eq!(ratio("delay, median, 300 viewers")[2], "the same");
    assert_eq!(
        ratio("join, one by one, median"),
        ["40.0 ms", "60.0 ms", "**1.5 times better**"]
    );
    assert_eq!(
        ratio("join, 100 within a second, median")[2],
        "1.3 times worse"
    );
    // The other server's end is not known: neither is the ratio.
    assert_eq!(
        ratio("viewers with no frame late or lost"),
        ["1,000", "at least 300", "not known"]
    );
}

#[test]
fn budgets_are_met_or_not() {
    let text = text(&report());
    for (what, expected) in [
        (
            "join, native viewer, median",
            ["at most 60 ms", "40.0 ms", "met"],
        ),
        (
            "glass to glass, 720p30 test picture, median",
            ["at most 80 ms", "95.0 ms", "**not met**"],
        ),
        (
            "egress for each core in use, at the most viewers carried",
            ["at least 3 Gbit/s", "3.75 Gbit/s", "met"],
        ),
        (
            "processor time a viewer among 1,000, as against 10",
            ["at most 1.1 times", "0.80 times", "met"],
        ),
        (
            "first visit of the page, compressed",
            ["at most 200 kB", "181 kB", "met"],
        ),
    ] {
        assert_eq!(row(&text, &[what]), expected);
    }
    let mut native = report();
    native.browser = None;
    let native = self::text(&native);
    let page = row(&native, &["first visit of the page, compressed"]);
    assert_eq!(page[1..], ["–", "not measured"]);
    assert!(!native.contains("in a browser"));
}

#[test]
fn every_scenario_has_its_rows() {
    let text = text(&report());
    let thousand = rows(&text, &["1,000", "twoway"]);
    let cost = ["40.0 %", "0.40", "2.67", "3.75", "60.0", "500"];
    assert_eq!(thousand[0], cost);
    let got = [
        "2.00", "4.00", "6.00", "8.00", "0", "0", "0", "0", "40.0 %", "clean",
    ];
    assert_eq!(thousand[1], got);
    let keyframe = row(&text, &["one by one", "janus", "first keyframe complete"]);
    assert_eq!(keyframe, ["60.0", "120", "180", "240", "3", "0"]);
    let churn = row(&text, &["100", "twoway"]);
    assert_eq!(
        churn,
        ["60.0", "2,048", "3", "9.77", "30.0", "30.0", "13.8", ""]
    );
    let alone = rows(&text, &["50, no viewers", "twoway"]);
    assert_eq!(alone[0][0], "0 %");
    assert_eq!(row(&text, &["all"]), ["181,000"]);
    assert!(text.contains("from 90.0 ms to 96.0 ms within 10.0 minutes"));
    assert!(text.contains("1.50 Mbit/s at 30 frames a second, a keyframe every 120"));
    for fact in [
        "2026-01-31 12:00",
        "cargo xtask bench --against janus",
        "8.00 GiB",
    ] {
        assert!(text.contains(fact), "{fact} is missing");
    }
}

#[test]
fn what_went_wrong_is_told_plainly() {
    let mut report = report();
    let text = text(&report);
    assert!(
        text.contains("**twoway** carries 1,000 viewers with no frame late or lost; 2,000 were")
    );
    assert!(text.contains("400 could not be measured: full | really."));
    let failed = text
        .lines()
        .find(|line| line.starts_with("| 400 | janus |"));
    assert!(failed.is_some_and(|line| line.contains("failed: full \\| really |")));
    let lost = rows(&text, &["2,000", "twoway"]).remove(1);
    assert_eq!(lost[4..6], ["154", "2,468"], "both rounds count");
    assert_eq!(lost.last().map(String::as_str), Some("clean in 0 of 2"));

    for run in &mut report.runs {
        if let Outcome::Load(load) = &mut run.outcome
            && load.viewers == 2_000
        {
            load.generator.busiest_thread = 0.99;
        }
    }
    let text = self::text(&report);
    assert!(text.contains("**twoway** carries at least 1,000 viewers"));
    assert!(text.contains("at 2,000 the load generator was the limit"));
    let lost = rows(&text, &["2,000", "twoway"]).remove(1);
    assert_eq!(
        lost.last().map(String::as_str),
        Some("the generator was the limit")
    );
}

#[test]
fn viewers_that_waited_in_vain_and_drops_are_told() {
    let mut report = report();
    let many = Scenario::FanOut {
        viewers: 500,
        media: MEDIA,
    };
    let unjoined = Unjoined {
        joined: 356,
        of: 500,
        patience: 15.0,
        seconds: 20.0,
        server: Some(ProcessUse {
            cpu_seconds: 20.0,
            ..ProcessUse::default()
        }),
        generator: GeneratorUse::default(),
    };
    report.runs = vec![run("janus", 0, many, Outcome::Unjoined(unjoined))];
    let mut dropping = load(10, 0.5, 60);
    dropping.received.lost_frames = 1;
    dropping.generator.dropped_datagrams = 7;
    dropping
        .server
        .as_mut()
        .expect("it is known")
        .dropped_datagrams = 12;
    report.runs.push(fan_out("twoway", dropping));
    let text = text(&report);
    assert!(text.contains(
        "356 of 500 viewers had a picture when the next one had waited 15 s for a keyframe, \
         the server using 100 % of a core |"
    ));
    assert!(
        text.contains(
            "**janus** carries at least 0 viewers with no frame late or lost, but not 500"
        )
    );
    let got = rows(&text, &["10", "twoway"]).remove(1);
    assert_eq!(got[7..9], ["12", "40.0 %, 7 drops"]);
    assert!(text.contains("at 10 the load generator was the limit"));
}

#[test]
fn a_report_of_nothing_is_a_page_all_the_same() {
    let mut report = report();
    report.runs.clear();
    report.browser = None;
    report.quick = true;
    assert!(plots::all(&report).expect("nothing to draw").is_empty());
    let text = text(&report);
    assert!(text.contains("short run"));
    assert!(text.contains("not measured"));
    assert!(!text.contains("NaN") && !text.contains("inf"));
}

#[test]
fn rounds_are_put_together_by_their_median() {
    let mut report = report();
    report.runs.push(fan_out("twoway", load(1_000, 0.8, 60)));
    report.runs.push(fan_out("twoway", load(1_000, 0.5, 60)));
    assert_eq!(rows(&text(&report), &["1,000", "twoway"])[0][1], "0.50");
}

#[test]
fn every_file_is_written_and_the_same_each_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = report();
    render(&report, folder.path()).expect("it can be written");
    let page = fs::read_to_string(folder.path().join(PAGE)).expect("the page");
    for name in ["cost", "delay", "memory", "join", "churn", "glass-to-glass"] {
        let file = format!("{PLOTS}/{name}.svg");
        assert!(page.contains(&format!("]({file})")), "{file} is not shown");
        let svg = fs::read_to_string(folder.path().join(file)).expect("the plot");
        check_svg(&svg);
    }
    let again = plots::all(&report).expect("it can be drawn");
    for plot in again {
        let before = fs::read_to_string(folder.path().join(PLOTS).join(plot.file));
        assert_eq!(before.ok().as_ref(), Some(&plot.svg));
    }
}

/// It is XML with a title and a description, whatever names are in it.
fn check_svg(svg: &str) {
    let mut reader = Reader::from_str(svg);
    let mut elements = Vec::new();
    loop {
        let event = reader.read_event().expect("it is XML");
        if event == Event::Eof {
            break;
        }
        if let Event::Start(element) | Event::Empty(element) = event {
            elements.push(element.name().as_ref().to_vec());
        }
    }
    let names: Vec<_> = elements
        .iter()
        .map(|name| String::from_utf8_lossy(name))
        .collect();
    assert_eq!(names[..3], ["svg", "title", "desc"]);
    assert!(names.iter().any(|name| name == "text"));
    assert!(svg.contains("role=\"img\""));
}

#[test]
fn names_of_servers_cannot_break_a_plot() {
    let mut report = report();
    let name = "<&\"';|";
    report.servers[1].name = name.to_owned();
    for run in &mut report.runs {
        if run.server == "janus" {
            run.server = name.to_owned();
        }
    }
    let plots = plots::all(&report).expect("it can be drawn");
    assert!(
        plots
            .iter()
            .any(|plot| plot.svg.contains("&lt;&amp;&quot;"))
    );
    plots.iter().for_each(|plot| check_svg(&plot.svg));
}
