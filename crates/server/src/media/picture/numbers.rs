//! The numbers that VP8 gives its pictures (RFC 7741 section 4.2).
//!
//! A stream counts its pictures, and among them those of its lowest temporal
//! layer that others build on, each from a random number on. To a receiver they
//! say what is old and what is missing: Chromium drops pictures whose numbers
//! went back, and the viewer waits three seconds before it asks for a keyframe.
//! So where one stream takes another's place, its numbers go on from there.
//!
//! Not here: KEYIDX, which counts keyframes. Streams meet at a keyframe, where
//! it does not matter how many there were before.

use str0m::rtp::{Vp8Descriptor, Vp8Patch};

use crate::media::codec::Codec;

/// PictureIDs of one octet are the lower bits of one of two.
const SHORT_ID_MASK: u16 = 0x7f;
const LONG_ID_MASK: u16 = 0x7fff;

/// Which picture a packet is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::media) struct PictureNumbers {
    /// PictureID; `None` if the descriptor has none.
    id: Option<u16>,
    /// TL0PICIDX; `None` if the descriptor has none.
    base: Option<u8>,
}

/// By how much a viewer's numbers are ahead of the publisher's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::media) struct Shift {
    id: u16,
    base: u8,
}

impl PictureNumbers {
    /// What the payload says; nothing for other codecs than VP8.
    pub(in crate::media) fn read(codec: Codec, payload: &[u8]) -> Self {
        let descriptor = (codec == Codec::Vp8).then(|| Vp8Descriptor::parse(payload));
        let Some(Ok(descriptor)) = descriptor else {
            return Self::default();
        };
        Self {
            id: descriptor.picture_id(),
            base: descriptor.tl0_pic_idx(),
        }
    }

    /// The same, with what is not there taken from a packet before.
    pub(in crate::media) fn or(self, before: Self) -> Self {
        Self {
            id: self.id.or(before.id),
            base: self.base.or(before.base),
        }
    }

    /// Where they are in a viewer's stream.
    pub(in crate::media) fn shifted(self, by: Shift) -> Self {
        Self {
            id: self.id.map(|id| id.wrapping_add(by.id) & LONG_ID_MASK),
            base: self.base.map(|base| base.wrapping_add(by.base)),
        }
    }

    /// What makes this, a keyframe's, the next picture after `last`.
    pub(in crate::media) fn shift_after(self, last: Self) -> Shift {
        let id = last.id.zip(self.id).map(|(last, id)| {
            let next = last.wrapping_add(1);
            next.wrapping_sub(id) & LONG_ID_MASK
        });
        let base = last.base.zip(self.base).map(|(last, base)| {
            let next = last.wrapping_add(1);
            next.wrapping_sub(base)
        });
        Shift {
            id: id.unwrap_or_default(),
            base: base.unwrap_or_default(),
        }
    }
}

impl Shift {
    /// Changes the numbers in a payload of VP8 where it stands.
    pub(in crate::media) fn apply(self, payload: &mut [u8]) {
        if self == Self::default() {
            return;
        }
        let Some((id, base)) = places(payload) else {
            return;
        };
        let numbers = Self::numbers(payload, id, base).shifted(self);
        if let (Some(at), Some(base)) = (base, numbers.base) {
            payload[at] = base;
        }
        match (id, numbers.id) {
            (Some(IdPlace::Short(at)), Some(id)) => payload[at] = (id & SHORT_ID_MASK) as u8,
            (Some(IdPlace::Long(at)), Some(id)) => {
                let long = id | !LONG_ID_MASK;
                payload[at..at + 2].copy_from_slice(&long.to_be_bytes());
            }
            (Some(_) | None, _) => {}
        }
    }

    fn numbers(payload: &[u8], id: Option<IdPlace>, base: Option<usize>) -> PictureNumbers {
        let id = id.map(|place| match place {
            IdPlace::Short(at) => payload[at].into(),
            IdPlace::Long(at) => u16::from_be_bytes([payload[at], payload[at + 1]]) & LONG_ID_MASK,
        });
        PictureNumbers {
            id,
            base: base.map(|at| payload[at]),
        }
    }

    /// What is to be changed in a payload of VP8; `None` if nothing.
    pub(in crate::media) fn patch(self, payload: &[u8]) -> Option<Vp8Patch> {
        if self == Self::default() {
            return None;
        }
        let descriptor = Vp8Descriptor::parse(payload).ok()?;
        let numbers = PictureNumbers {
            id: descriptor.picture_id(),
            base: descriptor.tl0_pic_idx(),
        };
        let PictureNumbers { id, base } = numbers.shifted(self);
        let mut patch = descriptor.patch();
        if let Some(base) = base {
            patch = patch.tl0_pic_idx(base);
        }
        let Some(id) = id else {
            return patch.build().ok();
        };
        let long = patch.picture_id(id).build();
        long.or_else(|_| patch.picture_id(id & SHORT_ID_MASK).build())
            .ok()
    }
}

