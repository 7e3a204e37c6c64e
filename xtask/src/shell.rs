//! The surroundings every step runs in: where the repository is, which
//! programs are on the path, and whether to stop.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

use crate::process::{Process, Stop, plain};

/// Runs programs in the repository with xtask's tools on the path.
pub(crate) struct Shell {
    root: PathBuf,
    path: Vec<PathBuf>,
    variables: Vec<(&'static str, OsString)>,
    stop: Stop,
}

impl Shell {
    /// A shell in the repository this xtask belongs to.
    pub(crate) fn new() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask lies in the repository")?;
        Ok(Self {
            root: root.to_path_buf(),
            path: env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect(),
            variables: Vec::new(),
            stop: Stop::on_signals()?,
        })
    }

    /// The repository's root.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether xtask was asked to end.
    pub(crate) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Puts `folder` in front of every other on the path.
    pub(crate) fn add_to_path(&mut self, folder: PathBuf) {
        self.path.insert(0, folder);
    }

    /// Sets an environment variable for everything that is run from now on.
    pub(crate) fn set_variable(&mut self, name: &'static str, value: impl Into<OsString>) {
        self.variables.push((name, value.into()));
    }

    /// The first program called `name` on the path.
    pub(crate) fn find(&self, name: &str) -> Option<PathBuf> {
        find_program(&self.path, name)
    }

    /// The program that an environment variable names.
    ///
    /// # Errors
    /// It names something that is not a file.
    pub(crate) fn given(&self, variable: &str) -> Result<Option<PathBuf>> {
        let Some(path) = env::var_os(variable).map(PathBuf::from) else {
            return Ok(None);
        };
        if !path.is_file() {
            bail!("{variable} names {}, which is not a file", path.display());
        }
        Ok(Some(path))
    }

    /// `program`, found on the shell's path, to be run in the root.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let program = program.as_ref();
        // `Command` would search the path of xtask, not that of the child.
        let found = program.to_str().and_then(|name| self.find(name));
        let mut command = Command::new(found.as_deref().map_or(program, Path::as_os_str));
        command
            .current_dir(&self.root)
            .env("PATH", self.joined_path())
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// `cargo` with these arguments.
    pub(crate) fn cargo<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut command = self.command("cargo");
        command.args(arguments);
        command
    }

    /// Runs `command` to its end with its output on the terminal.
    ///
    /// # Errors
    /// When it cannot start, ends with a failure, or xtask was asked to end.
    pub(crate) fn run(&self, command: &mut Command) -> Result<()> {
        self.stop.check()?;
        let status = Process::spawn(command)?.wait(&self.stop)?;
        expect_success(command, status)
    }

    /// As [`Self::run`]; the lines of the standard output, which are shown
    /// too, are handed to `each`.
    pub(crate) fn run_reading(
        &self,
        command: &mut Command,
        mut each: impl FnMut(String),
    ) -> Result<()> {
        self.stop.check()?;
        let mut process = Process::spawn(command.stdout(Stdio::piped()))?;
        let lines = process.stdout_lines(plain);
        let status = process.wait(&self.stop)?;
        lines.iter().for_each(&mut each);
        expect_success(command, status)
    }

    /// What `command` prints; `None` if it does not run or fails.
    pub(crate) fn output_of(&self, command: &mut Command) -> Option<String> {
        let output = command.stdin(Stdio::null()).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(text)
    }

    /// What `program --version` prints; `None` if it does not run.
    pub(crate) fn version_of(&self, program: &Path) -> Option<String> {
        self.output_of(self.command(program).arg("--version"))
    }

    fn joined_path(&self) -> OsString {
        // Each part came out of a valid PATH or is a folder of ours.
        env::join_paths(&self.path).unwrap_or_default()
    }
}

fn expect_success(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        let program = Path::new(command.get_program());
        let name = program.file_stem().unwrap_or_default().to_string_lossy();
        let first = command.get_args().next().unwrap_or_default();
        bail!("`{name} {}` failed ({status})", first.to_string_lossy());
    }
    Ok(())
}

/// The first executable file called `name` in `folders`.
fn find_program(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    folders
        .iter()
        .map(|folder| folder.join(&file))
        .find(|path| is_executable(path))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn place(folder: &Path, name: &str, mode: u32) {
        fs::create_dir_all(folder).expect("a folder");
        fs::write(folder.join(name), "").expect("a file");
        fs::set_permissions(folder.join(name), Permissions::from_mode(mode)).expect("its mode");
    }

    #[test]
    fn the_first_executable_file_on_the_path_is_found() {
        let temporary = tempfile::tempdir().expect("a folder");
        let [first, second, third] = ["1", "2", "3"].map(|name| temporary.path().join(name));
        place(&first, "tool", 0o644); // there, but not executable
        place(&second, "tool", 0o755);
        place(&third, "tool", 0o755);
        place(&third, "other", 0o755);
        fs::create_dir(second.join("other")).expect("a folder in the way");

        let folders = [first, second.clone(), third.clone()];
        assert_eq!(find_program(&folders, "tool"), Some(second.join("tool")));
        assert_eq!(find_program(&folders, "other"), Some(third.join("other")));
        assert_eq!(find_program(&folders, "nothing"), None);
    }
}
