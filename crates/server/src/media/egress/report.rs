//! What a viewer is reported (RTCP): sender reports, what it needs to know the
//! round trip, and the end.

/// Types of RTCP packets (RFC 3550 section 12.1, RFC 3611 section 2).
const SENDER_REPORT: u8 = 200;
const DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const EXTENDED_REPORT: u8 = 207;

/// The item of a description that names the sender.
const CNAME: u8 = 1;

/// The block of an extended report that answers a receiver's time (RFC 3611
/// section 4.5).
const DLRR: u8 = 5;

/// A sender report (RFC 3550 section 6.4.1).
#[derive(Debug, Clone, Copy)]
pub(super) struct SenderReport {
    pub(super) ssrc: u32,
    /// When it is sent, and that moment in the stream's time.
    pub(super) ntp: u64,
    pub(super) rtp: u32,
    pub(super) packets: u32,
    /// Bytes of payload.
    pub(super) bytes: u32,
}

/// A receiver's time, to be told back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReceiverTime {
    pub(super) ssrc: u32,
    /// The middle 32 bits of its NTP time.
    pub(super) time: u32,
    /// How long ago it came, in units of 1/65,536 s.
    pub(super) since: u32,
}

impl SenderReport {
    /// Writes it with the description that belongs to it (RFC 3550 section 6.1).
    pub(super) fn write(&self, cname: &str, out: &mut Vec<u8>) {
        packet(0, SENDER_REPORT, out, |out| {
            out.extend(self.ssrc.to_be_bytes());
            out.extend(self.ntp.to_be_bytes());
            out.extend(self.rtp.to_be_bytes());
            out.extend(self.packets.to_be_bytes());
            out.extend(self.bytes.to_be_bytes());
        });
        packet(1, DESCRIPTION, out, |out| {
            out.extend(self.ssrc.to_be_bytes());
            out.extend([CNAME, cname.len() as u8]);
            out.extend(cname.as_bytes());
            // At least one zero ends the list.
            out.push(0);
        });
    }
}

/// Tells receivers their times back, by the stream `ssrc`.
pub(super) fn write_times(ssrc: u32, times: &[ReceiverTime], out: &mut Vec<u8>) {
    packet(0, EXTENDED_REPORT, out, |out| {
        out.extend(ssrc.to_be_bytes());
        out.extend([DLRR, 0]);
        out.extend((3 * times.len() as u16).to_be_bytes());
        for time in times {
            out.extend(time.ssrc.to_be_bytes());
            out.extend(time.time.to_be_bytes());
            out.extend(time.since.to_be_bytes());
        }
    });
}

/// Says that streams are over (RFC 3550 section 6.6); there are a few at most.
pub(super) fn write_goodbye(ssrcs: &[u32], out: &mut Vec<u8>) {
    packet(ssrcs.len() as u8, GOODBYE, out, |out| {
        for ssrc in ssrcs {
            out.extend(ssrc.to_be_bytes());
        }
    });
}

/// Writes a packet with its header, filled up to whole words.
fn packet(count: u8, kind: u8, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    const VERSION: u8 = 2 << 6;
    let start = out.len();
    out.extend([VERSION | count, kind, 0, 0]);
    write(out);
    let words = (out.len() - start).div_ceil(4);
    out.resize(start + 4 * words, 0);
    let less_one = (words as u16 - 1).to_be_bytes();
    out[start + 2..start + 4].copy_from_slice(&less_one);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_report_has_its_description() {
        let report = SenderReport {
            ssrc: 0x0102_0304,
            ntp: 0x1112_1314_1516_1718,
            rtp: 0x2122_2324,
            packets: 7,
            bytes: 0x3132_3334,
        };
        let mut out = Vec::new();
        report.write("abc", &mut out);
        let expected = [
            [0x80, 200, 0, 6].as_slice(),
            &[1, 2, 3, 4],
            &[0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18],
            &[0x21, 0x22, 0x23, 0x24],
            &[0, 0, 0, 7],
            &[0x31, 0x32, 0x33, 0x34],
            &[0x81, 202, 0, 3, 1, 2, 3, 4, 1, 3, b'a', b'b', b'c', 0, 0, 0],
        ];
        assert_eq!(out, expected.concat());
    }

    #[test]
    fn times_and_ends_are_told() {
        let mut out = Vec::new();
        let time = ReceiverTime {
            ssrc: 9,
            time: 0x0a0b_0c0d,
            since: 65_536,
        };
        write_times(5, &[time], &mut out);
        let expected = [
            0x80, 207, 0, 5, 0, 0, 0, 5, 5, 0, 0, 3, 0, 0, 0, 9, 10, 11, 12, 13, 0, 1, 0, 0,
        ];
        assert_eq!(out, expected);
        out.clear();
        write_goodbye(&[1, 2], &mut out);
        assert_eq!(out, [0x82, 203, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2]);
    }
}
