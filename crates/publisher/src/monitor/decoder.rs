//! Decodes what comes back, on a thread of its own.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use openh264::decoder::{DecodedYUV, Decoder as H264Decoder};
use openh264::formats::YUVSource;
use picture::read_strip;
use strip::Stamp;
use tokio::sync::mpsc;
use tracing::debug;

use super::ledger::Returned;
use crate::queue::{Receiver, Sender, bounded};

/// Frames waiting to be decoded: about a second. Beyond that the decoder is
/// behind, and goes on with the next keyframe.
const WAITING: usize = 32;

/// Results nobody has taken yet.
const RESULTS: usize = 64;

/// A frame to decode.
#[derive(Debug)]
struct Frame {
    /// Frames in a row have numbers in a row.
    number: u64,
    keyframe: bool,
    data: Arc<[u8]>,
    returned: Returned,
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decoded {
    /// It was decoded.
    Picture {
        returned: Returned,
        at: Instant,
        /// What its strip says of when it was captured, since the Unix epoch.
        strip: Option<Duration>,
    },
    /// Nothing more can be decoded before the next keyframe.
    NeedsKeyframe,
}

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Decoder {
    frames: Sender<Frame>,
    number: u64,
    results: mpsc::Receiver<Decoded>,
}

impl Decoder {
    pub(super) fn start() -> io::Result<Self> {
        let (frames, receiver) = bounded(WAITING);
        let (sender, results) = mpsc::channel(RESULTS);
        let named = thread::Builder::new().name("decode-video".to_owned());
        named.spawn(move || run(&receiver, &sender))?;
        let number = 0;
        Ok(Self {
            frames,
            number,
            results,
        })
    }

    /// Has a frame decoded. One that does not follow the one before must be a
    /// keyframe.
    pub(super) fn decode(&mut self, data: Arc<[u8]>, keyframe: bool, returned: Returned) {
        let number = self.number;
        self.number += 1;
        let frame = Frame {
            number,
            keyframe,
            data,
            returned,
        };
        // A thread that is gone has told so in the log.
        if let Ok(Some(_)) = self.frames.send(frame) {
            debug!("the decoder is behind: a frame is dropped");
        }
    }

    /// What became of the next frame. Cancelled, it takes nothing.
    pub(super) async fn next(&mut self) -> Decoded {
        match self.results.recv().await {
            Some(decoded) => decoded,
            None => std::future::pending().await,
        }
    }
}

fn run(frames: &Receiver<Frame>, results: &mpsc::Sender<Decoded>) {
    let mut decoder = match H264Decoder::new() {
        Ok(decoder) => decoder,
        Err(error) => {
            debug!(%error, "no decoder");
            return;
        }
    };
    // The number of the frame that can be decoded without being a keyframe.
    let mut next = None;
    while let Some(frame) = frames.recv_blocking() {
        let decodable = frame.keyframe || next == Some(frame.number);
        let decoded = if decodable {
            decode(&mut decoder, &frame)
        } else {
            Some(Decoded::NeedsKeyframe)
        };
        let goes_on = decoded != Some(Decoded::NeedsKeyframe);
        next = goes_on.then_some(frame.number + 1);
        if let Some(decoded) = decoded {
            // Full: the owner is too busy to care for it.
            let _ = results.try_send(decoded);
        }
    }
}

/// `None`: it was taken, but brought no picture.
fn decode(decoder: &mut H264Decoder, frame: &Frame) -> Option<Decoded> {
    match decoder.decode(&frame.data) {
        Ok(Some(picture)) => Some(Decoded::Picture {
            returned: frame.returned,
            at: Instant::now(),
            strip: stamp(&picture).map(|stamp| Duration::from_millis(stamp.capture_ms)),
        }),
        Ok(None) => None,
        Err(error) => {
            debug!(%error, "a frame cannot be decoded");
            Some(Decoded::NeedsKeyframe)
        }
    }
}

/// Reads a picture's strip, if it has one.
fn stamp(decoded: &DecodedYUV<'_>) -> Option<Stamp> {
    let (width, height) = decoded.dimensions();
    read_strip(decoded.y(), decoded.strides().0, width, height)
}
