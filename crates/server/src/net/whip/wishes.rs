//! What a request's query asks for beside the offer.

use percent_encoding::percent_decode_str;
use thiserror::Error;

use crate::core::backend::{PlayoutDelay, Transport, Wishes};

/// A query that asks for what there is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum BadWish {
    #[error("transport must be tcp or udp")]
    Transport,
    #[error(
        "playout-delay must be <least>-<most>, in milliseconds, of which most is at least least \
         and at most 40950"
    )]
    PlayoutDelay,
}

/// Reads `transport=tcp|udp` and `playout-delay=<min>-<max>` in milliseconds.
/// What else is in a query is for others: tokens, say.
///
/// # Errors
/// A value that means nothing.
pub(super) fn read(query: Option<&str>) -> Result<Wishes, BadWish> {
    let mut wishes = Wishes::default();
    for pair in query.unwrap_or_default().split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8_lossy();
        match key {
            "transport" => wishes.transport = transport(&value).ok_or(BadWish::Transport)?,
            "playout-delay" => {
                let delay = playout_delay(&value).ok_or(BadWish::PlayoutDelay)?;
                wishes.playout_delay = Some(delay);
            }
            _ => {}
        }
    }
    Ok(wishes)
}

fn transport(value: &str) -> Option<Transport> {
    match value {
        "tcp" => Some(Transport::Tcp),
        "udp" => Some(Transport::Udp),
        _ => None,
    }
}

fn playout_delay(value: &str) -> Option<PlayoutDelay> {
    let (min, max) = value.split_once('-')?;
    PlayoutDelay::from_millis(min.parse().ok()?, max.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[track_caller]
    fn check(query: &str, transport: Transport, delay: Option<(u64, u64)>) {
        let delay = delay.map(|(min, max)| PlayoutDelay {
            min: Duration::from_millis(min),
            max: Duration::from_millis(max),
        });
        let expected = Wishes {
            transport,
            playout_delay: delay,
        };
        assert_eq!(read(Some(query)), Ok(expected), "{query}");
    }

    #[test]
    fn wishes_are_read_among_other_things() {
        check("", Transport::Any, None);
        check("token=a%26transport=b&x", Transport::Any, None);
        check("transport=tcp", Transport::Tcp, None);
        check(
            "playout-delay=0-0&transport=udp",
            Transport::Udp,
            Some((0, 0)),
        );
        check(
            "playout-delay=100%2D40950",
            Transport::Any,
            Some((100, 40_950)),
        );
        assert_eq!(read(None), Ok(Wishes::default()));
    }

    #[test]
    fn wishes_that_mean_nothing() {
        for query in ["transport", "transport=sctp", "transport=TCP"] {
            assert_eq!(read(Some(query)), Err(BadWish::Transport), "{query}");
        }
        for value in [
            "", "100", "a-b", "200-100", "0-40951", "-1-5", "1-2-3", "0-1.5",
        ] {
            let query = format!("playout-delay={value}");
            assert_eq!(read(Some(&query)), Err(BadWish::PlayoutDelay), "{query}");
        }
    }
}
