//! Flashphoner's WebSDK with its example pages: a client that knows nothing of
//! this project, kept beside the tools.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::cache::Cache;
use crate::shell::Shell;

/// On npm, MIT licence; the version that the protocol was described by.
const PACKAGE: &str = "@flashphoner/websdk";
const VERSION: &str = "2.0.276";

/// Finds or installs it; the folder of the package.
///
/// # Errors
/// There is no npm, or it cannot install the package.
pub(crate) fn ensure(shell: &Shell) -> Result<PathBuf> {
    let cache = Cache::of_user()?;
    let name = format!("websdk-{VERSION}");
    let folder = cache.tool(&name).join("node_modules").join(PACKAGE);
    let is_there = || folder.join("flashphoner.js").is_file();
    if is_there() {
        eprintln!("  {PACKAGE}: {VERSION} in the cache");
        return Ok(folder);
    }
    let install = cache.install(&name, shell.stop(), is_there, |fresh, _| {
        let mut npm = shell.command("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts"]);
        npm.arg("--prefix").arg(fresh);
        shell.run(npm.arg(format!("{PACKAGE}@{VERSION}")))
    });
    install.context(
        "the WebSDK, which end-to-end tests need, could not be installed: is there an npm?",
    )?;
    Ok(folder)
}
