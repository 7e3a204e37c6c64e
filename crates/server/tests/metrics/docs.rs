//! What is written about metrics is true of the program.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use twoway_server::net::metrics_manual;

const START: &str =
    "<!-- The table is made from the program: see crates/server/tests/metrics/docs.rs -->\n";
const END: &str = "<!-- End of the table -->\n";

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap()
}

/// The names of metrics in a text, histograms by the names of their families.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let names = words.filter(|word| {
        let own = word
            .strip_prefix("twoway_")
            .or(word.strip_prefix("process_"));
        // What ends so is the beginning of names.
        own.is_some_and(|own| !own.is_empty()) && !word.ends_with('_')
    });
    let family = |name: &str| {
        let parts = ["_bucket", "_sum", "_count"];
        let part = parts.iter().find_map(|part| name.strip_suffix(part));
        part.unwrap_or(name).to_owned()
    };
    names.map(family).collect()
}

#[track_caller]
fn check_known(what: &str, text: &str) {
    let known = names(&metrics_manual());
    let unknown: Vec<_> = names(text)
        .into_iter()
        .filter(|name| !known.contains(name) && name != "twoway_server")
        .collect();
    assert_eq!(unknown, [""; 0], "{what}");
}

/// `UPDATE_MANUAL=1` writes the table anew.
#[test]
fn the_manual_has_every_metric() {
    let page = read("MONITORING.md");
    let (before, rest) = page.split_once(START).expect("the table's start");
    let (_, after) = rest.split_once(END).expect("the table's end");
    let table = metrics_manual();
    let expected = format!("{before}{START}\n{table}\n{END}{after}");
    if env::var_os("UPDATE_MANUAL").is_some() {
        fs::write(path("MONITORING.md"), &expected).unwrap();
    } else {
        assert_eq!(page, expected, "UPDATE_MANUAL=1 writes it anew");
    }
    check_known("MONITORING.md", &expected);
}

#[test]
fn alerts_ask_only_for_what_there_is() {
    let rules = read("monitoring/alerts.yml");
    assert!(names(&rules).len() >= 8, "{rules}");
    check_known("alerts.yml", &rules);
}

#[test]
fn the_dashboard_asks_only_for_what_there_is() {
    let dashboard: Value = serde_json::from_str(&read("monitoring/grafana.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut queries = 0;
    for panel in panels {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let query = target["expr"].as_str().expect("a query");
            assert!(!names(query).is_empty(), "{query}");
            check_known(query, query);
            queries += 1;
        }
    }
    assert!(queries > 10, "{queries}");
}
