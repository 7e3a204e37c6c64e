//! Certificates and keys that no server starts with.

use std::fs;
use std::process::{Command, Output};

use crate::certificates::{Files, Pair, pem};

/// What the real command says to a pair of files, its folder left out.
fn refusal(files: &Files) -> String {
    let output = check(files, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    let folder = format!("{}/", files.path().display());
    let lines = said.lines().filter(|line| line.starts_with("  --tls"));
    lines.collect::<String>().replace(&folder, "")
}

fn check(files: &Files, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_twoway-server"))
        .arg("--check-config")
        .arg("--tls-cert")
        .arg(files.certificate())
        .arg("--tls-key")
        .arg(files.key())
        .args(more)
        .output()
        .unwrap()
}

#[track_caller]
fn assert_refused(files: &Files, expected: &str) {
    let said = refusal(files);
    assert!(said.starts_with(&format!("  {expected}")), "{said}");
}

#[test]
fn a_pair_that_fits_is_right() {
    let files = Files::of(&Pair::new());
    assert_eq!(check(&files, &[]).status.code(), Some(0));
}

#[test]
fn a_wrong_pair_never_starts() {
    let pair = Pair::new();
    let (certificate, key) = (&pair.certificate, &pair.key.serialize_pem());
    let other = Pair::new().key.serialize_pem();
    let rsa = Pair::rsa().key.serialize_pem();
    let expired = Pair::of_years(2001, 2002);
    let to_come = Pair::of_years(4000, 4001);
    let mut cut_off = certificate.trim_end().to_owned();
    cut_off.truncate(cut_off.len() - 30);
    let no_base64 = certificate.replacen("MII", "M:I", 1);
    let no_certificate = pem("CERTIFICATE", b"no certificate");
    let no_key = pem("PRIVATE KEY", b"no key");
    let locked = pem("ENCRYPTED PRIVATE KEY", b"of no importance");
    let locked_before = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
        DEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    let table: &[(&str, &str, &str)] = &[
        (
            certificate,
            &other,
            "--tls-key: the private key in key.pem is not that of the first",
        ),
        (
            certificate,
            &rsa,
            "--tls-key: the private key in key.pem is not that of the first",
        ),
        (
            &expired.certificate,
            &expired.key.serialize_pem(),
            "--tls-cert: the certificate in certificate.pem expired at 2002-01-01T00:00:00Z",
        ),
        (
            &to_come.certificate,
            &to_come.key.serialize_pem(),
            "--tls-cert: the certificate in certificate.pem is valid from 4000-01-01T00:00:00Z",
        ),
        (
            "",
            key,
            "--tls-cert: there is no certificate in certificate.pem",
        ),
        (
            key,
            key,
            "--tls-cert: there is no certificate in certificate.pem",
        ),
        (
            "\0\u{1}garbage",
            key,
            "--tls-cert: there is no certificate in certificate.pem",
        ),
        (
            &cut_off,
            key,
            "--tls-cert: certificate.pem is damaged: a line -----END",
        ),
        (
            &no_base64,
            key,
            "--tls-cert: certificate.pem is damaged: what stands",
        ),
        (
            &no_certificate,
            key,
            "--tls-cert: certificate.pem is damaged: ",
        ),
        (
            certificate,
            "",
            "--tls-key: there is no private key in key.pem",
        ),
        (
            certificate,
            certificate,
            "--tls-key: there is no private key in key.pem",
        ),
        (
            certificate,
            &no_key,
            "--tls-key: the private key in key.pem is neither RSA",
        ),
        (
            certificate,
            &locked,
            "--tls-key: the private key in key.pem is encrypted",
        ),
        (
            certificate,
            locked_before,
            "--tls-key: the private key in key.pem is encrypted",
        ),
    ];
    for (certificate, key, expected) in table {
        assert_refused(&Files::with(certificate, key), expected);
    }
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let files = Files::of(&Pair::new());
    fs::remove_file(files.key()).unwrap();
    assert_refused(&files, "--tls-key: cannot read key.pem: No such file");
    fs::create_dir(files.key()).unwrap();
    assert_refused(&files, "--tls-key: cannot read key.pem: it is no file");
    fs::remove_file(files.certificate()).unwrap();
    assert_refused(
        &files,
        "--tls-cert: cannot read certificate.pem: No such file",
    );
}

#[test]
fn settings_that_contradict_each_other_are_told() {
    let files = Files::of(&Pair::new());
    let both = check(&files, &["--tls-self-signed"]);
    let said = String::from_utf8(both.stderr).unwrap();
    assert!(
        said.contains("--tls-self-signed: there is tls-cert, too"),
        "{said}"
    );
    for (options, expected) in [
        (
            ["--tls-cert", "x"],
            "--tls-cert: there is no tls-key to go with it",
        ),
        (
            ["--tls-key", "x"],
            "--tls-key: there is no tls-cert to go with it",
        ),
        (
            ["--tls-self-signed", "--tls-name=a b"],
            "--tls-name: a b is no host's name",
        ),
        (
            ["--redirect-to-tls", "--tls-port=1"],
            "--redirect-to-tls: there is no TLS",
        ),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_twoway-server"))
            .arg("--check-config")
            .args(options)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{options:?}: {said}");
        assert!(said.contains(expected), "{options:?}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn a_key_that_others_may_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;

    let files = Files::of(&Pair::new());
    for (mode, warned) in [(0o644, true), (0o640, false), (0o600, false)] {
        fs::set_permissions(files.key(), fs::Permissions::from_mode(mode)).unwrap();
        let output = check(&files, &[]);
        assert_eq!(output.status.code(), Some(0));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said.contains("may read the private key"), warned, "{said}");
    }
}
