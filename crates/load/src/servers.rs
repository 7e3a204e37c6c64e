//! The servers under test: started for one measurement each, on free ports and bound to
//! given cores, or running already.

mod child;
mod janus;
mod own;

#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::path::PathBuf;

use anyhow::Result;
use tempfile::TempDir;

use crate::process::Process;
use crate::results::ServerInfo;
use crate::scenario::Target;
use crate::signalling::Signaller;
use child::Child;

/// A server to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// This project's, started here.
    Own {
        /// `twoway-server`, as users run it.
        program: PathBuf,
        /// Cores it is bound to, with a media worker for each; empty for all of them.
        cores: Vec<usize>,
    },
    /// Janus, started here.
    Janus {
        /// `janus`.
        program: PathBuf,
        /// Cores it is bound to; empty for all of them.
        cores: Vec<usize>,
    },
    /// Any that runs already.
    Running {
        /// What it is called in tables.
        name: String,
        /// Where it takes clients, and how it talks to them.
        address: Address,
        /// Its process, if it runs on this machine.
        pid: Option<u32>,
    },
}

/// Where a server takes clients, by the signalling it has there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Web Call Server's: `ws://` or `wss://`.
    WebCallServer(String),
    /// WHIP and WHEP: `http://` or `https://`, without the path to a stream.
    Http(String),
    /// Janus' JSON API over WebSocket: `ws://`.
    Janus(String),
}

/// A server that takes clients. One that was started here ends with this.
#[derive(Debug)]
#[must_use]
pub struct Started {
    /// Its name, version and cores.
    pub info: ServerInfo,
    /// Where it takes clients.
    pub address: Address,
    /// Its process, if that is known.
    pub process: Option<Process>,
    child: Option<Child>,
    /// What the program needs while it runs.
    _folder: Option<TempDir>,
}

impl Server {
    /// What it is called in tables.
    pub fn name(&self) -> &str {
        match self {
            Self::Own { .. } => "twoway",
            Self::Janus { .. } => "janus",
            Self::Running { name, .. } => name,
        }
    }

    /// Starts it and waits until it takes clients; one that runs already is only
    /// looked at.
    ///
    /// # Errors
    /// The program is missing or does not come up, or there is no such process.
    pub async fn start(&self) -> Result<Started> {
        match self {
            Self::Own { program, cores } => own::start(program, cores).await,
            Self::Janus { program, cores } => janus::start(program, cores).await,
            Self::Running { name, address, pid } => running(name, address, *pid).await,
        }
    }
}

impl Started {
    /// What scenarios are done to; WHIP and WHEP servers are shown `token`.
    ///
    /// # Errors
    /// The generator cannot talk to that address.
    pub fn target(&self, token: Option<&str>) -> Result<Target> {
        Ok(Target {
            signaller: Signaller::new(&self.address, token)?,
            process: self.process.clone(),
        })
    }

    /// One that was started here.
    fn new(info: ServerInfo, address: Address, child: Child, folder: TempDir) -> Result<Self> {
        Ok(Self {
            info,
            address,
            process: Some(Process::new(child.id())?),
            child: Some(child),
            _folder: Some(folder),
        })
    }

    /// Whether it was started here and has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_some_and(Child::has_ended)
    }
}

async fn running(name: &str, address: &Address, pid: Option<u32>) -> Result<Started> {
    let version = match address {
        Address::Janus(url) => Some(janus::version(url).await?),
        // Neither protocol has a place for it.
        Address::WebCallServer(_) | Address::Http(_) => None,
    };
    Ok(Started {
        info: ServerInfo {
            name: name.to_owned(),
            version,
            cores: Vec::new(),
        },
        address: address.clone(),
        process: pid.map(Process::new).transpose()?,
        child: None,
        _folder: None,
    })
}
