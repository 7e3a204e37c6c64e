//! EBML, the binary tree that Matroska is written in (RFC 8794).

use std::io;

use crate::file::bytes::{Bytes, Fields};

/// An element's name, with its marker bits, as the specifications print it.
pub(super) type Id = u32;

/// What an element starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) id: Id,
    /// Bytes of content; `None`: up to whatever cannot be inside.
    pub(super) size: Option<u64>,
}

/// Reads a header; `None` if what is there is none.
pub(super) fn header(bytes: &mut Bytes) -> io::Result<Option<Header>> {
    let Some(id) = number(bytes, 4, true)? else {
        return Ok(None);
    };
    let id = id.value as Id;
    Ok(size(bytes)?.map(|size| Header { id, size }))
}

/// Reads what follows an id: the size of the content, `Some(None)` if that is
/// not known; `None` if what is there is no size.
pub(super) fn size(bytes: &mut Bytes) -> io::Result<Option<Option<u64>>> {
    let size = number(bytes, 8, false)?;
    Ok(size.map(|size| (!size.all_ones).then_some(size.value)))
}

/// A number of variable length (RFC 8794 section 4).
struct Number {
    value: u64,
    /// As sizes that are not known are written.
    all_ones: bool,
}

fn number(bytes: &mut Bytes, max_length: usize, with_marker: bool) -> io::Result<Option<Number>> {
    let [first] = bytes.array()?;
    let length = first.leading_zeros() as usize + 1;
    if length > max_length {
        return Ok(None);
    }
    let mut all = [0; 8];
    all[0] = first;
    bytes.read_exact(&mut all[1..length])?;
    Ok(vint(&mut Fields(&all[..length]), with_marker))
}

fn vint(fields: &mut Fields<'_>, with_marker: bool) -> Option<Number> {
    let first = *fields.0.first()?;
    let length = first.leading_zeros() as usize + 1;
    let value = fields.number(length)?;
    let marker = 1_u64 << (7 * length);
    Some(Number {
        value: if with_marker {
            value
        } else {
            value & (marker - 1)
        },
        all_ones: value & (marker - 1) == marker - 1,
    })
}

/// A number of variable length in front of `fields`.
pub(super) fn unsigned(fields: &mut Fields<'_>) -> Option<u64> {
    vint(fields, false).map(|number| number.value)
}

/// The same, as differences are written (RFC 9559 section 10.3.3).
pub(super) fn signed(fields: &mut Fields<'_>) -> Option<i64> {
    let before = fields.0.len();
    let value = unsigned(fields)? as i64;
    let length = before - fields.0.len();
    Some(value - ((1 << (7 * length - 1)) - 1))
}

/// The elements inside one that was read as a whole. What does not fit ends
/// them.
pub(super) struct Children<'a>(pub(super) Fields<'a>);

impl<'a> Iterator for Children<'a> {
    type Item = (Id, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let id = vint(&mut self.0, true)?.value as Id;
        let size = usize::try_from(unsigned(&mut self.0)?).ok()?;
        Some((id, self.0.take(size)?))
    }
}

/// The elements inside `content`.
pub(super) fn children(content: &[u8]) -> Children<'_> {
    Children(Fields(content))
}

/// An unsigned integer (RFC 8794 section 7.2).
pub(super) fn integer(content: &[u8]) -> Option<u64> {
    Fields(content).number(content.len())
}

/// A signed integer (RFC 8794 section 7.1).
pub(super) fn signed_integer(content: &[u8]) -> Option<i64> {
    let unused = 64_usize.checked_sub(8 * content.len())?;
    let value = integer(content)? as i64;
    Some(value.checked_shl(unused as u32).unwrap_or(0) >> unused.min(63))
}

/// A number with a fraction (RFC 8794 section 7.3).
pub(super) fn float(content: &[u8]) -> Option<f64> {
    match *content {
        [a, b, c, d] => Some(f32::from_be_bytes([a, b, c, d]).into()),
        [a, b, c, d, e, f, g, h] => Some(f64::from_be_bytes([a, b, c, d, e, f, g, h])),
        _ => None,
    }
}

/// Text, which may be padded with zeros (RFC 8794 section 7.4).
pub(super) fn text(content: &[u8]) -> String {
    let text = String::from_utf8_lossy(content);
    text.trim_end_matches('\0').to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn headers_have_an_id_and_maybe_a_size() {
        let check = |content: &[u8], expected| {
            let mut bytes = Bytes::pipe(Box::new(Cursor::new(content.to_vec())));
            assert_eq!(header(&mut bytes).unwrap(), expected, "{content:x?}");
        };
        let id = 0x1f43_b675;
        let size = Some(0x123);
        check(
            &[0x1f, 0x43, 0xb6, 0x75, 0x41, 0x23],
            Some(Header { id, size }),
        );
        let size = None;
        check(&[0x1f, 0x43, 0xb6, 0x75, 0xff], Some(Header { id, size }));
        check(&[0x08, 0, 0, 0, 0, 0, 0], None);
        check(&[0xa3, 0x00], None);
    }

    #[test]
    fn numbers_of_every_kind() {
        assert_eq!(unsigned(&mut Fields(&[0x40, 0x7f])), Some(127));
        assert_eq!(unsigned(&mut Fields(&[0x40])), None);
        assert_eq!(signed(&mut Fields(&[0xc0])), Some(1));
        assert_eq!(signed(&mut Fields(&[0xbe])), Some(-1));
        assert_eq!(integer(&[1, 0]), Some(256));
        assert_eq!(integer(&[0; 9]), None);
        assert_eq!(signed_integer(&[0xff, 0xfe]), Some(-2));
        assert_eq!(signed_integer(&[]), Some(0));
        assert_eq!(float(&[0x3f, 0x80, 0, 0]), Some(1.0));
        assert_eq!(float(&[1]), None);
        assert_eq!(text(b"V_VP8\0\0"), "V_VP8");
    }

    #[test]
    fn children_end_where_one_does_not_fit() {
        let content = [0xd7, 0x81, 5, 0x86, 0x82, b'a', b'b', 0x83, 0x85, 1];
        let found: Vec<_> = children(&content).collect();
        assert_eq!(found, [(0xd7, &[5][..]), (0x86, b"ab")]);
    }
}
