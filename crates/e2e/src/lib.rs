//! End-to-end tests: server, publisher and page as built, and a real Chromium
//! driven over WebDriver. This library is the harness; the tests are in
//! `tests/`. The browser's part of the bench is made of it too.
//!
//! Every program gets a free port and is ended by its owner's `Drop`. Waiting
//! is always for a condition, with [`PATIENCE`] as the end of it: long enough
//! for a loaded two-core machine, never part of a verdict on speed.

pub mod bench;
mod browser;
mod films;
pub mod handmade;
mod link;
mod others;
mod page;
mod picture;
mod process;
mod programs;
mod publisher;
mod spy;
mod stage;

use std::time::Duration;

pub use browser::{Browser, Permissions};
pub use films::{FRAMES, Films};
pub use link::{Conditions, Counts, Link, TcpRelay};
pub use others::{Aiortc, ClientPage, Endpoint};
pub use page::{Signalling, TwoWayPage};
pub use picture::{Seen, Watched};
pub use process::Signal;
pub use programs::{Killed, Server, page_folder, websdk_folder};
pub use publisher::{Publisher, Stats};
pub use spy::{Playback, Route, Spy, Way};
pub use stage::Stage;

/// How long any one condition is waited for.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How often a condition in the browser is looked at.
const POLL: Duration = Duration::from_millis(50);

/// One browser at a time: two decoding side by side would measure the
/// machine's load. Tests in one binary hold this for their duration.
pub async fn turn() -> tokio::sync::MutexGuard<'static, ()> {
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    TURN.lock().await
}
