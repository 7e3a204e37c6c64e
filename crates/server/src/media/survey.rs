//! What a start would meet, without a start.

use std::io;
use std::net::{IpAddr, SocketAddr};

use super::StartError;
use super::config::Config;
use super::reach::{Host, Note, Plan, is_private};
use super::socket::Socket;
use super::tcp::Listener;

/// What is there for media.
#[derive(Debug)]
pub(crate) struct Survey {
    /// What clients would be told, of the first worker.
    pub(crate) told: Vec<Told>,
    /// What an operator should know about that.
    pub(crate) notes: Vec<Note>,
    /// Every socket that a start would bind; none if it takes any free ports.
    pub(crate) tried: Vec<Tried>,
}

/// An address that clients are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) address: SocketAddr,
    /// Where the first worker is bound, whose packets come to `address`.
    pub(crate) bound: SocketAddr,
    /// An interface of this host has it.
    pub(crate) is_own: bool,
    /// It is of this host or its network.
    pub(crate) is_private: bool,
}

/// A socket that was bound for a moment, or could not be.
#[derive(Debug)]
pub(crate) struct Tried {
    /// `UDP` or `TCP`.
    pub(crate) protocol: &'static str,
    pub(crate) address: SocketAddr,
    pub(crate) result: io::Result<()>,
}

impl Survey {
    /// Looks at this host for what `config` asks of it. Blocks.
    ///
    /// # Errors
    /// A start would fail whatever ports are free.
    pub(crate) fn make(config: &Config) -> Result<Self, StartError> {
        let host = Host::look().map_err(StartError::Interfaces)?;
        let plan = Plan::make(config, &host)?;
        let mut tried = Vec::new();
        for index in 0..config.workers.get() {
            let port = own_port(config.first_port, index)?;
            plan.candidates(index, port)?;
            if port != 0 {
                tried.extend(plan.binds.iter().flat_map(|ip| try_all(*ip, port, config)));
            }
        }
        let told = plan.candidates(0, config.first_port)?;
        let told = told.into_iter().filter_map(|address| {
            let same_family = |ip: &&IpAddr| ip.is_ipv4() == address.is_ipv4();
            let bound = plan.binds.iter().find(same_family)?;
            Some(Told {
                address,
                bound: SocketAddr::new(*bound, config.first_port),
                // Of 127.0.0.0/8, interfaces list the first alone.
                is_own: host.own.contains(&address.ip()) || address.ip().is_loopback(),
                is_private: is_private(address.ip()),
            })
        });
        Ok(Self {
            told: told.collect(),
            notes: plan.notes,
            tried,
        })
    }
}

/// The port of worker `index`; 0 if it takes any.
fn own_port(first: u16, index: usize) -> Result<u16, StartError> {
    if first == 0 {
        return Ok(0);
    }
    u16::try_from(usize::from(first) + index).map_err(|_| StartError::TooFewPorts)
}

fn try_all(ip: IpAddr, port: u16, config: &Config) -> Vec<Tried> {
    let address = SocketAddr::new(ip, port);
    let mut tried = Vec::new();
    let mut keep = |protocol, result| {
        tried.push(Tried {
            protocol,
            address,
            result,
        });
    };
    if config.transports.udp() {
        keep("UDP", Socket::bind(address, 0, &[]).map(drop));
    }
    if config.transports.tcp() {
        keep("TCP", Listener::bind(address).map(drop));
    }
    tried
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, UdpSocket};
    use std::num::NonZeroUsize;

    use super::*;

    fn config(first_port: u16, public: &[&str]) -> Config {
        Config {
            workers: NonZeroUsize::MIN,
            bind: vec![Ipv4Addr::LOCALHOST.into()],
            first_port,
            public_addresses: public.iter().map(|p| p.parse().unwrap()).collect(),
            ..Config::default()
        }
    }

    #[test]
    fn a_port_that_somebody_has_is_told_by_protocol() {
        let other = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = other.local_addr().unwrap().port();
        let survey = Survey::make(&config(port, &[])).unwrap();
        let udp = survey.tried.iter().find(|tried| tried.protocol == "UDP");
        let error = udp.unwrap().result.as_ref().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn what_clients_are_told_is_this_hosts_or_not() {
        let survey = Survey::make(&config(0, &["127.0.0.1", "203.0.113.5:4000"])).unwrap();
        let told: Vec<_> = survey.told.iter().map(|told| told.is_own).collect();
        // Loopback is told last.
        assert_eq!(told, [false, true]);
        assert_eq!(survey.told[0].address.to_string(), "203.0.113.5:4000");
        assert!(!survey.told[0].is_private && survey.told[1].is_private);
        assert!(survey.tried.is_empty());
    }

    #[test]
    fn ports_may_not_end_before_the_workers_do() {
        let config = Config {
            workers: NonZeroUsize::new(3).unwrap(),
            ..config(65_534, &[])
        };
        assert!(matches!(
            Survey::make(&config),
            Err(StartError::TooFewPorts)
        ));
    }
}
