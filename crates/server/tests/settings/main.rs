//! What an operator may choose: by file, by environment, by option.

mod hooks;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;

use clap::{Args, Command};
use twoway_server::media::Transports;
use twoway_server::net::PageSource;
use twoway_server::settings::{Gathered, Place, Settings, example, manual};

/// What a file, an environment and a command line come to.
struct Said<'a> {
    file: &'a str,
    environment: &'a [(&'a str, &'a str)],
    options: &'a [&'a str],
}

impl Said<'_> {
    fn gather(&self) -> Result<Gathered, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("server.toml");
        fs::write(&path, self.file).expect("a file in it");
        let command = Settings::augment_args(Command::new("twoway-server").no_binary_name(true));
        let options = command.get_matches_from(self.options);
        let environment = self.environment.iter();
        let environment: HashMap<OsString, OsString> = environment
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let gathered = Gathered::new(Some(&path), &environment, &options);
        let folder = format!("{}/", folder.path().display());
        gathered.map_err(|error| error.to_string().replace(&folder, ""))
    }
}

fn file(text: &str) -> Said<'_> {
    Said {
        file: text,
        environment: &[],
        options: &[],
    }
}

#[test]
fn all_three_sources_count_and_the_command_line_most() {
    let said = Said {
        file: "port = 1\npage = \"a\"\n[limits]\nmax-sessions = 11\nmax-name = 12\n\
               [media]\nmedia = \"tcp\"\npublic-address = [\"203.0.113.1\", \"203.0.113.2:4000\"]\n",
        environment: &[
            ("TWOWAY_PORT", "2"),
            ("TWOWAY_MAX_SESSIONS", "21"),
            ("TWOWAY_BALANCE_TO", "a.example:1,b.example:2"),
            ("TWOWAY_MAX_SDP", ""),
            ("PATH", "/bin"),
        ],
        options: &["--port=3", "--media-bind", "127.0.0.1", "--media-bind=::1"],
    };
    let gathered = said.gather().unwrap();
    assert_eq!(gathered.place("port"), Some(&Place::Option("port".into())));
    let variable = Place::Variable("TWOWAY_MAX_SESSIONS".into());
    assert_eq!(gathered.place("max-sessions"), Some(&variable));
    assert_eq!(gathered.place("max-sdp"), None);
    let Some(Place::File { line, .. }) = gathered.place("max-name") else {
        panic!("{:?}", gathered.place("max-name"));
    };
    assert_eq!(*line, 5);
    let (config, media) = gathered.configs().unwrap();
    assert_eq!(config.listen.port(), 3);
    assert_eq!(config.page, PageSource::Folder("a".into()));
    assert_eq!(config.balance_to.len(), 2);
    assert_eq!(config.core.limits.sessions, 21);
    assert_eq!(config.core.limits.name_chars, 12);
    assert_eq!(config.core.limits.sdp_bytes, 64 << 10);
    assert_eq!(media.transports, Transports::Tcp);
    assert_eq!(media.public_addresses.len(), 2);
    assert_eq!(media.bind.len(), 2);
}

#[test]
fn a_list_of_the_command_line_takes_the_place_of_the_files() {
    let said = Said {
        options: &["--public-address=203.0.113.9"],
        ..file("[media]\npublic-address = [\"203.0.113.1\", \"203.0.113.2\"]\n")
    };
    let (_, media) = said.gather().unwrap().configs().unwrap();
    assert_eq!(media.public_addresses, ["203.0.113.9".parse().unwrap()]);
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let said = Said {
        environment: &[
            ("TWOWAY_MAX_SDP", "much"),
            ("TWOWAY_MEDIA", "smoke"),
            ("TWOWAY_TLS_SELF_SIGNED", "1"),
        ],
        ..file(
            "port = \"8080\"\nmax-sessions = 5\n\n[limits]\nmax-mesage = 5\nmax-name = -1\n\
             [media]\nmedia-port = 70000\n[nonsense]\nx = 1\n",
        )
    };
    let expected = "the configuration is wrong\n  \
        server.toml:1: port must be a whole number\n  \
        server.toml:2: there is no setting max-sessions: did you mean limits.max-sessions?\n  \
        server.toml:5: there is no setting limits.max-mesage: did you mean limits.max-message?\n  \
        server.toml:6: limits.max-name must be a whole number\n  \
        server.toml:8: media.media-port is wrong: 70000 is not in 0..=65535\n  \
        server.toml:9: there is no table [nonsense]: the tables are tls, media, streams, limits, access, \
         hooks, running, seeing\n  \
        TWOWAY_MAX_SDP: limits.max-sdp must be a whole number\n  \
        TWOWAY_MEDIA: media.media must be one of udp, tcp, both\n  \
        TWOWAY_TLS_SELF_SIGNED: tls.tls-self-signed must be true or false";
    assert_eq!(said.gather().unwrap_err(), expected);
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    let error = file("port = 1\nport 2\n").gather().unwrap_err();
    assert!(error.contains("\n  server.toml:2: "), "{error}");
}

#[test]
fn a_wrong_password_is_not_repeated() {
    let said = file("\n[media]\nice-server = [\"turn:me:hunter2@\"]\n");
    let error = said.gather().unwrap().configs().unwrap_err().to_string();
    assert!(
        error.contains("server.toml:3: number 1 is none: "),
        "{error}"
    );
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn the_example_is_right_and_changes_nothing() {
    let plain = file("").gather().unwrap().configs().unwrap();
    let as_it_is = file(&example()).gather().unwrap().configs().unwrap();
    assert_eq!(format!("{as_it_is:?}"), format!("{plain:?}"));
}

#[test]
fn defaults_in_the_example_are_what_they_are_without_it() {
    // What has no default shows what may stand there.
    let spelled_out: String = example()
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') && !has_placeholder(setting) => setting,
            Some(_) | None => line,
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    assert!(
        spelled_out.contains("\nmax-sessions = 10000\n"),
        "{spelled_out}"
    );
    let plain = file("").gather().unwrap().configs().unwrap();
    let spelled_out = file(&spelled_out).gather().unwrap().configs().unwrap();
    assert_eq!(format!("{spelled_out:?}"), format!("{plain:?}"));
}

fn has_placeholder(setting: &str) -> bool {
    let (_, value) = setting.split_once(" = ").expect("name and value");
    value.chars().any(|letter| letter.is_ascii_uppercase())
}

#[test]
fn the_manual_is_that_of_this_program() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CONFIGURATION.md");
    if std::env::var_os("UPDATE_MANUAL").is_some() {
        fs::write(path, manual()).unwrap();
    }
    let kept = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        kept,
        manual(),
        "docs/CONFIGURATION.md is not what the program says: UPDATE_MANUAL=1 cargo test -p \
         twoway-server --test settings writes it"
    );
}
