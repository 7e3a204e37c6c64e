//! A child process whose output is read line by line and whose end is certain.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::PATIENCE;

/// A running program; dropped, it is killed and waited for.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    output: Arc<Output>,
}

/// What a program can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// To read its configuration again (SIGHUP).
    Reload,
    /// To end (SIGTERM).
    Stop,
}

/// What the program has printed so far, on both streams.
#[derive(Debug, Default)]
struct Output {
    lines: Mutex<Lines>,
    grown: Condvar,
}

#[derive(Debug, Default)]
struct Lines {
    text: Vec<String>,
    streams_ended: usize,
}

impl Process {
    /// Starts the program in a process group of its own.
    pub(crate) fn spawn(name: &str, command: &mut Command) -> Result<Self> {
        Self::spawn_with(name, command, Stdio::null())
    }

    /// The same, with a standard input that stays open until it is closed.
    pub(crate) fn spawn_piped(name: &str, command: &mut Command) -> Result<Self> {
        Self::spawn_with(name, command, Stdio::piped())
    }

    /// The same, with this standard input.
    pub(crate) fn spawn_with(name: &str, command: &mut Command, stdin: Stdio) -> Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let mut child = command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let output = Arc::new(Output::default());
        let stdout = child.stdout.take().context("stdout is piped")?;
        let stderr = child.stderr.take().context("stderr is piped")?;
        read_lines(stdout, Arc::clone(&output));
        read_lines(stderr, Arc::clone(&output));
        Ok(Self {
            name: name.to_owned(),
            child,
            output,
        })
    }

    /// Ends the program's standard input.
    pub(crate) fn close_stdin(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Waits for a line that `pick` takes and returns what it made of it.
    pub(crate) fn wait_for_line<T>(
        &self,
        what: &str,
        pick: impl Fn(&str) -> Option<T>,
    ) -> Result<T> {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self
            .output
            .lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = lines.text.iter().find_map(|line| pick(line)) {
                return Ok(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || lines.streams_ended == 2 {
                bail!(
                    "{} did not print {what}; it printed:\n{}",
                    self.name,
                    lines.text.join("\n")
                );
            }
            (lines, _) = self
                .output
                .grown
                .wait_timeout(lines, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Asks the program for something.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let option = match signal {
            Signal::Reload => "-HUP",
            Signal::Stop => "-TERM",
        };
        let sent = Command::new("kill")
            .args([option, &self.child.id().to_string()])
            .status()?;
        anyhow::ensure!(sent.success(), "cannot signal {}", self.name);
        Ok(())
    }

    /// Asks the program to end and returns its exit code.
    pub(crate) fn terminate(self) -> Result<Option<i32>> {
        self.signal(Signal::Stop)?;
        self.wait_end()
    }

    /// Waits until the program ends, and returns its exit code.
    pub(crate) fn wait_end(mut self) -> Result<Option<i32>> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.code());
            }
            if Instant::now() > deadline {
                bail!("{} does not end", self.name);
            }
            thread::sleep(crate::POLL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone is as good. What it started is in its group: browsers
        // outlive a driver that is killed alone.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill")
            .args(["-KILL", "--", &group])
            .stderr(Stdio::null())
            .status();
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let lines = self
                .output
                .lines
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            eprintln!("--- {} printed:\n{}", self.name, lines.text.join("\n"));
        }
    }
}

fn read_lines(stream: impl Read + Send + 'static, output: Arc<Output>) {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut lines = output.lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.text.push(line);
            output.grown.notify_all();
        }
        let mut lines = output.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.streams_ended += 1;
        output.grown.notify_all();
    });
}
