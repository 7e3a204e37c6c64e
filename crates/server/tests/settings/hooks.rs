//! What an operator may choose of the application for hooks.

use std::fs;
use std::time::Duration;

use twoway_server::hooks::{Method, OnError};

use crate::file;

#[test]
fn without_an_address_there_is_no_application() {
    let said = file("[hooks]\nhook-timeout = 3\n");
    let (config, _) = said.gather().unwrap().configs().unwrap();
    assert!(config.hooks.is_none());
}

#[test]
fn an_application_is_dealt_with_as_set() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, "0123456789abcdef\n").unwrap();
    let secret = secret.display();
    let text = format!(
        "[hooks]\nhook-url = \"https://app.example/live\"\nhook-timeout = 3\n\
         hook-on-error = \"allow\"\nhook-connections = 7\nhook-secret-file = '{secret}'\n\
         hook-events = [\"connect\", \"StreamStatusEvent\"]\n"
    );
    let (config, _) = file(&text).gather().unwrap().configs().unwrap();
    let hooks = config.hooks.unwrap();
    assert_eq!(hooks.url, "https://app.example/live");
    assert_eq!(hooks.timeout, Duration::from_secs(3));
    assert_eq!(hooks.on_error, OnError::Allow);
    assert_eq!(hooks.connections.get(), 7);
    assert!(hooks.secret.is_some());
    assert_eq!(hooks.methods, [Method::Connect, Method::StreamStatusEvent]);
    let (config, _) = file("[hooks]\nhook-url = \"http://localhost\"\n")
        .gather()
        .unwrap()
        .configs()
        .unwrap();
    let hooks = config.hooks.unwrap();
    assert_eq!(hooks.on_error, OnError::Deny);
    assert_eq!(hooks.methods, Method::ALL);
}

#[track_caller]
fn check(settings: &str, expected: &str) {
    let text = format!("[hooks]\n{settings}\n");
    let error = match file(&text).gather() {
        Ok(gathered) => gathered.configs().expect_err(settings).to_string(),
        Err(error) => error,
    };
    assert!(error.contains(expected), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let scheme = "server.toml:2: hook-url must be a URL that begins with http:// or https://";
    check("hook-url = \"app.example\"", scheme);
    let more = "server.toml:2: hook-url must have no user name, password, query or fragment";
    check("hook-url = \"http://me:hunter2@app.example\"", more);
    check(
        "hook-timeout = 31",
        "server.toml:2: hooks.hook-timeout is wrong: 31 is not in 1..=30",
    );
    check(
        "hook-on-error = \"perhaps\"",
        "server.toml:2: hooks.hook-on-error must be one of allow, deny",
    );
    check(
        "hook-events = [\"disconnect\"]",
        "server.toml:2: hooks.hook-events must be one of connect, publishStream,",
    );
    for setting in [
        "hook-secret-file = \"secret\"",
        "hook-events = [\"connect\"]",
    ] {
        check(setting, " means nothing without hook-url");
    }
}

#[test]
fn a_secret_is_a_file_with_enough_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    let settings = format!(
        "hook-url = \"http://localhost\"\nhook-secret-file = '{}'",
        path.display()
    );
    check(&settings, "secret: No such file");
    fs::write(&path, "hunter2\n").unwrap();
    check(&settings, "secret: the secret has fewer than 16 bytes");
}
