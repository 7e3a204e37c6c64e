//! Where media is bound, what clients are told, and who can reach that.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;

use super::StartError;
use super::address::PublicAddress;
use super::config::{Config, Transports};

/// Where clients reach the media.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// The addresses that clients are told, every worker's, each once.
    pub addresses: Vec<SocketAddr>,
    /// The port that each worker has here, of UDP and TCP alike.
    pub ports: Vec<u16>,
    /// Over what.
    pub transports: Transports,
    /// What an operator should know about them.
    pub notes: Vec<Note>,
}

/// Who cannot reach the media. `Display` is one sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// There is no IPv6 here.
    NoIpv6,
    /// Nobody but programs on this machine.
    OnlyThisMachine,
    /// The addresses are a container's own.
    Container(IpAddr),
    /// Nobody outside this host's network.
    OnlyThisNetwork,
    /// Nobody outside this host's network by IPv4.
    OnlyThisNetworkByIpv4,
}

impl Note {
    /// Clients will most likely not connect.
    pub fn is_warning(&self) -> bool {
        match self {
            Self::OnlyThisMachine | Self::Container(_) => true,
            Self::NoIpv6 | Self::OnlyThisNetwork | Self::OnlyThisNetworkByIpv4 => false,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoIpv6 => f.write_str("this host has no IPv6, so media goes over IPv4 only"),
            Self::OnlyThisMachine => f.write_str(
                "only programs on this machine can reach its media: give --public-address \
                 with the address at which clients reach it",
            ),
            Self::Container(ip) => write!(
                f,
                "this is a container and clients outside it cannot reach {ip}: publish the \
                 media ports (UDP and TCP) and give --public-address with the host's address",
            ),
            Self::OnlyThisNetwork => f.write_str(
                "clients outside this network can reach its media only with --public-address \
                 and the address at which they reach this host",
            ),
            Self::OnlyThisNetworkByIpv4 => f.write_str(
                "clients outside this network that have no IPv6 can reach its media only with \
                 --public-address and the IPv4 address at which they reach this host",
            ),
        }
    }
}

/// What a host has to offer.
#[derive(Debug, Clone)]
pub(super) struct Host {
    /// Its interfaces' addresses.
    pub(super) own: Vec<IpAddr>,
    has_ipv6: bool,
    in_container: bool,
}

impl Host {
    /// This host.
    ///
    /// # Errors
    /// The interfaces cannot be listed.
    pub(super) fn look() -> io::Result<Self> {
        let interfaces = if_addrs::get_if_addrs()?;
        let own: Vec<_> = interfaces.iter().map(if_addrs::Interface::ip).collect();
        let has_ipv6 =
            own.iter().any(IpAddr::is_ipv6) && UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).is_ok();
        Ok(Self {
            own,
            has_ipv6,
            in_container: in_container(),
        })
    }
}

/// As Docker, Podman and Kubernetes can be told.
fn in_container() -> bool {
    ["/.dockerenv", "/run/.containerenv"]
        .iter()
        .any(|path| Path::new(path).exists())
        || std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
}

/// What to bind, and what to tell clients.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// One address a family at most.
    pub(super) binds: Vec<IpAddr>,
    /// Each once; loopback last, which only a client on this machine can use.
    pub(super) told: Vec<PublicAddress>,
    pub(super) notes: Vec<Note>,
}

impl Plan {
    /// For `config` on `host`.
    ///
    /// # Errors
    /// The operator's addresses do not go together, or there are none at all.
    pub(super) fn make(config: &Config, host: &Host) -> Result<Self, StartError> {
        let binds = binds(config, host)?;
        let told = told(config, host, &binds)?;
        if told.is_empty() {
            return Err(StartError::NoAddress);
        }
        let mut notes = Vec::new();
        if config.bind.is_empty() && !host.has_ipv6 {
            notes.push(Note::NoIpv6);
        }
        notes.extend(limit(config, host, &told));
        Ok(Self { binds, told, notes })
    }

    /// What clients are told of worker `index`, which has `port`.
    ///
    /// # Errors
    /// There are not enough ports.
    pub(super) fn candidates(
        &self,
        index: usize,
        port: u16,
    ) -> Result<Vec<SocketAddr>, StartError> {
        let addresses = self.told.iter().map(|told| told.of_worker(index, port));
        addresses
            .collect::<Option<_>>()
            .ok_or(StartError::TooFewPorts)
    }
}

