//! `cargo xtask screenshots`: the README's pictures, made anew.

use std::env;

use anyhow::Result;

use crate::build::{self, NATIVE, Profile};
use crate::progress::Progress;
use crate::shell::Shell;
use crate::tools;

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
        let mut camera = shell.cargo(["build", "--bin", "screenshots"]);
        shell.run(camera.args(NATIVE))?;
        build::programs(shell, Profile::Dev)
    })?;
    progress.step("screenshots", || {
        let name = format!("screenshots{}", env::consts::EXE_SUFFIX);
        let mut camera = shell.command(programs.server.with_file_name(name));
        camera.arg(shell.root().join(FOLDER));
        camera.env("TWOWAY_SERVER", &programs.server);
        camera.env("TWOWAY_PUBLISH", &programs.publish);
        camera.env("TWOWAY_PAGE", page);
        shell.run(&mut camera)
    })
}
