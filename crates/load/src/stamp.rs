//! What each packet says about itself, so that a viewer needs to know nothing else:
//! which packet of which frame of which stream it is, when it was sent, and what the
//! rest of it must be.

/// Bytes of a stamp.
pub(crate) const STAMP_BYTES: usize = 32;

const MAGIC: [u8; 4] = *b"2way";

/// What a packet belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A frame that needs those before it.
    Delta,
    /// A keyframe.
    Key,
    /// Sound: every packet is a frame.
    Sound,
}

/// One packet's stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// When it was sent, by [`crate::clock::nanoseconds`].
    pub(crate) sent_ns: u64,
    /// The stream, as its publisher is numbered.
    pub(crate) stream: u32,
    /// The frame, counted from 0 for pictures and for sound.
    pub(crate) frame: u32,
    /// The packet of the frame, from 0.
    pub(crate) index: u16,
    /// Packets of the frame.
    pub(crate) count: u16,
    /// Bytes of the payload that the stamp is in.
    pub(crate) length: u16,
    /// What it belongs to.
    pub(crate) kind: Kind,
}

impl Stamp {
    /// As it stands in a packet.
    pub(crate) fn write(&self) -> [u8; STAMP_BYTES] {
        let mut bytes = [0; STAMP_BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..12].copy_from_slice(&self.sent_ns.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.stream.to_be_bytes());
        bytes[16..20].copy_from_slice(&self.frame.to_be_bytes());
        bytes[20..22].copy_from_slice(&self.index.to_be_bytes());
        bytes[22..24].copy_from_slice(&self.count.to_be_bytes());
        bytes[24..26].copy_from_slice(&self.length.to_be_bytes());
        bytes[26] = match self.kind {
            Kind::Delta => 0,
            Kind::Key => 1,
            Kind::Sound => 2,
        };
        let check = (digest(&bytes[..28]) as u32).to_be_bytes();
        bytes[28..].copy_from_slice(&check);
        bytes
    }

    /// The stamp, unless these bytes are none or not as they were written.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; STAMP_BYTES] = bytes.get(..STAMP_BYTES)?.try_into().ok()?;
        let stamp = Self {
            sent_ns: u64::from_be_bytes(bytes[4..12].try_into().ok()?),
            stream: u32::from_be_bytes(bytes[12..16].try_into().ok()?),
            frame: u32::from_be_bytes(bytes[16..20].try_into().ok()?),
            index: u16::from_be_bytes(bytes[20..22].try_into().ok()?),
            count: u16::from_be_bytes(bytes[22..24].try_into().ok()?),
            length: u16::from_be_bytes(bytes[24..26].try_into().ok()?),
            kind: match bytes[26] {
                0 => Kind::Delta,
                1 => Kind::Key,
                2 => Kind::Sound,
                _ => return None,
            },
        };
        (stamp.write() == *bytes && stamp.index < stamp.count).then_some(stamp)
    }

    /// What follows the stamp in its packet: noise that the stamp determines.
    pub(crate) fn fill(&self, filling: &mut [u8]) {
        let mut state = digest(&self.write());
        for chunk in filling.chunks_mut(8) {
            chunk.copy_from_slice(&next(&mut state)[..chunk.len()]);
        }
    }

    /// Whether `filling` is just that.
    pub(crate) fn fills(&self, filling: &[u8]) -> bool {
        let mut state = digest(&self.write());
        let mut chunks = filling.chunks(8);
        chunks.all(|chunk| chunk == &next(&mut state)[..chunk.len()])
    }
}

/// Steele's and Vigna's splitmix64: quick, and no two states give the same noise.
fn next(state: &mut u64) -> [u8; 8] {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mix(*state).to_le_bytes()
}

fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Tells damage, not forgery: packets are authenticated besides.
fn digest(bytes: &[u8]) -> u64 {
    bytes.chunks(8).fold(0, |sum, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        mix(sum ^ u64::from_le_bytes(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp {
        sent_ns: 123_456_789_012,
        stream: 7,
        frame: 70_000,
        index: 3,
        count: 6,
        length: 1_140,
        kind: Kind::Key,
    };

    #[test]
    fn what_is_written_is_read() {
        for kind in [Kind::Delta, Kind::Key, Kind::Sound] {
            let stamp = Stamp { kind, ..STAMP };
            assert_eq!(Stamp::read(&stamp.write()), Some(stamp));
        }
    }

    #[test]
    fn any_damage_is_seen() {
        let bytes = STAMP.write();
        for at in 0..bytes.len() * 8 {
            let mut bytes = bytes;
            bytes[at / 8] ^= 1 << (at % 8);
            assert_eq!(Stamp::read(&bytes), None, "bit {at}");
        }
        assert_eq!(Stamp::read(&bytes[1..]), None);
    }

    #[test]
    fn the_filling_is_the_stamps_own() {
        for length in [0, 1, 8, 1_001] {
            let mut filling = vec![0; length];
            STAMP.fill(&mut filling);
            assert!(STAMP.fills(&filling));
            let other = Stamp { frame: 1, ..STAMP };
            assert_eq!(other.fills(&filling), length == 0);
            if let Some(last) = filling.last_mut() {
                *last ^= 1;
                assert!(!STAMP.fills(&filling));
            }
        }
    }
}
