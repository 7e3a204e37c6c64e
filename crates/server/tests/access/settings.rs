//! Rules from settings and the files that these name.

use std::collections::HashMap;
use std::fs;

use clap::{Args, Command};
use twoway_server::access::{Denied, Right, decide};
use twoway_server::net::Live;
use twoway_server::settings::{Gathered, Settings};

const SECRET: &str = "a secret of more than thirty-two bytes\n";

/// What options come to, `FILE` in them being a file that has this text.
fn live(text: &str, options: &[&str]) -> Result<Live, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    let options = options.iter().map(|option| option.replace("FILE", path));
    let command = Settings::augment_args(Command::new("twoway-server").no_binary_name(true));
    let matches = command.get_matches_from(options);
    let gathered = Gathered::new(None, &HashMap::new(), &matches).unwrap();
    let live = gathered.live();
    live.map_err(|error| error.to_string().replace(path, "FILE"))
}

#[track_caller]
fn check_wrong(text: &str, options: &[&str], expected: &str) {
    let error = live(text, options).unwrap_err();
    let expected = format!("the configuration is wrong\n  {expected}");
    assert_eq!(error, expected);
}

#[test]
fn files_and_options_make_rules() {
    let tokens = "publish * token-for-publishers\n";
    let options = [
        "--tokens=FILE",
        "--anonymous=play cam-*",
        "--allow-origin=https://example.org",
        "--trusted-proxy=10.0.0.0/8",
        "--max-sessions-per-address=5",
        "--max-connection-rate=6",
        "--max-request-rate=7",
    ];
    let live = live(tokens, &options).unwrap();
    let now = std::time::SystemTime::now();
    let asked = |token, asked| decide(&live.access, token, asked, now).map(drop);
    let token = Some("token-for-publishers");
    assert_eq!(asked(token, (Right::Publish, "a")), Ok(()));
    assert_eq!(asked(None, (Right::Play, "cam-1")), Ok(()));
    let refused = Err(Denied::NoToken);
    assert_eq!(asked(None, (Right::Play, "dog-1")), refused);
    assert!(live.origins.contain("https://example.org"));
    assert!(!live.origins.contain("https://example.net"));
    assert!(live.proxies.contain("10.1.2.3".parse().unwrap()));
    let limits = live.limits;
    assert_eq!(
        (
            limits.sockets,
            limits.connections_per_second,
            limits.requests_per_second
        ),
        (5, 6, 7)
    );
}

#[test]
fn by_default_all_is_open() {
    let live = live("", &[]).unwrap();
    assert!(live.access.is_open());
    assert!(live.origins.contain("https://example.org"));
}

#[test]
fn a_key_alone_closes_the_server() {
    let live = live(SECRET, &["--jwt-key=FILE", "--jwt-audience=live"]).unwrap();
    assert!(live.access.is_controlled());
    let granted = live.access.grant(Some("forged"));
    assert_eq!(granted, Err(Denied::BadToken));
}

#[test]
fn what_is_wrong_names_the_setting_the_file_and_the_line() {
    let tokens = ["--tokens=FILE"];
    check_wrong(
        "# mine\nplay * hunter2\n",
        &tokens,
        "--tokens: FILE: line 2: the token has fewer than 16 characters, which could be guessed",
    );
    let key = ["--jwt-key=FILE"];
    let short = "--jwt-key: FILE: the secret has fewer than 32 bytes, which could be guessed";
    check_wrong("hunter2", &key, short);
    let private = "--jwt-key: FILE: it is a private key: give this server the public one alone";
    check_wrong("-----BEGIN PRIVATE KEY-----\n", &key, private);
    let alone = "--jwt-issuer: jwt-issuer means nothing without jwt-key";
    check_wrong("", &["--jwt-issuer=me"], alone);
    let missing = live("", &["--tokens=FILE-that-is-not"]).unwrap_err();
    assert!(
        missing.contains("--tokens: FILE-that-is-not: "),
        "{missing}"
    );
}
