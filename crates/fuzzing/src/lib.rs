//! The ways by which strangers' bytes come in, each as a function of bytes that must
//! never panic, hang, or break what it says.
//!
//! The programs in `fuzz/` feed them with what libFuzzer makes up; `tests/corpus.rs`
//! feeds them with everything that was worth keeping (`fuzz/corpus`), crashes found
//! among it, at each run of the tests.

#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a panic is what is looked for"
)]

#[path = "../../server/tests/media/client.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "it is shared with the server's tests"
)]
mod client;
mod datagrams;
#[path = "../../server/tests/support/fake_backend.rs"]
#[allow(unreachable_pub, reason = "it is shared with the server's tests")]
mod fake_backend;
mod http;
#[path = "../../server/tests/media/rig.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "it is shared with the server's tests"
)]
mod rig;
mod sdp;
mod signalling;

pub use datagrams::datagrams;
pub use http::http;
pub use sdp::sdp;
pub use signalling::signalling;

/// A way in.
pub type Target = fn(&[u8]);

/// All of them, by the names of their programs and of their folders in the corpus.
pub const TARGETS: [(&str, Target); 4] = [
    ("signalling", signalling),
    ("sdp", sdp),
    ("http", http),
    ("datagrams", datagrams),
];
