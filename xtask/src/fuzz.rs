//! `cargo xtask fuzz`: bytes made up by libFuzzer for every way by which strangers'
//! bytes come in.
//!
//! It begins with `fuzz/corpus`, which the tests try at each run; what it finds by
//! the way stays in `fuzz/target`, and what makes a target fail in `fuzz/artifacts`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::process::Interrupted;
use crate::progress::Progress;
use crate::shell::Shell;
use crate::tools::{self, Need};

/// An input that takes longer than this, in seconds, is a failure.
const PATIENCE: u32 = 30;

/// Options of `cargo xtask fuzz`.
#[derive(Args)]
pub(crate) struct Options {
    /// A minute for each target.
    #[arg(long, conflicts_with = "minutes")]
    quick: bool,
    /// Minutes for each target.
    #[arg(long, default_value_t = 10)]
    minutes: u32,
    /// Only these of fuzz/fuzz_targets.
    target: Vec<String>,
}

/// # Errors
/// When a tool or the build fails, and when a target does: then the input is told.
pub(crate) fn run(shell: &mut Shell, options: &Options) -> Result<()> {
    let targets = chosen(&all(shell.root())?, &options.target)?;
    let mut progress = Progress::new();
    progress.step("tools", || {
        tools::prepare(shell, [Need::Nightly, Need::CargoFuzz])
    })?;
    progress.step("targets", || shell.run(&mut cargo_fuzz(shell, "build")))?;
    let minutes = if options.quick { 1 } else { options.minutes };
    let mut failed = Vec::new();
    for target in targets {
        let title = format!("{target}, {minutes} min");
        match progress.step(&title, || try_out(shell, &target, minutes)) {
            Ok(()) => {}
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(_) => failed.push(target),
        }
    }
    eprintln!("\n{}", progress.table());
    if failed.is_empty() {
        return Ok(());
    }
    let failed = failed.join(", ");
    bail!(
        "failed: {failed}. Move what fuzz/artifacts has of it to fuzz/corpus, for the tests \
         to try it from now on, and mend it"
    );
}

fn try_out(shell: &Shell, target: &str, minutes: u32) -> Result<()> {
    let fuzz = shell.root().join("fuzz");
    let found = fuzz.join("target/corpus").join(target);
    fs::create_dir_all(&found).with_context(|| format!("cannot make {}", found.display()))?;
    let mut command = cargo_fuzz(shell, "run");
    // New inputs go to the first folder.
    command
        .arg(target)
        .arg(&found)
        .arg(fuzz.join("corpus").join(target));
    command.arg("--");
    command.arg(format!("-max_total_time={}", minutes * 60));
    command.arg(format!("-timeout={PATIENCE}"));
    command.arg("-print_final_stats=1");
    let words = fuzz.join(format!("{target}.dict"));
    if words.is_file() {
        command.arg(format!("-dict={}", words.display()));
    }
    shell.run(&mut command)
}

fn cargo_fuzz(shell: &Shell, task: &str) -> Command {
    let mut command = shell.command("rustup");
    command.args(["run", "nightly", "cargo", "fuzz", task]);
    command
}

/// The targets there are, by name.
fn all(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("fuzz/fuzz_targets");
    let programs =
        fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names = Vec::new();
    for program in programs {
        let path = program?.path();
        let name = path.file_stem().map(|name| name.to_string_lossy());
        names.extend(name.map(String::from));
    }
    names.sort();
    Ok(names)
}

/// Those of `all` that are `wanted`, or all.
fn chosen(all: &[String], wanted: &[String]) -> Result<Vec<String>> {
    if let Some(unknown) = wanted.iter().find(|name| !all.contains(name)) {
        bail!("there is no target {unknown:?}, only {}", all.join(", "));
    }
    Ok(if wanted.is_empty() { all } else { wanted }.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_chosen_by_name() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        let all = all(root.expect("a root")).expect("targets");
        assert!(all.iter().any(|name| name == "signalling"));
        assert_eq!(chosen(&all, &[]).expect("all"), all);
        let one = [all[0].clone()];
        assert_eq!(chosen(&all, &one).expect("one"), one);
        assert!(chosen(&all, &["nonsense".to_owned()]).is_err());
    }
}
