//! Networks that break when the test says so.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// No datagram of WebRTC is longer.
const MAX_DATAGRAM: usize = 2_000;

/// How a connection through a relay goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Flows,
    Cut,
    /// The client's end is closed, the server's stays open.
    CutUnnoticed,
}

/// Carries TCP connections to a server.
pub(crate) struct TcpRelay {
    address: SocketAddr,
    /// Of the connections there are; those that come later flow.
    fate: watch::Sender<Fate>,
    accepting: JoinHandle<()>,
}

impl TcpRelay {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        Self::at((Ipv4Addr::LOCALHOST, 0).into(), server).await
    }

    /// At an address of its own.
    pub(crate) async fn at(address: SocketAddr, server: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (fate, fates) = watch::channel(Fate::Flows);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(server).await.unwrap();
                let mut fates = fates.clone();
                fates.mark_unchanged();
                tokio::spawn(carry(client, server, fates));
            }
        });
        Self {
            address,
            fate,
            accepting,
        }
    }

    /// Where clients connect to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes both ends of all connections there are.
    pub(crate) fn cut(&self) {
        self.fate.send_replace(Fate::Cut);
    }

    /// Closes the client's ends.
    pub(crate) fn cut_unnoticed_by_the_server(&self) {
        self.fate.send_replace(Fate::CutUnnoticed);
    }
}

impl Drop for TcpRelay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(mut client: TcpStream, mut server: TcpStream, mut fates: watch::Receiver<Fate>) {
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => return,
        changed = fates.changed() => if changed.is_err() {
            return;
        },
    }
    drop(client);
    if *fates.borrow() == Fate::CutUnnoticed {
        // Until the test is over.
        while fates.changed().await.is_ok() {}
    }
}

/// Carries datagrams to a server and back, for one client after the other.
pub(crate) struct UdpRelay {
    socket: Arc<UdpSocket>,
    flows: Arc<AtomicBool>,
    carrying: std::sync::Mutex<Option<JoinHandle<()>>>,
}

impl UdpRelay {
    pub(crate) async fn bind() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        Self {
            socket: Arc::new(socket),
            flows: Arc::new(AtomicBool::new(true)),
            carrying: std::sync::Mutex::new(None),
        }
    }

    /// Where clients send to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    pub(crate) fn carry_to(&self, server: SocketAddr) {
        let (socket, flows) = (Arc::clone(&self.socket), Arc::clone(&self.flows));
        let carrying = tokio::spawn(async move {
            let mut client = None;
            let mut datagram = [0; MAX_DATAGRAM];
            while let Ok((length, from)) = socket.recv_from(&mut datagram).await {
                let to = if from == server { client } else { Some(server) };
                if from != server {
                    client = Some(from);
                }
                if let Some(to) = to.filter(|_| flows.load(Ordering::Relaxed)) {
                    // What is not sent is lost, as on any network.
                    let _ = socket.send_to(&datagram[..length], to).await;
                }
            }
        });
        *self.carrying.lock().unwrap() = Some(carrying);
    }

    /// Carries nothing from now on.
    pub(crate) fn cut(&self) {
        self.flows.store(false, Ordering::Relaxed);
    }

    /// Carries everything again.
    pub(crate) fn mend(&self) {
        self.flows.store(true, Ordering::Relaxed);
    }
}

impl Drop for UdpRelay {
    fn drop(&mut self) {
        if let Some(carrying) = self.carrying.lock().unwrap().take() {
            carrying.abort();
        }
    }
}
