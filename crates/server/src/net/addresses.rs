//! How often each address comes, and how many WebSockets it has.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::allowance::Allowance;
use crate::limits::AddressLimits;

/// After so long without a visit an address may do all again that it may do at once:
/// there is nothing to remember of it.
const FORGET: Duration = Duration::from_secs(AddressLimits::BURST as u64);

/// Addresses that are kept before any is forgotten.
const FEW: usize = 1_024;

/// Every address that came of late.
#[derive(Debug, Clone, Default)]
pub(super) struct Addresses {
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    limits: AddressLimits,
    visits: HashMap<IpAddr, Visits>,
    /// With so many addresses it is time to forget some.
    full: usize,
}

#[derive(Debug)]
struct Visits {
    sockets: usize,
    connections: Allowance,
    requests: Allowance,
    last: Instant,
}

/// A WebSocket's place among those of its address, free again once it is dropped.
#[derive(Debug)]
pub(super) struct SocketPlace {
    table: Arc<Mutex<Table>>,
    address: IpAddr,
}

impl Addresses {
    /// Whether one more connection from `address` is within the limits.
    pub(super) fn may_connect(&self, address: IpAddr, limits: AddressLimits, now: Instant) -> bool {
        limits.connections_per_second == 0
            || self.visit(address, limits, now, |visits| {
                visits.connections.take(1, now)
            })
    }

    /// Whether one more request from `address` is within the limits.
    pub(super) fn may_ask(&self, address: IpAddr, limits: AddressLimits, now: Instant) -> bool {
        limits.requests_per_second == 0
            || self.visit(address, limits, now, |visits| visits.requests.take(1, now))
    }

    /// A place for one more WebSocket from `address`; `None` if there is none.
    pub(super) fn open_socket(
        &self,
        address: IpAddr,
        limits: AddressLimits,
        now: Instant,
    ) -> Option<SocketPlace> {
        let opened = self.visit(address, limits, now, |visits| {
            let free = limits.sockets == 0 || visits.sockets < limits.sockets;
            visits.sockets += usize::from(free);
            free
        });
        opened.then(|| SocketPlace {
            table: Arc::clone(&self.table),
            address: host(address),
        })
    }

    fn visit(
        &self,
        address: IpAddr,
        limits: AddressLimits,
        now: Instant,
        take: impl FnOnce(&mut Visits) -> bool,
    ) -> bool {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.go_by(limits);
        table.forget_some(now);
        let visits = table.visits.entry(host(address));
        let visits = visits.or_insert_with(|| Visits::new(limits, now));
        visits.last = now;
        take(visits)
    }
}

impl Table {
    /// Other limits than before hold for everybody from now on.
    fn go_by(&mut self, limits: AddressLimits) {
        if self.limits == limits {
            return;
        }
        self.limits = limits;
        for visits in self.visits.values_mut() {
            let sockets = visits.sockets;
            *visits = Visits {
                sockets,
                ..Visits::new(limits, visits.last)
            };
        }
    }

    /// Looks through all of them, but only after twice as many have come as stayed.
    fn forget_some(&mut self, now: Instant) {
        if self.visits.len() < self.full.max(FEW) {
            return;
        }
        self.visits.retain(|_, visits| {
            visits.sockets > 0 || now.saturating_duration_since(visits.last) < FORGET
        });
        self.full = self.visits.len().saturating_mul(2);
    }
}

impl Visits {
    fn new(limits: AddressLimits, now: Instant) -> Self {
        let allowance = |rate: u32| Allowance::new(rate, rate.saturating_mul(AddressLimits::BURST));
        Self {
            sockets: 0,
            connections: allowance(limits.connections_per_second),
            requests: allowance(limits.requests_per_second),
            last: now,
        }
    }
}

impl Drop for SocketPlace {
    fn drop(&mut self) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(visits) = table.visits.get_mut(&self.address) {
            visits.sockets -= 1;
        }
    }
}

/// What counts as one address: of IPv6 the network, in which a host can have any.
fn host(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            Ipv6Addr::from(network).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: AddressLimits = AddressLimits {
        sockets: 2,
        connections_per_second: 1,
        requests_per_second: 2,
    };

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_comes_so_often_and_others_do_not_matter() {
        let (addresses, start) = (Addresses::default(), Instant::now());
        let (one, other) = (ip("192.0.2.1"), ip("192.0.2.2"));
        let connects = |address, at| addresses.may_connect(address, LIMITS, at);
        let asks = |address, at| addresses.may_ask(address, LIMITS, at);
        assert_eq!((0..100).filter(|_| connects(one, start)).count(), 10);
        assert_eq!((0..100).filter(|_| asks(one, start)).count(), 20);
        assert!(connects(other, start) && asks(other, start));
        let later = start + Duration::from_secs(1);
        assert_eq!((0..100).filter(|_| connects(one, later)).count(), 1);
        assert_eq!((0..100).filter(|_| asks(one, later)).count(), 2);
        let unlimited = AddressLimits {
            connections_per_second: 0,
            requests_per_second: 0,
            ..LIMITS
        };
        assert!((0..100).all(|_| addresses.may_connect(one, unlimited, later)));
        assert!((0..100).all(|_| addresses.may_ask(one, unlimited, later)));
    }

    #[test]
    fn sockets_have_places_that_come_back() {
        let (addresses, now) = (Addresses::default(), Instant::now());
        let open = |address: &str| addresses.open_socket(ip(address), LIMITS, now);
        let first = open("2001:db8::1").unwrap();
        let second = open("2001:db8::2:3").unwrap();
        assert!(open("2001:db8::4").is_none(), "all of one network");
        let neighbour = open("2001:db8:0:1::1");
        assert!(neighbour.is_some());
        drop(first);
        let third = open("2001:db8::4");
        assert!(third.is_some() && open("2001:db8::5").is_none());
        let looser = AddressLimits {
            sockets: 3,
            ..LIMITS
        };
        let fourth = addresses.open_socket(ip("2001:db8::5"), looser, now);
        assert!(fourth.is_some() && open("2001:db8::6").is_none());
        drop((second, third, fourth, neighbour));
        assert!(open("2001:db8::6").is_some());
    }

    #[test]
    fn who_stays_away_is_forgotten_and_who_has_a_socket_is_not() {
        let (addresses, start) = (Addresses::default(), Instant::now());
        let socket = addresses.open_socket(ip("192.0.2.1"), LIMITS, start);
        let visitor = |number: u32| IpAddr::V4((0x0a00_0000 + number).into());
        for number in 0..5_000 {
            assert!(addresses.may_ask(visitor(number), LIMITS, start));
        }
        let count = || addresses.table.lock().unwrap().visits.len();
        assert_eq!(count(), 5_001, "who came just now is remembered");
        for number in 0..5_000 {
            assert!(addresses.may_ask(visitor(100_000 + number), LIMITS, start + FORGET));
        }
        assert!(count() <= 5_001, "{}", count());
        assert!(
            addresses
                .open_socket(ip("192.0.2.1"), LIMITS, start + FORGET)
                .is_some()
        );
        drop(socket);
    }
}
