//! Settings of how the server runs and ends, and which of all it takes while it runs.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;

use super::{Gathered, keys};

/// What a server that runs takes notice of; everything else takes a restart.
const LIVE: [&str; 15] = [
    "allow-origin",
    "anonymous",
    "drain-seconds",
    "jwt-audience",
    "jwt-issuer",
    "jwt-key",
    "max-connection-rate",
    "max-request-rate",
    "max-sessions-per-address",
    "tls-cert",
    "tls-key",
    "tls-name",
    "tls-self-signed",
    "tokens",
    "trusted-proxy",
];

/// How the server ends.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Running")]
pub(super) struct RunningArgs {
    /// Seconds for which streams may go on once the server was told to stop (SIGTERM or
    /// Ctrl-C), while no new session is let in; being told so again ends it at once
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    drain_seconds: u32,
}

impl Gathered {
    /// How long streams may go on once the server was told to stop.
    #[must_use]
    pub fn drain_time(&self) -> Duration {
        Duration::from_secs(self.settings.running.drain_seconds.into())
    }

    /// The settings that are not what they were in `before`, though a server that was
    /// started with that goes on with those.
    #[must_use]
    pub fn to_restart_for(&self, before: &Self) -> Vec<String> {
        let has_tls = |gathered: &Self| gathered.settings.tls.is_on();
        let tls_changed = has_tls(self) != has_tls(before);
        let is_live =
            |name: &str| LIVE.contains(&name) && !(tls_changed && name.starts_with("tls"));
        let changed = keys().into_iter().filter(|key| {
            let said = |gathered: &Self| match gathered.values.get(key.name()) {
                Some(values) => Some(values.clone()),
                None => key.default().map(|value| vec![OsString::from(value)]),
            };
            !is_live(key.name()) && said(self) != said(before)
        });
        changed.map(|key| key.path()).collect()
    }
}
