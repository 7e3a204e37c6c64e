//! What can be read of an RTP packet before it is authenticated.

/// The payload type of an RTP packet; `None` for whatever else shares its port
/// (RFC 7983 section 7), RTCP among it (RFC 5761 section 4).
pub(super) fn payload_type(datagram: &[u8]) -> Option<u8> {
    let [128..=191, second, ..] = datagram else {
        return None;
    };
    let pt = second & 0x7f;
    (!(64..96).contains(&pt)).then_some(pt)
}

/// The header of an RTP packet (RFC 3550 section 5.1), which anybody may have
/// written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RtpHeader<'a> {
    pub(super) pt: u8,
    pub(super) sequence: u16,
    pub(super) ssrc: u32,
    profile: u16,
    extensions: &'a [u8],
}

/// Header extensions with one byte before each (RFC 8285 section 4.2), and with
/// two (section 4.3), the lowest bits being the sender's.
const ONE_BYTE: u16 = 0xbede;
const TWO_BYTE: u16 = 0x1000;
const TWO_BYTE_MASK: u16 = 0xfff0;

impl<'a> RtpHeader<'a> {
    /// `None` if it is cut.
    pub(super) fn parse(datagram: &'a [u8]) -> Option<Self> {
        let (fixed, rest) = datagram.split_first_chunk::<12>()?;
        let contributors = usize::from(fixed[0] & 0x0f) * 4;
        let rest = rest.get(contributors..)?;
        let (profile, extensions) = if fixed[0] & 0x10 == 0 {
            (0, [].as_slice())
        } else {
            let (head, rest) = rest.split_first_chunk::<4>()?;
            let words = u16::from_be_bytes([head[2], head[3]]);
            let bytes = rest.get(..usize::from(words) * 4)?;
            (u16::from_be_bytes([head[0], head[1]]), bytes)
        };
        Some(Self {
            pt: fixed[1] & 0x7f,
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            profile,
            extensions,
        })
    }

    /// The text of a header extension.
    pub(super) fn extension(&self, id: u8) -> Option<&'a str> {
        let mut rest = self.extensions;
        while let Some((&first, after)) = rest.split_first() {
            if first == 0 {
                rest = after;
                continue;
            }
            let (this, length, after) = if self.profile == ONE_BYTE {
                (first >> 4, usize::from(first & 0x0f) + 1, after)
            } else if self.profile & TWO_BYTE_MASK == TWO_BYTE {
                let (&length, after) = after.split_first()?;
                (first, usize::from(length), after)
            } else {
                return None;
            };
            let (value, after) = after.split_at_checked(length)?;
            if this == id {
                return std::str::from_utf8(value).ok();
            }
            rest = after;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet with one contributor and these extensions.
    fn packet(profile: u16, extensions: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x91, 0x80 | 96, 1, 2, 0, 0, 0, 9, 0, 0, 0, 7, 1, 1, 1, 1];
        packet.extend(profile.to_be_bytes());
        packet.extend((extensions.len() as u16 / 4).to_be_bytes());
        packet.extend(extensions);
        packet.push(0xaa);
        packet
    }

    #[test]
    fn rtp_is_told_from_all_else() {
        let table: &[(&[u8], Option<u8>)] = &[
            (&[], None),
            (&[0x80], None),
            (&[0x80, 96], Some(96)),
            (&[0xbf, 0x80 | 102], Some(102)),
            (&[0x80, 0], Some(0)),
            // RTCP, with each of its first bits; DTLS; what is nothing.
            (&[0x80, 200], None),
            (&[0x80, 72], None),
            (&[22, 254], None),
            (&[0xff, 96], None),
        ];
        for (datagram, expected) in table {
            assert_eq!(payload_type(datagram), *expected, "{datagram:?}");
        }
    }

    #[test]
    fn the_fixed_header_is_read() {
        let bytes = packet(ONE_BYTE, &[0x30, b'a', 0, 0]);
        let header = RtpHeader::parse(&bytes).unwrap();
        assert_eq!((header.pt, header.sequence, header.ssrc), (96, 0x102, 7));
        let bytes = [0x80, 111, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0];
        let plain = RtpHeader::parse(&bytes).unwrap();
        assert_eq!((plain.pt, plain.ssrc, plain.extension(3)), (111, 256, None));
    }

    #[test]
    fn extensions_are_found() {
        let table: &[(u16, &[u8], u8, Option<&str>)] = &[
            (
                ONE_BYTE,
                &[0x30, b'a', 0x41, b'h', b'i', 0, 0, 0],
                4,
                Some("hi"),
            ),
            (ONE_BYTE, &[0, 0, 0x30, b'a'], 3, Some("a")),
            (ONE_BYTE, &[0x30, b'a', 0, 0], 5, None),
            // Longer than there is; not UTF-8; of a profile that nobody knows.
            (ONE_BYTE, &[0x3f, b'a', b'b', b'c'], 3, None),
            (ONE_BYTE, &[0x30, 0xff, 0, 0], 3, None),
            (0x1234, &[0x30, b'a', 0, 0], 3, None),
            (TWO_BYTE, &[3, 2, b'h', b'i'], 3, Some("hi")),
            (TWO_BYTE | 7, &[9, 0, 3, 1, b'a', 0, 0, 0], 3, Some("a")),
            (TWO_BYTE, &[0, 0, 0, 3], 3, None),
        ];
        for (profile, extensions, id, expected) in table {
            let bytes = packet(*profile, extensions);
            let header = RtpHeader::parse(&bytes).unwrap();
            assert_eq!(header.extension(*id), *expected, "{extensions:02x?}");
        }
    }

    #[test]
    fn a_cut_header_is_none_and_never_panics() {
        let bytes = packet(ONE_BYTE, &[0x30, b'a', 0x41, b'h', b'i', 0, 0, 0]);
        for length in 0..bytes.len() - 1 {
            assert_eq!(RtpHeader::parse(&bytes[..length]), None, "{length}");
        }
        assert!(RtpHeader::parse(&bytes[..bytes.len() - 1]).is_some());
    }
}
