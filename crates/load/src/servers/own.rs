//! This project's server: on the loopback, with a media worker for each of its cores,
//! without the page, and with its log at errors. Everything else is as users have it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;
use tokio::time::timeout;

use super::child::Child;
use super::{Address, Started};
use crate::results::ServerInfo;

/// How long it may take to come up.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) async fn start(program: &Path, cores: &[usize]) -> Result<Started> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut child = Child::spawn("twoway-server", command(program, cores, &folder), cores)?;
    let (version, url) = timeout(PATIENCE, come_up(&mut child))
        .await
        .with_context(|| format!("twoway-server is not up after {} s", PATIENCE.as_secs()))??;
    child.ignore_lines();
    let info = ServerInfo {
        name: "twoway".to_owned(),
        version,
        cores: cores.to_vec(),
    };
    let url = url.replacen("http", "ws", 1);
    Started::new(info, Address::WebCallServer(url), child, folder)
}

fn command(program: &Path, cores: &[usize], no_page: &TempDir) -> Command {
    let mut command = Command::new(program);
    let loopback = "127.0.0.1";
    command
        .args(["--bind", loopback, "--port", "0"])
        .args(["--media-bind", loopback, "--media-port", "0"])
        .args(["--media", "udp"])
        // All of a test's clients are one address.
        .args(["--max-connection-rate", "0", "--max-request-rate", "0"])
        .arg("--page")
        .arg(no_page.path())
        .env("RUST_LOG", "error");
    if !cores.is_empty() {
        command.args(["--workers", &cores.len().to_string()]);
    }
    command
}

/// The version and the address, from what it says of itself.
async fn come_up(child: &mut Child) -> Result<(Option<String>, String)> {
    let mut version = None;
    loop {
        let line = child.line().await?;
        if let Some(url) = line.strip_prefix("ready: ") {
            return Ok((version, url.to_owned()));
        }
        if let Some(told) = line.strip_prefix("Two-way Streaming server ") {
            version = Some(told.to_owned());
        }
    }
}
