//! Janus, the server that ours is compared with: found, or installed by apt where it
//! may.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::apt;
use crate::shell::Shell;

/// Names the program to every later step, and overrules the search.
pub(crate) const VARIABLE: &str = "TWOWAY_JANUS";

/// Finds Janus, or installs it.
///
/// # Errors
/// One sentence when it is missing and cannot be installed.
pub(crate) fn ensure(shell: &mut Shell) -> Result<()> {
    let janus = match find(shell)? {
        Some(found) => found,
        None => {
            apt::install(shell, "comparisons", "Janus", &["janus"])
                .context("there is no Janus; without --against janus, ours is measured alone")?;
            stop_service(shell);
            find(shell)?.context("apt installed Janus, yet it is not on the path")?
        }
    };
    eprintln!("  janus: {}", janus.display());
    shell.set_variable(VARIABLE, janus);
    Ok(())
}

/// The Janus that there is.
///
/// # Errors
/// The environment names one that is not there.
pub(crate) fn find(shell: &Shell) -> Result<Option<PathBuf>> {
    Ok(match shell.given(VARIABLE)? {
        Some(given) => Some(given),
        None => shell.find("janus"),
    })
}

/// Debian's package starts a service, at once and whenever the machine starts. Nobody
/// asked for that: the bench starts its own.
fn stop_service(shell: &Shell) {
    let systemd = Path::new("/run/systemd/system").is_dir();
    let (program, arguments): (_, &[&str]) = if systemd {
        ("systemctl", &["disable", "--now", "janus"])
    } else {
        ("service", &["janus", "stop"])
    };
    let by_hand = format!("{program} {}", arguments.join(" "));
    // Where services are not started, as in containers, there is none to stop.
    match shell.output_of(shell.command(program).args(arguments)) {
        Some(_) => eprintln!("  janus: the service that its package starts is stopped again"),
        None => eprintln!("  janus: if its package has started a service, `{by_hand}` ends it"),
    }
}
