//! Whether files with secrets are secret.

use std::fs;
use std::path::{Path, PathBuf};

use super::Finding;
use crate::settings::{Gathered, Place};

/// The settings that name a file with secrets.
const SECRETS: [&str; 4] = ["tls-key", "tokens", "jwt-key", "hook-secret-file"];

/// A line for each file with secrets.
pub(super) fn findings(gathered: &Gathered) -> Vec<Finding> {
    let named = SECRETS.iter().flat_map(|name| {
        let paths = gathered.values(name).into_iter();
        paths.map(move |path| (*name, PathBuf::from(path)))
    });
    let mut files: Vec<_> = named.filter(|(_, path)| !is_public_key(path)).collect();
    // TURN servers' passwords.
    if let Some(Place::File { path, .. }) = gathered.place("ice-server") {
        files.push(("configuration", path.clone()));
    }
    let findings = files.iter().filter_map(|(what, path)| {
        let mode = mode(path)?;
        Some(finding(what, path, mode))
    });
    findings.collect()
}

fn finding(what: &str, path: &Path, mode: u32) -> Finding {
    /// Any right of those who neither own the file nor are in its group.
    const OTHERS: u32 = 0o007;
    let path = path.display();
    if mode & OTHERS == 0 {
        return Finding::ok(what, format!("{path} is closed to other users"));
    }
    let text = format!("every user of this host may read or change {path}: chmod o= {path}");
    Finding::warning(what, text)
}

/// What checks signatures may be known to everybody.
fn is_public_key(path: &Path) -> bool {
    fs::read_to_string(path).is_ok_and(|text| text.contains("-----BEGIN PUBLIC KEY-----"))
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    Some(fs::metadata(path).ok()?.permissions().mode())
}

#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn a_secret_that_everybody_can_read_is_none() {
        let path = Path::new("tokens.txt");
        let level = |mode| finding("tokens", path, mode).level;
        assert_eq!(level(0o100_600), Level::Ok);
        assert_eq!(level(0o100_640), Level::Ok);
        assert_eq!(level(0o100_644), Level::Warning);
        let finding = finding("tokens", path, 0o100_602);
        assert!(finding.text.ends_with("chmod o= tokens.txt"), "{finding:?}");
    }

    #[test]
    fn a_public_key_is_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "-----BEGIN PUBLIC KEY-----\n").unwrap();
        assert!(is_public_key(&path));
        fs::write(&path, "-----BEGIN PRIVATE KEY-----\n").unwrap();
        assert!(!is_public_key(&path));
        assert!(!is_public_key(&folder.path().join("none")));
    }
}
