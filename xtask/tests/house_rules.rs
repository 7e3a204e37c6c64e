//! Rules of this repository that no compiler checks.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders of tools and builds, not of ours.
const FOREIGN: [&str; 4] = [".git", "target", "dist", "node_modules"];

/// What ends in one of these is text, and read by the rules on text.
const TEXT: [&str; 14] = [
    "css", "html", "js", "json", "lock", "md", "mjs", "rs", "sh", "sql", "svg", "toml", "txt",
    "yml",
];

fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask
        .parent()
        .expect("xtask lies in the root")
        .to_path_buf()
}

/// Every file below `folder`, as its path from the root with forward slashes
/// and its text.
fn files(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    assert!(!found.is_empty(), "nothing to check in {folder}");
    found
}

fn walk(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !FOREIGN.contains(&&*name) {
                walk(&path, found);
            }
            continue;
        }
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        if TEXT.contains(&&*extension) {
            let text = fs::read_to_string(&path).expect("text in UTF-8");
            let from_root = path.strip_prefix(root()).expect("a path below the root");
            found.push((from_root.to_string_lossy().replace('\\', "/"), text));
        }
    }
}

/// Fails, naming each place, if one of `forbidden` is in one of `files`.
fn nowhere(files: &[(String, String)], forbidden: &[&str], why: &str) {
    let places: Vec<String> = files
        .iter()
        .flat_map(|(path, text)| {
            let lines = text.lines().enumerate();
            lines.filter_map(move |(index, line)| {
                let word = forbidden.iter().find(|word| line.contains(**word))?;
                Some(format!("{path}:{}: {word}", index + 1))
            })
        })
        .collect();
    assert!(places.is_empty(), "{why}:\n{}", places.join("\n"));
}

fn rust(folder: &str) -> Vec<(String, String)> {
    let mut files = files(folder);
    files.retain(|(path, _)| path.ends_with(".rs"));
    files
}

/// Without test files and, as tests come last, the rest of each other file
/// from its first test on.
fn without_tests(mut files: Vec<(String, String)>) -> Vec<(String, String)> {
    files.retain(|(path, _)| !path.ends_with("tests.rs") && !path.contains("/tests/"));
    for (_, text) in &mut files {
        let end = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
        // `#[cfg(test)] mod tests;` stands among the modules and ends nothing.
        if text[end..]
            .lines()
            .nth(1)
            .is_some_and(|line| line.ends_with('{'))
        {
            text.truncate(end);
        }
    }
    files
}

/// This file, which has to name what it forbids.
fn is_this(path: &str) -> bool {
    path == "xtask/tests/house_rules.rs"
}

#[test]
fn every_crate_follows_the_workspace() {
    let mut files = files("");
    // What takes a nightly is no member of it.
    files.retain(|(path, _)| path.ends_with("Cargo.toml") && path != "fuzz/Cargo.toml");
    for (path, text) in files {
        for line in [
            "[lints]\nworkspace = true",
            "version.workspace = true",
            "edition.workspace = true",
            "rust-version.workspace = true",
            "license.workspace = true",
            "publish.workspace = true",
            "description = ",
        ] {
            assert!(text.contains(line), "{path} lacks `{line}`");
        }
    }
}

#[test]
fn only_the_platform_folder_knows_the_browser() {
    let mut files = rust("src");
    files.retain(|(path, _)| !path.starts_with("src/platform/"));
    nowhere(
        &files,
        &[
            "web_sys::",
            "js_sys::",
            "wasm_bindgen::",
            "wasm_bindgen_futures::",
        ],
        "browser types stay behind src/platform",
    );
}

#[test]
fn no_closure_is_leaked() {
    nowhere(
        &rust("src"),
        &[".forget()"],
        "keep it in an owner whose Drop ends it",
    );
}

