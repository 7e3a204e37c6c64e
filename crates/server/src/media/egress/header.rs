//! RTP headers as one viewer takes them (RFC 3550 section 5.1, RFC 8285).

use str0m::media::MediaTime;
use str0m::rtp::Extension;

use crate::media::codec::Kind;
use crate::media::packet::{Extensions, hundredths};

/// What comes before the extensions.
const FIXED: usize = 12;

/// Extensions with one byte before each (RFC 8285 section 4.2): all ids that are
/// taken of an offer are of it, and no value is longer.
const ONE_BYTE: [u8; 2] = [0xbe, 0xde];

/// The part of a header that is about the packet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) pt: u8,
    pub(super) marker: bool,
    /// Its lower 16 bits are written.
    pub(super) sequence: u64,
    pub(super) timestamp: u32,
    pub(super) ssrc: u32,
}

/// The ids that a viewer gave to header extensions, on one m-line.
#[derive(Debug, Default)]
pub(super) struct ExtensionIds {
    mid: Option<u8>,
    send_time: Option<u8>,
    audio_level: Option<u8>,
    orientation: Option<u8>,
    playout_delay: Option<u8>,
}

/// What is said of one packet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'a> {
    /// Of the m-line, while the viewer may not know its SSRC (RFC 8843 section 9.2).
    pub(super) mid: Option<&'a str>,
    /// When it is sent.
    pub(super) send_time: [u8; 3],
    /// What the publisher said.
    pub(super) of_publisher: &'a Extensions,
    /// What is said instead of the publisher's own.
    pub(super) playout_delay: Option<(MediaTime, MediaTime)>,
}

impl ExtensionIds {
    /// Those of an m-line of this kind among `offered`.
    pub(super) fn new(offered: &[(u8, Extension)], kind: Kind) -> Self {
        let id_of = |wanted: Extension| {
            let mut offered = offered.iter();
            offered.find_map(|(id, extension)| (*extension == wanted).then_some(*id))
        };
        let of_kind = |wanted, of: Kind| id_of(wanted).filter(|_| kind == of);
        Self {
            mid: id_of(Extension::RtpMid),
            send_time: id_of(Extension::AbsoluteSendTime),
            audio_level: of_kind(Extension::AudioLevel, Kind::Audio),
            orientation: of_kind(Extension::VideoOrientation, Kind::Video),
            playout_delay: of_kind(Extension::PlayoutDelay, Kind::Video),
        }
    }

    fn write(&self, values: &Values<'_>, out: &mut Vec<u8>) {
        let mut put = |id: Option<u8>, value: &[u8]| {
            if let (Some(id), Some(less_one)) = (id, value.len().checked_sub(1)) {
                out.push((id << 4) | less_one as u8);
                out.extend_from_slice(value);
            }
        };
        let of_publisher = values.of_publisher;
        if let Some(mid) = values.mid {
            put(self.mid, mid.as_bytes());
        }
        put(self.send_time, &values.send_time);
        if let Some((level, voice)) = of_publisher.audio_level {
            // RFC 6464 section 3: below 0 dBov.
            let level = level.unsigned_abs() & 0x7f;
            put(self.audio_level, &[(u8::from(voice) << 7) | level]);
        }
        if let Some(orientation) = of_publisher.video_orientation {
            put(self.orientation, &[orientation as u8]);
        }
        let wish = values.playout_delay;
        let wish = wish.map(|(min, max)| (hundredths(min), hundredths(max)));
        if let Some((min, max)) = wish.or(of_publisher.playout_delay) {
            // Twice 12 bits.
            let [_, delay @ ..] = ((u32::from(min) << 12) | u32::from(max)).to_be_bytes();
            put(self.playout_delay, &delay);
        }
    }
}

