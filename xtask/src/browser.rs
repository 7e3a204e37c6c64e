//! Chromium and its driver: found, or installed by apt where it may.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::apt;
use crate::shell::Shell;

const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// Debian's names; Ubuntu has a package of each name too.
const PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];

/// Finds both, or installs them, and tells every later step by the variables
/// `CHROME` and `CHROMEDRIVER`, which also overrule the search.
///
/// # Errors
/// One sentence when they are missing and cannot be installed, or when they
/// are not of the same major version and would not work together.
pub(crate) fn ensure(shell: &mut Shell) -> Result<()> {
    let (chrome, driver) = match find(shell)? {
        Some(found) => found,
        None => {
            let what = "Chromium and ChromeDriver, of one version";
            apt::install(shell, "the page's tests", what, &PACKAGES)?;
            find(shell)?.context("apt installed Chromium, yet it is not on the path")?
        }
    };
    check_versions(major(shell, &chrome), major(shell, &driver))?;
    eprintln!("  chromium: {}", chrome.display());
    eprintln!("  chromedriver: {}", driver.display());
    shell.set_variable("CHROME", chrome);
    shell.set_variable("CHROMEDRIVER", driver);
    Ok(())
}

fn find(shell: &Shell) -> Result<Option<(PathBuf, PathBuf)>> {
    let chrome = match shell.given("CHROME")? {
        Some(given) => Some(given),
        None => BROWSERS.iter().find_map(|name| shell.find(name)),
    };
    let driver = match shell.given("CHROMEDRIVER")? {
        Some(given) => Some(given),
        None => shell.find("chromedriver"),
    };
    Ok(chrome.zip(driver))
}

/// The first number in what `program --version` says.
fn major(shell: &Shell, program: &Path) -> Option<String> {
    major_in(&shell.version_of(program)?)
}

fn major_in(text: &str) -> Option<String> {
    let version = text
        .split_whitespace()
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    version.split('.').next().map(str::to_owned)
}

fn check_versions(chrome: Option<String>, driver: Option<String>) -> Result<()> {
    let chrome = chrome.context("the browser found does not run with --version")?;
    let driver = driver.context("the chromedriver found does not run with --version")?;
    if chrome != driver {
        bail!(
            "Chromium {chrome} and ChromeDriver {driver} do not work together: \
             install both of one version, or name a pair by CHROME and CHROMEDRIVER"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browser_and_driver_have_to_be_of_one_major_version() {
        let chrome = || major_in("Chromium 156.0.8078.79 built on Debian GNU/Linux 12");
        let driver = |text| major_in(text);
        assert!(check_versions(chrome(), driver("ChromeDriver 156.0.9999.1 (a21c)")).is_ok());
        assert!(check_versions(chrome(), driver("ChromeDriver 155.0.8078.79 (b)")).is_err());
        assert!(check_versions(chrome(), driver("cannot run")).is_err());
    }
}
