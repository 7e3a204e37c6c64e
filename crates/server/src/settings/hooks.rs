//! Settings of the REST hooks.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum, value_parser};

use super::access::{about, read, warn_if_exposed};
use super::{Gathered, SettingsError};
use crate::hooks::{self, Method, OnError, Secret};

/// The application that is asked and told.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Hooks")]
pub(super) struct HookArgs {
    /// Application that is asked over HTTP whether clients may connect, publish and
    /// play, and that is told what becomes of it: POST URL/<method>, see docs/HOOKS.md
    #[arg(long, value_name = "URL")]
    hook_url: Option<String>,
    /// Seconds that the application has for an answer, 1 to 30
    #[arg(long, value_name = "SECONDS", default_value_t = 5,
          value_parser = value_parser!(u64).range(1..=30))]
    hook_timeout: u64,
    /// What holds if the application is down, hangs, or answers what is no answer
    #[arg(long, value_name = "ANSWER", value_enum, default_value_t = Answer::Deny)]
    hook_on_error: Answer,
    /// Most requests to the application at a time
    #[arg(long, value_name = "COUNT",
          default_value_t = hooks::Config::new("").connections)]
    hook_connections: NonZeroUsize,
    /// File with the secret that requests are signed with, at least 16 bytes
    #[arg(long, value_name = "FILE")]
    hook_secret_file: Option<PathBuf>,
    /// What is sent to the application, what is not being allowed: connect,
    /// publishStream, playStream, stopStream, unPublishStream, StreamStatusEvent or
    /// ConnectionStatusEvent; may be given several times [default: all]
    #[arg(long, value_name = "METHOD", value_enum)]
    hook_events: Vec<Method>,
}

/// An answer that the application did not give.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Answer {
    Allow,
    Deny,
}

impl Gathered {
    /// The application for hooks, if there is one.
    ///
    /// # Errors
    /// Its address is none, or there is no secret in the file for it.
    pub(super) fn hooks(&self) -> Result<Option<hooks::Config>, SettingsError> {
        let args = &self.settings.hooks;
        let Some(url) = &args.hook_url else {
            return match &args.hook_secret_file {
                Some(_) => Err(self.without_url("hook-secret-file")),
                None if !args.hook_events.is_empty() => Err(self.without_url("hook-events")),
                None => Ok(None),
            };
        };
        hooks::check_url(url)
            .map_err(|error| self.wrong("hook-url", format!("hook-url {error}")))?;
        let secret = args
            .hook_secret_file
            .as_deref()
            .map(|path| read_secret(path).map_err(|what| self.wrong("hook-secret-file", what)));
        let all = hooks::Config::new(url);
        Ok(Some(hooks::Config {
            timeout: Duration::from_secs(args.hook_timeout),
            on_error: match args.hook_on_error {
                Answer::Allow => OnError::Allow,
                Answer::Deny => OnError::Deny,
            },
            connections: args.hook_connections,
            secret: secret.transpose()?,
            methods: if args.hook_events.is_empty() {
                all.methods
            } else {
                args.hook_events.clone()
            },
            ..all
        }))
    }

    fn without_url(&self, name: &str) -> SettingsError {
        self.wrong(name, format!("{name} means nothing without hook-url"))
    }
}

/// What is in the file; or what is wrong with it, in words that do not repeat it.
fn read_secret(path: &Path) -> Result<Secret, String> {
    let bytes = read(path).map_err(|error| about(path, &error.to_string()))?;
    let secret = Secret::new(&bytes).map_err(|error| about(path, &error.to_string()))?;
    warn_if_exposed(path);
    Ok(secret)
}
