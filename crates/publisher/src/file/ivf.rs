//! IVF: a header, then frames with a time each. Little-endian throughout; the
//! format has no other description than the tools that write it.

use std::time::Instant;

use super::bytes::Bytes;
use super::container::{Coding, Container, MAX_PACKET, OpenError, Packet, ReadError, Track, nanos};

/// What an IVF file starts with.
pub(super) const MAGIC: &[u8] = b"DKIF";

const TRACK: u32 = 0;

/// A reader of IVF.
pub(super) struct Ivf {
    bytes: Bytes,
    tracks: [Track; 1],
    /// Of the frames' times, `numerator / denominator` seconds.
    tick: (u32, u32),
    /// What follows cannot be told apart any more.
    lost: bool,
}

impl Ivf {
    /// Reads the header.
    pub(super) fn open(mut bytes: Bytes) -> Result<Self, OpenError> {
        let header: [u8; 32] = bytes.array()?;
        let header_length = u16::from_le_bytes([header[6], header[7]]);
        let number = |at: usize| {
            let [a, b, c, d] = [header[at], header[at + 1], header[at + 2], header[at + 3]];
            u32::from_le_bytes([a, b, c, d])
        };
        bytes.skip(u64::from(header_length).saturating_sub(32))?;
        let (denominator, numerator) = (number(16), number(20));
        if denominator == 0 || numerator == 0 {
            return Err("its frame rate makes no sense".into());
        }
        let track = Track {
            id: TRACK,
            coding: coding(&header[8..12]),
            reordered: false,
        };
        Ok(Self {
            bytes,
            tracks: [track],
            tick: (numerator, denominator),
            lost: false,
        })
    }

    fn read(&mut self) -> Result<Packet, ReadError> {
        if self.lost || self.bytes.at_end()? {
            return Err(ReadError::End);
        }
        let [a, b, c, d, time @ ..] = self.bytes.array::<12>()?;
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        if length > MAX_PACKET {
            // Nothing tells where the next frame starts.
            self.lost = true;
            return Err(ReadError::Corrupt);
        }
        let data = self.bytes.take(length)?;
        let (numerator, denominator) = self.tick;
        let ticks = u64::from_le_bytes(time).min(i64::MAX as u64) as i64;
        let ticks = ticks.saturating_mul(i64::from(numerator));
        Ok(Packet {
            track: TRACK,
            time: Some(nanos(ticks, denominator)),
            duration: None,
            cut_start: 0,
            cut_end: 0,
            data,
        })
    }
}

fn coding(code: &[u8]) -> Coding {
    match code {
        b"VP80" => Coding::Vp8,
        b"VP90" => Coding::Vp9,
        b"AV01" => Coding::Av1(Vec::new()),
        other => Coding::OtherPictures(String::from_utf8_lossy(other).trim().to_owned()),
    }
}

impl Container for Ivf {
    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn next(&mut self, _until: Instant) -> Result<Packet, ReadError> {
        self.read()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn header(code: &[u8; 4], rate: u32, scale: u32) -> Vec<u8> {
        let mut header = b"DKIF\0\0\x20\0".to_vec();
        header.extend(code);
        header.extend([64, 1, 180, 0]);
        header.extend(rate.to_le_bytes());
        header.extend(scale.to_le_bytes());
        header.extend([0; 8]);
        header
    }

    fn open(content: Vec<u8>) -> Result<Ivf, OpenError> {
        Ivf::open(Bytes::pipe(Box::new(Cursor::new(content))))
    }

    #[test]
    fn frames_have_times_in_the_header_s_unit() {
        let mut content = header(b"VP80", 30_000, 1_001);
        for time in [0_u64, 30_000] {
            content.extend(3_u32.to_le_bytes());
            content.extend(time.to_le_bytes());
            content.extend(b"abc");
        }
        let mut ivf = open(content).unwrap();
        assert_eq!(ivf.read().unwrap().time, Some(0));
        let second = ivf.read().unwrap();
        assert_eq!(second.time, Some(1_001_000_000_000));
        assert_eq!(second.data, b"abc");
        assert!(matches!(ivf.read(), Err(ReadError::End)));
    }

    #[test]
    fn what_is_cut_off_or_too_large_is_told() {
        let mut content = header(b"AV01", 30, 1);
        content.extend(b"\x09\0\0\0\0\0\0\0\0\0\0\0abc");
        let mut ivf = open(content).unwrap();
        assert!(matches!(ivf.read(), Err(ReadError::BrokenOff)));

        let mut content = header(b"AV01", 30, 1);
        content.extend([0xff; 40]);
        let mut ivf = open(content).unwrap();
        assert!(matches!(ivf.read(), Err(ReadError::Corrupt)));
        assert!(matches!(ivf.read(), Err(ReadError::End)));
    }

    #[test]
    fn headers_without_sense_are_refused() {
        assert!(open(header(b"VP90", 0, 1)).is_err());
        assert!(open(b"DKIF\0\0".to_vec()).is_err());
    }
}
