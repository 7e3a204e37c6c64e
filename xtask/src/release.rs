//! `cargo xtask release`: the server as one program, with the page in it.

use anyhow::Result;

use crate::build;
use crate::progress::Progress;
use crate::shell::Shell;
use crate::tools;

/// # Errors
/// When a tool or a build fails.
pub(crate) fn run(shell: &mut Shell) -> Result<()> {
    let mut progress = Progress::new();
    progress.step("tools", || {
        tools::prepare(shell, tools::FOR_PAGE.iter().copied())
    })?;
    let page = progress.step("the page (trunk, release)", || build::page(shell))?;
    let server = progress.step("the server with the page in it (release)", || {
        build::server_with(shell, &page)
    })?;
    println!("\n    {}\n", server.display());
    println!("  Copy it where it shall run: it needs no other file.\n");
    Ok(())
}
