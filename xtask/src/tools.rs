//! The tools of the build: found on the path or in the user's cache, else
//! installed there, once per machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};

use crate::browser;
use crate::cache::Cache;
use crate::clients;
use crate::ffmpeg;
use crate::janus;
use crate::libraries;
use crate::process::Interrupted;
use crate::shell::Shell;
use crate::version::{self, Version};

const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Something a step cannot run without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// rustfmt and clippy, which a minimal toolchain lacks.
    Lints,
    /// The standard library for WebAssembly.
    WasmTarget,
    /// The page's bundler.
    Trunk,
    /// `wasm-bindgen` and its test runner, exactly as locked.
    WasmBindgen,
    /// Binaryen's optimiser.
    WasmOpt,
    /// Checks licences and sources of dependencies.
    CargoDeny,
    /// Chromium and the ChromeDriver of the same version.
    Browser,
    /// ffmpeg, which makes media files to test with.
    Ffmpeg,
    /// aiortc, a WHIP and WHEP client that is not ours.
    Aiortc,
    /// Clients for the browser that are not ours.
    WebClients,
    /// The sound library's header files, which building the microphone takes
    /// on Linux.
    Alsa,
    /// An X server without a screen, for tests of capturing one.
    Xvfb,
    /// What the commands of the operator's guide take.
    Guide,
    /// The server that ours is compared with; on request only.
    Janus,
    /// The compiler that fuzzing takes; on request only.
    Nightly,
    /// Drives libFuzzer; on request only.
    CargoFuzz,
}

/// What building the page needs.
pub(crate) const FOR_PAGE: &[Need] = &[
    Need::WasmTarget,
    Need::Trunk,
    Need::WasmBindgen,
    Need::WasmOpt,
];

/// What every step together needs.
pub(crate) const ALL: &[Need] = &[
    Need::Lints,
    Need::WasmTarget,
    Need::Trunk,
    Need::WasmBindgen,
    Need::WasmOpt,
    Need::CargoDeny,
    Need::Browser,
    Need::Ffmpeg,
    Need::Aiortc,
    Need::WebClients,
    Need::Alsa,
    Need::Xvfb,
    Need::Guide,
];

/// Finds or installs everything in `needs`, and puts it on the shell's path.
///
/// # Errors
/// One sentence on the first tool that cannot be had, with the command that
/// would get it.
pub(crate) fn prepare(shell: &mut Shell, needs: impl IntoIterator<Item = Need>) -> Result<()> {
    for need in needs {
        shell.stop().check()?;
        match need {
            Need::Lints => lints(shell)?,
            Need::WasmTarget => wasm_target(shell)?,
            Need::Trunk => ensure(shell, &[TRUNK])?,
            Need::WasmBindgen => ensure(shell, &[wasm_bindgen(shell.root())?])?,
            Need::WasmOpt => ensure(shell, wasm_opt(shell))?,
            Need::CargoDeny => ensure(shell, &[CARGO_DENY])?,
            Need::Browser => browser::ensure(shell)?,
            Need::Ffmpeg => ffmpeg::ensure(shell)?,
            Need::Aiortc => clients::ensure_aiortc(shell)?,
            Need::WebClients => clients::ensure_web_clients(shell)?,
            Need::Alsa => libraries::ensure_alsa(shell)?,
            Need::Xvfb => libraries::ensure_xvfb(shell)?,
            Need::Guide => libraries::ensure_guide(shell)?,
            Need::Janus => janus::ensure(shell)?,
            Need::Nightly => nightly(shell)?,
            Need::CargoFuzz => ensure(shell, &[CARGO_FUZZ])?,
        }
    }
    Ok(())
}

/// A tool we can install, and which of its versions will do.
#[derive(Clone, Copy)]
struct Tool {
    /// Package name, in its registry.
    package: &'static str,
    source: Source,
    /// The version we install.
    version: Version,
    /// The oldest that will do; `None` if only `version` will.
    oldest: Option<Version>,
    /// Its commands, all of the same version.
    programs: &'static [&'static str],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// crates.io, with the dependencies its author tested.
    Locked,
    /// crates.io; the package comes without a lock file.
    Unlocked,
    /// npm, which needs Node.js.
    Npm,
}

/// The newest that this workspace's oldest Rust can build.
const TRUNK: Tool = Tool {
    package: "trunk",
    source: Source::Locked,
    version: Version(0, 21, 14),
    oldest: None,
    programs: &["trunk"],
};

/// Prebuilt, hence there in seconds. Version 116 is the oldest that was seen to
/// read what today's Rust writes.
const BINARYEN: Tool = Tool {
    package: "binaryen",
    source: Source::Npm,
    version: Version(132, 0, 0),
    oldest: Some(Version(116, 0, 0)),
    programs: &["wasm-opt"],
};

