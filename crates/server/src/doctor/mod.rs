//! `twoway-server doctor`: what of this host would keep the server from its clients.
//!
//! [`examine`] looks, and changes nothing; it says of each thing whether it is right,
//! and if not, what to do. Looking and judging are apart: what is judged is a value,
//! so that every judgement can be tested without a host that is wrong in that way.

mod certificate;
mod clock;
mod configuration;
pub mod health;
mod hook;
mod ports;
mod reach;
mod report;
mod rights;
mod secrets;
mod system;

use std::time::SystemTime;

pub use self::report::{Finding, Level, Report};
use crate::media::{self, Survey};
use crate::net;
use crate::settings::{Gathered, SettingsError};

/// Looks at this host for a server with these settings. Blocks, for some seconds at
/// most.
#[must_use]
pub fn examine(gathered: Result<Gathered, SettingsError>) -> Report {
    let understood = gathered.and_then(|gathered| Ok((gathered.clone().configs()?, gathered)));
    let findings = match understood {
        Ok(((config, media), gathered)) => {
            let mut findings = vec![configuration::right(&gathered)];
            findings.extend(look(&gathered, &config, &media));
            findings
        }
        Err(error) => configuration::wrong(&error),
    };
    Report::new(findings)
}

fn look(gathered: &Gathered, config: &net::Config, media: &media::Config) -> Vec<Finding> {
    let now = SystemTime::now();
    let running = health::is_served_at(config.listen);
    let mut findings = ports::signalling(config, running);
    match Survey::make(media) {
        Ok(survey) => {
            findings.extend(ports::media(&survey, running));
            findings.extend(reach::findings(&survey, media, running));
        }
        Err(error) => findings.push(Finding::wrong("media", error.to_string())),
    }
    findings.extend(system::findings(gathered, config, media));
    findings.extend(configuration::page(&config.page));
    findings.extend(rights::findings(gathered, config));
    findings.extend(secrets::findings(gathered));
    findings.push(certificate::finding(config, now));
    findings.extend(clock::findings(now));
    findings.extend(hook::finding(gathered));
    findings
}
