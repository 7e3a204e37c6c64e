//! What the fields hold when the page opens.

use crate::platform::location::PageAddress;

/// WebSocket port of a server reached from a page that names no port.
const WS_PORT: u16 = 8080;
/// The same over TLS.
const WSS_PORT: u16 = 8443;
/// The port of `trunk serve`, which forwards `/ws` to a server (`Trunk.toml`).
const TRUNK_SERVE_PORT: u16 = 8000;

/// The server the page most likely belongs to: the one it came from.
pub fn server_url(page: &PageAddress) -> String {
    let (scheme, default_port) = if page.plain_http {
        ("ws", WS_PORT)
    } else {
        ("wss", WSS_PORT)
    };
    // A page opened from a file has no host.
    let host = match page.host.as_str() {
        "" => "localhost",
        host => host,
    };
    let port = page.port.unwrap_or(default_port);
    let path = if port == TRUNK_SERVE_PORT { "/ws" } else { "" };
    format!("{scheme}://{host}:{port}{path}")
}

/// A stream name of four hexadecimal digits out of random bits.
pub fn random_name(bits: u128) -> String {
    format!("{:04x}", bits & 0xffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_of_the_page() {
        let check = |plain_http, host: &str, port, expected: &str| {
            let page = PageAddress {
                plain_http,
                host: host.to_owned(),
                port,
            };
            assert_eq!(server_url(&page), expected);
        };
        check(true, "example.org", None, "ws://example.org:8080");
        check(false, "example.org", None, "wss://example.org:8443");
        check(true, "127.0.0.1", Some(41234), "ws://127.0.0.1:41234");
        check(false, "example.org", Some(9443), "wss://example.org:9443");
        check(true, "localhost", Some(8000), "ws://localhost:8000/ws");
        check(true, "[::1]", Some(8080), "ws://[::1]:8080");
        check(false, "", None, "wss://localhost:8443");
    }

    #[test]
    fn names_have_four_lower_case_hex_digits() {
        assert_eq!(random_name(0), "0000");
        assert_eq!(random_name(u128::MAX), "ffff");
        assert_eq!(random_name(0x1234_0abc), "0abc");
    }
}
