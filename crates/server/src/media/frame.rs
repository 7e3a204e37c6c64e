//! Packets over a TCP connection: each behind its length (RFC 4571 section 2),
//! as ICE over TCP has them (RFC 6544 section 3).

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Write};

use super::rtp_header::payload_type;

/// Most bytes in a frame that is taken. A packet of WebRTC keeps below an
/// Ethernet frame, over TCP too, since it may go on over UDP.
pub(super) const MAX_FRAME: usize = 2_048;

/// Bytes of the length before each packet.
const HEADER: usize = 2;

/// A frame over [`MAX_FRAME`]; what follows it cannot be made out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Oversized;

/// Cuts what comes over a connection into packets.
#[derive(Debug, Default)]
pub(super) struct Deframer {
    /// The start of a frame whose rest has not come.
    partial: Vec<u8>,
}

impl Deframer {
    /// Takes what has come; `handle` gets each packet that is complete. Null
    /// packets, which the framing allows, are none.
    ///
    /// # Errors
    /// The next frame is too long; nothing must be fed any more.
    pub(super) fn feed(
        &mut self,
        mut bytes: &[u8],
        mut handle: impl FnMut(&[u8]),
    ) -> Result<(), Oversized> {
        while !self.partial.is_empty() && !bytes.is_empty() {
            let missing = missing(&self.partial).min(bytes.len());
            let (now, later) = bytes.split_at(missing);
            self.partial.extend_from_slice(now);
            bytes = later;
            if let Some((packet, _)) = split(&self.partial)? {
                hand_over(packet, &mut handle);
                self.partial.clear();
            }
        }
        while let Some((packet, rest)) = split(bytes)? {
            hand_over(packet, &mut handle);
            bytes = rest;
        }
        self.partial.extend_from_slice(bytes);
        Ok(())
    }
}

fn hand_over(packet: &[u8], handle: &mut impl FnMut(&[u8])) {
    if !packet.is_empty() {
        handle(packet);
    }
}

/// A packet, and what follows.
type Split<'a> = (&'a [u8], &'a [u8]);

/// The packet at the start; `None` if it is not complete.
fn split(bytes: &[u8]) -> Result<Option<Split<'_>>, Oversized> {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else {
        return Ok(None);
    };
    let length = usize::from(u16::from_be_bytes(*header));
    if length > MAX_FRAME {
        return Err(Oversized);
    }
    Ok(rest.split_at_checked(length))
}

/// How many bytes a started frame lacks, of its header or else of its packet.
fn missing(partial: &[u8]) -> usize {
    match partial.split_first_chunk::<HEADER>() {
        Some((header, rest)) => usize::from(u16::from_be_bytes(*header)) - rest.len(),
        None => HEADER - partial.len(),
    }
}

/// Packets that wait for a connection to take them.
///
/// When it is full, the packet that comes is dropped, never one that waits: what
/// waits is what the client can decode next, and a hole in front of it would
/// make the rest useless. The client asks again for what it misses (NACK), as
/// it does when a router's queue is full.
#[derive(Debug)]
pub(super) struct SendQueue {
    /// Whole frames, but for the first, of which a part may be gone.
    bytes: VecDeque<u8>,
    limit: usize,
}

impl SendQueue {
    /// For `limit` bytes of media. What keeps the connection up, ICE, DTLS and
    /// RTCP, may take a quarter more.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            bytes: VecDeque::new(),
            limit,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Adds a packet; false if it had to be dropped.
    pub(super) fn push(&mut self, packet: &[u8]) -> bool {
        let Ok(length) = u16::try_from(packet.len()) else {
            return false;
        };
        let limit = if payload_type(packet).is_some() {
            self.limit
        } else {
            self.limit + self.limit / 4
        };
        if self.bytes.len() + HEADER + packet.len() > limit {
            return false;
        }
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(packet);
        true
    }

