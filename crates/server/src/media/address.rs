//! The addresses that clients are told.

use std::io;
use std::net::IpAddr;

/// The addresses to advertise for a socket bound to `bind`: the operator's, or
/// else those of the host's interfaces. Each once; loopback last, which only a
/// client on this machine can use.
///
/// # Errors
/// The interfaces cannot be listed.
pub(super) fn advertised(bind: IpAddr, public: &[IpAddr]) -> io::Result<Vec<IpAddr>> {
    let found = if !public.is_empty() {
        public.to_vec()
    } else if bind.is_unspecified() {
        interfaces()?
    } else {
        vec![bind]
    };
    Ok(usable(bind, found))
}

/// The host's own addresses.
pub(super) fn interfaces() -> io::Result<Vec<IpAddr>> {
    let interfaces = if_addrs::get_if_addrs()?;
    Ok(interfaces.iter().map(if_addrs::Interface::ip).collect())
}

fn usable(bind: IpAddr, found: Vec<IpAddr>) -> Vec<IpAddr> {
    let mut kept: Vec<IpAddr> = Vec::new();
    for ip in found {
        let same_family = ip.is_ipv4() == bind.is_ipv4();
        if same_family && !ip.is_unspecified() && !is_link_local(ip) && !kept.contains(&ip) {
            kept.push(ip);
        }
    }
    kept.sort_by_key(IpAddr::is_loopback);
    kept
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
    use std::net::Ipv4Addr;

    fn ips(list: &[&str]) -> Vec<IpAddr> {
        list.iter().map(|ip| ip.parse().unwrap()).collect()
    }

    #[test]
    fn candidates_are_usable_and_said_once() {
        let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let found = ips(&[
            "127.0.0.1",
            "192.0.2.7",
            "169.254.3.4",
            "2001:db8::1",
            "192.0.2.7",
            "0.0.0.0",
        ]);
        assert_eq!(usable(any, found), ips(&["192.0.2.7", "127.0.0.1"]));
    }

    #[test]
    fn the_operators_addresses_replace_the_hosts() {
        let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let public = ips(&["203.0.113.9", "203.0.113.9", "198.51.100.2"]);
        assert_eq!(
            advertised(any, &public).unwrap(),
            ips(&["203.0.113.9", "198.51.100.2"])
        );
    }

    #[test]
    fn a_bound_address_is_the_only_one() {
        let bound = ips(&["127.0.0.1"]);
        assert_eq!(advertised(bound[0], &[]).unwrap(), bound);
    }
}
