//! The listening socket.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// Listens on `address`; `::` takes IPv4 as well. Where the machine has no
/// IPv6, `::` means `0.0.0.0`.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::from_std(open(address)?)
}

/// Whether [`bind`] would do.
///
/// # Errors
/// It would not.
pub(crate) fn try_bind(address: SocketAddr) -> io::Result<()> {
    open(address).map(drop)
}

fn open(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    match listen(address) {
        Err(error) if is_any_v6(address) && error.kind() != io::ErrorKind::AddrInUse => {
            listen(SocketAddr::from(([0, 0, 0, 0], address.port())))
        }
        result => result,
    }
}

fn is_any_v6(address: SocketAddr) -> bool {
    address.is_ipv6() && address.ip().is_unspecified()
}

fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    if is_any_v6(address) {
        socket.set_only_v6(false)?;
    }
    // A restart must not wait for old connections to time out. On Windows the
    // option means that two programs may share the port.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
