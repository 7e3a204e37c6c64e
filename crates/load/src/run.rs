//! Datagrams of one length to one destination, gathered to be sent in one system call.

use std::net::SocketAddr;

use crate::socket::Socket;

/// The most bytes of a run: what fits in the length field of UDP.
const MAX_RUN: usize = 65_000;

/// See the module. What is gathered goes out by [`Run::flush`] at the latest.
#[derive(Debug, Default)]
pub(crate) struct Run {
    to: Option<SocketAddr>,
    bytes: Vec<u8>,
    segment: usize,
    count: usize,
    /// The last one was shorter: none can follow.
    is_closed: bool,
}

impl Run {
    pub(crate) fn push(&mut self, to: SocketAddr, datagram: &[u8], socket: &Socket) {
        let fits = self.to == Some(to)
            && !self.is_closed
            && datagram.len() <= self.segment
            && self.count < socket.longest_run()
            && self.bytes.len() + datagram.len() <= MAX_RUN;
        if !fits {
            self.flush(socket);
            self.to = Some(to);
            self.segment = datagram.len();
        }
        self.is_closed = datagram.len() < self.segment;
        self.bytes.extend_from_slice(datagram);
        self.count += 1;
    }

    pub(crate) fn flush(&mut self, socket: &Socket) {
        if let Some(to) = self.to.take() {
            let segment = (self.count > 1).then_some(self.segment);
            socket.send(to, &self.bytes, segment);
        }
        self.bytes.clear();
        self.count = 0;
        self.is_closed = false;
    }
}
