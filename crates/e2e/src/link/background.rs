//! A relay's thread.

use std::io;
use std::thread::{self, JoinHandle};

use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// A task on a thread of its own, so that tests may block; dropped, it ends.
#[derive(Debug)]
pub(super) struct Background {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Runs what `start` makes, which is called on the new thread.
    pub(super) fn run<F>(name: &str, start: impl FnOnce() -> F + Send + 'static) -> io::Result<Self>
    where
        F: Future<Output = io::Result<()>>,
    {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let called = name.to_owned();
        let work = move || {
            runtime.block_on(async {
                tokio::select! {
                    result = start() => if let Err(error) = result {
                        eprintln!("{called} broke: {error}");
                    },
                    _ = stopped => {}
                }
            });
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(work)?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // If it panicked, its message is on stderr.
            let _ = thread.join();
        }
    }
}
