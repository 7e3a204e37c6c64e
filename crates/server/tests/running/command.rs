//! The real command with a configuration file, told what to do by signals.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::client::soon;

/// Waiting longer than this for a line is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running command, killed if a test fails.
pub(crate) struct Server {
    child: Child,
    log: Receiver<String>,
    folder: TempDir,
    pub(crate) addr: SocketAddr,
    pub(crate) tls: Option<SocketAddr>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts it with a file of these settings, on free ports.
    pub(crate) fn start(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("server.toml"), settings).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_twoway-server"))
            .arg("--config")
            .arg(folder.path().join("server.toml"))
            .args(["--bind", "127.0.0.1", "--port", "0", "--tls-port", "0"])
            .args(["--media-bind", "127.0.0.1", "--media-port", "0"])
            .args(["--workers", "1"])
            .env("RUST_LOG", "info")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (lines, log) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = lines.send(line);
            }
        });
        let mut tls = None;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let addr = loop {
            let line = lines.next().expect("ready").unwrap();
            let address = |start| Some(line.strip_prefix(start)?.trim_end_matches('/'));
            if let Some(address) = address("with TLS: https://") {
                tls = Some(address.parse().unwrap());
            }
            if let Some(address) = address("ready: http://") {
                break address.parse().unwrap();
            }
        };
        Self {
            child,
            log,
            folder,
            addr,
            tls,
        }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("server.toml")
    }

    /// Changes the file and has it read.
    pub(crate) fn reconfigure(&self, settings: &str) {
        fs::write(self.file(), settings).unwrap();
        self.signal("-HUP");
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for a line of the log with this in it; that line and those before it.
    pub(crate) fn wait_for_log(&self, text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.log.recv_timeout(PATIENCE);
            lines.push(line.unwrap_or_else(|_| panic!("no {text:?} in {lines:#?}")));
            if lines.last().is_some_and(|line| line.contains(text)) {
                return lines;
            }
        }
    }

    /// Waits for its end by itself; its exit code.
    pub(crate) async fn end(mut self) -> Option<i32> {
        let waiting = tokio::task::spawn_blocking(move || self.child.wait());
        soon(waiting).await.unwrap().unwrap().code()
    }
}
