//! A TCP relay whose connections can be cut.

use std::io;
use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::background::Background;

/// Carries TCP connections from an address of its own to a server; dropped, it
/// ends them all.
#[derive(Debug)]
pub struct TcpRelay {
    address: SocketAddr,
    cuts: watch::Sender<()>,
    _background: Background,
}

impl TcpRelay {
    /// Starts a relay from `address` (port 0 is a free one) to `server`.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub fn start(address: SocketAddr, server: SocketAddr) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (cuts, cut) = watch::channel(());
        Ok(Self {
            address,
            cuts,
            _background: Background::run("TCP relay", move || relay(listener, server, cut))?,
        })
    }

    /// Where clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends every connection without a farewell. New ones are taken.
    pub fn cut(&self) {
        self.cuts.send_replace(());
    }
}

async fn relay(
    listener: std::net::TcpListener,
    server: SocketAddr,
    mut cut: watch::Receiver<()>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (client, _) = accepted?;
                connections.spawn(carry(client, server));
            }
            Ok(()) = cut.changed() => connections.abort_all(),
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Until either side ends. A server that is not there is an end at once.
async fn carry(mut client: TcpStream, server: SocketAddr) -> io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread;
    use std::time::Duration;

    /// A server that sends everything back, until the test ends.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                thread::spawn(move || io::copy(&mut stream.try_clone().unwrap(), &mut stream));
            }
        });
        address
    }

    fn connect(relay: &TcpRelay) -> TcpStream {
        let stream = TcpStream::connect(relay.address()).unwrap();
        let patience = Some(Duration::from_secs(20));
        stream.set_read_timeout(patience).unwrap();
        stream
    }

    fn echoes(stream: &mut TcpStream, text: &[u8; 4]) {
        stream.write_all(text).unwrap();
        let mut back = [0; 4];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(&back, text);
    }

    #[test]
    fn a_cut_ends_what_there_is_and_nothing_else() {
        let relay = TcpRelay::start("127.0.0.1:0".parse().unwrap(), echo()).unwrap();
        let mut first = connect(&relay);
        let mut second = connect(&relay);
        echoes(&mut first, b"ping");
        echoes(&mut second, b"pong");
        relay.cut();
        for stream in [&mut first, &mut second] {
            // An end or a reset, as the system has it; not an answer, not a wait.
            match stream.read(&mut [0; 4]) {
                Ok(length) => assert_eq!(length, 0),
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
            }
        }
        echoes(&mut connect(&relay), b"back");
    }
}
