//! A program that ends with its owner.

use std::io::{BufRead, BufReader, Read};
use std::process::{self, Command, Stdio};
use std::thread;

use anyhow::{Context, Result, anyhow};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use crate::{cores, usage};

/// A running program; dropped, it is killed and waited for.
///
/// It stays in this process's group: who ends the group ends it, too.
#[derive(Debug)]
#[must_use]
pub(super) struct Child {
    name: &'static str,
    process: process::Child,
    lines: UnboundedReceiver<String>,
    last_words: Option<String>,
}

impl Child {
    /// Starts `command`, bound to `cores`.
    ///
    /// # Errors
    /// It cannot be started, or there are no such cores.
    pub(super) fn spawn(name: &'static str, mut command: Command, cores: &[usize]) -> Result<Self> {
        // A server needs a file for each viewer, and inherits what this process may open.
        usage::raise_file_limit();
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let program = command.get_program().to_string_lossy().into_owned();
        let cores = cores.to_vec();
        // A child runs where the thread runs that starts it: one for this alone.
        let starting = thread::spawn(move || {
            cores::bind(&cores)?;
            command
                .spawn()
                .with_context(|| format!("cannot start {program}"))
        });
        let ended = || Err(anyhow!("cannot start {name}"));
        let mut process = starting.join().unwrap_or_else(|_| ended())?;
        let (sender, lines) = mpsc::unbounded_channel();
        read(process.stdout.take(), sender.clone());
        read(process.stderr.take(), sender);
        Ok(Self {
            name,
            process,
            lines,
            last_words: None,
        })
    }

    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(super) fn has_ended(&mut self) -> bool {
        // One that cannot be asked is no longer ours.
        !matches!(self.process.try_wait(), Ok(None))
    }

    /// The next line that it prints on either output.
    ///
    /// # Errors
    /// There is no further one, for it has ended; its last words are told.
    pub(super) async fn line(&mut self) -> Result<String> {
        let Some(line) = self.lines.recv().await else {
            let last_words = self.last_words.as_deref().unwrap_or("it said nothing");
            return Err(anyhow!("{} ended at once: {last_words}", self.name));
        };
        if !line.trim().is_empty() {
            self.last_words = Some(line.trim().to_owned());
        }
        Ok(line)
    }

    /// Nobody listens to what it prints from now on.
    pub(super) fn ignore_lines(&mut self) {
        self.lines.close();
        while self.lines.try_recv().is_ok() {}
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It fails only for one that has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads all that is printed, so that the program never waits for a reader.
fn read(source: Option<impl Read + Send + 'static>, lines: UnboundedSender<String>) {
    let Some(source) = source else {
        return;
    };
    thread::spawn(move || {
        for line in BufReader::new(source).split(b'\n').map_while(Result::ok) {
            // Once the program is up, nobody listens.
            let _ = lines.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
}
