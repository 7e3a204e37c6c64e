//! Containers that come through a pipe, read on a thread of their own, because
//! a pipe makes its reader wait for as long as it likes.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Instant;

use super::container::{Container, Packet, ReadError, Track};

/// Packets read ahead; then whoever writes into the pipe has to wait.
const PACKETS: usize = 8;

/// A container on a thread of its own.
pub(super) struct Piped {
    tracks: Vec<Track>,
    packets: Receiver<Result<Packet, ReadError>>,
}

impl Piped {
    /// Starts reading. The thread ends with the pipe, or at the first packet
    /// after this value is gone.
    pub(super) fn start(mut container: impl Container + 'static) -> io::Result<Self> {
        let tracks = container.tracks().to_vec();
        let (sender, packets) = sync_channel(PACKETS);
        thread::Builder::new()
            .name("read-input".to_owned())
            .spawn(move || {
                loop {
                    let read = container.next(Instant::now());
                    let over = matches!(
                        read,
                        Err(ReadError::End | ReadError::BrokenOff | ReadError::Io(_))
                    );
                    if sender.send(read).is_err() || over {
                        return;
                    }
                }
            })?;
        Ok(Self { tracks, packets })
    }
}

impl Container for Piped {
    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn next(&mut self, until: Instant) -> Result<Packet, ReadError> {
        let patience = until.saturating_duration_since(Instant::now());
        match self.packets.recv_timeout(patience) {
            Ok(read) => read,
            Err(RecvTimeoutError::Timeout) => Err(ReadError::NotYet),
            Err(RecvTimeoutError::Disconnected) => Err(ReadError::End),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has one packet, then nothing.
    struct One(Option<Packet>);

    impl Container for One {
        fn tracks(&self) -> &[Track] {
            &[]
        }

        fn next(&mut self, _until: Instant) -> Result<Packet, ReadError> {
            self.0.take().ok_or(ReadError::BrokenOff)
        }
    }

    #[test]
    fn packets_and_the_end_come_through() {
        let packet = Packet {
            track: 7,
            time: None,
            duration: None,
            cut_start: 0,
            cut_end: 0,
            data: Vec::new(),
        };
        let mut piped = Piped::start(One(Some(packet))).unwrap();
        let until = Instant::now() + std::time::Duration::from_secs(60);
        assert_eq!(piped.next(until).unwrap().track, 7);
        assert!(matches!(piped.next(until), Err(ReadError::BrokenOff)));
        assert!(matches!(piped.next(until), Err(ReadError::End)));
    }
}