fn binds(config: &Config, host: &Host) -> Result<Vec<IpAddr>, StartError> {
    let mut binds: Vec<_> = config.bind.iter().map(IpAddr::to_canonical).collect();
    if binds.is_empty() {
        binds.push(Ipv4Addr::UNSPECIFIED.into());
        if host.has_ipv6 {
            binds.push(Ipv6Addr::UNSPECIFIED.into());
        }
    }
    let (v4, v6): (Vec<IpAddr>, Vec<_>) = binds.iter().partition(|ip| ip.is_ipv4());
    if v4.len() > 1 || v6.len() > 1 {
        return Err(StartError::TwoBinds);
    }
    Ok(binds)
}

fn told(config: &Config, host: &Host, binds: &[IpAddr]) -> Result<Vec<PublicAddress>, StartError> {
    let bound_to = |ip: IpAddr| binds.iter().find(|bind| bind.is_ipv4() == ip.is_ipv4());
    let mut told: Vec<PublicAddress> = Vec::new();
    for public in &config.public_addresses {
        if bound_to(public.ip()).is_none() {
            return Err(StartError::FamilyNotBound(public.ip()));
        }
        if !told.contains(public) {
            told.push(*public);
        }
    }
    if told.is_empty() {
        for ip in &host.own {
            let served = bound_to(*ip).is_some_and(|bind| bind.is_unspecified() || bind == ip);
            // Link-local ones are no such addresses.
            if served
                && let Ok(own) = PublicAddress::new(*ip, None)
                && !told.contains(&own)
            {
                told.push(own);
            }
        }
        // An address that no interface lists, such as 127.0.0.2, can be bound.
        for bind in binds {
            if let Ok(bind) = PublicAddress::new(*bind, None)
                && !told.contains(&bind)
            {
                told.push(bind);
            }
        }
    }
    told.sort_by_key(|told| told.ip().is_loopback());
    Ok(told)
}

/// Who cannot reach what clients are told.
fn limit(config: &Config, host: &Host, told: &[PublicAddress]) -> Option<Note> {
    let mut beyond = told.iter().map(|told| told.ip());
    let Some(first) = beyond.find(|ip| !ip.is_loopback()) else {
        return Some(Note::OnlyThisMachine);
    };
    if !config.public_addresses.is_empty() {
        return None;
    }
    let public = |v4: bool| {
        let mut ips = told.iter().map(|told| told.ip());
        ips.any(|ip| ip.is_ipv4() == v4 && !is_private(ip))
    };
    match (public(true), public(false)) {
        (true, _) => None,
        (false, true) => Some(Note::OnlyThisNetworkByIpv4),
        (false, false) if host.in_container => Some(Note::Container(first)),
        (false, false) => Some(Note::OnlyThisNetwork),
    }
}

