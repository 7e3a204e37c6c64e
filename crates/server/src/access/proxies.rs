//! Proxies in front of the server, and who is behind them.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use thiserror::Error;

/// Addresses that have their first bits in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// How many bits; all of them for a single address.
    bits: u32,
}

/// What is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a network is an address, or one and how many of its bits count: 10.0.0.0/8")]
pub struct BadNetwork;

impl FromStr for Network {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| BadNetwork)?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().map_err(|_| BadNetwork)?,
            None => all,
        };
        if bits > all {
            return Err(BadNetwork);
        }
        Ok(Self { address, bits })
    }
}

impl Network {
    /// Whether `address` is one of it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differ = u32::from(own) ^ u32::from(other);
                differ.leading_zeros() >= self.bits
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differ = u128::from(own) ^ u128::from(other);
                differ.leading_zeros() >= self.bits
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// The proxies that are believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proxies(pub Vec<Network>);

impl Proxies {
    /// Whether `address` is one of them.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// Who is behind them: each has written at the end of `X-Forwarded-For` whom it
    /// speaks for, so that only what stands behind the last stranger is true.
    #[must_use]
    pub fn client(&self, remote: IpAddr, forwarded_for: &[&str]) -> IpAddr {
        let named = forwarded_for.iter().rev();
        let mut named = named.flat_map(|line| line.rsplit(','));
        let mut client = remote;
        while self.contain(client) {
            let Some(address) = named.next().and_then(address_in) else {
                break;
            };
            client = address;
        }
        client
    }
}

/// An address, possibly with its port, as some proxies write it.
fn address_in(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse().map(|address: SocketAddr| address.ip());
    let address: IpAddr = text.parse().or_else(|_| with_port()).ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn networks_are_addresses_that_begin_alike() {
        let table = [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false),
            ("0.0.0.0/0", "203.0.113.1", true),
            ("0.0.0.0/0", "::1", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
        ];
        for (network, address, expected) in table {
            let network: Network = network.parse().unwrap();
            assert_eq!(
                network.contains(ip(address)),
                expected,
                "{network:?} {address}"
            );
        }
        for text in ["", "10.0.0", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "a/8"] {
            assert_eq!(text.parse::<Network>(), Err(BadNetwork), "{text}");
        }
    }

    #[test]
    fn only_what_a_proxy_has_added_is_believed() {
        let proxies = Proxies(vec!["10.0.0.0/8".parse().unwrap()]);
        let check = |remote, lines: &[&str], expected| {
            assert_eq!(proxies.client(ip(remote), lines), ip(expected), "{lines:?}");
        };
        check("203.0.113.1", &["192.0.2.1"], "203.0.113.1");
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &["192.0.2.1"], "192.0.2.1");
        check("10.0.0.1", &["192.0.2.1:4711"], "192.0.2.1");
        check("10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1");
        check("10.0.0.1", &["::ffff:192.0.2.1"], "192.0.2.1");
        check(
            "10.0.0.1",
            &["198.51.100.1, 192.0.2.1,10.0.0.2"],
            "192.0.2.1",
        );
        check("10.0.0.1", &["198.51.100.1", "192.0.2.1"], "192.0.2.1");
        check("10.0.0.1", &["198.51.100.1, rubbish"], "10.0.0.1");
        check("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3");
    }
}
