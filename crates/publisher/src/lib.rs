//! Publishes live video and sound to a Web Call Server: a library and the
//! `twoway-publish` command.
//!
//! A [`Source`] captures; [`Publisher`] encodes (H.264, Opus), negotiates and
//! sends:
//!
//! ```no_run
//! use twoway_publisher::{Options, Publisher, Server, ServerUrl, TestPicture};
//!
//! # async fn publish() -> Result<(), Box<dyn std::error::Error>> {
//! let (server, name) = ServerUrl::parse("ws://localhost:8080/test")?;
//! let server = Server::WebCallServer(server);
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

mod address;
mod clock;
mod driver;
pub mod encode;
mod file;
mod input;
mod options;
mod peer;
mod picture;
mod pipeline;
mod publisher;
mod queue;
mod socket;
mod sockets;
mod source;
mod stats;
mod test_picture;

pub use address::{BadUrl, Server, ServerUrl, TlsOptions};
pub use input::{Input, open};
pub use options::{AudioOptions, MediaOptions, VideoOptions};
pub use picture::{BadSize, Picture, Size};
pub use publisher::{Error, Options, Publisher, PublisherEvent, RetryOptions, SessionOptions};
/// What the signalling tells, and the secret that some servers want.
pub use session::{BadToken, Event, SessionStatus, StreamUpdate, Token};
pub use source::{
    AudioChunk, AudioFormat, BadSources, Captured, EncodedFrame, EncodedPacket, Format,
    SAMPLE_RATE, Source, SourceError, Sources, VideoCodec, VideoFormat, VideoFrame,
};
pub use stats::{AudioStats, MonitorStats, NetworkStats, Stats, VideoStats};
pub use test_picture::{FLASH, TestPicture};
pub use wire::{StreamName, StreamStatus};
