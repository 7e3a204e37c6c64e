//! `cargo xtask screenshots`: the README's pictures, made anew.

use anyhow::Result;

use crate::build::{self, Profile};
use crate::progress::Progress;
use crate::shell::Shell;
use crate::tools;

/// The program that takes them.
const CAMERA: &str = "screenshots";

/// Where the README looks for them.
const FOLDER: &str = "docs/images";

/// # Errors
/// When a tool or a build fails, or the page does not play.
pub(crate) fn run(shell: &mut Shell) -> Result<()> {
    let mut progress = Progress::new();
    progress.step("tools", || {
        tools::prepare(shell, tools::ALL.iter().copied())
    })?;
    let page = progress.step("the page (trunk, release)", || build::page(shell))?;
    let programs = progress.step("server, publisher and camera (dev)", || {
        build::programs_and(shell, Profile::Dev, &[CAMERA])
    })?;
    progress.step("screenshots", || {
        let mut camera = shell.command(programs.beside(CAMERA));
        camera.arg(shell.root().join(FOLDER));
        camera.env("TWOWAY_SERVER", &programs.server);
        camera.env("TWOWAY_PUBLISH", &programs.publish);
        camera.env("TWOWAY_PAGE", page);
        shell.run(&mut camera)
    })
}
