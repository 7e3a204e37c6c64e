//! The time between the server's start and its end: what signals ask for.
//!
//! SIGHUP has the configuration read again. A wrong one changes nothing; of a right one
//! the server takes what it can, and says what it takes a restart for. SIGTERM and Ctrl-C
//! stop the server: at once, or once its streams have ended, if they may go on for a
//! while. A second one stops it at once.

use std::io;

use anyhow::Context;
use tokio::signal;
use twoway_server::net::Running;
use twoway_server::settings::{Gathered, SettingsError};

/// What the process is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    Stop,
    Reload,
}

/// Serves until the process is asked to stop. `gather` reads the configuration again.
pub(crate) async fn until_stopped(
    server: Running,
    mut signals: Signals,
    started: Gathered,
    gather: impl Fn() -> Result<Gathered, SettingsError>,
) {
    let mut current = started.clone();
    while signals.next().await == Signal::Reload {
        match reload(&server, &started, gather()) {
            Ok(gathered) => current = gathered,
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(error, "the configuration stays as it was");
            }
        }
    }
    let time = current.drain_time();
    if !time.is_zero() {
        let seconds = time.as_secs();
        tracing::info!("stopping once all streams have ended, or in {seconds} s");
        tokio::select! {
            () = server.drain() => {}
            () = tokio::time::sleep(time) => {}
            () = signals.stop() => {}
        }
    }
    tracing::info!("stopping");
    server.shutdown().await;
}

/// Goes on with what was gathered, as far as that can be done without a restart.
///
/// # Errors
/// It is wrong: nothing has changed.
fn reload(
    server: &Running,
    started: &Gathered,
    gathered: Result<Gathered, SettingsError>,
) -> anyhow::Result<Gathered> {
    let gathered = gathered?;
    let (config, _) = gathered.clone().configs()?;
    if let Some(tls) = &config.tls {
        server.reload_certificate(&tls.credentials).context("TLS")?;
    }
    server.reload(config.live);
    for name in gathered.to_restart_for(started) {
        tracing::warn!("{name} has changed: restart the server for that");
    }
    tracing::info!("the configuration was read again");
    Ok(gathered)
}

/// The signals that the process listens for, from when this is made.
#[derive(Debug)]
pub(crate) struct Signals {
    #[cfg(unix)]
    terminate: signal::unix::Signal,
    #[cfg(unix)]
    interrupt: signal::unix::Signal,
    #[cfg(unix)]
    hang_up: signal::unix::Signal,
}

impl Signals {
    /// Ends with the next SIGTERM or Ctrl-C.
    async fn stop(&mut self) {
        while self.next().await != Signal::Stop {}
    }
}

#[cfg(unix)]
impl Signals {
    /// # Errors
    /// The system has no more room for it.
    pub(crate) fn new() -> io::Result<Self> {
        use signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.hang_up.recv() => Signal::Reload,
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    /// # Errors
    /// None here.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    async fn next(&mut self) -> Signal {
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Stop
    }
}