/// The same program for machines without Node.js, compiled in minutes.
const WASM_OPT: Tool = Tool {
    package: "wasm-opt",
    source: Source::Locked,
    version: Version(0, 116, 1),
    // It tells the version of the Binaryen inside.
    oldest: BINARYEN.oldest,
    programs: &["wasm-opt"],
};

const CARGO_DENY: Tool = Tool {
    package: "cargo-deny",
    source: Source::Locked,
    version: Version(0, 20, 2),
    oldest: Some(Version(0, 18, 0)),
    programs: &["cargo-deny"],
};

const CARGO_FUZZ: Tool = Tool {
    package: "cargo-fuzz",
    source: Source::Locked,
    version: Version(0, 13, 2),
    oldest: Some(Version(0, 12, 0)),
    programs: &["cargo-fuzz"],
};

/// The page's glue code has to be of exactly the version of the library in it.
fn wasm_bindgen(root: &Path) -> Result<Tool> {
    let lock = fs::read_to_string(root.join("Cargo.lock")).context("cannot read Cargo.lock")?;
    Ok(Tool {
        package: "wasm-bindgen-cli",
        source: Source::Unlocked,
        version: version::locked(&lock, "wasm-bindgen")?,
        oldest: None,
        programs: &["wasm-bindgen", "wasm-bindgen-test-runner"],
    })
}

/// The ways to get `wasm-opt`, best first.
fn wasm_opt(shell: &Shell) -> &'static [Tool] {
    if shell.find("npm").is_some() && shell.find("node").is_some() {
        &[BINARYEN, WASM_OPT]
    } else {
        &[WASM_OPT]
    }
}

impl Tool {
    /// Name of its folder in the cache.
    fn folder(&self) -> String {
        let name = self.package.trim_end_matches("-cli");
        format!("{name}-{}", self.version)
    }

    /// Where its programs are in that folder.
    fn programs_in(&self, folder: &Path) -> PathBuf {
        match self.source {
            Source::Locked | Source::Unlocked => folder.join("bin"),
            Source::Npm => folder.join("node_modules").join(".bin"),
        }
    }

    fn suits(&self, version: Version) -> bool {
        self.oldest
            .map_or(version == self.version, |oldest| version >= oldest)
    }

    /// Whether `find` knows every program, in a version that will do.
    fn runs(&self, shell: &Shell, find: impl Fn(&str) -> Option<PathBuf>) -> bool {
        self.programs.iter().all(|name| {
            let said = find(name).and_then(|path| shell.version_of(&path));
            let version = said.as_deref().and_then(Version::find);
            version.is_some_and(|version| self.suits(version))
        })
    }

    fn runs_in(&self, shell: &Shell, folder: &Path) -> bool {
        let programs = self.programs_in(folder);
        let file = |name: &str| programs.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        self.runs(shell, |name| Some(file(name)))
    }

    /// The command that installs it, without where to.
    fn installer(&self, shell: &Shell) -> Command {
        let version = self.version.to_string();
        match self.source {
            Source::Locked => {
                shell.cargo(["install", self.package, "--version", &version, "--locked"])
            }
            Source::Unlocked => shell.cargo(["install", self.package, "--version", &version]),
            Source::Npm => {
                let mut npm = shell.command("npm");
                npm.args(["install", &format!("{}@{version}", self.package)]);
                npm
            }
        }
    }

    /// Installs to `folder`, compiling, if at all, in `build`.
    fn install(&self, shell: &Shell, folder: &Path, build: &Path) -> Result<()> {
        let mut command = self.installer(shell);
        match self.source {
            Source::Npm => {
                command
                    .args(["--no-audit", "--no-fund", "--prefix"])
                    .arg(folder);
            }
            Source::Locked | Source::Unlocked => {
                command
                    .arg("--root")
                    .arg(folder)
                    .arg("--target-dir")
                    .arg(build);
                command.args(["--no-track", "--force"]);
                compile_fast(&mut command);
            }
        }
        shell.run(&mut command)
    }

    /// How to get it by hand, as typed into a terminal.
    fn by_hand(&self) -> String {
        let Self {
            package, version, ..
        } = self;
        match self.source {
            Source::Locked => format!("cargo install {package} --version {version} --locked"),
            Source::Unlocked => format!("cargo install {package} --version {version}"),
            Source::Npm => format!("npm install --global {package}@{version}"),
        }
    }
}

/// Tools are compiled once and run for seconds: that they are there soon
/// matters more than the last bit of their speed.
fn compile_fast(command: &mut Command) {
    command.envs([
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
        ("CARGO_PROFILE_RELEASE_LTO", "off"),
        ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
        ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
        // Without a lock file, take what this Rust can compile.
        ("CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS", "fallback"),
    ]);
}

