//! Packets that are ready to be sent, in one buffer that is used again and again.
//!
//! Those of one viewer stand together, so that the system takes them at once (UDP
//! GSO) and from where they were encrypted.

use std::sync::Arc;

use super::demux::Path;
use crate::meters::Meters;

/// Past so many bytes it is time to send what there is: it is still in the
/// processor's cache, and no buffer grows with the number of viewers.
const FULL: usize = 128 * 1_024;

/// Bytes that room is kept for. Only what had to be written all at once, before
/// something else could happen, ever takes more.
const ROOM: usize = 2 * FULL;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Sends {
    bytes: Vec<u8>,
    /// Where each packet ends.
    ends: Vec<usize>,
    /// Which packets go the same way: where they go, and how many packets are
    /// before them.
    runs: Vec<(Path, usize)>,
    /// Of the worker, for whoever puts something here: a send is worth counting.
    pub(super) meters: Arc<Meters>,
}

/// Packets that go the same way, one behind the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) path: Path,
    bytes: &'a [u8],
    ends: &'a [usize],
    /// Where the first one starts.
    start: usize,
}

impl Sends {
    /// Puts a packet that goes this way behind the others, or none if `write`
    /// fails. It writes where the packet starts.
    pub(super) fn put<E>(
        &mut self,
        path: Path,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = self.bytes.len();
        if let Err(error) = write(&mut self.bytes) {
            self.bytes.truncate(start);
            return Err(error);
        }
        if self.runs.last().is_none_or(|(last, _)| *last != path) {
            self.runs.push((path, self.ends.len()));
        }
        self.ends.push(self.bytes.len());
        Ok(())
    }

    /// The packet that was put last.
    pub(super) fn last(&self) -> &[u8] {
        let start = self.ends.len().checked_sub(2).map_or(0, |i| self.ends[i]);
        &self.bytes[start..]
    }

    /// It is time to send.
    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= FULL
    }

    /// How many packets there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// How many bytes they have together.
    pub(super) fn byte_count(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn runs(&self) -> impl Iterator<Item = Run<'_>> {
        let ends = self.runs.iter().skip(1).map(|(_, first)| *first);
        let ends = ends.chain([self.ends.len()]);
        self.runs.iter().zip(ends).map(|((path, first), end)| Run {
            path: *path,
            bytes: &self.bytes,
            ends: &self.ends[*first..end],
            start: first.checked_sub(1).map_or(0, |i| self.ends[i]),
        })
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(ROOM);
        self.ends.clear();
        self.runs.clear();
    }
}

impl<'a> Run<'a> {
    /// The packets, each by itself.
    pub(super) fn packets(self) -> impl Iterator<Item = &'a [u8]> {
        let starts = [self.start].into_iter().chain(self.ends.iter().copied());
        starts
            .zip(self.ends)
            .map(move |(start, end)| &self.bytes[start..*end])
    }

    /// The first so many of them as one, and the rest.
    pub(super) fn split(self, packets: usize) -> (&'a [u8], Self) {
        let (head, ends) = self.ends.split_at(packets);
        let start = head.last().copied().unwrap_or(self.start);
        let rest = Self {
            ends,
            start,
            ..self
        };
        (&self.bytes[self.start..start], rest)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use str0m::net::Protocol;

    fn path(port: u16) -> Path {
        Path {
            protocol: Protocol::Udp,
            local: SocketAddr::from(([127, 0, 0, 1], 1)),
            remote: SocketAddr::from(([127, 0, 0, 1], port)),
        }
    }

    #[test]
    fn packets_of_one_way_stand_together() {
        let mut sends = Sends::default();
        for (port, byte, length) in [(1, 1, 3), (1, 2, 2), (2, 3, 1), (1, 4, 4)] {
            let written = sends.put(path(port), |bytes| {
                bytes.extend(std::iter::repeat_n(byte, length));
                Ok::<(), ()>(())
            });
            assert_eq!(written, Ok(()));
            assert_eq!(sends.last(), vec![byte; length]);
        }
        let failed = sends.put(path(9), |bytes| {
            bytes.push(9);
            Err(())
        });
        assert_eq!((failed, sends.len()), (Err(()), 4));
        let runs: Vec<(u16, Vec<&[u8]>)> = sends
            .runs()
            .map(|run| (run.path.remote.port(), run.packets().collect()))
            .collect();
        let expected: [(u16, Vec<&[u8]>); 3] = [
            (1, vec![&[1; 3], &[2; 2]]),
            (2, vec![&[3]]),
            (1, vec![&[4; 4]]),
        ];
        assert_eq!(runs, expected);
        let first = sends.runs().next().unwrap();
        let (whole, rest) = first.split(2);
        assert_eq!((whole, rest.packets().count()), (&[1, 1, 1, 2, 2][..], 0));
        let (one, rest) = first.split(1);
        assert_eq!(
            (one, rest.packets().next()),
            (&[1; 3][..], Some(&[2; 2][..]))
        );
        sends.clear();
        assert_eq!((sends.runs().count(), sends.len()), (0, 0));
    }

    #[test]
    fn room_for_what_was_too_much_is_given_back() {
        let mut sends = Sends::default();
        let mut check = |bytes: usize, room: std::ops::RangeInclusive<usize>| {
            let written = sends.put(path(1), |out| {
                out.extend(std::iter::repeat_n(0, bytes));
                Ok::<(), ()>(())
            });
            assert_eq!(written, Ok(()));
            sends.clear();
            let kept = sends.bytes.capacity();
            assert!(room.contains(&kept), "{bytes}: {kept}");
        };
        check(FULL, FULL..=ROOM);
        check(10 * FULL, ROOM..=ROOM);
    }
}
