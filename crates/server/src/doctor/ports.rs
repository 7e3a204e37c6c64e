//! Whether the ports are to be had.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use super::Finding;
use crate::media::{Survey, Tried};
use crate::net;

/// The ports of HTTP and WebSocket, with TLS and without.
pub(super) fn signalling(config: &net::Config, running: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |what: &str, option, address| {
        let tried = net::try_bind(address);
        findings.push(listener(what, option, address, tried, running));
    };
    add("HTTP port", "port", config.listen);
    if let Some(tls) = &config.tls {
        add("HTTPS port", "tls-port", tls.listen);
    }
    findings
}

fn listener(
    what: &str,
    option: &str,
    address: SocketAddr,
    tried: io::Result<()>,
    running: bool,
) -> Finding {
    let port = address.port();
    if port == 0 {
        let text = format!(
            "is another one at each start: choose one that clients and the firewall know with \
             --{option}"
        );
        return Finding::warning(what, text);
    }
    let what = format!("{what} {port}");
    let Err(error) = tried else {
        return Finding::ok(what, "is free");
    };
    let trouble = Trouble::of(&error);
    if running && trouble == Trouble::Taken {
        return Finding::ok(what, "is taken by a twoway-server that runs and answers");
    }
    Finding::wrong(what, trouble.text(address, [option, "bind"], &error))
}

/// Why a socket cannot be bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Taken,
    NotAllowed,
    NotHere,
    Other,
}

impl Trouble {
    fn of(error: &io::Error) -> Self {
        let known = [
            (ErrorKind::AddrInUse, Self::Taken),
            (ErrorKind::PermissionDenied, Self::NotAllowed),
            (ErrorKind::AddrNotAvailable, Self::NotHere),
        ];
        let found = known.into_iter().find(|(kind, _)| error.kind() == *kind);
        found.map_or(Self::Other, |(_, trouble)| trouble)
    }

    /// What to do; the options are those of the port and of the address.
    fn text(self, address: SocketAddr, options: [&str; 2], error: &io::Error) -> String {
        let (ip, port) = (address.ip(), address.port());
        let [of_port, of_address] = options;
        match self {
            Self::Taken => format!(
                "{port} is taken by another program: stop it, or choose another with --{of_port}"
            ),
            Self::NotAllowed => format!(
                "{port} is not for this user: choose one above 1023 with --{of_port}, or give \
                 the program CAP_NET_BIND_SERVICE"
            ),
            Self::NotHere => {
                format!("{ip} is no address of this host: give another with --{of_address}")
            }
            Self::Other => format!("{address} cannot be bound: {error}"),
        }
    }
}

/// The ports of media, a line for each protocol.
pub(super) fn media(survey: &Survey, running: bool) -> Vec<Finding> {
    if survey.tried.is_empty() {
        let text = "are other ones at each start: choose the first with --media-port, so that a \
                    firewall can let them through";
        return vec![Finding::warning("media ports", text)];
    }
    let protocols = ["UDP", "TCP"];
    let findings = protocols.iter().filter_map(|protocol| {
        let tried = survey.tried.iter();
        let tried: Vec<_> = tried.filter(|t| t.protocol == *protocol).collect();
        (!tried.is_empty()).then(|| media_ports(protocol, &tried, running))
    });
    findings.collect()
}

fn media_ports(protocol: &str, tried: &[&Tried], running: bool) -> Finding {
    let ports = tried.iter().map(|t| t.address.port());
    let (first, last) = (ports.clone().min(), ports.max());
    let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
    let what = if first == last {
        format!("{protocol} {first}")
    } else {
        format!("{protocol} {first} to {last}")
    };
    let failed = tried
        .iter()
        .find_map(|t| t.result.as_ref().err().map(|error| (t.address, error)));
    let Some((address, error)) = failed else {
        return Finding::ok(what, "is free for media");
    };
    let trouble = Trouble::of(error);
    if running && trouble == Trouble::Taken {
        return Finding::ok(what, "is taken, while a twoway-server runs");
    }
    let options = ["media-port", "media-bind"];
    Finding::wrong(what, trouble.text(address, options, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[track_caller]
    fn check(tried: Result<(), ErrorKind>, running: bool, level: Level, says: &str) {
        let address: SocketAddr = "192.0.2.7:443".parse().unwrap();
        let tried = tried.map_err(io::Error::from);
        let finding = listener("HTTPS port", "tls-port", address, tried, running);
        assert_eq!(finding.what, "HTTPS port 443");
        assert_eq!(finding.level, level, "{finding:?}");
        assert!(finding.text.contains(says), "{finding:?}");
    }

    #[test]
    fn a_port_is_free_or_taken_by_somebody() {
        check(Ok(()), false, Level::Ok, "free");
        check(Err(ErrorKind::AddrInUse), true, Level::Ok, "twoway-server");
        check(Err(ErrorKind::AddrInUse), false, Level::Wrong, "--tls-port");
        check(
            Err(ErrorKind::PermissionDenied),
            false,
            Level::Wrong,
            "CAP_NET_BIND_SERVICE",
        );
        check(
            Err(ErrorKind::AddrNotAvailable),
            false,
            Level::Wrong,
            "192.0.2.7",
        );
        check(Err(ErrorKind::OutOfMemory), false, Level::Wrong, "cannot");
    }

    #[test]
    fn a_port_of_chance_is_warned_of() {
        let any = "[::]:0".parse().unwrap();
        let finding = listener("HTTP port", "port", any, Ok(()), false);
        assert_eq!(finding.level, Level::Warning);
        let survey = survey(Vec::new());
        assert_eq!(media(&survey, false)[0].level, Level::Warning);
    }

    fn survey(tried: Vec<Tried>) -> Survey {
        Survey {
            told: Vec::new(),
            notes: Vec::new(),
            tried,
        }
    }

    fn tried(protocol: &'static str, port: u16, result: Result<(), ErrorKind>) -> Tried {
        Tried {
            protocol,
            address: SocketAddr::from(([0, 0, 0, 0], port)),
            result: result.map_err(io::Error::from),
        }
    }

    #[test]
    fn media_has_a_line_for_each_protocol() {
        let taken = Err(ErrorKind::AddrInUse);
        let all = || {
            survey(vec![
                tried("UDP", 31_001, Ok(())),
                tried("TCP", 31_001, Ok(())),
                tried("UDP", 31_002, taken),
                tried("TCP", 31_002, Ok(())),
            ])
        };
        let findings = media(&all(), false);
        assert_eq!(findings[0].what, "UDP 31001 to 31002");
        assert_eq!(findings[0].level, Level::Wrong);
        assert!(findings[0].text.starts_with("31002 is taken"));
        assert_eq!(findings[1].what, "TCP 31001 to 31002");
        assert_eq!(findings[1].level, Level::Ok);
        assert!(media(&all(), true).iter().all(|f| f.level == Level::Ok));
        let elsewhere = survey(vec![tried("UDP", 5, Err(ErrorKind::AddrNotAvailable))]);
        assert!(media(&elsewhere, false)[0].text.contains("--media-bind"));
    }
}