/// Finds one of `choices`, or installs the first that can be.
fn ensure(shell: &mut Shell, choices: &[Tool]) -> Result<()> {
    let cache = Cache::of_user()?;
    for tool in choices {
        let name = tool.programs[0];
        if tool.runs(shell, |name| shell.find(name)) {
            eprintln!("  {name}: on the path");
            return Ok(());
        }
        let folder = cache.tool(&tool.folder());
        if tool.runs_in(shell, &folder) {
            eprintln!("  {name}: {} in the cache", tool.version);
            shell.add_to_path(tool.programs_in(&folder));
            return Ok(());
        }
    }
    let mut failures = Vec::new();
    for tool in choices {
        match install(shell, &cache, tool) {
            Ok(()) => return Ok(()),
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(error) => failures.push(error),
        }
    }
    let last = failures
        .pop()
        .unwrap_or_else(|| anyhow!("there is no way to get it"));
    Err(last)
}

fn install(shell: &mut Shell, cache: &Cache, tool: &Tool) -> Result<()> {
    let (name, folder) = (tool.programs[0], cache.tool(&tool.folder()));
    eprintln!(
        "  {name}: installing {} {}, once per machine",
        tool.package, tool.version
    );
    let start = Instant::now();
    let installed = cache.install(
        &tool.folder(),
        shell.stop(),
        || tool.runs_in(shell, &folder),
        |fresh, build| {
            tool.install(shell, fresh, build)?;
            if !tool.runs_in(shell, fresh) {
                bail!(
                    "it was installed, but does not run as version {}",
                    tool.version
                );
            }
            Ok(())
        },
    );
    match installed {
        Ok(()) => {
            eprintln!(
                "  {name}: installed in {:.0} s",
                start.elapsed().as_secs_f64()
            );
            shell.add_to_path(tool.programs_in(&folder));
            Ok(())
        }
        Err(error) if error.is::<Interrupted>() => Err(error),
        Err(error) => Err(error.context(format!(
            "{name} is missing and could not be installed; once you have run `{}` it will be found",
            tool.by_hand()
        ))),
    }
}

/// The standard library for the page, added by rustup.
fn wasm_target(shell: &Shell) -> Result<()> {
    let sysroot = shell
        .output_of(shell.command("rustc").args(["--print", "sysroot"]))
        .context("`rustc --print sysroot` fails: is the Rust toolchain complete?")?;
    if Path::new(&sysroot)
        .join("lib/rustlib")
        .join(WASM_TARGET)
        .join("lib")
        .is_dir()
    {
        eprintln!("  {WASM_TARGET}: in the toolchain");
        return Ok(());
    }
    rustup(shell, ["target", "add", WASM_TARGET])
}

/// Formatter and linter, which `rustup`'s minimal profile leaves out.
fn lints(shell: &Shell) -> Result<()> {
    let runs = |name| {
        shell
            .output_of(&mut shell.cargo([name, "--version"]))
            .is_some()
    };
    if runs("fmt") && runs("clippy") {
        eprintln!("  rustfmt, clippy: in the toolchain");
        return Ok(());
    }
    rustup(shell, ["component", "add", "rustfmt", "clippy"])
}

/// libFuzzer's instrumentation is not in stable Rust.
fn nightly(shell: &Shell) -> Result<()> {
    let mut version = shell.command("rustup");
    version.args(["run", "nightly", "rustc", "--version"]);
    if let Some(version) = shell.output_of(&mut version) {
        eprintln!("  nightly: {version}");
        return Ok(());
    }
    let install = ["toolchain", "install", "nightly", "--profile", "minimal"];
    rustup(shell, install)
}

fn rustup<const N: usize>(shell: &Shell, arguments: [&str; N]) -> Result<()> {
    let line = format!("rustup {}", arguments.join(" "));
    if shell.find("rustup").is_none() {
        bail!(
            "this Rust toolchain lacks the {} and there is no rustup to add it: \
             install Rust by https://rustup.rs, then run `{line}`",
            arguments[2..].join(" and "),
        );
    }
    let result = shell.run(shell.command("rustup").args(arguments));
    result.with_context(|| format!("cannot get what `{line}` would add"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_locked_version_or_any_new_enough() {
        let check = |tool: Tool, version, suits| assert_eq!(tool.suits(version), suits);
        check(TRUNK, Version(0, 21, 14), true);
        check(TRUNK, Version(0, 22, 0), false);
        check(BINARYEN, Version(116, 0, 0), true);
        check(BINARYEN, Version(140, 0, 0), true);
        check(BINARYEN, Version(108, 0, 0), false);
    }

    #[test]
    fn the_tools_of_this_repository_are_known() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("a root");
        let tool = wasm_bindgen(root).expect("wasm-bindgen is locked");
        assert_eq!(tool.folder(), format!("wasm-bindgen-{}", tool.version));
        assert_eq!(TRUNK.folder(), "trunk-0.21.14");
        assert_eq!(
            tool.by_hand(),
            format!("cargo install wasm-bindgen-cli --version {}", tool.version)
        );
    }
}
