//! What is wrong on a command line is told in one sentence; what is asked for is
//! shown.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

use super::{SECRET, command, read_json, text, y4m};

/// That a command line gets one sentence with `expected` in it, this exit code
/// and nothing else.
fn check(command: &mut Command, code: i32, expected: &str) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let stderr = text(&stderr);
    let what = format!("{command:?}: {stderr}");
    assert_eq!(status.code(), Some(code), "{what}");
    assert_eq!(text(&stdout), "", "{what}");
    assert!(stderr.starts_with("twoway-publish: "), "{what}");
    assert!(stderr.contains(expected), "{what}");
    assert_eq!(stderr.lines().count(), 1, "{what}");
    assert!(!stderr.contains(SECRET), "{what}");
}

fn bad(arguments: &[&str], expected: &str) {
    check(&mut command(arguments), 2, expected);
}

#[test]
fn a_bad_url_or_name_is_told() {
    let must_begin = "the URL must begin with ws://, wss://, http:// or https://";
    bad(&["rtmp://host/test"], must_begin);
    bad(&["host"], must_begin);
    bad(&["ws://"], "the URL must look like");
    bad(&["ws://h:99999/x"], "the URL must look like");
    bad(&["http://a b/x"], "the URL must look like");
    bad(&["ws://u:s3cret-tok3n@h/x"], "--token");
    bad(&["https://h/{nmae}"], "only {name} and {protocol}");
    bad(&["ws://h/"], "the stream has no name");
    bad(&["https://h", "--name", ""], "the stream has no name");
    bad(&["https://h", "--name", ".."], "the stream's name");
    bad(&["ws://h/x", "--name", "a\u{7}b"], "the stream's name");
}

#[test]
fn bad_options_are_told() {
    let check = |options: &[&str], expected: &str| {
        bad(&[&["ws://h/x"], options].concat(), expected);
    };
    check(&["--size", "big"], "WIDTHxHEIGHT");
    check(&["--fps", "0"], "--fps");
    check(&["--bitrate", "1"], "--bitrate");
    check(
        &["--min-bitrate", "3000"],
        "--min-bitrate is above --bitrate",
    );
    check(&["--audio-bitrate", "1000"], "--audio-bitrate");
    check(&["--keyframe-interval", "often"], "not a number of seconds");
    check(&["--codec", "H265"], "--codec");
    check(&["--camera", "--screen"], "--camera");
    check(&["--no-video", "--no-audio"], "--no-video");
    check(&["--custom", "{"], "--custom is not JSON");
    check(&["--loop"], "--loop has no media file");
    check(&["--loop", "-"], "standard input");
    check(&["a", "b", "c"], "more than two inputs");
    bad(&[], "<URL>");
    bad(&["https://h/whip/x", "--app-key", "a"], "--app-key");
}

#[test]
fn bad_tokens_are_told_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, format!("{SECRET} and more\n")).unwrap();
    let file = file.to_str().unwrap();
    let words = format!("{SECRET} two");
    bad(
        &["ws://h/x", "--token", &words],
        "--token: an access token has",
    );
    bad(&["ws://h/x", "--token-file", file], file);
    bad(
        &["ws://h/x", "--token-file", "no/such/file"],
        "no/such/file",
    );
    bad(
        &["ws://h/x", "--token", SECRET, "--token-file", file],
        "--token-file",
    );
    let mut from_variable = command(&["ws://h/x"]);
    from_variable.env("TWOWAY_TOKEN", &words);
    check(&mut from_variable, 2, "TWOWAY_TOKEN: an access token has");
}

#[test]
fn bad_files_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = folder.path().join("ca.pem");
    fs::write(&certificates, "no certificate").unwrap();
    let certificates = certificates.to_str().unwrap();
    bad(&["wss://h/x", "--ca-file", certificates], certificates);
    bad(&["wss://h/x", "--ca-file", "no/such/file"], "no/such/file");
    let unknown = folder.path().join("film.mp4");
    fs::write(&unknown, "this is no film, whatever its name says").unwrap();
    let unknown = unknown.to_str().unwrap();
    bad(&["ws://h/x", unknown], unknown);
    bad(&["ws://h/x", "no/such/film.mp4"], "no/such/film.mp4");
    let a_folder = folder.path().to_str().unwrap();
    bad(&["ws://h/x", a_folder], a_folder);
    let empty = folder.path().join("empty.webm");
    fs::write(&empty, "").unwrap();
    bad(&["ws://h/x", empty.to_str().unwrap()], "empty");
    // Nothing comes from it.
    bad(&["ws://h/x", "-"], "standard input");
    let stats = folder.path().join("missing/stats.json");
    let stats = stats.to_str().unwrap();
    bad(&["ws://h/x", "--stats-file", stats], "there is no folder");
}

#[test]
fn what_does_not_make_a_stream_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film.y4m");
    fs::write(&film, y4m(3)).unwrap();
    let film = film.to_str().unwrap();
    bad(
        &["ws://h/x", film, "--test-picture", film],
        "both bring a picture",
    );
    bad(&["ws://h/x", film, "--no-video"], "there is no sound in it");
    bad(&["ws://h/x", "--screen", "left"], "--screen");
}

#[test]
fn devices_that_are_not_there_are_told() {
    // Neither is a build without devices at a loss for a sentence.
    bad(&["ws://h/x", "--camera", "no such camera"], "camera");
    bad(
        &["ws://h/x", "--microphone", "no such microphone"],
        "microphone",
    );
    bad(&["ws://h/x", "--screen", "99"], "");
    bad(&["ws://h/x", "--window", "no such window"], "");
}

#[test]
fn a_source_that_cannot_be_opened_ends_the_statistics_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stats.json");
    let path = file.to_str().unwrap();
    bad(
        &["ws://h/x", "no/such/film.mp4", "--stats-file", path],
        "film.mp4",
    );
    let outcome = &read_json(&file)["outcome"];
    assert_eq!(outcome["exit_code"], 2);
    assert!(outcome["error"].as_str().unwrap().contains("film.mp4"));
}

#[test]
fn help_lists_and_scripts_go_to_standard_output() {
    let shown = |arguments: &[&str]| {
        let output = command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(text(&output.stderr), "", "{arguments:?}");
        text(&output.stdout)
    };
    let help = shown(&["--help"]);
    for word in ["Exit codes:", "--give-up-after", "TWOWAY_TOKEN", "devices"] {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert!(shown(&["-h"]).contains("Exit codes:"));
    assert!(shown(&["--version"]).starts_with("twoway-publish "));
    assert!(shown(&["man"]).contains(".SH \"EXIT STATUS\""));
    assert!(shown(&["completions", "bash"]).contains("--keyframe-interval"));
    assert!(shown(&["devices"]).contains("Cameras (--camera)"));
    let devices: Value = serde_json::from_str(&shown(&["devices", "--json"])).unwrap();
    assert!(devices["cameras"].is_array(), "{devices}");
    // The variable's value is not what help is for.
    let mut with_token = command(&["--help"]);
    let output = with_token.env("TWOWAY_TOKEN", SECRET).output().unwrap();
    assert!(!text(&output.stdout).contains(SECRET));
}
