//! Publishes live video and sound to a Web Call Server: a library and the
//! `twoway-publish` command.
//!
//! A [`Source`] captures; [`Publisher`] encodes (H.264, Opus), negotiates and
//! sends:
//!
//! ```no_run
//! use twoway_publisher::{Options, Publisher, ServerUrl, TestPicture};
//!
//! # async fn publish() -> Result<(), Box<dyn std::error::Error>> {
//! let (server, name) = ServerUrl::parse("ws://localhost:8080/test")?;
//! let options = Options::new(server, name.ok_or("no name")?);
//! let source = TestPicture::new("1280x720".parse()?, 30);
//! let mut publisher = Publisher::connect(options, source);
//! while let Some(event) = publisher.event().await {
//!     println!("{event:?}");
//! }
//! publisher.wait().await?;
//! # Ok(())
//! # }
//! ```
//!
//! What is deliberately not here: reconnecting, playing streams, adapting the
//! bitrate to the network.

mod address;
mod clock;
mod driver;
pub mod encode;
mod peer;
mod picture;
mod pipeline;
mod publisher;
mod queue;
mod socket;
mod sockets;
mod source;
mod test_picture;

pub use address::{BadUrl, ServerUrl};
pub use picture::{BadSize, Picture, Size};
pub use publisher::{Error, Options, Publisher};
/// What a publisher tells its application.
pub use session::{Event, SessionStatus, StreamUpdate};
pub use source::{AudioChunk, Captured, Format, SAMPLE_RATE, Source, SourceError, VideoFrame};
pub use test_picture::{FLASH, TestPicture};
pub use wire::{StreamName, StreamStatus};
