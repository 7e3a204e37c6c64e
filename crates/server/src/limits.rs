//! Every limit on what a client may ask for.

/// Limits on clients. Exceeding one gets a clear answer and is counted; it ends
/// at most that client's session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes in one WebSocket message; a longer one closes its socket
    /// with code 1009 (RFC 6455 section 7.4.1).
    pub message_bytes: usize,
    /// Most bytes in one SDP.
    pub sdp_bytes: usize,
    /// Most bytes, as JSON, in the `custom` data of one stream.
    pub custom_bytes: usize,
    /// Most characters in a stream name or stream id.
    pub name_chars: usize,
    /// Most streams, published and played, in one session at a time.
    pub streams_per_session: usize,
    /// Most snapshots that one session may wait for at a time; zero takes none.
    pub snapshots_per_session: usize,
    /// Most sockets at a time, whether their session is established or not, and
    /// most sessions, whether they have a socket or wait for their client.
    pub sessions: usize,
    /// Most WebSocket frames a second of one client in the long run, and twice
    /// as many at once; more close its socket with code 1008.
    pub messages_per_second: u32,
    /// Most TCP connections at a time, WebSockets and HTTP together; another one
    /// is answered with 503.
    pub connections: usize,
    /// Most of them from one address.
    pub connections_per_address: usize,
    /// Most messages waiting for one client to read them.
    pub queued_messages: usize,
    /// Most bytes waiting for one client to read them, pictures aside.
    pub queued_bytes: usize,
    /// Most bytes of pictures waiting for one client to read them.
    pub queued_picture_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 256 * 1024,
            sdp_bytes: 64 * 1024,
            custom_bytes: 16 * 1024,
            name_chars: 255,
            streams_per_session: 64,
            snapshots_per_session: 4,
            sessions: 10_000,
            messages_per_second: 200,
            connections: 12_000,
            connections_per_address: 12_000,
            queued_messages: 256,
            queued_bytes: 2 * 1024 * 1024,
            queued_picture_bytes: 16 * 1024 * 1024,
        }
    }
}

/// Limits on each address. An IPv6 host has a whole network of 64 bits to itself, which
/// counts as one address. Zero is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressLimits {
    /// Most WebSockets at a time; another one is answered with 429.
    pub sockets: usize,
    /// Most new TCP connections a second in the long run, and [`Self::BURST`] times as
    /// many at once; more are answered with 503.
    pub connections_per_second: u32,
    /// Most HTTP requests a second in the long run, and [`Self::BURST`] times as many at
    /// once; more are answered with 429.
    pub requests_per_second: u32,
}

impl AddressLimits {
    /// How many seconds' worth may come at once: an office behind one address comes back
    /// all at once.
    pub const BURST: u32 = 10;
}

impl Default for AddressLimits {
    fn default() -> Self {
        Self {
            sockets: 0,
            connections_per_second: 500,
            requests_per_second: 1_000,
        }
    }
}
