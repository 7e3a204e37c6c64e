//! AV1: temporal units without what RTP leaves out, with the sequence header in
//! front of each keyframe.

use super::{Frame, unplayable};
use crate::file::bits::Bits;
use crate::file::bytes::Fields;
use crate::file::container::OpenError;

/// The `obu_type`s (AV1 section 6.2.2) that matter here.
const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const FRAME_HEADER: u8 = 3;
const FRAME: u8 = 6;
/// What RTP does not carry (AV1 RTP payload format, section 5): temporal
/// delimiters, tile lists and padding.
const LEFT_OUT: [u8; 3] = [TEMPORAL_DELIMITER, 8, 15];

/// Bytes of the configuration record in front of its OBUs (AV1 in ISOBMFF,
/// section 2.3.3).
const CONFIG_HEADER: usize = 4;

/// `frame_type` of a keyframe (AV1 section 6.8.2).
const KEY_FRAME: u32 = 0;

/// What a track's keyframes need.
pub(in crate::file) struct Av1 {
    /// The newest sequence header, a whole OBU with its size.
    sequence_header: Option<Vec<u8>>,
}

/// An open bitstream unit.
struct Obu<'a> {
    kind: u8,
    extension: Option<u8>,
    payload: &'a [u8],
}

impl Av1 {
    /// `config` is an `AV1CodecConfigurationRecord` or empty.
    pub(super) fn open(config: &[u8], first: &[u8]) -> Result<Self, OpenError> {
        let in_config = config.get(CONFIG_HEADER..).unwrap_or_default();
        let found = [in_config, first]
            .into_iter()
            .filter_map(obus)
            .flatten()
            .find(|obu| obu.kind == SEQUENCE_HEADER);
        if let Some(header) = &found {
            // `seq_profile` (AV1 section 6.4.1); the others have more colour.
            let profile = Bits::new(header.payload).number(3).unwrap_or(0);
            if profile != 0 {
                return Err(unplayable(&format!("AV1 of profile {profile}")));
            }
        }
        Ok(Self {
            sequence_header: found.map(|header| written(&header)),
        })
    }

    /// `None`: the temporal unit is corrupt, or has no frame.
    pub(super) fn frame(&mut self, unit: &[u8]) -> Option<Frame> {
        let obus = obus(unit)?;
        let frame = obus
            .iter()
            .find(|obu| obu.kind == FRAME || obu.kind == FRAME_HEADER)?;
        if let Some(header) = obus.iter().find(|obu| obu.kind == SEQUENCE_HEADER) {
            self.sequence_header = Some(written(header));
        }
        let keyframe = is_keyframe(frame.payload)? && self.sequence_header.is_some();
        let mut data = Vec::with_capacity(unit.len() + 64);
        if keyframe {
            data.extend(self.sequence_header.iter().flatten());
        }
        for obu in obus {
            let is_there = keyframe && obu.kind == SEQUENCE_HEADER;
            if !LEFT_OUT.contains(&obu.kind) && !is_there {
                write(&mut data, &obu);
            }
        }
        Some(Frame { keyframe, data })
    }
}

/// Whether a frame header is of a keyframe that is shown (AV1 section 5.9.2).
/// Still pictures, whose header is shorter, are not made for streams.
fn is_keyframe(header: &[u8]) -> Option<bool> {
    let mut bits = Bits::new(header);
    let show_existing_frame = bits.bit()?;
    let frame_type = bits.number(2)?;
    let show_frame = bits.bit()?;
    Some(!show_existing_frame && frame_type == KEY_FRAME && show_frame)
}

/// The OBUs of a temporal unit (AV1 section 5.3); `None` if they do not fit.
fn obus(unit: &[u8]) -> Option<Vec<Obu<'_>>> {
    let mut fields = Fields(unit);
    let mut obus = Vec::new();
    while !fields.is_empty() {
        let header = fields.u8()?;
        let forbidden_or_reserved = header & 0x81 != 0;
        if forbidden_or_reserved {
            return None;
        }
        let extension = match header & 4 {
            0 => None,
            _ => Some(fields.u8()?),
        };
        let length = match header & 2 {
            0 => fields.0.len(),
            _ => leb128(&mut fields)?,
        };
        obus.push(Obu {
            kind: header >> 3 & 15,
            extension,
            payload: fields.take(length)?,
        });
    }
    Some(obus)
}

