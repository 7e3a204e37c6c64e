//! Version numbers of tools and of locked packages.

use std::fmt;

use anyhow::{Context, Result};

/// Major, minor and patch number; what a tool leaves out is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32, pub(crate) u32, pub(crate) u32);

impl Version {
    /// The first word of `text` that is a version, as in `trunk 0.21.14` or
    /// `wasm-opt version 132 (version_132)`.
    pub(crate) fn find(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(Self::parse)
    }

    fn parse(word: &str) -> Option<Self> {
        let mut numbers = word.split('.').map(str::parse);
        let version = Self(
            numbers.next()?.ok()?,
            numbers.next().unwrap_or(Ok(0)).ok()?,
            numbers.next().unwrap_or(Ok(0)).ok()?,
        );
        numbers.next().is_none().then_some(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(major, minor, patch) = self;
        write!(formatter, "{major}.{minor}.{patch}")
    }
}

/// The version of `package` in the text of a `Cargo.lock`.
///
/// # Errors
/// When the package is not locked or its version is not three numbers.
pub(crate) fn locked(lock: &str, package: &str) -> Result<Version> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines
        .nth(1)
        .and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
        .and_then(Version::parse)
        .with_context(|| format!("Cargo.lock has no usable version of {package}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_say_their_version_in_many_ways() {
        let check = |text, expected| assert_eq!(Version::find(text), expected, "{text}");
        check("trunk 0.21.14", Some(Version(0, 21, 14)));
        check(
            "wasm-opt version 132 (version_132)",
            Some(Version(132, 0, 0)),
        );
        check("wasm-opt version 116", Some(Version(116, 0, 0)));
        check("Chromium 156.0.8078.79 built on Debian", None);
        check("no number at all", None);
        check("", None);
    }

    #[test]
    fn versions_compare_by_number_not_by_text() {
        assert!(Version(0, 21, 14) > Version(0, 21, 9));
        assert!(Version(1, 0, 0) > Version(0, 99, 99));
        assert!(Version(132, 0, 0) >= Version(132, 0, 0));
    }

    #[test]
    fn a_locked_version_is_that_of_exactly_the_package() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"9.9.9\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\nsource = \"x\"\n";
        let version = locked(lock, "wasm-bindgen").expect("it is locked");
        assert_eq!(version, Version(0, 2, 130));
        assert!(locked(lock, "wasm").is_err());
        assert!(locked("", "wasm-bindgen").is_err());
    }
}
