//! The folder of installed tools, shared by every checkout of one user.
//!
//! A tool lies in `<name>-<version>/`. It is built beside that and renamed
//! into place when done, under a lock: an interrupted installation is never
//! mistaken for a tool, and two xtasks at once do not disturb each other.

use std::env;
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result};

use crate::process::{POLL, Stop};

/// The user's cache of tools.
pub(crate) struct Cache(PathBuf);

impl Cache {
    /// `$TWOWAY_CACHE`, else `twoway-streaming` in the system's cache folder
    /// of this user.
    pub(crate) fn of_user() -> Result<Self> {
        let folder = folder_from(|name| env::var_os(name).map(PathBuf::from))
            .context("cannot tell where to keep tools: set TWOWAY_CACHE to a folder")?;
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create the tool folder {}", folder.display()))?;
        Ok(Self(folder))
    }

    /// Where the tool called `name` lies, once it is installed.
    pub(crate) fn tool(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Runs `install` on an empty folder and a folder for its build, which is
    /// kept if it fails, so that the next try goes on from there; then makes
    /// the first the tool called `name`. `is_there` tells whether another
    /// xtask was faster.
    pub(crate) fn install(
        &self,
        name: &str,
        stop: &Stop,
        is_there: impl FnOnce() -> bool,
        install: impl FnOnce(&Path, &Path) -> Result<()>,
    ) -> Result<()> {
        let _lock = self.lock(stop)?;
        if is_there() {
            return Ok(());
        }
        let fresh = self.0.join(format!(".{name}.new"));
        let build = self.0.join(format!(".{name}.build"));
        remove(&fresh)?;
        fs::create_dir_all(&fresh)?;
        install(&fresh, &build)?;
        remove(&build)?;
        // What is there did not work, or `is_there` would have said so.
        remove(&self.tool(name))?;
        fs::rename(&fresh, self.tool(name))?;
        Ok(())
    }

    /// Waits for its turn; the lock ends with the file, even in a crash.
    fn lock(&self, stop: &Stop) -> Result<File> {
        let file = File::create(self.0.join(".lock"))?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => stop.check()?,
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
            if !told {
                eprintln!("another cargo xtask is installing tools: waiting for it");
                told = true;
            }
            thread::sleep(POLL);
        }
    }
}

fn folder_from(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|path| path.is_absolute());
    let home = || set("HOME").or_else(|| set("USERPROFILE"));
    let of_user = || {
        if cfg!(target_os = "macos") {
            home().map(|home| home.join("Library/Caches"))
        } else if cfg!(windows) {
            set("LOCALAPPDATA")
        } else {
            set("XDG_CACHE_HOME").or_else(|| home().map(|home| home.join(".cache")))
        }
    };
    let explicit = variable("TWOWAY_CACHE").and_then(|path| std::path::absolute(path).ok());
    explicit.or_else(|| of_user().map(|cache| cache.join("twoway-streaming")))
}

/// Removes a folder that need not be there.
fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    fn cache() -> (tempfile::TempDir, Cache, Stop) {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache(folder.path().to_path_buf());
        (folder, cache, Stop::never())
    }

    #[test]
    fn an_explicit_folder_wins() {
        let own = env::temp_dir().join("own");
        let home = env::temp_dir().join("home");
        let folder = folder_from(|name| match name {
            "TWOWAY_CACHE" => Some(own.clone()),
            "HOME" => Some(home.clone()),
            _ => None,
        });
        assert_eq!(folder, Some(own.clone()));
        let folder = folder_from(|name| (name == "HOME").then(|| home.clone()));
        assert!(folder.is_some_and(|folder| folder.starts_with(&home)));
        assert_eq!(folder_from(|_| None), None);
    }

    #[test]
    fn a_failed_installation_leaves_no_tool_but_its_build() {
        let (_folder, cache, stop) = cache();
        let failed = cache.install(
            "tool-1",
            &stop,
            || false,
            |fresh, build| {
                fs::write(fresh.join("half"), "")?;
                fs::create_dir_all(build)?;
                bail!("no network")
            },
        );
        assert!(failed.is_err());
        assert!(!cache.tool("tool-1").exists());

        cache
            .install(
                "tool-1",
                &stop,
                || false,
                |fresh, build| {
                    assert!(build.exists());
                    fs::write(fresh.join("whole"), "")?;
                    Ok(())
                },
            )
            .expect("the second try works");
        let files: Vec<_> = fs::read_dir(cache.tool("tool-1"))
            .expect("the tool")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        assert_eq!(files, ["whole"]);
    }

    #[test]
    fn what_another_xtask_installed_meanwhile_is_kept() {
        let (_folder, cache, stop) = cache();
        cache
            .install("tool-1", &stop, || true, |_, _| bail!("not needed"))
            .expect("it is there");
    }
}
