//! What operators see of the server.

use std::str::FromStr;

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

use crate::logs::{Format, Logs};
use crate::net::Exposed;

/// What operators see of the server.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Seeing")]
pub(super) struct SeeArgs {
    /// Who may read /metrics, for Prometheus: those who may administer, everybody
    /// (open), or nobody (off)
    #[arg(long, value_name = "WHO", value_enum, default_value_t = Metrics::Admin)]
    metrics: Metrics,
    /// How the log on stderr looks: text for people, json for programs, a line each
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// What is logged: error, warn, info, debug or trace, and of parts of the server
    /// as in info,twoway_server::net=debug; RUST_LOG in the environment outweighs it
    #[arg(long, value_name = "FILTER", default_value = "info")]
    log: Filter,
}

impl SeeArgs {
    pub(super) fn exposed(&self) -> Exposed {
        match self.metrics {
            Metrics::Admin => Exposed::Admin,
            Metrics::Open => Exposed::Open,
            Metrics::Off => Exposed::Off,
        }
    }

    pub(super) fn logs(&self) -> Logs {
        let format = match self.log_format {
            LogFormat::Text => Format::Text,
            LogFormat::Json => Format::Json,
        };
        Logs {
            format,
            filter: self.log.0.clone(),
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Metrics {
    Admin,
    Open,
    Off,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

/// A filter that was understood once.
#[derive(Debug, Clone)]
struct Filter(String);

impl FromStr for Filter {
    type Err = tracing_subscriber::filter::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        EnvFilter::builder().parse(text)?;
        Ok(Self(text.to_owned()))
    }
}
