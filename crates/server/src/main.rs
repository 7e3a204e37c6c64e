//! The `twoway-server` command.

use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use tokio::signal;
use tracing_subscriber::EnvFilter;
use twoway_server::limits::Limits;
use twoway_server::media::{PublicAddress, Reach, Transports};
use twoway_server::{core, media, net};

/// The Two-way Streaming server: signalling, media and the page in one program.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Logs go to stderr; RUST_LOG=debug has it say more."
)]
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
    /// Server that clients with lbUrl are sent to, if it is not this one; may be
    /// given several times, and each takes its turn
    #[arg(long, value_name = "HOST:PORT")]
    balance_to: Vec<net::BalanceTarget>,
    #[command(flatten)]
    media: MediaArgs,
    #[command(flatten)]
    streams: StreamArgs,
    #[command(flatten)]
    limits: LimitArgs,
}

/// Where media goes.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Media")]
struct MediaArgs {
    /// Address at which clients reach this host's media, if it is not one of its
    /// own (behind NAT, in a container), with the port if the NAT maps another one
    /// to --media-port; may be given several times
    #[arg(long, value_name = "IP[:PORT]")]
    public_address: Vec<PublicAddress>,
    /// Port of the first media worker, of UDP and of TCP, the others follow; 0
    /// takes free ones
    #[arg(long, value_name = "PORT", default_value_t = 31001)]
    media_port: u16,
    /// Address to bind for media, 0.0.0.0 being every IPv4 and :: every IPv6 one;
    /// may be given twice, for IPv4 and for IPv6 [default: both, where there is IPv6]
    #[arg(long, value_name = "IP")]
    media_bind: Vec<IpAddr>,
    /// What media may go over: UDP is best, TCP gets through where UDP is blocked
    #[arg(long = "media", value_name = "TRANSPORT", value_enum, default_value_t = Media::Both)]
    transport: Media,
    /// Media worker threads, each with a port of its own [default: one a core]
    #[arg(long, value_name = "COUNT")]
    workers: Option<NonZeroUsize>,
    /// STUN or TURN server that WHIP and WHEP clients are told of, as
    /// stun:HOST:PORT or turn:USER:PASSWORD@HOST:PORT?transport=udp (or tcp;
    /// stuns: and turns: with TLS); may be given several times
    #[arg(long, value_name = "URL")]
    ice_server: Vec<String>,
}

/// What clients get.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Streams")]
struct StreamArgs {
    /// Seconds that a session with keepAlive keeps its streams after its socket is
    /// lost, for its client to come back with its authToken; 0 keeps none
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    resume_seconds: u16,
    /// Seconds that a stream's viewers wait for the next publisher of its name, once
    /// its publisher is gone, and then go on with that one; 0 ends them at once
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    hold_seconds: u16,
    /// Seconds between two reports of a stream's video rate to its client, from
    /// which clients tell the connection's quality; 0 sends none
    #[arg(long, value_name = "SECONDS", default_value_t = 1)]
    rate_interval: u16,
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
    /// Most bytes, as JSON, in a stream's custom data
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().custom_bytes)]
    max_custom: usize,
    /// Most characters in a stream's name or id
    #[arg(long, value_name = "CHARS", default_value_t = Limits::default().name_chars)]
    max_name: usize,
    /// Most streams in one session
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().streams_per_session)]
    max_streams: usize,
    /// Most snapshots that one session waits for. 0 takes none: then no decoder
    /// here ever reads what publishers send
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().snapshots_per_session)]
    max_snapshots: usize,
    /// Most sessions at a time, streams by WHIP and WHEP among them
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().sessions)]
    max_sessions: usize,
    /// Most messages a second of one client, twice as many at once
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().messages_per_second)]
    max_message_rate: u32,
    /// Most TCP connections at a time, WebSocket and HTTP together
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().connections)]
    max_connections: usize,
    /// Most TCP connections from one address. By default as many as from all,
    /// since a proxy in front of the server is one address, too: without a proxy,
    /// fewer keep one host from taking every place
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().connections_per_address)]
    max_connections_per_address: usize,
    /// Most kbit/s of one publisher, more is dropped; 0 is no limit
    #[arg(long, value_name = "KBPS", default_value_t = 50_000)]
    max_bitrate: u64,
    /// Most publishers and viewers on one media worker
    #[arg(long, value_name = "COUNT", default_value_t = media::Config::default().peers_per_worker)]
    max_peers: usize,
    /// Most TCP connections for media on one worker
    #[arg(long, value_name = "COUNT", default_value_t = media::Config::default().tcp_connections)]
    max_media_tcp: usize,
    /// Most TCP connections for media on one worker from one address
    #[arg(long, value_name = "COUNT", default_value_t = media::Config::default().tcp_per_address)]
    max_media_tcp_address: usize,
    /// Most messages waiting for a client that reads slowly
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().queued_messages)]
    max_queue: usize,
    /// Most bytes waiting for a client that reads slowly
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().queued_bytes)]
    max_queue_bytes: usize,
    /// Most bytes of snapshots waiting for a client that reads slowly
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().queued_picture_bytes)]
    max_queue_pictures: usize,
}