/// AV1 section 4.10.5.
fn leb128(fields: &mut Fields<'_>) -> Option<usize> {
    let mut number = 0_u64;
    for index in 0..8 {
        let byte = fields.u8()?;
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return usize::try_from(number).ok();
        }
    }
    None
}

fn written(obu: &Obu<'_>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(obu.payload.len() + 10);
    write(&mut bytes, obu);
    bytes
}

/// Writes an OBU with its size.
fn write(bytes: &mut Vec<u8>, obu: &Obu<'_>) {
    let extended = u8::from(obu.extension.is_some()) << 2;
    bytes.push(obu.kind << 3 | extended | 2);
    bytes.extend(obu.extension);
    let mut length = obu.payload.len();
    while length > 0x7f {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend(obu.payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Profile 0, then something.
    const SEQUENCE: [u8; 4] = [0x0a, 2, 0x00, 0x55];
    const DELIMITER: [u8; 2] = [0x12, 0];
    /// A shown keyframe.
    const KEY: [u8; 4] = [0x32, 2, 0b0001_0000, 7];
    /// An inter frame, as the last OBU without a size.
    const INTER: [u8; 3] = [0x30, 0b0011_0000, 7];

    fn config() -> Vec<u8> {
        [&[0x81, 0, 0, 0], &SEQUENCE[..]].concat()
    }

    #[test]
    fn keyframes_get_the_sequence_header_in_front() {
        let mut av1 = Av1::open(&config(), &[]).unwrap();
        let bare = av1.frame(&KEY).unwrap();
        assert!(bare.keyframe);
        assert_eq!(bare.data, [SEQUENCE, KEY].concat());

        let complete = [&DELIMITER[..], &SEQUENCE, &KEY].concat();
        assert_eq!(av1.frame(&complete).unwrap(), bare);
    }

    #[test]
    fn other_frames_get_a_size_and_nothing_else() {
        let mut av1 = Av1::open(&config(), &[]).unwrap();
        let frame = av1.frame(&[&DELIMITER[..], &INTER].concat()).unwrap();
        assert!(!frame.keyframe);
        assert_eq!(frame.data, [0x32, 2, 0b0011_0000, 7]);
    }

    #[test]
    fn without_a_sequence_header_nothing_is_a_keyframe() {
        let mut av1 = Av1::open(&[], &[]).unwrap();
        assert!(!av1.frame(&KEY).unwrap().keyframe);
        let mut av1 = Av1::open(&[], &SEQUENCE).unwrap();
        assert!(av1.frame(&KEY).unwrap().keyframe);
    }

    #[test]
    fn sizes_of_more_than_a_byte_survive() {
        let mut av1 = Av1::open(&config(), &[]).unwrap();
        let mut long = vec![0x30, 0b0011_0000];
        long.resize(302, 9);
        let frame = av1.frame(&long).unwrap();
        assert_eq!(frame.data[..3], [0x32, 0x80 | 45, 2]);
        assert_eq!(av1.frame(&frame.data).unwrap(), frame);
    }

    #[test]
    fn units_that_make_no_sense_are_corrupt() {
        let mut av1 = Av1::open(&config(), &[]).unwrap();
        let mut check = |unit: &[u8]| assert_eq!(av1.frame(unit), None, "{unit:?}");
        check(&[]);
        check(&SEQUENCE);
        check(&[0x32, 9, 0]);
        check(&[0xb2, 1, 0]);
        check(&[0x32, 0x80, 0x80]);
        check(&[0x32, 0]);
    }

    #[test]
    fn profiles_of_more_colour_are_refused() {
        let OpenError(why) = Av1::open(&[], &[0x0a, 1, 0x20]).err().unwrap();
        assert!(why.contains("AV1 of profile 1"), "{why}");
    }
}
