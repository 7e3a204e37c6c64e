//! Debian's packages, where they may be installed.

use anyhow::{Context, Result, bail};

use crate::shell::Shell;

/// Seconds to wait for another apt on the machine to end.
const PATIENCE: &str = "DPkg::Lock::Timeout=300";

/// Installs `packages` for those who need `what`.
///
/// # Errors
/// One sentence, with the command to run by hand.
pub(crate) fn install(shell: &Shell, who: &str, what: &str, packages: &[&str]) -> Result<()> {
    let by_hand = format!("apt-get install {}", packages.join(" "));
    if shell.find("apt-get").is_none() {
        bail!("{who} need {what}, and there is no apt-get to install it with");
    }
    if !is_root() {
        bail!("{who} need {what}: run `sudo {by_hand}`");
    }
    eprintln!("  {what}: installing by apt, once per machine");
    let apt = |arguments: &[&str]| {
        let mut command = shell.command("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        shell.run(command.args(["-o", PATIENCE]).args(arguments))
    };
    let install = [&["install", "--yes"], packages].concat();
    apt(&["update"])
        .and_then(|()| apt(&install))
        .with_context(|| format!("{who} need {what}, and `{by_hand}` failed"))
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}
