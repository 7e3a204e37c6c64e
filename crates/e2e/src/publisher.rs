//! The publisher under test.

use std::fs;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::process::Process;
use crate::programs::program;
use crate::{PATIENCE, POLL, Server};

/// `twoway-publish`; it sends the test picture unless told otherwise.
#[derive(Debug)]
pub struct Publisher {
    process: Process,
    folder: TempDir,
    _feeder: Option<Feeder>,
}

/// What a publisher says of itself, as `twoway-publish --stats-file` has it.
#[derive(Debug)]
pub struct Stats(Value);

impl Publisher {
    /// Starts publishing the test picture by `name` and waits until it is on air.
    ///
    /// # Errors
    /// The program is not built, or the stream does not come up.
    pub fn start(server: &Server, name: &str) -> Result<Self> {
        Self::start_with(server, name, &[])
    }

    /// As [`Publisher::start`], with these further options.
    ///
    /// # Errors
    /// The program is not built, or the stream does not come up.
    pub fn start_with(server: &Server, name: &str, options: &[&str]) -> Result<Self> {
        let url = format!("{}/{name}", server.signalling_url());
        Self::launch(&url, name, options, None)
    }

    /// As [`Publisher::start_with`], by WHIP.
    ///
    /// # Errors
    /// The program is not built, or the stream does not come up.
    pub fn start_by_whip(server: &Server, name: &str, options: &[&str]) -> Result<Self> {
        let url = format!("{}whip/{name}", server.url());
        Self::launch(&url, name, options, None)
    }

    /// Starts publishing what `feeder` writes to its standard output.
    ///
    /// # Errors
    /// A program is not there, or the stream does not come up.
    pub fn start_fed(server: &Server, name: &str, feeder: &mut Command) -> Result<Self> {
        let url = format!("{}/{name}", server.signalling_url());
        let feeder = Feeder::start(feeder)?;
        Self::launch(&url, name, &["-"], Some(feeder))
    }

    fn launch(url: &str, name: &str, options: &[&str], mut feeder: Option<Feeder>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(program("TWOWAY_PUBLISH", "twoway-publish")?);
        command.arg(url).args(options);
        command.arg("--stats-file").arg(folder.path().join(STATS));
        let food = feeder.as_mut().and_then(|feeder| feeder.0.stdout.take());
        let stdin = food.map_or_else(Stdio::null, Stdio::from);
        let process = Process::spawn_with("twoway-publish", &mut command, stdin)?;
        let publisher = Self {
            process,
            folder,
            _feeder: feeder,
        };
        publisher.wait_line(&format!("stream {name}: PUBLISHING"))?;
        Ok(publisher)
    }

    /// Waits until it has printed a line that starts so.
    ///
    /// # Errors
    /// It never does.
    pub fn wait_line(&self, start: &str) -> Result<()> {
        let starts_so = |line: &str| line.starts_with(start).then_some(());
        self.process.wait_for_line(start, starts_so)
    }

    /// What it says of itself now; the file is a second old at most.
    ///
    /// # Errors
    /// The file is not what it should be.
    pub fn stats(&self) -> Result<Stats> {
        let text = fs::read_to_string(self.folder.path().join(STATS));
        let file: Value = serde_json::from_str(&text.context("no statistics")?)?;
        let stats = file.get("stats").context("no statistics in their file")?;
        Ok(Stats(stats.clone()))
    }

    /// Waits until what it says of itself meets `condition`, and returns it.
    ///
    /// # Errors
    /// It never does; the error has what it says instead.
    pub async fn wait_stats(
        &self,
        what: &str,
        condition: impl Fn(&Stats) -> bool,
    ) -> Result<Stats> {
        let deadline = Instant::now() + PATIENCE;
        let mut poll = tokio::time::interval(POLL);
        loop {
            poll.tick().await;
            let stats = self.stats()?;
            if condition(&stats) {
                return Ok(stats);
            }
            if Instant::now() > deadline {
                bail!("waited in vain for {what}: {}", stats.0);
            }
        }
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

impl Stats {
    /// The number at this JSON pointer (RFC 6901); not a number while it is not
    /// known, which compares to nothing.
    pub fn number(&self, pointer: &str) -> f64 {
        let number = self.0.pointer(pointer).and_then(Value::as_f64);
        number.unwrap_or(f64::NAN)
    }
}

/// The name of the file.
const STATS: &str = "stats.json";

/// A program whose output another one reads; dropped, it is killed.
#[derive(Debug)]
struct Feeder(Child);

impl Feeder {
    fn start(command: &mut Command) -> Result<Self> {
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped());
        let child = piped
            .spawn()
            .context("ffmpeg does not run: install it, or name it by the variable TWOWAY_FFMPEG")?;
        Ok(Self(child))
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
