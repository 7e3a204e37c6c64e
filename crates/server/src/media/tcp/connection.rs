//! One TCP connection.

use std::io::{self, ErrorKind, Read};
use std::time::Instant;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::SockRef;

use crate::media::demux::Path;
use crate::media::frame::{Deframer, Oversized, SendQueue};

/// What the system may keep of a connection that is slow to take it. More would
/// only be older when it comes.
const SEND_BUFFER: usize = 256 * 1_024;

pub(super) struct Connection {
    io: TcpStream,
    pub(super) path: Path,
    incoming: Deframer,
    pub(super) outgoing: SendQueue,
    /// Packets that have come.
    pub(super) packets: u64,
    /// It waits for its turn to be read.
    pub(super) to_read: bool,
    /// It waits for its turn to be written.
    pub(super) to_write: bool,
    /// When it last took something, or came.
    pub(super) active: Instant,
}

impl Connection {
    /// Has `registry` tell of what comes, by `token`. At most `queue` bytes wait
    /// for it.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn new(
        mut io: TcpStream,
        path: Path,
        (registry, token): (&Registry, Token),
        queue: usize,
        now: Instant,
    ) -> io::Result<Self> {
        // Or a frame waits for the client's word that it has the last one.
        io.set_nodelay(true)?;
        SockRef::from(&io).set_send_buffer_size(SEND_BUFFER)?;
        registry.register(&mut io, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self {
            io,
            path,
            incoming: Deframer::default(),
            outgoing: SendQueue::new(queue),
            packets: 0,
            to_read: true,
            to_write: false,
            active: now,
        })
    }

    /// Reads once; `handle` gets each packet. `Ok(None)`: there may be more.
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`] when there is nothing more; else the connection
    /// is over, in one direction at least, which is as good as both.
    pub(super) fn read(
        &mut self,
        buffer: &mut [u8],
        handle: &mut impl FnMut(Path, &[u8]),
    ) -> io::Result<Option<Oversized>> {
        let length = self.io.read(buffer)?;
        if length == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let (path, packets) = (self.path, &mut self.packets);
        let fed = self.incoming.feed(&buffer[..length], |packet| {
            *packets += 1;
            handle(path, packet);
        });
        Ok(fed.err())
    }

    /// Writes what waits, as far as the connection takes it.
    ///
    /// # Errors
    /// The connection is over.
    pub(super) fn write(&mut self, now: Instant) -> io::Result<()> {
        self.to_write = false;
        if self.outgoing.write_to(&mut self.io)? > 0 {
            self.active = now;
        }
        Ok(())
    }
}
