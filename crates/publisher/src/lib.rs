//! Publishes live video and sound to a Web Call Server, or anywhere by WHIP: a
//! library and the `twoway-publish` command.
//!
//! A [`Source`] captures; [`Publisher`] encodes (H.264, Opus), negotiates, sends
//! and stays on air: whatever is lost comes back under the same name.
//!
//! ```no_run
//! use twoway_publisher::{Options, Publisher, Target, TestPicture};
//!
//! # async fn publish() -> Result<(), Box<dyn std::error::Error>> {
//! let target = Target::parse("ws://localhost:8080/test", None)?;
//! let options = Options::new(target.server, target.name);
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
//! [`Session`] and [`Stream`] are the parts of that, in the manner of the iOS
//! SDK: several streams in one session, and what is lost is over.
//!
//! ```no_run
//! use twoway_publisher::{Session, SessionOptions, StreamOptions, Target, TestPicture};
//!
//! # async fn publish() -> Result<(), Box<dyn std::error::Error>> {
//! let target = Target::parse("ws://localhost:8080/test", None)?;
//! let mut session = Session::connect(SessionOptions::new(target.server));
//! let source = TestPicture::new("1280x720".parse()?, 30);
//! let mut stream = session.publish(StreamOptions::new(target.name), source);
//! stream.published().await?;
//! stream.mute_audio(true);
//! stream.stop();
//! stream.ended().await?;
//! session.disconnect();
//! session.ended().await?;
//! # Ok(())
//! # }
//! ```

mod address;
mod answer;
mod awake;
mod bandwidth;
mod client;
mod clock;
mod codecs;
mod cpu;
pub mod device;
mod driver;
pub mod encode;
mod file;
mod http;
mod input;
mod keeper;
mod link;
mod media;
mod monitor;
mod options;
mod part;
mod peer;
mod pipeline;
mod publisher;
mod queue;
mod random;
mod raw;
mod retry;
mod socket;
mod sockets;
mod sound;
mod source;
mod stats;
mod stream;
mod tcp;
mod test_picture;
#[cfg(test)]
mod testing;
mod tls;
mod token;

pub use address::{BadUrl, Server, ServerUrl, Target};
pub use client::{Session, SessionEvent, SessionOptions};
pub use input::{Input, open};
pub use options::{AudioOptions, MediaOptions, VideoOptions};
pub use part::{Only, Track};
pub use picture::{BadSize, FLASH, Picture, Scaler, Size};
pub use publisher::{Error, Options, Publisher, PublisherEvent, RetryOptions};
pub use raw::{Reopen, open_wav, open_y4m};
/// What the signalling tells, and the secret that some servers want.
pub use session::{BadToken, Event, SessionStatus, StreamUpdate, Token};
pub use source::{
    AudioChunk, AudioFormat, BadSources, Captured, EncodedFrame, EncodedPacket, Format,
    SAMPLE_RATE, Source, SourceError, Sources, VideoCodec, VideoFormat, VideoFrame,
};
pub use stats::{AudioStats, MonitorStats, NetworkStats, Stats, VideoStats};
pub use stream::{Stream, StreamOptions};
pub use test_picture::TestPicture;
pub use tls::{BadCaFile, TlsOptions};
pub use token::{TokenFileError, token_from_file};
pub use wire::{StreamName, StreamStatus};
