//! The servers asked for, the cores of each side, and one measurement.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use load::cores;
use load::results::{Outcome, Scenario, ServerInfo};
use load::scenario::{self, Stage, Timing};
use load::servers::Server;

use crate::arguments::{Other, ServerArgs};

/// What measures: servers, and what they are asked with.
pub(crate) struct Rig {
    pub(crate) servers: Vec<Server>,
    token: Option<String>,
}

impl Rig {
    /// From the command line; binds this process to its cores.
    ///
    /// # Errors
    /// A core or a program is missing, or names are not told apart.
    pub(crate) fn new(args: &ServerArgs, with_own: bool) -> Result<Self> {
        let sides = Sides::of(args)?;
        let own = with_own.then(|| -> Result<Server> {
            Ok(Server::Own {
                program: own_program(args)?,
                cores: sides.server.clone(),
            })
        });
        let others = args.against.iter().map(|other| match other {
            Other::Janus => Server::Janus {
                program: args.janus.clone(),
                cores: sides.server.clone(),
            },
        });
        let running = args.server.iter().cloned().map(Server::from);
        let mut servers = Vec::new();
        servers.extend(own.transpose()?);
        servers.extend(others.chain(running));
        for (index, server) in servers.iter().enumerate() {
            let name = server.name();
            let same = servers[..index].iter().any(|other| other.name() == name);
            ensure!(
                !same,
                "two servers are called {name}: give one another name"
            );
        }
        ensure!(
            !servers.is_empty(),
            "there is no server to measure: name one with --server"
        );
        cores::bind(&sides.generator)?;
        Ok(Self {
            servers,
            token: token(args)?,
        })
    }

    /// Runs one scenario against a server that is fresh, if it is started here. Also
    /// tells what the server says of itself, once it is up.
    pub(crate) async fn measure(
        &self,
        server: &Server,
        scenario: &Scenario,
        timing: &Timing,
        stage: &dyn Fn(Stage),
    ) -> (Option<ServerInfo>, Outcome) {
        let mut started = match server.start().await {
            Ok(started) => started,
            Err(error) => return (None, Outcome::Failed(format!("{error:#}"))),
        };
        let info = Some(started.info.clone());
        let target = match started.target(self.token.as_deref()) {
            Ok(target) => target,
            Err(error) => return (info, Outcome::Failed(format!("{error:#}"))),
        };
        let outcome = scenario::run(scenario, &target, timing, stage).await;
        if started.has_ended() {
            let name = server.name();
            return (
                info,
                Outcome::Failed(format!("{name} ended by itself meanwhile")),
            );
        }
        (info, outcome)
    }
}

/// The cores of each side; empty for all.
struct Sides {
    server: Vec<usize>,
    generator: Vec<usize>,
}

impl Sides {
    /// By default the server has the last core for itself, so that figures are for one
    /// core, and the generator has the others; a single core is shared.
    fn of(args: &ServerArgs) -> Result<Self> {
        let given = (&args.server_cores, &args.generator_cores);
        if given.0.is_empty() && given.1.is_empty() && !cfg!(target_os = "linux") {
            return Ok(Self {
                server: Vec::new(),
                generator: Vec::new(),
            });
        }
        Ok(Self::split(&cores::available()?, given.0, given.1))
    }

    fn split(all: &[usize], server: &[usize], generator: &[usize]) -> Self {
        let without = |taken: &[usize]| -> Vec<usize> {
            let left = all.iter().filter(|core| !taken.contains(core));
            left.copied().collect()
        };
        let server = match server {
            [] if all.len() > 1 => without(generator).last().copied().into_iter().collect(),
            given => given.to_vec(),
        };
        let generator = match generator {
            [] => without(&server),
            given => given.to_vec(),
        };
        Self { server, generator }
    }
}

fn own_program(args: &ServerArgs) -> Result<PathBuf> {
    let program = match &args.program {
        Some(program) => program.clone(),
        None => env::current_exe()
            .context("cannot tell where this program is: give --program")?
            .with_file_name(format!("twoway-server{}", env::consts::EXE_SUFFIX)),
    };
    ensure!(
        program.is_file(),
        "there is no server {}: build it, or name another one with --program",
        program.display()
    );
    Ok(program)
}

fn token(args: &ServerArgs) -> Result<Option<String>> {
    let token = match &args.token_file {
        Some(path) => Some(
            fs::read_to_string(path)
                .with_context(|| format!("cannot read the token file {}", path.display()))?,
        ),
        None => env::var("TWOWAY_TOKEN").ok(),
    };
    Ok(token.map(|token| token.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(all: &[usize], given: (&[usize], &[usize]), expected: (&[usize], &[usize])) {
        let sides = Sides::split(all, given.0, given.1);
        assert_eq!((&*sides.server, &*sides.generator), expected);
    }

    #[test]
    fn server_and_generator_share_no_core_if_there_are_two() {
        check(&[0, 1], (&[], &[]), (&[1], &[0]));
        check(&[0, 1, 2, 3], (&[], &[]), (&[3], &[0, 1, 2]));
        check(&[0, 1, 2, 3], (&[0, 1], &[]), (&[0, 1], &[2, 3]));
        check(&[0, 1, 2, 3], (&[], &[2, 3]), (&[1], &[2, 3]));
        check(&[0, 1], (&[0, 1], &[0]), (&[0, 1], &[0]));
    }

    #[test]
    fn one_core_is_shared() {
        check(&[5], (&[], &[]), (&[], &[5]));
    }
}
