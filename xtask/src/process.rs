//! Child processes that never outlive xtask.
//!
//! Each child leads its own process group, so that Ctrl-C in the terminal
//! reaches xtask alone, which then ends its children in the right order, and
//! so that a child's own children (cargo's `rustc`, the driver's browser) end
//! with it.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};

/// How often a waiting xtask looks at its children and at [`Stop`].
pub(crate) const POLL: Duration = Duration::from_millis(20);

/// How long a child may take to end by itself before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// Set once the user or the system asked xtask to end.
#[derive(Clone)]
pub(crate) struct Stop(Arc<AtomicBool>);

/// The error of work cut short by [`Stop`].
#[derive(Debug)]
pub(crate) struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

impl Stop {
    /// Takes over SIGINT (Ctrl-C) and SIGTERM for the rest of the process.
    pub(crate) fn on_signals() -> Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&flag))
                .context("cannot listen for Ctrl-C")?;
        }
        Ok(Self(flag))
    }

    /// One that nobody sets.
    #[cfg(test)]
    pub(crate) fn never() -> Self {
        Self(Arc::new(AtomicBool::new(false)))
    }

    /// # Errors
    /// [`Interrupted`] once xtask was asked to end.
    pub(crate) fn check(&self) -> Result<(), Interrupted> {
        if self.0.load(Ordering::Relaxed) {
            return Err(Interrupted);
        }
        Ok(())
    }
}

/// A running child; `Drop` ends it and everything it started.
#[must_use]
pub(crate) struct Process {
    child: Child,
    ended: bool,
}

impl Process {
    /// Starts `command` without an input to read from.
    pub(crate) fn spawn(command: &mut Command) -> Result<Self> {
        own_group(command);
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
        Ok(Self {
            child,
            ended: false,
        })
    }

    /// The exit status if the child has ended.
    pub(crate) fn poll(&mut self) -> Result<Option<ExitStatus>> {
        let status = self.child.try_wait()?;
        if status.is_some() && !self.ended {
            self.ended = true;
            // What it left running would keep our pipes open.
            kill_group(&mut self.child);
        }
        Ok(status)
    }

    /// Waits for the child's end.
    ///
    /// # Errors
    /// [`Interrupted`], with the child ended, once `stop` is set.
    pub(crate) fn wait(mut self, stop: &Stop) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self.poll()? {
                return Ok(status);
            }
            stop.check()?;
            thread::sleep(POLL);
        }
    }

    /// The child's standard output, line by line, as `echo` has seen it. Needs
    /// `Stdio::piped()`; without it there are no lines.
    pub(crate) fn stdout_lines(
        &mut self,
        echo: impl FnMut(&str) + Send + 'static,
    ) -> Receiver<String> {
        lines(self.child.stdout.take(), echo)
    }

    /// As [`Self::stdout_lines`], for the standard error.
    pub(crate) fn stderr_lines(
        &mut self,
        echo: impl FnMut(&str) + Send + 'static,
    ) -> Receiver<String> {
        lines(self.child.stderr.take(), echo)
    }

    /// Asks the child to end, as Ctrl-C would; kills it after [`GRACE`].
    pub(crate) fn end(&mut self) {
        if self.ended || self.poll().is_ok_and(|status| status.is_some()) {
            return;
        }
        interrupt_group(&self.child);
        let deadline = Instant::now() + GRACE;
        while Instant::now() < deadline {
            if !self.poll().is_ok_and(|status| status.is_none()) {
                return;
            }
            thread::sleep(POLL);
        }
        kill_group(&mut self.child);
        // Reaps it; a killed child cannot fail to end.
        let _ = self.child.wait();
        self.ended = true;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Reads `source` to its end on a thread of its own, so that the child never
/// blocks on a full pipe, whether or not anyone takes the lines.
fn lines(
    source: Option<impl Read + Send + 'static>,
    mut echo: impl FnMut(&str) + Send + 'static,
) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    let Some(source) = source else {
        return receiver;
    };
    thread::spawn(move || {
        for line in BufReader::new(source).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            echo(&line);
            // Nobody has to listen: the echo is for the reader of the terminal.
            let _ = sender.send(line);
        }
    });
    receiver
}

/// An echo that prints each line behind the name of who said it.
pub(crate) fn prefixed(name: &'static str) -> impl FnMut(&str) + Send + 'static {
    move |line| plain(&format!("{name:>9} | {line}"))
}

/// An echo that prints each line as it is.
pub(crate) fn plain(line: &str) {
    // A closed terminal is no reason to stop reading.
    let _ = writeln!(std::io::stdout(), "{line}");
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(unix)]
fn interrupt_group(child: &Child) {
    use rustix::process::{Pid, Signal, kill_process_group};
    // Fails only if the group is gone already.
    let _ = kill_process_group(Pid::from_child(child), Signal::INT);
}

#[cfg(unix)]
fn kill_group(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process_group};
    // Fails only if the group is gone already.
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
}

/// Windows sends a console's Ctrl-C to every process on it by itself.
#[cfg(not(unix))]
fn own_group(_: &mut Command) {}

#[cfg(not(unix))]
fn interrupt_group(_: &Child) {}

#[cfg(not(unix))]
fn kill_group(child: &mut Child) {
    // Fails only if the child is gone already.
    let _ = child.kill();
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).stdout(Stdio::piped());
        command
    }

    fn running(pid: &str) -> bool {
        let pid = pid.parse().ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::test_kill_process(pid.expect("a process id")).is_ok()
    }

    #[test]
    fn dropping_a_process_ends_its_children_too() {
        let mut process =
            Process::spawn(&mut shell("sleep 600 & echo $!; wait")).expect("sh starts");
        let lines = process.stdout_lines(|_| {});
        let grandchild = lines.recv().expect("the shell prints the id");
        assert!(running(&grandchild));
        drop(process);
        // The pipe closes when the last process that holds it is gone.
        assert!(lines.recv().is_err());
    }

    #[test]
    fn a_set_stop_cuts_waiting_short() {
        let stop = Stop(Arc::new(AtomicBool::new(true)));
        let process = Process::spawn(&mut shell("exec sleep 600")).expect("sh starts");
        let error = process.wait(&stop).expect_err("stopped");
        assert!(error.is::<Interrupted>());
    }

    #[test]
    fn lines_are_read_to_the_end_without_a_listener() {
        let stop = Stop::never();
        // More than a pipe holds: the child ends only if someone reads.
        let mut process = Process::spawn(&mut shell("yes | head -c 1000000")).expect("sh starts");
        drop(process.stdout_lines(|_| {}));
        assert!(process.wait(&stop).expect("ends by itself").success());
    }
}
