//! Media over TCP, for networks that let no UDP through: connections that this
//! end opens (RFC 6544, "active"), each datagram framed by its length (RFC 4571
//! section 2).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::debug;

/// The port that a candidate has which only connects (RFC 6544 section 4.5).
pub(crate) const ACTIVE_PORT: u16 = 9;

/// Datagrams waiting for a connection to take them; more are lost, as a full
/// socket buffer would lose them.
const WAITING: usize = 256;

/// How long a connection may take to be there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of a frame's length.
const HEADER: usize = 2;

/// A datagram that came in, its sender and the local candidate it came to.
pub(crate) type Received = (Vec<u8>, SocketAddr, SocketAddr);

/// The connections, opened as they are first used.
#[derive(Debug)]
pub(crate) struct TcpPaths {
    paths: Vec<TcpPath>,
    sender: mpsc::Sender<Received>,
    received: mpsc::Receiver<Received>,
}

/// One connection; dropping it closes it. One that has failed stays, so that it
/// is not opened again and again.
#[derive(Debug)]
struct TcpPath {
    local: SocketAddr,
    remote: SocketAddr,
    datagrams: mpsc::Sender<Vec<u8>>,
    task: JoinHandle<()>,
}

impl Drop for TcpPath {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl TcpPaths {
    pub(crate) fn new() -> Self {
        let (sender, received) = mpsc::channel(WAITING);
        Self {
            paths: Vec::new(),
            sender,
            received,
        }
    }

    /// Sends a datagram from a local candidate, or loses it.
    pub(crate) fn send(&mut self, local: SocketAddr, remote: SocketAddr, datagram: &[u8]) {
        let known = |path: &TcpPath| path.local == local && path.remote == remote;
        let index = match self.paths.iter().position(known) {
            Some(index) => index,
            None => {
                self.paths.push(self.open(local, remote));
                self.paths.len() - 1
            }
        };
        if let Err(error) = self.paths[index].datagrams.try_send(datagram.to_vec()) {
            debug!(%remote, %error, "datagram not sent over TCP");
        }
    }

    fn open(&self, local: SocketAddr, remote: SocketAddr) -> TcpPath {
        let (datagrams, outgoing) = mpsc::channel(WAITING);
        let received = self.sender.clone();
        let task = tokio::spawn(async move {
            if let Err(error) = run(local, remote, outgoing, received).await {
                debug!(%local, %remote, %error, "TCP connection over");
            }
        });
        TcpPath {
            local,
            remote,
            datagrams,
            task,
        }
    }

    /// Waits for a datagram. Cancelled, it takes nothing.
    pub(crate) async fn recv(&mut self) -> Received {
        match self.received.recv().await {
            Some(received) => received,
            // Never: this end holds a sender.
            None => std::future::pending().await,
        }
    }
}

async fn run(
    local: SocketAddr,
    remote: SocketAddr,
    outgoing: mpsc::Receiver<Vec<u8>>,
    received: mpsc::Sender<Received>,
) -> io::Result<()> {
    let stream = timeout(CONNECT_TIMEOUT, connect(local, remote)).await??;
    stream.set_nodelay(true)?;
    let (reader, writer) = stream.into_split();
    tokio::select! {
        read = read(reader, remote, local, received) => read,
        written = write(writer, outgoing) => written,
    }
}

async fn connect(local: SocketAddr, remote: SocketAddr) -> io::Result<TcpStream> {
    let socket = if local.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.bind(SocketAddr::new(local.ip(), 0))?;
    socket.connect(remote).await
}

async fn write(writer: OwnedWriteHalf, mut outgoing: mpsc::Receiver<Vec<u8>>) -> io::Result<()> {
    let mut frame = Vec::new();
    while let Some(datagram) = outgoing.recv().await {
        let Ok(length) = u16::try_from(datagram.len()) else {
            continue;
        };
        frame.clear();
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(&datagram);
        let mut rest = &frame[..];
        while !rest.is_empty() {
            writer.writable().await?;
            match writer.try_write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

async fn read(
    reader: OwnedReadHalf,
    remote: SocketAddr,
    local: SocketAddr,
    received: mpsc::Sender<Received>,
) -> io::Result<()> {
    let mut pending = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        reader.readable().await?;
        match reader.try_read(&mut buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => pending.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        }
        for datagram in take_frames(&mut pending) {
            // Full: lost, as a datagram may be.
            let _ = received.try_send((datagram, remote, local));
        }
    }
}

/// Takes the complete frames from the front of what was read.
fn take_frames(pending: &mut Vec<u8>) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let mut start = 0;
    while let Some(header) = pending.get(start..start + HEADER) {
        let length = usize::from(u16::from_be_bytes([header[0], header[1]]));
        let body = start + HEADER;
        let Some(frame) = pending.get(body..body + length) else {
            break;
        };
        frames.push(frame.to_vec());
        start = body + length;
    }
    pending.drain(..start);
    frames
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn frames_are_taken_once_they_are_complete() {
        let check = |bytes: &[u8], frames: &[&[u8]], left: &[u8]| {
            let mut pending = bytes.to_vec();
            assert_eq!(take_frames(&mut pending), frames, "{bytes:?}");
            assert_eq!(pending, left, "{bytes:?}");
        };
        check(&[], &[], &[]);
        check(&[0], &[], &[0]);
        check(&[0, 2, 7], &[], &[0, 2, 7]);
        check(&[0, 2, 7, 8], &[&[7, 8]], &[]);
        check(&[0, 1, 7, 0, 0, 0, 3, 1], &[&[7], &[]], &[0, 3, 1]);
    }

    #[tokio::test]
    async fn datagrams_go_and_come_framed() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let remote = listener.local_addr().unwrap();
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, ACTIVE_PORT));
        let mut paths = TcpPaths::new();
        paths.send(local, remote, b"one");
        paths.send(local, remote, b"more");
        let (server, _) = listener.accept().await.unwrap();
        let mut came = Vec::new();
        while came.len() < 11 {
            server.readable().await.unwrap();
            let mut buffer = [0; 16];
            if let Ok(length) = server.try_read(&mut buffer) {
                came.extend_from_slice(&buffer[..length]);
            }
        }
        assert_eq!(came, b"\0\x03one\0\x04more");
        server.writable().await.unwrap();
        server.try_write(b"\0\x04back").unwrap();
        assert_eq!(paths.recv().await, (b"back".to_vec(), remote, local));
    }
}
