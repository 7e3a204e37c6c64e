//! What Xiph's codecs need wherever they are stored.

use super::bytes::Fields;

/// Bytes of FLAC's `STREAMINFO` (RFC 9639 section 8.2).
const STREAM_INFO: usize = 34;

/// `others + 1` frames whose sizes, but for the last, stand in front of them.
pub(super) fn laced<'a>(
    others: u8,
    mut fields: Fields<'a>,
    mut size: impl FnMut(&mut Fields<'a>) -> Option<u64>,
) -> Option<Vec<&'a [u8]>> {
    let sizes: Option<Vec<u64>> = (0..others).map(|_| size(&mut fields)).collect();
    let mut frames = Vec::with_capacity(usize::from(others) + 1);
    for size in sizes? {
        frames.push(fields.take(usize::try_from(size).ok()?)?);
    }
    frames.push(fields.0);
    Some(frames)
}

/// A size as a sum of bytes up to the first below 255 (RFC 9559 section 10.3.2).
pub(super) fn size(fields: &mut Fields<'_>) -> Option<u64> {
    let mut size = 0;
    loop {
        let byte = fields.u8()?;
        size += u64::from(byte);
        if byte < 255 {
            return Some(size);
        }
    }
}

/// The `STREAMINFO` among FLAC's metadata blocks, with or without the magic in
/// front (RFC 9639 section 8.1).
pub(super) fn flac_stream_info(blocks: &[u8]) -> Option<&[u8]> {
    let mut fields = Fields(blocks.strip_prefix(b"fLaC").unwrap_or(blocks));
    loop {
        let kind = fields.u8()? & 0x7f;
        let length = fields.number(3)? as usize;
        let block = fields.take(length)?;
        if kind == 0 {
            return (length == STREAM_INFO).then_some(block);
        }
    }
}

/// What the identification header of Opus tells (RFC 7845 section 5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OpusHead {
    pub(super) channels: u8,
    /// Of the channels, to streams.
    pub(super) mapping_family: u8,
}

/// Reads an identification header, with its magic.
pub(super) fn opus_head(header: &[u8]) -> Option<OpusHead> {
    let mut fields = Fields(header.strip_prefix(b"OpusHead")?);
    let _version = fields.u8()?;
    let channels = fields.u8()?;
    fields.skip(8)?; // pre-skip, original rate, gain
    let mapping_family = fields.u8()?;
    (channels > 0).then_some(OpusHead {
        channels,
        mapping_family,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_info_is_found_behind_the_magic() {
        let info = [7; STREAM_INFO];
        let blocks = [b"fLaC", &[4, 0, 0, 1, 9][..], &[0x80, 0, 0, 34], &info].concat();
        assert_eq!(flac_stream_info(&blocks), Some(&info[..]));
        assert_eq!(flac_stream_info(&blocks[..20]), None);
    }

    #[test]
    fn opus_tells_its_channels() {
        let header = b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0";
        let head = opus_head(header).unwrap();
        assert_eq!((head.channels, head.mapping_family), (2, 0));
        assert_eq!(opus_head(&header[..18]), None);
        assert_eq!(opus_head(&header[1..]), None);
    }
}
