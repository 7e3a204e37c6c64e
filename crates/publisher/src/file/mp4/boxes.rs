//! Boxes, the tree that MP4 and QuickTime files are written in (ISO/IEC
//! 14496-12 section 4.2).

use std::io;

use crate::file::bytes::{Bytes, Fields};

/// What a box is.
pub(super) type Kind = [u8; 4];

/// What a box of the file's outermost level starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// Where its content starts.
    pub(super) start: u64,
    /// Where it ends; `None`: with the file.
    pub(super) end: Option<u64>,
}

/// Reads a box's header; `None` if its size makes no sense.
pub(super) fn header(bytes: &mut Bytes) -> io::Result<Option<Header>> {
    let position = bytes.position();
    let [a, b, c, d, kind @ ..] = bytes.array::<8>()?;
    let size = match u32::from_be_bytes([a, b, c, d]) {
        0 => None,
        1 => Some(u64::from_be_bytes(bytes.array()?)),
        size => Some(size.into()),
    };
    let start = bytes.position();
    let end = match size.map(|size| position.checked_add(size)) {
        None => None,
        Some(Some(end)) if end >= start => Some(end),
        Some(_) => return Ok(None),
    };
    Ok(Some(Header { kind, start, end }))
}

/// The boxes inside one that was read as a whole. What does not fit ends them.
pub(super) struct Children<'a>(Fields<'a>);

/// The boxes inside `content`.
pub(super) fn children(content: &[u8]) -> Children<'_> {
    Children(Fields(content))
}

impl<'a> Iterator for Children<'a> {
    type Item = (Kind, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let size = self.0.u32()?;
        let kind = self.0.array()?;
        let (size, read) = match size {
            0 => return Some((kind, self.0.take(self.0.0.len())?)),
            1 => (self.0.u64()?, 16),
            size => (size.into(), 8),
        };
        let length = usize::try_from(size.checked_sub(read)?).ok()?;
        Some((kind, self.0.take(length)?))
    }
}

/// The first box of that kind inside `content`.
pub(super) fn find<'a>(content: &'a [u8], kind: &Kind) -> Option<&'a [u8]> {
    let mut found = children(content).filter(|(other, _)| other == kind);
    found.next().map(|(_, content)| content)
}

/// The first box at the end of a path of kinds inside `content`.
pub(super) fn find_path<'a>(content: &'a [u8], path: &[&Kind]) -> Option<&'a [u8]> {
    path.iter()
        .try_fold(content, |content, kind| find(content, kind))
}

/// A box's content behind its version and flags, and these.
pub(super) fn full(content: &[u8]) -> Option<(u8, u32, Fields<'_>)> {
    let mut fields = Fields(content);
    let version = fields.u8()?;
    let flags = fields.number(3)? as u32;
    Some((version, flags, fields))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn headers_have_sizes_of_three_kinds() {
        let check = |content: &[u8], expected| {
            let mut bytes = Bytes::pipe(Box::new(Cursor::new(content.to_vec())));
            assert_eq!(header(&mut bytes).unwrap(), expected, "{content:x?}");
        };
        let kind = *b"mdat";
        let header = |start, end| Some(Header { kind, start, end });
        check(b"\0\0\0\x10mdat", header(8, Some(16)));
        check(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x20", header(16, Some(32)));
        check(b"\0\0\0\0mdat", header(8, None));
        check(b"\0\0\0\x07mdat", None);
        check(
            b"\0\0\0\x01mdat\xff\xff\xff\xff\xff\xff\xff\xff",
            header(16, Some(u64::MAX)),
        );
        check(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x08", None);
    }

    #[test]
    fn boxes_are_found_by_their_path() {
        let content = b"\0\0\0\x09free_\0\0\0\x15trak\0\0\0\x0dtkhd12345\0\0\0\xffmore";
        assert_eq!(find_path(content, &[b"trak", b"tkhd"]), Some(&b"12345"[..]));
        assert_eq!(find_path(content, &[b"trak", b"mdia"]), None);
        assert_eq!(find(content, b"more"), None);
    }
}
