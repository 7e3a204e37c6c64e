//! An address as an operator gives it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use thiserror::Error;

/// An address at which clients reach this host: `203.0.113.5`, or with the port
/// that a NAT maps to the first worker's, `203.0.113.5:40000`; of IPv6
/// `2001:db8::5` and `[2001:db8::5]:40000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicAddress {
    ip: IpAddr,
    port: Option<u16>,
}

/// Why an address cannot be one that clients reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PublicAddressError {
    /// No address.
    #[error("not an IP address, alone or with a port (a host name is none)")]
    Syntax,
    /// `0.0.0.0` or `::`.
    #[error("{0} stands for every address of a host: name the one that clients reach it at")]
    Unspecified(IpAddr),
    /// A group of hosts.
    #[error("{0} is no address of one host")]
    NotOneHost(IpAddr),
    /// It needs a zone to be reached, which a candidate lacks.
    #[error("{0} is link-local, which clients cannot be told")]
    LinkLocal(IpAddr),
    /// Port 0.
    #[error("port 0 is no port that clients could reach")]
    NoPort,
}

impl PublicAddress {
    /// `port` is the first worker's as clients see it, the others follow; `None`
    /// if it is the one that the worker has.
    ///
    /// # Errors
    /// No client could reach that.
    pub fn new(ip: IpAddr, port: Option<u16>) -> Result<Self, PublicAddressError> {
        let ip = ip.to_canonical();
        if ip.is_unspecified() {
            Err(PublicAddressError::Unspecified(ip))
        } else if ip.is_multicast() || matches!(ip, IpAddr::V4(ip) if ip.is_broadcast()) {
            Err(PublicAddressError::NotOneHost(ip))
        } else if is_link_local(ip) {
            Err(PublicAddressError::LinkLocal(ip))
        } else if port == Some(0) {
            Err(PublicAddressError::NoPort)
        } else {
            Ok(Self { ip, port })
        }
    }

    /// Without the port.
    pub fn ip(self) -> IpAddr {
        self.ip
    }

    /// The address of worker `index`, whose own port is `own`; `None` if the
    /// ports end before.
    pub(super) fn of_worker(self, index: usize, own: u16) -> Option<SocketAddr> {
        let port = match self.port {
            Some(first) => u16::try_from(usize::from(first) + index).ok()?,
            None => own,
        };
        Some(SocketAddr::new(self.ip, port))
    }
}

impl FromStr for PublicAddress {
    type Err = PublicAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(ip) = text.parse() {
            return Self::new(ip, None);
        }
        let address: SocketAddr = text.parse().map_err(|_| PublicAddressError::Syntax)?;
        Self::new(address.ip(), Some(address.port()))
    }
}

impl fmt::Display for PublicAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => SocketAddr::new(self.ip, port).fmt(f),
            None => self.ip.fmt(f),
        }
    }
}

/// Link-local addresses need a zone to be reached, which a candidate lacks.
fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_a_port() {
        let table = [
            ("203.0.113.5", "203.0.113.5:31002"),
            ("203.0.113.5:40000", "203.0.113.5:40001"),
            ("2001:db8::5", "[2001:db8::5]:31002"),
            ("[2001:db8::5]:40000", "[2001:db8::5]:40001"),
            ("::ffff:203.0.113.5", "203.0.113.5:31002"),
        ];
        for (text, second_worker) in table {
            let address: PublicAddress = text.parse().unwrap();
            let expected = second_worker.parse().unwrap();
            assert_eq!(address.of_worker(1, 31_002), Some(expected), "{text}");
        }
        let last: PublicAddress = "203.0.113.5:65535".parse().unwrap();
        assert!(last.of_worker(0, 1).is_some());
        assert_eq!(last.of_worker(1, 1), None);
    }

    #[test]
    fn what_no_client_could_reach_is_refused() {
        let table = [
            ("", "not an IP address"),
            ("example.com", "a host name is none"),
            ("203.0.113.5:", "not an IP address"),
            ("203.0.113.5:70000", "not an IP address"),
            ("0.0.0.0", "stands for every address"),
            ("[::]:40000", "stands for every address"),
            ("224.0.0.1", "one host"),
            ("255.255.255.255", "one host"),
            ("ff02::1", "one host"),
            ("169.254.1.1", "link-local"),
            ("fe80::1", "link-local"),
            ("203.0.113.5:0", "port 0"),
        ];
        for (text, expected) in table {
            let error = text.parse::<PublicAddress>().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