#[test]
fn cores_own_no_clock_task_socket_or_chance() {
    for core in [
        "crates/wire/src",
        "crates/session/src",
        "crates/server/src/core",
    ] {
        let outside = [
            "Instant::now",
            "SystemTime::now",
            "tokio::",
            "std::net::TcpStream",
            "std::net::UdpSocket",
            "std::thread",
            "rand::",
            "web_sys",
        ];
        nowhere(
            &without_tests(rust(core)),
            &outside,
            "a core is handed what it needs",
        );
    }
}

#[test]
fn nothing_is_left_for_later() {
    let mut files = rust("");
    files.retain(|(path, _)| !is_this(path));
    nowhere(
        &files,
        &[
            "todo!(",
            "unimplemented!(",
            "TODO",
            "FIXME",
            "XXX",
            "#[ignore",
        ],
        "do it now, or file an issue",
    );
}

#[test]
fn tests_wait_for_conditions_and_never_sleep() {
    let mut files = rust("");
    files.retain(|(path, _)| path.split('/').any(|part| part == "tests") && !is_this(path));
    nowhere(&files, &["sleep("], "wait for what the test is about");
}

/// A plain `cargo test` works in a fresh clone, where the page is not built.
#[test]
fn end_to_end_tests_wait_to_be_asked_for() {
    let manifest = fs::read_to_string(root().join("crates/e2e/Cargo.toml")).expect("a manifest");
    for (path, _) in rust("crates/e2e/tests") {
        let name = path
            .trim_start_matches("crates/e2e/tests/")
            .trim_end_matches(".rs");
        let target = format!("[[test]]\nname = \"{name}\"\ntest = false\n");
        assert!(manifest.contains(&target), "the manifest lacks:\n{target}");
    }
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    let mut files = files("");
    files.retain(|(path, _)| !is_this(path));
    nowhere(
        &files,
        &[
            "/root/",
            "/home/",
            "/Users/",
            "C:\\\\Users",
            "/.cargo/registry",
        ],
        "paths are relative to the repository",
    );
}

/// A table that names what proves each feature is worth what its names are.
#[test]
fn every_test_named_in_the_protocols_table_exists() {
    let table = fs::read_to_string(root().join("docs/PROTOCOL.md")).expect("the table");
    let sources = rust("");
    let code = table
        .lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2));
    let mut tests = code.filter_map(|code| code.split_once(".rs::")).peekable();
    assert!(tests.peek().is_some(), "the table names no test");
    for (file, test) in tests {
        let end = format!("/{file}.rs");
        let mut found = sources
            .iter()
            .filter(|(path, _)| format!("/{path}").ends_with(&end));
        let (Some((_, text)), None) = (found.next(), found.next()) else {
            panic!("{file}.rs is not exactly one file");
        };
        assert!(is_test(text, test), "{file}.rs has no test {test}");
    }
    for trap in 1..=39 {
        assert!(
            table.contains(&format!("\n| {trap} | ")),
            "trap {trap} is missing"
        );
    }
}

/// Whether a function of this name has an attribute that makes it a test.
fn is_test(text: &str, name: &str) -> bool {
    let Some((before, _)) = text.split_once(&format!("fn {name}(")) else {
        return false;
    };
    let lines = before.trim_end().lines().rev().map(str::trim);
    let mut attributes = lines.take_while(|line| !line.is_empty());
    attributes.any(|line| line.starts_with("#[") && line.contains("test"))
}

#[test]
fn dependencies_come_from_the_public_registry_or_this_repository() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("a lock file");
    let own = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let foreign: Vec<_> = lock
        .lines()
        .filter(|line| line.starts_with("source = ") && *line != own)
        .collect();
    assert!(foreign.is_empty(), "foreign sources: {foreign:?}");

    let mut config = files(".cargo");
    config.extend(
        files("")
            .into_iter()
            .filter(|(path, _)| path.ends_with("Cargo.toml")),
    );
    nowhere(
        &config,
        &[
            "[registries",
            "[source.",
            "registry =",
            "replace-with",
            "git =",
        ],
        "mirrors are each machine's own business",
    );
}
