//! Everything that fuzzing found worth keeping, at each run of the tests.

#![allow(clippy::unwrap_used, reason = "a test: a panic is a failure")]

use std::fs;
use std::path::{Path, PathBuf};

use fuzzing::TARGETS;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

/// Feeds a target with its folder. The test's output names the input that fails.
fn feed(name: &str) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).unwrap();
    let mut inputs: Vec<_> = fs::read_dir(corpus().join(name)).unwrap().collect();
    assert!(!inputs.is_empty());
    for input in inputs.drain(..) {
        let path = input.unwrap().path();
        eprintln!("{}", path.display());
        target(&fs::read(&path).unwrap());
    }
}

#[test]
fn signalling_text() {
    feed("signalling");
}

#[test]
fn offers() {
    feed("sdp");
}

#[test]
fn http_connections() {
    feed("http");
}

#[test]
fn datagrams_of_anybody() {
    feed("datagrams");
}

#[test]
fn every_target_has_its_program_and_its_corpus() {
    for (name, _) in TARGETS {
        assert!(corpus().join(name).is_dir(), "{name}");
        let program = corpus().join("../fuzz_targets").join(name);
        assert!(program.with_extension("rs").is_file(), "{name}");
    }
}
