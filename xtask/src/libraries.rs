//! What Linux's programs are built with and tested on that cargo does not bring.

use anyhow::Result;

use crate::apt;
use crate::shell::Shell;

/// Whether the publisher's microphone can be built: on Linux it takes the
/// headers of ALSA, elsewhere nothing.
pub(crate) fn has_alsa(shell: &Shell) -> bool {
    let mut ask = shell.command("pkg-config");
    !cfg!(target_os = "linux") || shell.output_of(ask.args(["--exists", "alsa"])).is_some()
}

/// Finds or installs what the microphone is built with.
///
/// # Errors
/// One sentence, with the command to run by hand.
pub(crate) fn ensure_alsa(shell: &Shell) -> Result<()> {
    if !has_alsa(shell) {
        let packages = ["libasound2-dev", "pkg-config"];
        apt::install(
            shell,
            "builds with a microphone",
            "ALSA's headers",
            &packages,
        )?;
    }
    eprintln!("  libasound2-dev: found");
    Ok(())
}

/// Finds or installs what the commands of the operator's guide take.
///
/// # Errors
/// One sentence, with the command to run by hand.
pub(crate) fn ensure_guide(shell: &Shell) -> Result<()> {
    for program in ["curl", "openssl"] {
        if shell.find(program).is_none() {
            apt::install(shell, "tests of the operator's guide", program, &[program])?;
        }
        eprintln!("  {program}: on the path");
    }
    Ok(())
}

/// Finds or installs the X server of the tests.
///
/// # Errors
/// One sentence, with the command to run by hand.
pub(crate) fn ensure_xvfb(shell: &Shell) -> Result<()> {
    if cfg!(target_os = "linux") {
        if shell.find("Xvfb").is_none() {
            apt::install(shell, "tests of capturing a screen", "Xvfb", &["xvfb"])?;
        }
        eprintln!("  Xvfb: on the path");
    }
    Ok(())
}
