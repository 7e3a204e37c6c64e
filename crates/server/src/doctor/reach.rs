//! What clients are told, and whether it leads here.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use super::Finding;
use crate::media::{self, Note, Survey, Told};

/// How long a datagram may take from this host to itself, by way of a NAT at most.
const PATIENCE: Duration = Duration::from_millis(500);

/// What tells our datagram from anybody's.
type Nonce = [u8; 16];

/// The addresses that clients are told, who cannot reach them, and whether this host
/// can.
pub(super) fn findings(survey: &Survey, media: &media::Config, running: bool) -> Vec<Finding> {
    let mut findings = vec![addresses(&survey.told, media.public_addresses.is_empty())];
    findings.extend(survey.notes.iter().map(note));
    let taken = survey.tried.iter().any(|tried| tried.result.is_err());
    if media.transports.udp() && !survey.tried.is_empty() && !taken && !running {
        let arrivals = survey.told.iter();
        findings.extend(arrivals.map(|told| arrival(told, &arrives(told.bound, told.address))));
    }
    findings
}

fn addresses(told: &[Told], are_own: bool) -> Finding {
    let listed = |told: &mut dyn Iterator<Item = &Told>| {
        let addresses: Vec<_> = told.map(|told| told.address.ip().to_string()).collect();
        addresses.join(", ")
    };
    let what = "public address";
    let all = listed(&mut told.iter());
    if are_own {
        return Finding::ok(what, format!("clients are told this host's own: {all}"));
    }
    if told.iter().all(|told| told.is_private) {
        let text = format!(
            "clients are told {all}, which nobody outside this network can reach: give \
             --public-address with the address at which they reach this host"
        );
        return Finding::warning(what, text);
    }
    let elsewhere = listed(&mut told.iter().filter(|told| !told.is_own));
    if elsewhere.is_empty() {
        return Finding::ok(what, format!("clients are told {all}"));
    }
    let text = format!(
        "clients are told {all}; this host itself does not have {elsewhere}, which is right \
         behind a NAT that sends the media ports here"
    );
    Finding::ok(what, text)
}

fn note(note: &Note) -> Finding {
    let what = "public address";
    match note {
        Note::NoIpv6 => Finding::ok(what, note.to_string()),
        Note::OnlyThisMachine
        | Note::Container(_)
        | Note::OnlyThisNetwork
        | Note::OnlyThisNetworkByIpv4 => Finding::warning(what, note.to_string()),
    }
}

fn arrival(told: &Told, arrived: &io::Result<bool>) -> Finding {
    let what = format!("UDP to {}", told.address);
    match (arrived, told.is_own) {
        (Ok(true), _) => Finding::ok(what, "arrives here, sent from this host"),
        (Ok(false), true) => {
            let text = "does not arrive, though sent from this host: let the media ports through \
                        its firewall";
            Finding::wrong(what, text)
        }
        (Ok(false), false) => {
            let text = "does not come back through the NAT, as with many: try it from outside";
            Finding::ok(what, text)
        }
        (Err(error), _) => Finding::warning(what, format!("cannot be tried: {error}")),
    }
}

/// Whether a datagram to `told` comes to a socket that has `bound`.
fn arrives(bound: SocketAddr, told: SocketAddr) -> io::Result<bool> {
    let receiver = UdpSocket::bind(bound)?;
    let any: IpAddr = if told.is_ipv4() {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    let sender = UdpSocket::bind((any, 0))?;
    let mut nonce = Nonce::default();
    getrandom::fill(&mut nonce).map_err(io::Error::other)?;
    match sender.send_to(&nonce, told) {
        Ok(_) => receive(&receiver, &nonce),
        // A firewall says no where others say nothing.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(false),
        Err(error) => Err(error),
    }
}

fn receive(receiver: &UdpSocket, nonce: &Nonce) -> io::Result<bool> {
    let until = Instant::now() + PATIENCE;
    let mut buffer = [0; 64];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        receiver.set_read_timeout(Some(left))?;
        match receiver.recv_from(&mut buffer) {
            Ok((length, _)) if buffer.get(..length) == Some(nonce) => return Ok(true),
            // Clients of a server that was here before.
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    fn told(address: &str, is_own: bool, is_private: bool) -> Told {
        let address: SocketAddr = address.parse().unwrap();
        Told {
            address,
            bound: SocketAddr::from(([0, 0, 0, 0], address.port())),
            is_own,
            is_private,
        }
    }

    #[test]
    fn what_clients_are_told_is_judged_by_who_can_reach_it() {
        let lan = told("10.0.0.2:31001", true, true);
        let nat = told("203.0.113.5:31001", false, false);
        let own = told("198.51.100.7:31001", true, false);
        let check = |told: &[Told], are_own, level, says: &str| {
            let finding = addresses(told, are_own);
            assert_eq!(finding.level, level, "{finding:?}");
            assert!(finding.text.contains(says), "{finding:?}");
        };
        check(&[lan, own], true, Level::Ok, "10.0.0.2, 198.51.100.7");
        check(&[lan], false, Level::Warning, "--public-address");
        check(&[own], false, Level::Ok, "told 198.51.100.7");
        check(&[nat, own], false, Level::Ok, "does not have 203.0.113.5,");
    }

    #[test]
    fn notes_are_warnings_but_for_a_lack_of_ipv6() {
        assert_eq!(note(&Note::NoIpv6).level, Level::Ok);
        for warning in [Note::OnlyThisMachine, Note::OnlyThisNetwork] {
            assert_eq!(note(&warning).level, Level::Warning);
        }
    }

    #[test]
    fn a_datagram_that_does_not_arrive_is_a_firewalls_or_a_nats() {
        let own = told("198.51.100.7:31001", true, false);
        let nat = told("203.0.113.5:31001", false, false);
        assert_eq!(arrival(&own, &Ok(true)).level, Level::Ok);
        assert_eq!(arrival(&own, &Ok(false)).level, Level::Wrong);
        assert_eq!(arrival(&nat, &Ok(false)).level, Level::Ok);
        let broken = Err(io::Error::other("no route"));
        assert_eq!(arrival(&own, &broken).level, Level::Warning);
    }

    #[test]
    fn a_datagram_to_this_host_arrives_unless_it_goes_elsewhere() {
        let free = || {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.local_addr().unwrap()
        };
        let bound = free();
        assert!(arrives(bound, bound).unwrap());
        let elsewhere = UdpSocket::bind("127.0.0.1:0").unwrap();
        let elsewhere = elsewhere.local_addr().unwrap();
        assert!(!arrives(free(), elsewhere).unwrap());
    }
}
