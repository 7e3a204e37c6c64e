//! The programs under test, on free ports.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::Process;

/// `twoway-server` serving the built page.
#[derive(Debug)]
pub struct Server {
    process: Process,
    url: String,
}

impl Server {
    /// Starts a server on a free port and waits until it takes connections.
    ///
    /// # Errors
    /// The program is not built, or does not come up.
    pub fn start() -> Result<Self> {
        Self::start_at("0", &[])
    }

    /// Starts a server with more `arguments`.
    ///
    /// # Errors
    /// The program is not built, or does not come up.
    pub fn start_with(arguments: &[&str]) -> Result<Self> {
        Self::start_at("0", arguments)
    }

    /// Ends the server without any farewell (SIGKILL) and starts another at the
    /// same address.
    ///
    /// # Errors
    /// It does not come up.
    pub fn restart(self) -> Result<Self> {
        let port = self.url.trim_end_matches('/').rsplit(':').next();
        let port = port.context("the address has a port")?.to_owned();
        drop(self);
        Self::start_at(&port, &[])
    }

    fn start_at(port: &str, arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(program("TWOWAY_SERVER", "twoway-server")?);
        command.args(["--bind", "127.0.0.1", "--port", port, "--media-port", "0"]);
        command.arg("--page").arg(page_folder()?).args(arguments);
        let process = Process::spawn("twoway-server", &mut command)?;
        let url = process.wait_for_line("the ready line", |line| {
            line.strip_prefix("ready: ").map(str::to_owned)
        })?;
        Ok(Self { process, url })
    }

    /// Address of the page, ending in a slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Address of the signalling, without a path.
    pub fn signalling_url(&self) -> String {
        self.url
            .trim_end_matches('/')
            .replacen("http://", "ws://", 1)
    }

    /// Ends the server as an operator would and returns its exit code.
    ///
    /// # Errors
    /// It does not end.
    pub fn terminate(self) -> Result<Option<i32>> {
        self.process.terminate()
    }
}

/// `twoway-publish` sending the test picture.
#[derive(Debug)]
pub struct Publisher {
    process: Process,
}

impl Publisher {
    /// Starts publishing the test picture by `name` and waits until it is on air.
    ///
    /// # Errors
    /// The program is not built, or the stream does not come up.
    pub fn start(server: &Server, name: &str) -> Result<Self> {
        let target = format!("{}/{name}", server.signalling_url());
        let mut command = Command::new(program("TWOWAY_PUBLISH", "twoway-publish")?);
        command.arg(target);
        let process = Process::spawn("twoway-publish", &mut command)?;
        let on_air = format!("stream {name}: PUBLISHING");
        process.wait_for_line(&on_air, |line| (line == on_air).then_some(()))?;
        Ok(Self { process })
    }

    /// Ends the publisher without any farewell (SIGKILL).
    pub fn kill(self) {
        drop(self.process);
    }

    /// Ends the publisher as a person would and returns its exit code.
    ///
    /// # Errors
    /// It does not end.
    pub fn terminate(self) -> Result<Option<i32>> {
        self.process.terminate()
    }
}

/// The program named by the environment, or the one built beside this test.
fn program(variable: &str, name: &str) -> Result<PathBuf> {
    if let Some(path) = env::var_os(variable) {
        return Ok(path.into());
    }
    let test = env::current_exe().context("the test has a path")?;
    let profile = test.ancestors().find(|folder| folder.join(name).is_file());
    profile
        .map(|folder| folder.join(name))
        .with_context(|| format!("{name} is not built: run cargo xtask test"))
}

/// Where the built page is.
///
/// # Errors
/// It is not built.
pub fn page_folder() -> Result<PathBuf> {
    let folder = env::var_os("TWOWAY_PAGE").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../dist"),
        PathBuf::from,
    );
    anyhow::ensure!(
        folder.join("index.html").is_file(),
        "the page is not built: run cargo xtask test"
    );
    Ok(folder)
}