impl Header {
    /// Writes it behind what is in `out`; its length.
    pub(super) fn write(
        &self,
        ids: &ExtensionIds,
        values: &Values<'_>,
        out: &mut Vec<u8>,
    ) -> usize {
        const VERSION: u8 = 2 << 6;
        const EXTENDED: u8 = 1 << 4;
        let start = out.len();
        out.extend([VERSION, (u8::from(self.marker) << 7) | self.pt]);
        out.extend((self.sequence as u16).to_be_bytes());
        out.extend(self.timestamp.to_be_bytes());
        out.extend(self.ssrc.to_be_bytes());
        let profile = out.len();
        out.extend(ONE_BYTE);
        out.extend([0; 2]);
        let extensions = out.len();
        ids.write(values, out);
        let bytes = out.len() - extensions;
        if bytes == 0 {
            out.truncate(profile);
            return FIXED;
        }
        let words = bytes.div_ceil(4);
        out.resize(extensions + words * 4, 0);
        out[start] |= EXTENDED;
        out[extensions - 1] = words as u8;
        out.len() - start
    }
}

#[cfg(test)]
mod tests {
    use str0m::rtp::VideoOrientation;

    use super::*;

    const HEADER: Header = Header {
        pt: 102,
        marker: true,
        sequence: 0x5_1234,
        timestamp: 0x0102_0304,
        ssrc: 0x0a0b_0c0d,
    };
    const SEND_TIME: [u8; 3] = [1, 2, 3];

    fn written(offered: &[(u8, Extension)], kind: Kind, mid: Option<&str>) -> Vec<u8> {
        let of_publisher = Extensions {
            audio_level: Some((-37, true)),
            video_orientation: Some(VideoOrientation::Deg90),
            playout_delay: Some((0x123, 0x456)),
        };
        let values = Values {
            mid,
            send_time: SEND_TIME,
            of_publisher: &of_publisher,
            playout_delay: None,
        };
        let mut out = vec![0xff];
        let length = HEADER.write(&ExtensionIds::new(offered, kind), &values, &mut out);
        assert_eq!(length, out.len() - 1);
        out.split_off(1)
    }

    #[test]
    fn a_header_says_what_the_viewer_knows() {
        let fixed = [0x80, 0xe6, 0x12, 0x34, 1, 2, 3, 4, 10, 11, 12, 13];
        assert_eq!(written(&[], Kind::Video, Some("0")), fixed);
        let all = [
            (4, Extension::RtpMid),
            (2, Extension::AbsoluteSendTime),
            (1, Extension::AudioLevel),
            (13, Extension::VideoOrientation),
            (6, Extension::PlayoutDelay),
        ];
        let video = written(&all, Kind::Video, Some("v1"));
        assert_eq!((video[0], &video[1..12]), (0x90, &fixed[1..]));
        let expected = [
            0xbe, 0xde, 0, 4, 0x41, b'v', b'1', 0x22, 1, 2, 3, 0xd0, 3, 0x62, 0x12, 0x34, 0x56, 0,
            0, 0,
        ];
        assert_eq!(video[12..], expected);
        let audio = written(&all, Kind::Audio, None);
        let expected = [0xbe, 0xde, 0, 2, 0x22, 1, 2, 3, 0x10, 0x80 | 37, 0, 0];
        assert_eq!(audio[12..], expected);
    }

    #[test]
    fn a_viewers_wish_comes_before_what_the_publisher_says() {
        let ids = ExtensionIds::new(&[(6, Extension::PlayoutDelay)], Kind::Video);
        let delay = MediaTime::from_hundredths;
        let values = Values {
            mid: None,
            send_time: SEND_TIME,
            of_publisher: &Extensions {
                playout_delay: Some((1, 2)),
                ..Extensions::default()
            },
            playout_delay: Some((delay(0), delay(0xfff))),
        };
        let mut out = Vec::new();
        HEADER.write(&ids, &values, &mut out);
        assert_eq!(out[16..], [0x62, 0, 0x0f, 0xff]);
    }
}