/// Of this host or its network (RFC 1918, RFC 4193), or of a provider's behind
/// its NAT (RFC 6598).
pub(super) fn is_private(ip: IpAddr) -> bool {
    ip.is_loopback()
        || match ip {
            IpAddr::V4(ip) => {
                let [a, b, ..] = ip.octets();
                ip.is_private() || a == 100 && (64..128).contains(&b)
            }
            IpAddr::V6(ip) => ip.is_unique_local(),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(list: &[&str]) -> Vec<IpAddr> {
        list.iter().map(|ip| ip.parse().unwrap()).collect()
    }

    fn host(own: &[&str]) -> Host {
        Host {
            own: ips(own),
            has_ipv6: own.iter().any(|ip| ip.contains(':')),
            in_container: false,
        }
    }

    fn config(bind: &[&str], public: &[&str]) -> Config {
        Config {
            bind: ips(bind),
            public_addresses: public.iter().map(|p| p.parse().unwrap()).collect(),
            ..Config::default()
        }
    }

    fn told(plan: &Plan) -> Vec<String> {
        plan.told.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_hosts_own_addresses_are_told_once_loopback_last() {
        let own = &[
            "127.0.0.1",
            "::1",
            "192.0.2.7",
            "169.254.3.4",
            "fe80::1",
            "2001:db8::1",
            "192.0.2.7",
        ];
        let plan = Plan::make(&config(&[], &[]), &host(own)).unwrap();
        assert_eq!(plan.binds, ips(&["0.0.0.0", "::"]));
        assert_eq!(
            told(&plan),
            ["192.0.2.7", "2001:db8::1", "127.0.0.1", "::1"]
        );
        let expected: Vec<SocketAddr> = [
            "192.0.2.7:31002",
            "[2001:db8::1]:31002",
            "127.0.0.1:31002",
            "[::1]:31002",
        ]
        .map(|a| a.parse().unwrap())
        .to_vec();
        assert_eq!(plan.candidates(1, 31_002).unwrap(), expected);
    }

    #[test]
    fn what_is_bound_limits_what_is_told() {
        let own = &["192.0.2.7", "127.0.0.1", "::1"];
        /// Bound addresses, then the expected ones.
        type Case<'a> = (&'a [&'a str], &'a [&'a str]);
        let table: &[Case<'_>] = &[
            (&["0.0.0.0"], &["192.0.2.7", "127.0.0.1"]),
            (&["::"], &["::1"]),
            (&["127.0.0.1"], &["127.0.0.1"]),
            (&["127.0.0.2"], &["127.0.0.2"]),
            (&["192.0.2.7", "::1"], &["192.0.2.7", "::1"]),
        ];
        for (bind, expected) in table {
            let plan = Plan::make(&config(bind, &[]), &host(own)).unwrap();
            assert_eq!(told(&plan), *expected, "{bind:?}");
            assert_eq!(plan.binds, ips(bind));
        }
    }

    #[test]
    fn the_operators_addresses_replace_the_hosts() {
        let public = &["203.0.113.9", "198.51.100.2:4000", "203.0.113.9"];
        let plan = Plan::make(&config(&[], public), &host(&["10.0.0.2", "::1"])).unwrap();
        assert_eq!(told(&plan), ["203.0.113.9", "198.51.100.2:4000"]);
        assert_eq!(plan.notes, []);
        let relayed = config(&["127.0.0.1"], &["127.0.0.2"]);
        let plan = Plan::make(&relayed, &host(&["10.0.0.2"])).unwrap();
        assert_eq!(told(&plan), ["127.0.0.2"]);
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let refusal = |bind: &[&str], public: &[&str], own: &[&str]| {
            let plan = Plan::make(&config(bind, public), &host(own));
            plan.unwrap_err().to_string()
        };
        let own = &["10.0.0.2", "::1"];
        let two = refusal(&["127.0.0.1", "10.0.0.2"], &[], own);
        assert!(two.contains("--media-bind"), "{two}");
        let v6 = refusal(&["0.0.0.0"], &["2001:db8::1"], own);
        assert!(v6.contains("2001:db8::1"), "{v6}");
        let none = refusal(&["0.0.0.0"], &[], &["169.254.0.1", "::1"]);
        assert!(none.contains("--public-address"), "{none}");
        let plan = Plan::make(&config(&[], &["203.0.113.9:65535"]), &host(own)).unwrap();
        let ports = plan.candidates(1, 31_002).unwrap_err().to_string();
        assert!(ports.contains("--public-address"), "{ports}");
    }

    #[test]
    fn an_operator_is_told_who_cannot_reach_the_media() {
        let container = |own| Host {
            in_container: true,
            ..host(own)
        };
        let notes = |host: Host| Plan::make(&config(&[], &[]), &host).unwrap().notes;
        let ip = |ip: &str| ip.parse().unwrap();

        assert_eq!(notes(host(&["127.0.0.1", "::1"])), [Note::OnlyThisMachine]);
        assert_eq!(
            notes(host(&["127.0.0.1", "192.168.0.2"])),
            [Note::NoIpv6, Note::OnlyThisNetwork]
        );
        for private in ["10.1.2.3", "172.31.0.1", "100.64.0.1", "fd00::1"] {
            let own = ["127.0.0.1", private, "::1"];
            assert_eq!(notes(host(&own)), [Note::OnlyThisNetwork], "{private}");
        }
        assert_eq!(
            notes(container(&["127.0.0.1", "::1", "172.17.0.2"])),
            [Note::Container(ip("172.17.0.2"))]
        );
        assert_eq!(notes(container(&["::1", "203.0.113.2"])), []);
        assert_eq!(notes(host(&["::1", "100.128.0.1"])), []);
        assert_eq!(
            notes(host(&["192.168.0.2", "2001:db8::2"])),
            [Note::OnlyThisNetworkByIpv4]
        );
        assert!(Note::OnlyThisMachine.is_warning() && !Note::NoIpv6.is_warning());
    }
}
