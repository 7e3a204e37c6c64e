//! Whatever comes over a connection to the HTTP port: heads and bodies of WHIP and WHEP,
//! the API, WebSocket upgrades and frames.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use socket2::SockRef;
use tokio::runtime::Runtime;
use twoway_server::core::backend::{
    Codecs, Command, EndReason, Event, MediaBackend, SnapshotError,
};
use twoway_server::limits::AddressLimits;
use twoway_server::net::{self, EventSink, Live, PageSource, Running};

/// A connection that is still open by then is one that the server forgot.
const PATIENCE: Duration = Duration::from_secs(20);

/// All inputs come from one address.
const UNLIMITED: AddressLimits = AddressLimits {
    sockets: 0,
    connections_per_second: 0,
    requests_per_second: 0,
};

/// A server for all inputs.
struct Server {
    address: SocketAddr,
    /// Held for their `Drop`.
    _running: Mutex<Running>,
    _runtime: Runtime,
}

static SERVER: OnceLock<Server> = OnceLock::new();

/// The bytes are all that a client sends before it has no more to say.
///
/// # Panics
/// The server answers with something else than HTTP, or never comes to an end.
pub fn http(data: &[u8]) {
    let server = SERVER.get_or_init(Server::start);
    let mut stream = TcpStream::connect(server.address).expect("a connection");
    // Without it ports would run out: closed connections keep theirs for a minute.
    SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // The server may well have ended it by now.
    let _ = stream
        .write_all(data)
        .and_then(|()| stream.shutdown(Shutdown::Write));
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        let kind = error.kind();
        assert!(
            !matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut),
            "the connection stays open"
        );
    }
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."));
}

impl Server {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let config = net::Config {
            page: PageSource::Folder(PathBuf::from("there-is-none")),
            head_timeout: Duration::from_millis(500),
            live: Arc::new(Live {
                limits: UNLIMITED,
                ..Live::default()
            }),
            ..net::Config::new((Ipv4Addr::LOCALHOST, 0).into())
        };
        let running = runtime.block_on(net::serve_with(config, |events, _| {
            Ok::<_, std::convert::Infallible>(Scripted { events })
        }));
        let running = running.expect("a server");
        Self {
            address: running.addr(),
            _running: Mutex::new(running),
            _runtime: runtime,
        }
    }
}

/// Answers at once, and says so by the way that the core hears of it later: what it is
/// told meanwhile may be about peers that are over.
struct Scripted {
    events: EventSink,
}

impl MediaBackend for Scripted {
    fn send(&mut self, command: Command) {
        match command {
            Command::Open { peer, offer, .. } if offer.starts_with("flows") => {
                let answer = "an answer".to_owned();
                self.events.send(Event::Answered {
                    peer,
                    answer,
                    codecs: Codecs::default(),
                });
                self.events.send(Event::Flowing { peer });
            }
            Command::Open { peer, .. } => {
                let reason = EndReason::BadOffer;
                self.events.send(Event::Ended { peer, reason });
            }
            Command::Restart { peer, fragment } => {
                self.events.send(Event::Restarted { peer, fragment });
            }
            Command::Snapshot { request, .. } => {
                let picture = Err(SnapshotError::Damaged);
                self.events.send(Event::Snapshot { request, picture });
            }
            Command::Splice { .. } | Command::Close { .. } => {}
        }
    }
}
