//! The command `twoway-load`, from outside: what it writes and how it fails.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use load::results::{Browser, Machine, Quantiles, Report, ServerInfo};

fn twoway_load(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_twoway-load"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("RUST_LOG")
        .output()
        .expect("the command runs")
}

/// Fails with this exit code and one line that has `words` in it.
fn fails(folder: &Path, arguments: &[&str], code: i32, words: &str) {
    let output = twoway_load(folder, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
    assert!(error.contains(words), "{words} is not in: {error}");
    if code == 1 {
        assert_eq!(error.lines().count(), 1, "more than a sentence: {error}");
    }
}

fn report(server: &str) -> Report {
    Report {
        began: "2026-01-31 12:00".to_owned(),
        command: "twoway-load bench".to_owned(),
        quick: true,
        machine: Machine {
            processor: "a processor".to_owned(),
            cores: 2,
            memory_bytes: 1 << 30,
            system: "a system".to_owned(),
        },
        servers: vec![ServerInfo {
            name: server.to_owned(),
            version: None,
            cores: Vec::new(),
        }],
        runs: Vec::new(),
        browser: None,
    }
}

fn browser() -> Browser {
    Browser {
        version: "Chromium 999".to_owned(),
        join_ms: Quantiles::default(),
        join_phases_ms: Vec::new(),
        glass_to_glass_ms: Quantiles::default(),
        glass_to_glass_over_time: vec![(0.0, 70.0), (60.0, 71.0)],
        transfer: Vec::new(),
        interactive_ms: Quantiles::default(),
        memory: Vec::new(),
    }
}

#[test]
fn results_of_servers_and_of_a_browser_make_one_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let write = |name: &str, json: serde_json::Result<String>| {
        fs::write(folder.join(name), json.expect("it is JSON")).expect("it can be written");
    };
    write("a.json", serde_json::to_string(&report("first")));
    write("b.json", serde_json::to_string(&report("second")));
    write("c.json", serde_json::to_string(&browser()));
    let files = ["report", "a.json", "c.json", "b.json", "--output", "page"];
    let output = twoway_load(folder, &files);
    assert!(output.status.success(), "{output:?}");
    let page = fs::read_to_string(folder.join("page/PERFORMANCE.md")).expect("a page");
    for words in ["## first and second", "Chromium 999", "short run"] {
        assert!(page.contains(words), "{words} is not in:\n{page}");
    }
    let plots = fs::read_dir(folder.join("page/performance")).expect("plots");
    assert_eq!(plots.count(), 1, "only glass to glass was measured");
}

#[test]
fn mistakes_are_told_in_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    fs::write(folder.join("other.json"), "{}").expect("it can be written");
    let json = serde_json::to_string(&browser()).expect("it is JSON");
    fs::write(folder.join("browser.json"), json).expect("it can be written");
    let cases: [(&[&str], i32, &str); 7] = [
        (&["report", "missing.json"], 1, "cannot read missing.json"),
        (&["report", "other.json"], 1, "other.json holds no results"),
        (&["report", "browser.json"], 1, "no results of a bench"),
        (
            &["bench", "--program", "nowhere"],
            1,
            "there is no server nowhere",
        ),
        (&["bench", "--no-own"], 1, "name one with --server"),
        (
            &["bench", "--server", "ws://host"],
            2,
            "give it a name in front",
        ),
        (&["run", "jump"], 2, "possible values"),
    ];
    for (arguments, code, words) in cases {
        fails(folder, arguments, code, words);
    }
    assert!(
        !folder.join("twoway-load.json").exists(),
        "nothing was measured"
    );
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    // Nothing listens on the port of another one that has ended.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let server = format!("gone=ws://127.0.0.1:{port}");
    let arguments = ["run", "fan-out", "--viewers", "1", "--server", &server];
    fails(folder.path(), &arguments, 1, &format!("127.0.0.1:{port}"));
}
