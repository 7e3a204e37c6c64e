//! The page and the programs, built for `demo`, `test` and `bench` alike.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::libraries;
use crate::shell::Shell;

/// Every package but the page. All steps choose their packages by this, so that
/// cargo chooses one set of features and compiles each dependency once.
pub(crate) const NATIVE: [&str; 3] = ["--workspace", "--exclude", "two-way-streaming"];

const SERVER: &str = "twoway-server";
const PUBLISH: &str = "twoway-publish";

/// The commands of the workspace, as built.
pub(crate) struct Programs {
    pub(crate) server: PathBuf,
    pub(crate) publish: PathBuf,
    folder: PathBuf,
}

impl Programs {
    /// Another program, built beside them.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        program(&self.folder, name)
    }
}

/// How programs are compiled.
#[derive(Clone, Copy)]
pub(crate) enum Profile {
    /// What the tests have compiled already; the media path is optimised.
    Dev,
    /// What users run.
    Release,
}

/// Builds the page as users get it, and returns the folder it is in.
///
/// `index.html` names the profile; trunk runs `wasm-bindgen` and `wasm-opt`
/// from the shell's path. Offline, it fails rather than download its own.
pub(crate) fn page(shell: &Shell) -> Result<PathBuf> {
    shell.run(&mut shell.cargo(["fetch"]))?;
    let mut trunk = shell.command("trunk");
    trunk.args(["build", "--release", "--offline", "--skip-version-check"]);
    if env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        // Trunk takes it for a flag of its own that is `true` or `false`.
        trunk.env("NO_COLOR", "true");
    } else {
        trunk.env_remove("NO_COLOR");
    }
    shell.run(&mut trunk)?;
    Ok(shell.root().join("dist"))
}

/// The publisher without the one device whose headers a machine may lack.
const WITHOUT_MICROPHONE: [&str; 3] = [
    "--no-default-features",
    "--features",
    "twoway-publisher/camera,twoway-publisher/screen",
];

/// Builds server and publisher; the publisher without its microphone where that
/// cannot be built.
pub(crate) fn programs(shell: &Shell, profile: Profile) -> Result<Programs> {
    programs_and(shell, profile, &[])
}

/// Builds server, publisher and `others`.
pub(crate) fn programs_and(shell: &Shell, profile: Profile, others: &[&str]) -> Result<Programs> {
    let mut build = shell.cargo(["build"]);
    for name in [SERVER, PUBLISH].iter().chain(others) {
        build.args(["--bin", name]);
    }
    build.args(NATIVE);
    if !libraries::has_alsa(shell) {
        eprintln!("  without the microphone, which needs libasound2-dev and pkg-config");
        build.args(WITHOUT_MICROPHONE);
    }
    let folder = match profile {
        Profile::Dev => "debug",
        Profile::Release => {
            build.arg("--release");
            "release"
        }
    };
    shell.run(&mut build)?;
    let folder = target_folder()?.join(folder);
    Ok(Programs {
        server: program(&folder, SERVER),
        publish: program(&folder, PUBLISH),
        folder,
    })
}

/// Builds the server as users get it, with the page of this folder in it; where it is.
pub(crate) fn server_with(shell: &Shell, page: &Path) -> Result<PathBuf> {
    let mut build = shell.cargo(["build", "--release", "--bin", SERVER]);
    // What crates/server/build.rs looks for.
    build.args(NATIVE).env("TWOWAY_PAGE_DIR", page);
    shell.run(&mut build)?;
    Ok(program(&target_folder()?.join("release"), SERVER))
}

fn program(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// Cargo's output folder: this program, `<target>/debug/xtask`, came from it.
pub(crate) fn target_folder() -> Result<PathBuf> {
    let xtask = env::current_exe().context("cannot tell where xtask itself lies")?;
    let folder = xtask.parent().and_then(Path::parent);
    folder
        .map(Path::to_path_buf)
        .context("xtask lies outside of a target folder")
}
