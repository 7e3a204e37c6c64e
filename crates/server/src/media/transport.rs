//! The candidates of a peer: what its media may go over, and where.

use std::net::SocketAddr;

use str0m::net::{Protocol, TcpType};
use str0m::{Candidate, CandidateKind};

use super::config::Transports;
use super::demux::Path;

/// What an answer says: each address over UDP, then each over TCP, where the
/// client connects to us (RFC 6544 section 4.1). Their priorities have the same
/// order (section 4.2).
pub(super) fn local_candidates(
    addresses: &[SocketAddr],
    transports: Transports,
) -> impl Iterator<Item = Candidate> {
    let udp = addresses.iter().filter(move |_| transports.udp());
    let tcp = addresses.iter().filter(move |_| transports.tcp());
    let udp = udp.map(|address| Candidate::builder().udp().host(*address).build());
    let tcp = tcp.map(|address| {
        let candidate = Candidate::builder().tcp().host(*address);
        candidate.tcptype(TcpType::Passive).build()
    });
    // Addresses that no candidate can have are refused at the start.
    udp.chain(tcp).flatten()
}

/// The client's end of `path`, as str0m has come to know it.
pub(super) fn remote_candidate(path: Path, kind: CandidateKind) -> Candidate {
    let tcp_type = (path.protocol == Protocol::Tcp).then_some(TcpType::Active);
    let foundation = "remote".to_owned();
    let (protocol, address) = path.end();
    Candidate::from_parts(
        foundation, 1, protocol, 1, address, kind, None, tcp_type, None,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(transports: Transports) -> Vec<String> {
        let addresses = ["192.0.2.7:31001", "[2001:db8::7]:31001"].map(|a| a.parse().unwrap());
        local_candidates(&addresses, transports)
            .map(|candidate| {
                let line = candidate.to_sdp_string();
                let fields: Vec<_> = line.split(' ').collect();
                [&fields[2..3], &fields[4..]].concat().join(" ")
            })
            .collect()
    }

    #[test]
    fn udp_comes_before_tcp() {
        let udp = [
            "udp 192.0.2.7 31001 typ host",
            "udp 2001:db8::7 31001 typ host",
        ];
        let tcp = [
            "tcp 192.0.2.7 31001 typ host tcptype passive",
            "tcp 2001:db8::7 31001 typ host tcptype passive",
        ];
        assert_eq!(lines(Transports::Both), [udp, tcp].concat());
        assert_eq!(lines(Transports::Udp), udp);
        assert_eq!(lines(Transports::Tcp), tcp);
    }

    #[test]
    fn tcp_has_the_lower_priority() {
        let addresses = ["192.0.2.7:31001", "[2001:db8::7]:31001"].map(|a| a.parse().unwrap());
        let priorities: Vec<_> = local_candidates(&addresses, Transports::Both)
            .map(|candidate| (candidate.proto(), candidate.prio()))
            .collect();
        let udp = priorities.iter().filter(|(p, _)| *p == Protocol::Udp);
        let tcp = priorities.iter().filter(|(p, _)| *p == Protocol::Tcp);
        assert!(udp.map(|p| p.1).min() > tcp.map(|p| p.1).max());
    }
}