/// What media may go over.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Media {
    Udp,
    Tcp,
    Both,
}

impl From<Media> for Transports {
    fn from(media: Media) -> Self {
        match media {
            Media::Udp => Self::Udp,
            Media::Tcp => Self::Tcp,
            Media::Both => Self::Both,
        }
    }
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
    let (config, media) = configs(args)?;
    let page = config.page.clone();
    let (server, reach) = net::serve(config, media).await?;
    announce(server.addr(), &reach, &page).context("cannot write to stdout")?;
    stopped.await;
    tracing::info!("stopping");
    server.shutdown().await;
    Ok(())
}

fn configs(args: Args) -> anyhow::Result<(net::Config, media::Config)> {
    let ice_servers = ice_servers(&args.media.ice_server)?;
    let files = open_files();
    let limits = Limits {
        message_bytes: args.limits.max_message,
        sdp_bytes: args.limits.max_sdp,
        custom_bytes: args.limits.max_custom,
        name_chars: args.limits.max_name,
        streams_per_session: args.limits.max_streams,
        snapshots_per_session: args.limits.max_snapshots,
        sessions: args.limits.max_sessions,
        messages_per_second: args.limits.max_message_rate,
        connections: affordable_connections(args.limits.max_connections, files),
        connections_per_address: args.limits.max_connections_per_address,
        queued_messages: args.limits.max_queue,
        queued_bytes: args.limits.max_queue_bytes,
        queued_picture_bytes: args.limits.max_queue_pictures,
    };
    let defaults = media::Config::default();
    let workers = args.media.workers.unwrap_or(defaults.workers);
    let media = media::Config {
        workers,
        bind: args.media.media_bind,
        first_port: args.media.media_port,
        transports: args.media.transport.into(),
        public_addresses: args.media.public_address,
        peers_per_worker: args.limits.max_peers,
        publisher_bitrate_bps: args.limits.max_bitrate.saturating_mul(1_000),
        tcp_connections: affordable_media(args.limits.max_media_tcp, workers, files),
        tcp_per_address: args.limits.max_media_tcp_address,
        rate_interval: Duration::from_secs(args.streams.rate_interval.into()),
        answer_all_codecs: args.streams.hold_seconds > 0,
        ..defaults
    };
    let config = net::Config {
        page: args.page,
        ice_servers,
        balance_to: args.balance_to,
        core: core::Config {
            limits,
            resume_time: Duration::from_secs(args.streams.resume_seconds.into()),
            hold_time: Duration::from_secs(args.streams.hold_seconds.into()),
            ..core::Config::default()
        },
        ..net::Config::new(SocketAddr::new(args.bind, args.port))
    };
    Ok((config, media))
}

/// Parsed here and not by clap, which would repeat a password that is wrong.
fn ice_servers(urls: &[String]) -> anyhow::Result<Vec<net::IceServer>> {
    let numbered = urls.iter().zip(1..);
    numbered
        .map(|(url, number)| {
            let server = url.parse::<net::IceServer>();
            server.with_context(|| format!("--ice-server number {number} is none"))
        })
        .collect()
}

/// Files that are neither connections of clients nor their media.
const OTHER_FILES: usize = 64;

/// Has the system allow this process as many open files, connections among them,
/// as it may ask for; how many those are, as far as that is known.
fn open_files() -> usize {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) => {
            tracing::info!("this process may have {files} files open (ulimit -n)");
            usize::try_from(files).unwrap_or(usize::MAX)
        }
        Err(error) => {
            tracing::debug!(%error, "the limit on open files is unknown");
            usize::MAX
        }
    }
}

/// How many of `asked` TCP connections for media a worker can have, so that all
/// workers' leave half of the files to everything else.
fn affordable_media(asked: usize, workers: NonZeroUsize, files: usize) -> usize {
    let what = "TCP connections for media on each worker";
    within_files(asked, files / 2 / workers, what, files)
}

/// How many of `asked` connections for signalling the other half is enough for.
fn affordable_connections(asked: usize, files: usize) -> usize {
    let share = (files / 2).saturating_sub(OTHER_FILES).max(1);
    within_files(asked, share, "connections for signalling", files)
}

/// How many of `asked` there can be, `share` being enough files for so many; says so
/// if it is fewer.
fn within_files(asked: usize, share: usize, what: &str, files: usize) -> usize {
    if share < asked {
        tracing::info!(
            "{share} {what} instead of {asked}: the system allows this process only {files} \
             files (ulimit -n)"
        );
    }
    asked.min(share)
}

/// Says on stdout where everything is; the last line is for programs.
fn announce(addr: SocketAddr, media: &Reach, page: &std::path::Path) -> io::Result<()> {
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
    let addresses: Vec<_> = media.addresses.iter().map(ToString::to_string).collect();
    let over = media.transports;
    writeln!(out, "media over {over} at {}", addresses.join(", "))?;
    for note in &media.notes {
        let kind = if note.is_warning() { "warning" } else { "note" };
        writeln!(out, "{kind}: {note}")?;
    }
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