    /// Writes as much as the connection takes; the number of bytes.
    ///
    /// # Errors
    /// The connection is over.
    pub(super) fn write_to(&mut self, connection: &mut impl Write) -> io::Result<usize> {
        let mut total = 0;
        while !self.bytes.is_empty() {
            let (first, second) = self.bytes.as_slices();
            match connection.write_vectored(&[IoSlice::new(first), IoSlice::new(second)]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.bytes.drain(..written);
                    total += written;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn framed(packets: &[Vec<u8>]) -> Vec<u8> {
        let mut queue = SendQueue::new(usize::MAX / 2);
        for packet in packets {
            assert!(queue.push(packet));
        }
        let mut bytes = Vec::new();
        queue.write_to(&mut bytes).unwrap();
        bytes
    }

    /// What comes out if the bytes come in pieces of these lengths, over and
    /// over.
    fn deframed(mut bytes: &[u8], lengths: &[usize]) -> Result<Vec<Vec<u8>>, Oversized> {
        let mut deframer = Deframer::default();
        let mut packets = Vec::new();
        for length in lengths.iter().cycle() {
            let (piece, rest) = bytes.split_at((*length).min(bytes.len()));
            deframer.feed(piece, |packet| packets.push(packet.to_vec()))?;
            assert!(deframer.partial.len() < HEADER + MAX_FRAME);
            if rest.is_empty() {
                break;
            }
            bytes = rest;
        }
        Ok(packets)
    }

    proptest! {
        #[test]
        fn packets_come_out_however_the_stream_is_cut(
            packets in vec(vec(any::<u8>(), 0..300), 0..12),
            lengths in vec(1_usize..700, 1..8),
        ) {
            let expected: Vec<_> = packets.iter().filter(|p| !p.is_empty()).cloned().collect();
            let bytes = framed(&packets);
            prop_assert_eq!(deframed(&bytes, &lengths), Ok(expected.clone()));
            prop_assert_eq!(deframed(&bytes, &[1]), Ok(expected));
        }

        #[test]
        fn garbage_is_cut_the_same_however_it_comes(
            bytes in vec(prop_oneof![Just(0_u8), 0_u8..9, any::<u8>()], 0..600),
            lengths in vec(1_usize..50, 1..8),
        ) {
            prop_assert_eq!(deframed(&bytes, &lengths), deframed(&bytes, &[usize::MAX]));
        }

        #[test]
        fn a_writer_that_takes_little_gets_whole_frames(
            packets in vec(vec(any::<u8>(), 1..300), 1..40),
            takes in vec(0_usize..200, 1..40),
        ) {
            let mut queue = SendQueue::new(4_000);
            let mut writer = Reluctant::default();
            let mut kept = Vec::new();
            for (index, packet) in packets.iter().enumerate() {
                if queue.push(packet) {
                    kept.push(packet.clone());
                }
                writer.willing = takes[index % takes.len()];
                queue.write_to(&mut writer).unwrap();
                prop_assert!(queue.bytes.len() <= 5_000);
            }
            writer.willing = usize::MAX;
            queue.write_to(&mut writer).unwrap();
            prop_assert!(queue.is_empty());
            prop_assert_eq!(deframed(&writer.taken, &[usize::MAX]), Ok(kept));
        }
    }

    /// Takes so many bytes, then no more for now.
    #[derive(Default)]
    struct Reluctant {
        willing: usize,
        taken: Vec<u8>,
    }

    impl Write for Reluctant {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let now = self.willing.min(bytes.len());
            if now == 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            self.willing -= now;
            self.taken.extend(&bytes[..now]);
            Ok(now)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_oversized_frame_is_the_last() {
        let mut bytes = framed(&[vec![1, 2, 3]]);
        bytes.extend(framed(&[vec![7; MAX_FRAME + 1]]));
        let mut packets = Vec::new();
        let result = Deframer::default().feed(&bytes, |packet| packets.push(packet.to_vec()));
        assert_eq!(result, Err(Oversized));
        assert_eq!(packets, [[1, 2, 3]]);
        assert_eq!(deframed(&bytes, &[1]), Err(Oversized));
        assert!(deframed(&framed(&[vec![7; MAX_FRAME]]), &[1]).is_ok());
    }

    #[test]
    fn what_does_not_fit_is_dropped_whole() {
        let media = [&[0x80_u8, 96][..], &[0; 98]].concat();
        let report = [0x80, 200, 0, 0];
        let check = [0, 1, 0, 0];
        let mut queue = SendQueue::new(210);
        assert!(queue.push(&media) && queue.push(&media));
        assert!(!queue.push(&media), "full for media");
        assert!(
            queue.push(&report) && queue.push(&check),
            "not for the rest"
        );
        assert!(!queue.push(&[0; 100]), "but that has an end too");
        let mut bytes = Vec::new();
        assert_eq!(queue.write_to(&mut bytes).unwrap(), 216);
        let expected: [&[u8]; 4] = [&media, &media, &report, &check];
        assert_eq!(deframed(&bytes, &[usize::MAX]).unwrap(), expected);
        assert!(queue.push(&media), "room again");
    }

    #[test]
    fn a_connection_that_fails_says_so() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Ok(0)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut queue = SendQueue::new(100);
        assert!(queue.push(&[1]));
        let error = queue.write_to(&mut Closed).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WriteZero);
    }
}
