//! What is in `packaging/`, and in the guide beside it: every option and variable is one
//! of the program's, every file is there, and systemd understands the unit.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::{PROGRAM, file, root};

const GUIDE: &str = "docs/OPERATING.md";
const IMAGE: &str = "packaging/Dockerfile";
const UNIT: &str = "packaging/twoway-server.service";

/// Options of the program, with their dashes: the server's and the doctor's.
fn known_options() -> BTreeSet<String> {
    let help = |arguments: &[&str]| {
        let output = Command::new(PROGRAM).args(arguments).output();
        let output = output.expect("the program runs");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    let both = help(&["--help"]) + &help(&["doctor", "--help"]);
    options(&both).collect()
}

/// Everything in a text that looks like an option.
fn options(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
    words
        .filter(|word| word.len() > 2 && word.starts_with("--"))
        .map(ToOwned::to_owned)
}

/// What comes after the program's name, wherever it is not another program's option that
/// it is the value of; a line that ends with a backslash goes on.
fn arguments(text: &str) -> Vec<String> {
    let text = text.replace("\\\n", " ");
    let mut found = Vec::new();
    for line in text.lines() {
        for (at, name) in line.match_indices("twoway-server") {
            let before = line[..at].trim_end_matches(|c: char| !c.is_whitespace());
            let word = before.split_whitespace().next_back().unwrap_or_default();
            if !word.starts_with('-') {
                found.push(line[at + name.len()..].to_owned());
            }
        }
    }
    found
}

#[test]
fn every_option_is_one_of_the_programs() {
    let known = known_options();
    assert!(known.contains("--drain-seconds") && known.contains("--health"));
    for path in [UNIT, IMAGE, GUIDE] {
        let mut used = 0;
        for arguments in arguments(&file(path)) {
            for option in options(&arguments) {
                assert!(known.contains(&option), "{path}: {option}{arguments}");
                used += 1;
            }
        }
        assert!(used > 0, "{path} runs the program");
    }
    // In the guide, an option alone is the server's; another program's stands with its name.
    for span in file(GUIDE).split('`').skip(1).step_by(2) {
        if span.starts_with("--") && !span.contains(['\n', ' ']) {
            let foreign = ["--time", "--pre-hook", "--post-hook"].contains(&span);
            assert!(foreign || known.contains(span), "{span}");
        }
    }
}

#[test]
fn every_variable_is_one_of_the_programs() {
    let settings: BTreeSet<_> = known_options()
        .iter()
        .map(|option| format!("TWOWAY{}", option[1..].replace('-', "_").to_uppercase()))
        .collect();
    // What the hook of certbot takes is not the server's; what a build takes is.
    let built_with = file("crates/server/build.rs");
    for path in [UNIT, IMAGE, GUIDE] {
        let text = file(path);
        let words = text.split(|c: char| !(c.is_ascii_uppercase() || c == '_'));
        for name in words.filter(|word| word.starts_with("TWOWAY_")) {
            let known = settings.contains(name) || built_with.contains(&format!("\"{name}\""));
            assert!(known, "{path}: {name}");
        }
    }
}

#[test]
fn the_configuration_for_a_public_server_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().to_str().unwrap();
    fs::create_dir(folder.path().join("tls")).unwrap();
    fs::write(folder.path().join("tokens"), "").unwrap();
    let text = file("packaging/server.toml").replace("/etc/twoway-server", here);
    let path = folder.path().join("server.toml");
    fs::write(&path, text).unwrap();
    let output = Command::new(PROGRAM)
        .arg("--check-config")
        .arg("--config")
        .arg(&path)
        .output()
        .unwrap();
    // All that is missing is the certificate, which is not for us to have.
    let told = String::from_utf8_lossy(&output.stderr);
    let wrong: Vec<_> = told.lines().filter(|line| line.starts_with("  ")).collect();
    assert_eq!(wrong.len(), 1, "{told}");
    assert!(wrong[0].contains("tls/fullchain.pem"), "{told}");
}

#[test]
fn systemd_understands_the_unit() {
    let unit = file(UNIT);
    let drains = unit.contains("TimeoutStopSec=") && unit.contains("KillSignal=SIGTERM");
    assert!(drains && unit.contains("ExecReload=/bin/kill -HUP $MAINPID"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("twoway-server.service");
    fs::write(&path, unit.replace("/usr/local/bin/twoway-server", PROGRAM)).unwrap();
    let mut verify = Command::new("systemd-analyze");
    let verified = verify.args(["verify", "--man=no"]).arg(&path).output();
    // Where there is no systemd, there is no unit to start.
    if let Ok(output) = verified {
        let told = String::from_utf8_lossy(&output.stderr);
        let about: Vec<_> = told.lines().filter(|l| l.contains("twoway")).collect();
        assert!(output.status.success() && about.is_empty(), "{told}");
    }
}

#[test]
fn the_image_is_made_of_what_is_there() {
    let text = file(IMAGE);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let stages: Vec<_> = lines
        .clone()
        .filter_map(|line| line.strip_prefix("FROM ")?.split_once(" AS "))
        .map(|(_, name)| name)
        .collect();
    for line in lines
        .clone()
        .filter(|line| line.starts_with("COPY --from="))
    {
        let stage = line.trim_start_matches("COPY --from=");
        let stage = stage.split(' ').next().unwrap();
        assert!(stages.contains(&stage), "{line}");
    }
    let user = lines.clone().find_map(|line| line.strip_prefix("USER "));
    assert!(user.is_some_and(|user| !user.starts_with('0') && user != "root"));
    let entry = r#"ENTRYPOINT ["twoway-server"]"#;
    assert!(lines.clone().any(|line| line == entry), "{text}");
    // What the build reads must not be kept out of it.
    let kept_out = file(".dockerignore");
    for path in [
        "Cargo.toml",
        "Cargo.lock",
        "Trunk.toml",
        "index.html",
        "static",
        "crates",
    ] {
        assert!(root().join(path).exists(), "{path}");
        assert!(!kept_out.lines().any(|line| line == path), "{path}");
    }
    let manifest = file("crates/server/Cargo.toml");
    assert!(manifest.contains("name = \"twoway-server\""));
    assert!(text.contains("--package twoway-server"));
}

#[cfg(unix)]
#[test]
fn a_renewed_certificate_gets_to_the_server() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    for folder in [&from, &to] {
        fs::create_dir(folder).unwrap();
    }
    fs::write(from.join("fullchain.pem"), "new chain").unwrap();
    fs::write(from.join("privkey.pem"), "new key").unwrap();
    fs::write(to.join("privkey.pem"), "old key").unwrap();
    // The group of whoever runs this: no other one is known to be there.
    let group = Command::new("id").arg("-g").output().unwrap();
    let group = String::from_utf8(group.stdout).unwrap();
    let hook = Command::new("sh")
        .arg(root().join("packaging/certbot-deploy-hook.sh"))
        .env("RENEWED_LINEAGE", &from)
        .env("TWOWAY_TLS_DIR", &to)
        .env("TWOWAY_GROUP", group.trim())
        .output()
        .unwrap();
    assert!(hook.status.success(), "{hook:?}");
    let key = to.join("privkey.pem");
    assert_eq!(fs::read_to_string(&key).unwrap(), "new key");
    assert_eq!(
        fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o640
    );
    assert_eq!(fs::read_dir(&to).unwrap().count(), 2);
}
