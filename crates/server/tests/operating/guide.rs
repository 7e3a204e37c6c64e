//! The operator's guide does what it says: its commands run, and show what it shows.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::{PROGRAM, file, free_port};

/// How long all commands together may take, on a machine that does other things, too.
const PATIENCE: Duration = Duration::from_secs(120);

/// How the guide begins a block of commands that run here.
const RUN: &str = "```sh run";

/// Commands, and what the guide says that one sees of them.
struct Step {
    commands: String,
    shown: Vec<String>,
}

/// The steps of the guide, in its order.
fn steps(guide: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = guide.lines().peekable();
    while let Some(line) = lines.next() {
        if line != RUN {
            continue;
        }
        let mut block = || -> Vec<String> {
            let lines = lines.by_ref().take_while(|line| *line != "```");
            lines.map(ToOwned::to_owned).collect()
        };
        let commands = block().join("\n");
        let shown = if lines.next_if(|line| *line == "```text").is_some() {
            let lines = lines.by_ref().take_while(|line| *line != "```");
            lines.map(ToOwned::to_owned).collect()
        } else {
            Vec::new()
        };
        steps.push(Step { commands, shown });
    }
    steps
}

/// One script of all steps, which says after each that it is over.
fn script(steps: &[Step]) -> String {
    let steps = steps.iter().enumerate();
    let steps = steps.map(|(number, step)| format!("{}\n{}\n", step.commands, mark(number)));
    format!("set -eu\n{}", steps.collect::<String>())
}

fn mark(number: usize) -> String {
    format!("echo '=== {number}'")
}

/// Runs a script in `folder` and returns what it wrote; whatever it started ends with it.
fn run(script: &str, folder: &Path) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let programs = Path::new(PROGRAM).parent().expect("a folder");
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).current_dir(folder);
    shell.env("PATH", format!("{}:{path}", programs.display()));
    shell.stdin(Stdio::null()).stderr(Stdio::piped());
    let child = shell.stdout(Stdio::piped()).process_group(0).spawn();
    let child = child.expect("a shell");
    let group = format!("-{}", child.id());
    let (done, finished) = mpsc::channel();
    thread::spawn(move || done.send(child.wait_with_output()));
    let output = finished.recv_timeout(PATIENCE);
    // Of a script that failed half way, the server is left.
    let end = Command::new("kill")
        .args(["-KILL", "--", &group])
        .stderr(Stdio::null())
        .status();
    drop(end);
    let log = fs::read_to_string(folder.join("server.log")).unwrap_or_default();
    let output = output.unwrap_or_else(|_| panic!("the commands take too long; log:\n{log}"));
    let output = output.expect("its output");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{text}\n{errors}\nthe server's log:\n{log}"
    );
    text
}

/// Asserts that `written` has the lines of `shown` one after the other, each perhaps with
/// more after it; blanks count as one, and `...` stands for any lines.
#[track_caller]
fn assert_shows(written: &str, shown: &[String]) {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut written_lines = written.lines().map(words);
    for line in shown.iter().filter(|line| *line != "...") {
        let line = words(line);
        let found = written_lines.any(|written| written.contains(&line));
        assert!(found, "{line:?} is not in its place in:\n{written}");
    }
}

#[test]
fn the_commands_of_the_guide_show_what_it_says() {
    let mut guide = file("docs/OPERATING.md");
    for port in ["8080", "8443", "31001"] {
        guide = guide.replace(port, &free_port());
    }
    let steps = steps(&guide);
    assert!(steps.len() > 8, "{} steps", steps.len());
    let folder = tempfile::tempdir().unwrap();
    let written = run(&script(&steps), folder.path());
    let mut rest = written.as_str();
    for (number, step) in steps.iter().enumerate() {
        let mark = format!("=== {number}\n");
        let (of_step, after) = rest.split_once(&mark).expect("every step ends");
        assert_shows(of_step, &step.shown);
        rest = after;
    }
}

#[test]
#[should_panic(expected = "is not in its place")]
fn lines_that_are_missing_are_noticed() {
    assert_shows("a\nb  c\n", &["b c".to_owned(), "a".to_owned()]);
}
