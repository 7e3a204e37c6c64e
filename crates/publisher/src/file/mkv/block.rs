//! Blocks: frames of one track with one time (RFC 9559 section 10).

use super::ebml::{self, Id};
use crate::file::bytes::Fields;
use crate::file::container::{Nanos, clamped};
use crate::file::xiph;

const BLOCK: Id = 0xa1;
const BLOCK_DURATION: Id = 0x9b;
const DISCARD_PADDING: Id = 0x75a2;

/// A block, its frames still in the file's bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block<'a> {
    /// The track's number.
    pub(super) track: u64,
    /// In ticks, from the cluster's.
    pub(super) time: i16,
    /// In ticks, of all frames.
    pub(super) duration: Option<u64>,
    /// How much of the decoded sound is not to be heard, at its end.
    pub(super) discard: Nanos,
    /// At least one.
    pub(super) frames: Vec<&'a [u8]>,
}

/// The block in a `BlockGroup`.
pub(super) fn in_group(content: &[u8]) -> Option<Block<'_>> {
    let mut block = None;
    let (mut duration, mut discard) = (None, 0);
    for (id, content) in ebml::children(content) {
        match id {
            BLOCK => block = Some(parse(content)?),
            BLOCK_DURATION => duration = ebml::integer(content),
            DISCARD_PADDING => {
                discard = clamped(ebml::signed_integer(content).unwrap_or(0).max(0).into());
            }
            _ => {}
        }
    }
    Some(Block {
        duration,
        discard,
        ..block?
    })
}

/// A `SimpleBlock`, or the block in a group.
pub(super) fn parse(content: &[u8]) -> Option<Block<'_>> {
    let mut fields = Fields(content);
    let track = ebml::unsigned(&mut fields)?;
    let time = i16::from_be_bytes(fields.array()?);
    let lacing = fields.u8()? >> 1 & 3;
    let frames = match lacing {
        0 => vec![fields.0],
        1 => xiph::laced(fields.u8()?, fields, xiph::size)?,
        2 => equal(fields)?,
        _ => ebml_laced(fields)?,
    };
    Some(Block {
        track,
        time,
        duration: None,
        discard: 0,
        frames,
    })
}

/// Sizes as differences from the one before (RFC 9559 section 10.3.3).
fn ebml_laced(mut fields: Fields<'_>) -> Option<Vec<&[u8]>> {
    let mut before: Option<u64> = None;
    xiph::laced(fields.u8()?, fields, |fields| {
        let size = match before {
            None => ebml::unsigned(fields)?,
            Some(before) => before.checked_add_signed(ebml::signed(fields)?)?,
        };
        before = Some(size);
        before
    })
}

/// Frames of one size (RFC 9559 section 10.3.4).
fn equal(mut fields: Fields<'_>) -> Option<Vec<&[u8]>> {
    let count = usize::from(fields.u8()?) + 1;
    let size = fields.0.len() / count;
    if size * count != fields.0.len() || size == 0 {
        return None;
    }
    Some(fields.0.chunks_exact(size).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &[u8], frames: Option<&[&[u8]]>) {
        let parsed = parse(content).map(|block| block.frames);
        assert_eq!(parsed.as_deref(), frames, "{content:x?}");
    }

    #[test]
    fn frames_of_every_lacing() {
        check(&[0x81, 0, 0, 0x80, 1, 2], Some(&[&[1, 2]]));
        check(&[0x81, 0, 0, 0x02, 1, 2, 1, 2, 3], Some(&[&[1, 2], &[3]]));
        check(&[0x81, 0, 0, 0x04, 1, 1, 2], Some(&[&[1], &[2]]));
        let ebml = [0x81, 0, 0, 0x06, 2, 0x82, 0xbe, 1, 2, 3, 4];
        check(&ebml, Some(&[&[1, 2], &[3], &[4]]));
    }

    #[test]
    fn lacing_that_does_not_fit_is_corrupt() {
        check(&[0x81, 0, 0], None);
        check(&[0x81, 0, 0, 0x02, 1, 9, 1], None);
        check(&[0x81, 0, 0, 0x02, 1, 255], None);
        check(&[0x81, 0, 0, 0x04, 1, 1, 2, 3], None);
        check(&[0x81, 0, 0, 0x04, 1], None);
        check(&[0x81, 0, 0, 0x06, 2, 0x81, 0x80, 1], None);
    }

    #[test]
    fn a_group_tells_more_than_its_block() {
        let group = [
            0xa1, 0x85, 0x82, 0xff, 0xfe, 0, 7, 0x9b, 0x81, 20, 0x75, 0xa2, 0x82, 1, 0,
        ];
        let block = in_group(&group).unwrap();
        assert_eq!((block.track, block.time), (2, -2));
        assert_eq!((block.duration, block.discard), (Some(20), 256));
        assert_eq!(block.frames, [&[7]]);
        assert_eq!(in_group(&[0x9b, 0x81, 20]), None);
    }
}
