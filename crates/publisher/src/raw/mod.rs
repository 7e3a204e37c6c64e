//! Raw pictures and sound from a pipe, so that any `ffmpeg ... | twoway-publish
//! ... -` works: Y4M (`y4m`) and WAV (`wav`), read by a thread of their own
//! (`stream`) as a read from a pipe blocks, and stamped by `pace`, as neither
//! format knows of time.

mod pace;
mod stream;
mod wav;
mod y4m;

use std::io::{self, Read};

use crate::source::{Source, SourceError};
use stream::Stream;

/// What raw media are read from.
type Input = Box<dyn Read + Send>;

/// Opens an input anew, at its beginning, to play it again.
pub type Reopen = Box<dyn FnMut() -> io::Result<Box<dyn Read + Send>> + Send>;

/// Pictures in Y4M (YUV4MPEG2), from `input`, which begins with that word.
///
/// 8 bits a sample, 4:2:0, 4:2:2, 4:4:4 or grey; an odd column or row at the
/// right or bottom edge is cut off. Full range, where the header says so, is
/// made limited. The format does not name its colour matrix: BT.709 is assumed.
///
/// What comes faster than its frame rate is played at that rate, by letting the
/// writer wait; what comes live is not delayed. With `again` the input is
/// repeated at its end without a break. `name` is the input's for sentences.
///
/// # Errors
/// The header is none, or promises pictures that cannot be sent.
pub fn open_y4m<R: Read + Send + 'static>(
    input: R,
    name: &str,
    again: Option<Reopen>,
) -> Result<impl Source + use<R>, SourceError> {
    let reader = y4m::Reader::open(Box::new(input), name, again)?;
    Ok(Stream::new(reader))
}

/// Sound in WAV, from `input`, which begins with `RIFF` and need not be able to
/// seek. Its length may be left open, as in a pipe.
///
/// PCM of 8, 16, 24 or 32 bits, or floating point. Pace and `name` are as with
/// [`open_y4m`].
///
/// # Errors
/// The header is none, or promises sound that cannot be sent.
pub fn open_wav<R: Read + Send + 'static>(
    input: R,
    name: &str,
) -> Result<impl Source + use<R>, SourceError> {
    let reader = wav::Reader::open(Box::new(input), name)?;
    Ok(Stream::new(reader))
}

#[cfg(test)]
mod testing {
    use super::stream::{Read, Trouble};

    /// How many units come of a reader, what it tells, and how it fails.
    pub(super) type Outcome = (usize, Vec<String>, Option<String>);

    pub(super) fn outcome(reader: impl Read) -> Outcome {
        read_through(reader, |_| {})
    }

    /// The same; `see` is told where each unit begins.
    pub(super) fn read_through(mut reader: impl Read, mut see: impl FnMut(f64)) -> Outcome {
        let (mut units, mut notices) = (0, Vec::new());
        loop {
            match reader.read() {
                Ok(Some(unit)) => {
                    units += 1;
                    see(unit.span.start);
                }
                Ok(None) => return (units, notices, None),
                Err(Trouble::Broken(notice)) => notices.push(notice),
                Err(Trouble::Failed(error)) => return (units, notices, Some(error)),
            }
        }
    }

    /// Reads `whole` with bytes of its first `head` changed, and cut off, in many
    /// ways that are the same every time: none may panic, hang or fill the memory.
    pub(super) fn garble<T>(whole: &[u8], head: usize, read: impl Fn(Vec<u8>) -> T) {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 16) as usize % below
        };
        for _ in 0..2_000 {
            let mut bytes = whole.to_vec();
            for _ in 0..=random(3) {
                let at = random(head);
                bytes[at] = match random(3) {
                    0 => random(256) as u8,
                    1 => bytes[random(head)],
                    _ => bytes[at] ^ (1 << random(8)),
                };
            }
            if random(4) == 0 {
                bytes.truncate(random(whole.len()));
            }
            read(bytes);
        }
    }
}