/// Where a PictureID stands.
#[derive(Debug, Clone, Copy)]
enum IdPlace {
    /// In one octet.
    Short(usize),
    /// In two.
    Long(usize),
}

/// Where PictureID and TL0PICIDX stand in a payload descriptor, those that it has;
/// `None` if it is cut.
fn places(payload: &[u8]) -> Option<(Option<IdPlace>, Option<usize>)> {
    const EXTENDED: u8 = 0x80;
    const HAS_ID: u8 = 0x80;
    const HAS_BASE: u8 = 0x40;
    const LONG: u8 = 0x80;
    if payload.first()? & EXTENDED == 0 {
        return Some((None, None));
    }
    let has = *payload.get(1)?;
    let mut next = 2;
    let mut id = None;
    if has & HAS_ID != 0 {
        let is_long = payload.get(next)? & LONG != 0;
        id = Some(if is_long {
            IdPlace::Long(next)
        } else {
            IdPlace::Short(next)
        });
        next += 1 + usize::from(is_long);
    }
    let base = (has & HAS_BASE != 0).then_some(next);
    // The descriptor goes on behind them, or the picture does.
    (payload.len() > next).then_some((id, base))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A keyframe's start with a PictureID of two octets, TL0PICIDX and TID.
    fn long(id: u16, base: u8) -> Vec<u8> {
        let [high, low] = id.to_be_bytes();
        vec![0x90, 0xe0, 0x80 | high, low, base, 0x20, 0x00]
    }

    fn read(payload: &[u8]) -> (Option<u16>, Option<u8>) {
        let PictureNumbers { id, base } = PictureNumbers::read(Codec::Vp8, payload);
        (id, base)
    }

    #[test]
    fn numbers_are_read() {
        /// A payload, its PictureID and its TL0PICIDX.
        type Case<'a> = (&'a [u8], (Option<u16>, Option<u8>));
        let table: &[Case<'_>] = &[
            (&long(0x1234, 56), (Some(0x1234), Some(56))),
            (&[0x90, 0x80, 0x7f, 0x00], (Some(0x7f), None)),
            (&[0x90, 0x60, 9, 0x20, 0x00], (None, Some(9))),
            (&[0x10, 0x00], (None, None)),
            (&[0x90, 0xe0, 0x92], (None, None)),
            (&[], (None, None)),
        ];
        for (payload, expected) in table {
            assert_eq!(read(payload), *expected, "{payload:?}");
        }
        let h264 = PictureNumbers::read(Codec::H264, &long(1, 2));
        assert_eq!(h264, PictureNumbers::default());
    }

    #[test]
    fn the_next_stream_goes_on_from_the_last() {
        let numbers = |id, base| PictureNumbers { id, base };
        let table = [
            ((Some(9), Some(9)), (Some(20_000), Some(200)), (10, 10)),
            ((Some(20_000), Some(200)), (Some(9), Some(9)), (20_001, 201)),
            ((Some(0x7fff), Some(255)), (Some(5), Some(5)), (0, 0)),
            // Only one of the two has them.
            ((None, None), (Some(5), Some(6)), (5, 6)),
        ];
        for ((last_id, last_base), (id, base), expected) in table {
            let first = numbers(id, base);
            let shift = first.shift_after(numbers(last_id, last_base));
            let (id, base) = expected;
            assert_eq!(first.shifted(shift), numbers(Some(id), Some(base)));
        }
    }

    /// What is sent of a payload whose numbers are so much ahead.
    fn sent(payload: &[u8], shift: Shift) -> (Option<u16>, Option<u8>) {
        let numbers = PictureNumbers::read(Codec::Vp8, payload);
        let PictureNumbers { id, base } = numbers.shifted(shift);
        assert!(shift.patch(payload).is_some());
        (id, base)
    }

    #[test]
    fn payloads_are_patched_where_there_is_something_to_change() {
        assert_eq!(Shift::default().patch(&long(1, 1)), None);
        let shift = Shift { id: 1_000, base: 7 };
        assert_eq!(sent(&long(1, 1), shift), (Some(1_001), Some(8)));
        assert_eq!(sent(&long(0x7fff, 255), shift), (Some(999), Some(6)));
        // One octet has room for the lower bits.
        let short = shift.patch(&[0x90, 0x80, 0x7f, 0x00]);
        assert_eq!(
            short,
            Shift {
                id: 1_000 & 0x7f,
                base: 0
            }
            .patch(&[0x90, 0x80, 0x7f, 0x00])
        );
        assert_eq!(shift.patch(&[0x90]), None);
    }
}
