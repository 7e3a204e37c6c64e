//! ICE candidates (RFC 8445): where each side can be reached, as read from a
//! description and judged by eye.

use core::net::IpAddr;

/// Candidates read from one description; more are of no use to anybody.
const MAX_CANDIDATES: usize = 64;

/// How a side knows an address (RFC 8445, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CandidateKind {
    /// Of its own network interface.
    Host,
    /// As a STUN server or the other side saw it.
    Reflexive,
    /// Of a TURN server.
    Relay,
}

/// What carries the packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP (RFC 6544).
    Tcp,
}

/// Where one side can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// How it is known.
    pub kind: CandidateKind,
    /// How packets get there.
    pub transport: Transport,
    /// An IP address, or an mDNS name (`….local`) that hides one; empty where
    /// the browser does not tell.
    pub address: String,
    /// Its port.
    pub port: u16,
}

/// From where an address can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The machine itself only.
    Loopback,
    /// The same cable or radio cell only.
    Link,
    /// The same private network only.
    Private,
    /// The first network of a container engine: its own machine only.
    Container,
    /// Anywhere.
    Public,
    /// Unknown: a name.
    Named,
}

impl CandidateKind {
    /// Reads `host`, `srflx`, `prflx` or `relay`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "host" => Some(Self::Host),
            "srflx" | "prflx" => Some(Self::Reflexive),
            "relay" => Some(Self::Relay),
            _ => None,
        }
    }

    /// As people call it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Reflexive => "reflexive",
            Self::Relay => "relay",
        }
    }
}

impl Transport {
    /// Reads `udp` or `tcp` in any case.
    pub fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("udp") {
            Some(Self::Udp)
        } else if text.eq_ignore_ascii_case("tcp") {
            Some(Self::Tcp)
        } else {
            None
        }
    }

    /// `UDP` or `TCP`.
    pub fn text(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        }
    }
}

impl Candidate {
    /// Reads the value of an `a=candidate:` line (RFC 8839, section 5.1):
    /// `foundation component transport priority address port typ kind …`.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace().skip(2);
        let transport = Transport::parse(words.next()?)?;
        let address = words.nth(1)?.to_owned();
        let port = words.next()?.parse().ok()?;
        let kind = match words.next()? {
            "typ" => CandidateKind::parse(words.next()?)?,
            _ => return None,
        };
        Some(Self {
            kind,
            transport,
            address,
            port,
        })
    }

    /// Address and port, as one writes them.
    pub fn endpoint(&self) -> String {
        match self.address.as_str() {
            "" => format!("hidden:{}", self.port),
            address if address.contains(':') => format!("[{address}]:{}", self.port),
            address if address.ends_with(".local") => format!("hidden:{}", self.port),
            address => format!("{address}:{}", self.port),
        }
    }

    /// Whether nobody can connect to it: active TCP candidates have no port of
    /// their own but this (RFC 6544, section 4.5).
    pub fn only_calls(&self) -> bool {
        self.transport == Transport::Tcp && self.port == 9
    }

    /// From where it can be reached.
    pub fn scope(&self) -> Scope {
        scope(&self.address)
    }
}

/// The candidates in a description, each once, without those that only call
/// and cannot be called.
pub fn candidates(sdp: &str) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    for line in sdp.lines() {
        let Some(value) = line.trim_end().strip_prefix("a=candidate:") else {
            continue;
        };
        if let Some(candidate) = Candidate::parse(value)
            && found.len() < MAX_CANDIDATES
            && !found.contains(&candidate)
            && !candidate.only_calls()
        {
            found.push(candidate);
        }
    }
    found
}

/// From where an address can be reached (RFC 6890).
pub(super) fn scope(address: &str) -> Scope {
    let address = address.trim_start_matches('[').trim_end_matches(']');
    match address.parse() {
        Ok(IpAddr::V4(ip)) => match ip.octets() {
            [127, ..] => Scope::Loopback,
            [169, 254, ..] => Scope::Link,
            [172, 17, ..] => Scope::Container,
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Scope::Private,
            _ => Scope::Public,
        },
        Ok(IpAddr::V6(ip)) => match ip.segments()[0] {
            _ if ip.is_loopback() => Scope::Loopback,
            0xfe80..=0xfebf => Scope::Link,
            0xfc00..=0xfdff => Scope::Private,
            _ => Scope::Public,
        },
        Err(_) if address == "localhost" => Scope::Loopback,
        Err(_) => Scope::Named,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_read_once_each_and_nonsense_is_left_out() {
        let sdp = "v=0\r\n\
            a=candidate:1 1 udp 2122260223 192.0.2.1 31001 typ host\r\n\
            a=candidate:1 1 UDP 7 192.0.2.1 31001 typ host generation 0\r\n\
            a=candidate:2 1 tcp 1 2001:db8::1 443 typ host tcptype passive\r\n\
            a=candidate:2 1 tcp 1 192.0.2.1 9 typ host tcptype active\r\n\
            a=candidate:3 1 udp 1 ab-cd.local 5 typ srflx raddr 0.0.0.0 rport 0\r\n\
            a=candidate:4 1 udp 1 192.0.2.1 99999 typ host\r\n\
            a=candidate:5 1 sctp 1 192.0.2.1 1 typ host\r\n\
            a=candidate:6 1 udp 1 192.0.2.1 1\r\n\
            a=candidate:\r\na=candidate";
        let read: Vec<_> = candidates(sdp)
            .iter()
            .map(|it| {
                format!(
                    "{} {} {}",
                    it.kind.text(),
                    it.transport.text(),
                    it.endpoint()
                )
            })
            .collect();
        assert_eq!(
            read,
            [
                "host UDP 192.0.2.1:31001",
                "host TCP [2001:db8::1]:443",
                "reflexive UDP hidden:5",
            ]
        );
    }

    #[test]
    fn no_more_candidates_than_the_limit() {
        let line = |port| format!("a=candidate:1 1 udp 1 192.0.2.1 {port} typ host\n");
        let sdp: String = (1..1_000).map(line).collect();
        assert_eq!(candidates(&sdp).len(), MAX_CANDIDATES);
    }

    #[test]
    fn scopes() {
        let check = |address: &str, expected| assert_eq!(scope(address), expected, "{address}");
        check("127.0.0.1", Scope::Loopback);
        check("localhost", Scope::Loopback);
        check("[::1]", Scope::Loopback);
        check("169.254.1.1", Scope::Link);
        check("fe80::1", Scope::Link);
        check("10.1.2.3", Scope::Private);
        check("172.31.0.1", Scope::Private);
        check("192.168.0.9", Scope::Private);
        check("100.64.0.1", Scope::Private);
        check("fd12::1", Scope::Private);
        check("172.17.0.2", Scope::Container);
        check("172.32.0.1", Scope::Public);
        check("203.0.113.9", Scope::Public);
        check("2001:db8::1", Scope::Public);
        check("example.org", Scope::Named);
        check("", Scope::Named);
    }
}
