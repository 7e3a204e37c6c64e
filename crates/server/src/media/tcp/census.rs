//! Who has how many of a worker's TCP connections.
//!
//! A connection is a stranger's until it is proven. Strangers are few, and the
//! oldest makes room for the next one, so that a client, which is a stranger for
//! a round trip only, gets through a crowd of them.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};

use mio::Token;

/// Most strangers.
const STRANGERS: usize = 256;

/// Most of them from one address.
const STRANGERS_PER_ADDRESS: usize = 32;

/// See the module.
#[derive(Debug)]
pub(super) struct Census {
    most: usize,
    most_per_address: usize,
    open: usize,
    by_address: HashMap<IpAddr, Share>,
    /// In the order that they came, which is that of tokens.
    strangers: BTreeSet<Token>,
}

/// What one address has.
#[derive(Debug, Default)]
struct Share {
    open: usize,
    strangers: usize,
}

impl Census {
    /// For `most` connections, and so many of one address.
    pub(super) fn new(most: usize, most_per_address: usize) -> Self {
        Self {
            most,
            most_per_address,
            open: 0,
            by_address: HashMap::new(),
            strangers: BTreeSet::new(),
        }
    }

    /// One more may come from `ip`.
    pub(super) fn has_room(&self, ip: IpAddr) -> bool {
        let share = self.by_address.get(&network(ip));
        self.open < self.most
            && share.is_none_or(|share| {
                share.open < self.most_per_address && share.strangers < STRANGERS_PER_ADDRESS
            })
    }

    /// A stranger has come; the one that has to go.
    pub(super) fn add(&mut self, ip: IpAddr, token: Token) -> Option<Token> {
        let share = self.by_address.entry(network(ip)).or_default();
        share.open += 1;
        share.strangers += 1;
        self.open += 1;
        self.strangers.insert(token);
        if self.strangers.len() > STRANGERS {
            self.oldest_stranger()
        } else {
            None
        }
    }

    /// It is a stranger's no more.
    pub(super) fn prove(&mut self, ip: IpAddr, token: Token) {
        if self.strangers.remove(&token)
            && let Some(share) = self.by_address.get_mut(&network(ip))
        {
            share.strangers -= 1;
        }
    }

    /// It is over.
    pub(super) fn remove(&mut self, ip: IpAddr, token: Token) {
        self.prove(ip, token);
        self.open -= 1;
        let network = network(ip);
        if let Some(share) = self.by_address.get_mut(&network) {
            share.open -= 1;
            if share.open == 0 {
                self.by_address.remove(&network);
            }
        }
    }

    pub(super) fn is_stranger(&self, token: Token) -> bool {
        self.strangers.contains(&token)
    }

    pub(super) fn oldest_stranger(&self) -> Option<Token> {
        self.strangers.first().copied()
    }
}

/// What counts as one address: of IPv6 a network, whose addresses are one's to
/// choose from (RFC 4291 section 2.5.4).
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn strangers_of_one_address_are_few() {
        let mut census = Census::new(1_000, 1_000);
        for token in 0..STRANGERS_PER_ADDRESS {
            assert!(census.has_room(ip("2001:db8::1")));
            assert_eq!(census.add(ip("2001:db8::1"), Token(token)), None);
        }
        let table = [
            ("2001:db8::1", false),
            ("2001:db8::ffff:1", false),
            ("2001:db8:0:1::1", true),
            ("192.0.2.1", true),
        ];
        for (other, room) in table {
            assert_eq!(census.has_room(ip(other)), room, "{other}");
        }
        census.prove(ip("2001:db8::1"), Token(3));
        assert!(census.has_room(ip("2001:db8::2")), "one is known now");
        assert!(!census.is_stranger(Token(3)) && census.is_stranger(Token(4)));
    }

    #[test]
    fn the_oldest_stranger_makes_room() {
        let mut census = Census::new(1_000, 1_000);
        let address = |index: usize| IpAddr::from([10, 0, (index / 30) as u8, 1]);
        for index in 0..STRANGERS {
            assert_eq!(census.add(address(index), Token(index)), None);
        }
        census.prove(address(0), Token(0));
        assert_eq!(census.add(address(999), Token(999)), None);
        assert_eq!(census.add(address(1_000), Token(1_000)), Some(Token(1)));
        census.remove(address(1), Token(1));
        assert_eq!(census.oldest_stranger(), Some(Token(2)));
    }

    #[test]
    fn proven_connections_have_limits_too() {
        let mut census = Census::new(3, 2);
        for (token, from) in ["10.0.0.1", "10.0.0.1", "10.0.0.2"].iter().enumerate() {
            assert!(census.has_room(ip(from)));
            census.add(ip(from), Token(token));
            census.prove(ip(from), Token(token));
        }
        assert!(!census.has_room(ip("10.0.0.3")), "all are taken");
        census.remove(ip("10.0.0.2"), Token(2));
        assert!(census.has_room(ip("10.0.0.3")));
        assert!(!census.has_room(ip("10.0.0.1")), "that one has two");
        census.remove(ip("10.0.0.1"), Token(0));
        census.remove(ip("10.0.0.1"), Token(1));
        assert!(census.by_address.is_empty() && census.strangers.is_empty());
        assert_eq!(census.open, 0);
    }
}
