//! RTP packets from outside: headers are never encrypted.

/// What a viewer reads of a header (RFC 3550 section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    /// Where the payload begins.
    pub(crate) payload_at: usize,
    /// There is padding at the end.
    pub(crate) is_padded: bool,
    /// Of the whole transport, if the extension is there.
    pub(crate) transport_sequence: Option<u16>,
}

/// What a datagram is, by its first bytes (RFC 7983, RFC 5761).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Datagram {
    Rtp,
    Rtcp,
    /// STUN, DTLS or none of ours.
    Other,
}

pub(crate) fn kind(datagram: &[u8]) -> Datagram {
    match datagram {
        [128..=191, 192..=223, ..] => Datagram::Rtcp,
        [128..=191, ..] => Datagram::Rtp,
        _ => Datagram::Other,
    }
}

fn word(packet: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(packet.get(at..at + 4)?.try_into().ok()?))
}

fn half(packet: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(packet.get(at..at + 2)?.try_into().ok()?))
}

impl Header {
    /// Reads a header; `transport_id` is what the transport-wide extension was
    /// negotiated as.
    pub(crate) fn parse(packet: &[u8], transport_id: Option<u8>) -> Option<Self> {
        let first = *packet.first()?;
        let mut payload_at = 12 + 4 * usize::from(first & 0x0f);
        let mut transport_sequence = None;
        if first & 0x10 != 0 {
            let form = half(packet, payload_at)?;
            let length = 4 * usize::from(half(packet, payload_at + 2)?);
            let extensions = packet.get(payload_at + 4..payload_at + 4 + length)?;
            transport_sequence = transport_id.and_then(|id| find(form, extensions, id));
            payload_at += 4 + length;
        }
        Some(Self {
            payload_type: packet.get(1)? & 0x7f,
            sequence: half(packet, 2)?,
            timestamp: word(packet, 4)?,
            ssrc: word(packet, 8)?,
            payload_at,
            is_padded: first & 0x20 != 0,
            transport_sequence,
        })
    }
}

/// An extension of two bytes in either form of RFC 8285.
fn find(form: u16, mut extensions: &[u8], wanted: u8) -> Option<u16> {
    let is_long = form & 0xfff0 == 0x1000;
    if !is_long && form != 0xbede {
        return None;
    }
    loop {
        let (id, length, rest) = match extensions {
            [] => return None,
            [0, rest @ ..] => {
                extensions = rest;
                continue;
            }
            [id, length, rest @ ..] if is_long => (*id, usize::from(*length), rest),
            [head, rest @ ..] => (head >> 4, usize::from(head & 0x0f) + 1, rest),
        };
        let (value, rest) = rest.split_at_checked(length)?;
        if id == wanted {
            return half(value, 0);
        }
        extensions = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(extension: &[u8]) -> Vec<u8> {
        let with = if extension.is_empty() { 0 } else { 0x10 };
        let mut packet = vec![0x80 | with, 0x80 | 108, 0x12, 0x34];
        packet.extend(7_u32.to_be_bytes());
        packet.extend(9_u32.to_be_bytes());
        packet.extend(extension);
        packet.extend(b"payload");
        packet
    }

    #[test]
    fn headers_are_read() {
        let header = Header::parse(&packet(&[]), Some(3)).unwrap();
        let wanted = Header {
            payload_type: 108,
            sequence: 0x1234,
            timestamp: 7,
            ssrc: 9,
            payload_at: 12,
            is_padded: false,
            transport_sequence: None,
        };
        assert_eq!(header, wanted);
    }

    #[test]
    fn the_transports_number_is_found_in_either_form() {
        let short = [
            0xbe, 0xde, 0, 3, 0x12, 1, 2, 3, 0x31, 0xab, 0xcd, 0, 0, 0, 0, 0,
        ];
        let long = [0x10, 0, 0, 2, 1, 0, 3, 2, 0xab, 0xcd, 0, 0];
        for extension in [&short[..], &long] {
            let packet = packet(extension);
            let header = Header::parse(&packet, Some(3)).unwrap();
            assert_eq!(header.transport_sequence, Some(0xabcd));
            assert_eq!(&packet[header.payload_at..], b"payload");
            let other = Header::parse(&packet, Some(4)).unwrap();
            assert_eq!(other.transport_sequence, None);
        }
    }

    #[test]
    fn no_start_of_a_packet_is_read_past_its_end() {
        let short = [0xbe, 0xde, 0, 1, 0x31, 0xab, 0xcd, 0];
        let packet = packet(&short);
        for length in 0..packet.len() - 7 {
            assert_eq!(Header::parse(&packet[..length], Some(3)), None, "{length}");
        }
        // A value that ends after its extension is none.
        let torn = [0xbe, 0xde, 0, 1, 0, 0, 0, 0x31];
        let header = Header::parse(&self::packet(&torn), Some(3)).unwrap();
        assert_eq!(header.transport_sequence, None);
    }

    #[test]
    fn datagrams_are_told_apart() {
        assert_eq!(kind(&[0x80, 108]), Datagram::Rtp);
        assert_eq!(kind(&[0x90, 0x80 | 108]), Datagram::Rtp);
        assert_eq!(kind(&[0x80, 200]), Datagram::Rtcp);
        assert_eq!(kind(&[0x00, 0x01]), Datagram::Other);
        assert_eq!(kind(&[22, 254]), Datagram::Other);
        assert_eq!(kind(&[]), Datagram::Other);
    }
}
