//! The real server, in the test's own process and reached by loopback alone.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use twoway_server::{media, net};

/// A free port.
pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

pub(crate) fn media_config() -> media::Config {
    media::Config {
        bind: vec![LOOPBACK.ip()],
        ..media::Config::default()
    }
}

pub(crate) async fn server() -> net::Running {
    let config = net::Config::new(LOOPBACK);
    net::serve(config, media_config()).await.unwrap().0
}
