//! The `twoway-server` command.

use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use tokio::signal;
use tracing_subscriber::EnvFilter;
use twoway_server::limits::Limits;
use twoway_server::{core, media, net};

/// The Two-way Streaming server: signalling, media and the page in one program.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Address to listen on for HTTP and WebSocket; :: is every IPv6 and IPv4 address
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V6(Ipv6Addr::UNSPECIFIED))]
    bind: IpAddr,
    /// TCP port of HTTP and WebSocket; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Folder with the built page
    #[arg(long, value_name = "DIR", default_value = "dist")]
    page: PathBuf,
    /// UDP port of the first media worker, the others follow; 0 takes free ones
    #[arg(long, value_name = "PORT", default_value_t = 31001)]
    media_port: u16,
    /// Media worker threads [default: one a core]
    #[arg(long, value_name = "COUNT")]
    workers: Option<NonZeroUsize>,
    /// Address at which clients reach this host, if it is not one of its own
    /// (behind NAT, in a container); may be given several times
    #[arg(long, value_name = "IP")]
    public_address: Vec<IpAddr>,
    /// Seconds between two reports of a stream's video rate to its client, from
    /// which clients tell the connection's quality; 0 sends none
    #[arg(long, value_name = "SECONDS", default_value_t = 1)]
    rate_interval: u16,
    /// Seconds that a session with keepAlive keeps its streams after its socket is
    /// lost, for its client to come back with its authToken; 0 keeps none
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    resume_seconds: u16,
    #[command(flatten)]
    limits: LimitArgs,
}

/// Limits on clients.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
struct LimitArgs {
    /// Most bytes in one signalling message
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().message_bytes)]
    max_message: usize,
    /// Most bytes in one SDP
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().sdp_bytes)]
    max_sdp: usize,
    /// Most characters in a stream name
    #[arg(long, value_name = "CHARS", default_value_t = Limits::default().name_chars)]
    max_name: usize,
    /// Most streams in one session
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().streams_per_session)]
    max_streams: usize,
    /// Most sessions at a time
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().sessions)]
    max_sessions: usize,
    /// Most messages a second of one client, twice as many at once
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().messages_per_second)]
    max_message_rate: u32,
    /// Most TCP connections at a time, WebSocket and HTTP together
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().connections)]
    max_connections: usize,
    /// Most TCP connections from one address; a proxy in front of the server is
    /// one address, too
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().connections_per_address)]
    max_connections_per_address: usize,
    /// Most kbit/s of one publisher, more is dropped; 0 is no limit
    #[arg(long, value_name = "KBPS", default_value_t = 50_000)]
    max_bitrate: u64,
    /// Most messages waiting for a client that reads slowly
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().queued_messages)]
    max_queue: usize,
    /// Most bytes waiting for a client that reads slowly
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().queued_bytes)]
    max_queue_bytes: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    // Before anything is announced, so that no signal is lost in between.
    let stopped = stop_signal().context("cannot listen for signals")?;
    let (config, media) = configs(args);
    let page = config.page.clone();
    let (server, media_addresses) = net::serve(config, media).await?;
    announce(server.addr(), &media_addresses, &page).context("cannot write to stdout")?;
    stopped.await;
    tracing::info!("stopping");
    server.shutdown().await;
    Ok(())
}

fn configs(args: Args) -> (net::Config, media::Config) {
    let limits = Limits {
        message_bytes: args.limits.max_message,
        sdp_bytes: args.limits.max_sdp,
        name_chars: args.limits.max_name,
        streams_per_session: args.limits.max_streams,
        sessions: args.limits.max_sessions,
        messages_per_second: args.limits.max_message_rate,
        connections: args.limits.max_connections,
        connections_per_address: args.limits.max_connections_per_address,
        queued_messages: args.limits.max_queue,
        queued_bytes: args.limits.max_queue_bytes,
    };
    let defaults = media::Config::default();
    let media = media::Config {
        workers: args.workers.unwrap_or(defaults.workers),
        first_port: args.media_port,
        public_addresses: args.public_address,
        publisher_bitrate_bps: args.limits.max_bitrate.saturating_mul(1_000),
        rate_interval: Duration::from_secs(args.rate_interval.into()),
        ..defaults
    };
    let config = net::Config {
        page: args.page,
        core: core::Config {
            limits,
            resume_time: Duration::from_secs(args.resume_seconds.into()),
            ..core::Config::default()
        },
        ..net::Config::new(SocketAddr::new(args.bind, args.port))
    };
    (config, media)
}

/// Says on stdout where everything is; the last line is for programs.
fn announce(addr: SocketAddr, media: &[SocketAddr], page: &std::path::Path) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "Two-way Streaming server {}",
        env!("CARGO_PKG_VERSION")
    )?;
    writeln!(
        out,
        "listening on {addr} (page, API, WHIP, WHEP, WebSocket at any path)"
    )?;
    let media: Vec<_> = media.iter().map(ToString::to_string).collect();
    writeln!(out, "media over UDP at {}", media.join(", "))?;
    if !page.join("index.html").is_file() {
        let page = page.display();
        writeln!(
            out,
            "no page in {page}: build it with trunk build --release"
        )?;
    }
    writeln!(out, "ready: http://{}/", reachable(addr))?;
    out.flush()
}

/// An address that this machine can open for `addr`.
fn reachable(addr: SocketAddr) -> SocketAddr {
    if addr.ip().is_unspecified() {
        SocketAddr::new(Ipv4Addr::LOCALHOST.into(), addr.port())
    } else {
        addr
    }
}

/// Ends on Ctrl-C and, where there is one, on SIGTERM.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Ends on Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
