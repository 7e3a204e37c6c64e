//! A server that runs already, as the command line names it.

use std::str::FromStr;

use load::servers::{Address, Server};

/// `NAME=URL[,pid=N]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerAddress {
    name: String,
    address: Address,
    pid: Option<u32>,
}

impl From<ServerAddress> for Server {
    fn from(server: ServerAddress) -> Self {
        let ServerAddress { name, address, pid } = server;
        Self::Running { name, address, pid }
    }
}

impl FromStr for ServerAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, rest) = text
            .split_once('=')
            .filter(|(name, _)| !name.is_empty() && !name.contains("://"))
            .ok_or("give it a name in front, as in other=ws://localhost:8080")?;
        let (url, pid) = match rest.split_once(",pid=") {
            Some((url, pid)) => (url, Some(pid.parse().map_err(|_| "the pid is no number")?)),
            None => (rest, None),
        };
        Ok(Self {
            name: name.to_owned(),
            address: address(url)?,
            pid,
        })
    }
}

fn address(url: &str) -> Result<Address, String> {
    let url = url.trim_end_matches('/');
    match url.split_once("://") {
        Some(("ws" | "wss", host)) if !host.is_empty() => {
            Ok(Address::WebCallServer(url.to_owned()))
        }
        Some(("http" | "https", host)) if !host.is_empty() => Ok(Address::Http(url.to_owned())),
        Some(("janus+ws", host)) if !host.is_empty() => Ok(Address::Janus(format!("ws://{host}"))),
        _ => Err(
            "the URL has to begin with ws://, wss://, http://, https:// or janus+ws://, \
                  and to name a host"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_says_how_it_is_spoken_to() {
        for (text, address, pid) in [
            (
                "a=ws://h:1",
                Address::WebCallServer("ws://h:1".to_owned()),
                None,
            ),
            (
                "a=wss://h/",
                Address::WebCallServer("wss://h".to_owned()),
                None,
            ),
            (
                "a=http://h:1,pid=7",
                Address::Http("http://h:1".to_owned()),
                Some(7),
            ),
            (
                "a=https://h/x",
                Address::Http("https://h/x".to_owned()),
                None,
            ),
            (
                "a=janus+ws://h:2,pid=9",
                Address::Janus("ws://h:2".to_owned()),
                Some(9),
            ),
        ] {
            let name = "a".to_owned();
            assert_eq!(text.parse(), Ok(ServerAddress { name, address, pid }));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "ws://h",
            "=ws://h",
            "a=h:1",
            "a=ftp://h",
            "a=ws://",
            "a=ws://h,pid=x",
        ] {
            assert!(text.parse::<ServerAddress>().is_err(), "{text} was taken");
        }
    }
}
