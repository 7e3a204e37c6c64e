//! Clients by other people, which the end-to-end tests run: aiortc in a virtual
//! environment of Python, and libraries of npm for the browser.
//!
//! What is installed, and in which version, say the lists in
//! `crates/e2e/clients`. A change of a list makes another folder in the cache.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::apt;
use crate::cache::Cache;
use crate::shell::Shell;

const WHO: &str = "the end-to-end tests";
const LISTS: &str = "crates/e2e/clients";
const PYTHON_LIST: &str = "requirements.txt";
const NPM_LIST: &str = "package.json";

/// Finds or installs aiortc, and tells the tests of its Python by the variable
/// `TWOWAY_AIORTC`.
///
/// # Errors
/// One sentence when it is missing and cannot be installed.
pub(crate) fn ensure_aiortc(shell: &mut Shell) -> Result<()> {
    let list = list(shell, PYTHON_LIST)?;
    let name = folder("aiortc", &list)?;
    let install = |folder: &Path| install_aiortc(shell, folder, &list);
    let folder = ensure(shell, &name, python_in, install)?;
    shell.set_variable("TWOWAY_AIORTC", python_in(&folder));
    Ok(())
}

/// Finds or installs the browser's libraries, and tells the tests of their
/// folder by the variable `TWOWAY_WEB_CLIENTS`.
///
/// # Errors
/// One sentence when they are missing and cannot be installed.
pub(crate) fn ensure_web_clients(shell: &mut Shell) -> Result<()> {
    let list = list(shell, NPM_LIST)?;
    let name = folder("web-clients", &list)?;
    let install = |folder: &Path| install_web_clients(shell, folder, &list);
    let folder = ensure(shell, &name, modules_in, install)?;
    shell.set_variable("TWOWAY_WEB_CLIENTS", modules_in(&folder));
    Ok(())
}

fn list(shell: &Shell, name: &str) -> Result<PathBuf> {
    let list = shell.root().join(LISTS).join(name);
    list.is_file()
        .then_some(list)
        .with_context(|| format!("{LISTS}/{name} is missing"))
}

/// The cache folder of what a list says.
fn folder(name: &str, list: &Path) -> Result<String> {
    let text = fs::read(list).with_context(|| format!("cannot read {}", list.display()))?;
    Ok(format!("{name}-{:016x}", fingerprint(&text)))
}

/// FNV-1a, by which lists differ and no more than that.
fn fingerprint(text: &[u8]) -> u64 {
    text.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A folder of the cache that has what `wanted` is in it.
fn ensure(
    shell: &Shell,
    name: &str,
    wanted: fn(&Path) -> PathBuf,
    install: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let cache = Cache::of_user()?;
    let folder = cache.tool(name);
    let is_there = || wanted(&folder).exists();
    if is_there() {
        eprintln!("  {name}: in the cache");
        return Ok(folder);
    }
    eprintln!("  {name}: installing, once per machine");
    cache.install(name, shell.stop(), is_there, |fresh, _| install(fresh))?;
    Ok(folder)
}

fn python_in(folder: &Path) -> PathBuf {
    if cfg!(windows) {
        folder.join("Scripts/python.exe")
    } else {
        folder.join("bin/python")
    }
}

fn modules_in(folder: &Path) -> PathBuf {
    folder.join("node_modules")
}

fn install_aiortc(shell: &Shell, folder: &Path, list: &Path) -> Result<()> {
    let environment = || {
        let mut python = shell.command("python3");
        shell.run(python.args(["-m", "venv", "--clear"]).arg(folder))
    };
    // Debian's Python comes without what it takes to make one.
    if shell.find("python3").is_none() || environment().is_err() {
        let packages = ["python3", "python3-venv"];
        apt::install(shell, WHO, "Python with venv", &packages)?;
        environment()?;
    }
    let mut pip = shell.command(python_in(folder));
    pip.args(["-m", "pip", "install", "--quiet", "--only-binary=:all:"]);
    pip.args(["--disable-pip-version-check", "--requirement"]);
    shell
        .run(pip.arg(list))
        .context("aiortc could not be installed from PyPI, which the end-to-end tests run")
}

fn install_web_clients(shell: &Shell, folder: &Path, list: &Path) -> Result<()> {
    if shell.find("npm").is_none() {
        apt::install(shell, WHO, "npm", &["nodejs", "npm"])?;
    }
    fs::copy(list, folder.join(NPM_LIST))?;
    let mut npm = shell.command("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts"]);
    shell
        .run(npm.arg("--prefix").arg(folder))
        .context("the clients of npm, which the end-to-end tests run, could not be installed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_list_is_another_folder() {
        let folder_of = |text: &str| {
            let list = tempfile::NamedTempFile::new().expect("a file");
            fs::write(list.path(), text).expect("its text");
            folder("name", list.path()).expect("a name")
        };
        assert_eq!(folder_of("a==1"), folder_of("a==1"));
        assert_ne!(folder_of("a==1"), folder_of("a==2"));
    }
}
