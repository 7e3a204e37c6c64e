//! Everything an operator may choose, from one definition.
//!
//! [`Settings`] is the definition. The command line is read by it, and so are a file
//! (TOML) and the environment: `--max-message` is `max-message` in the file's table
//! `[limits]`, by its heading, and `TWOWAY_MAX_MESSAGE`. The command line outweighs the
//! environment, which outweighs the file.

mod access;
mod configs;
mod file;
mod hooks;
mod key;
mod reference;
mod running;
mod see;
mod source;
mod tls;

use std::collections::HashMap;
use std::ffi::OsString;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args, CommandFactory, Parser, ValueEnum};

use self::access::{AccessArgs, AddressArgs};
pub(crate) use self::configs::OTHER_FILES;
use self::hooks::HookArgs;
use self::key::Key;
pub use self::reference::{example, manual};
use self::running::RunningArgs;
use self::source::Sources;
pub use self::source::{Mistake, Place, SettingsError};
use self::tls::TlsArgs;
use crate::limits::Limits;
use crate::logs::Logs;
use crate::media::{PublicAddress, Transports};
use crate::{media, net};

/// What an operator may choose.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Address to listen on for HTTP and WebSocket; :: is every IPv6 and IPv4 address
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V6(Ipv6Addr::UNSPECIFIED))]
    bind: IpAddr,
    /// TCP port of HTTP and WebSocket; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Folder with the built page [default: the page that is part of the program, or dist
    /// if none is]
    #[arg(long, value_name = "DIR")]
    page: Option<PathBuf>,
    /// Server that clients with lbUrl are sent to, if it is not this one; may be
    /// given several times, and each takes its turn
    #[arg(long, value_name = "HOST:PORT")]
    balance_to: Vec<net::BalanceTarget>,
    #[command(flatten)]
    tls: TlsArgs,
    #[command(flatten)]
    media: MediaArgs,
    #[command(flatten)]
    streams: StreamArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    addresses: AddressArgs,
    #[command(flatten)]
    access: AccessArgs,
    #[command(flatten)]
    hooks: HookArgs,
    #[command(flatten)]
    running: RunningArgs,
    #[command(flatten)]
    see: see::SeeArgs,
}

impl Settings {
    /// How the log is to be.
    pub fn logs(&self) -> Logs {
        self.see.logs()
    }
}

/// Where media goes.
#[derive(Debug, Clone, Args)]
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
#[derive(Debug, Clone, Args)]
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
#[derive(Debug, Clone, Args)]
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

/// Settings, and where each of them was said.
#[derive(Debug, Clone)]
pub struct Gathered {
    /// The settings.
    pub settings: Settings,
    places: HashMap<String, Place>,
    /// What was said of each, if something was.
    values: HashMap<String, Vec<OsString>>,
}

impl Gathered {
    /// Puts together what the file at `path`, the environment and the command line
    /// say.
    ///
    /// # Errors
    /// The file cannot be read, or something that somebody said is wrong: then all that
    /// is wrong is told.
    pub fn new(
        path: Option<&Path>,
        environment: &HashMap<OsString, OsString>,
        options: &ArgMatches,
    ) -> Result<Self, SettingsError> {
        let keys = keys();
        let mut sources = Sources::default();
        if let Some(path) = path {
            sources.take_file(path, &keys)?;
        }
        sources.take_environment(environment, &keys);
        sources.take_options(options, &keys);
        let said = sources.finish()?;
        let Alone { settings } = Alone::try_parse_from(said.arguments)?;
        Ok(Self {
            settings,
            places: said.places,
            values: said.values,
        })
    }

    /// Where a setting was said; `None` if nobody did.
    pub fn place(&self, name: &str) -> Option<&Place> {
        self.places.get(name)
    }

    /// How many settings somebody chose.
    pub fn chosen(&self) -> usize {
        self.places.len()
    }

    /// What a setting comes to, as somebody wrote it or by its default; none if it is
    /// not given, several if it is a list.
    pub fn values(&self, name: &str) -> Vec<String> {
        if let Some(said) = self.values.get(name) {
            let said = said.iter();
            return said
                .map(|value| value.to_string_lossy().into_owned())
                .collect();
        }
        let key = keys().into_iter().find(|key| key.name() == name);
        key.and_then(|key| key.default()).into_iter().collect()
    }
}

/// The settings as a command of their own.
#[derive(Debug, Parser)]
#[command(no_binary_name = true)]
struct Alone {
    #[command(flatten)]
    settings: Settings,
}

fn keys() -> Vec<Key> {
    Key::all(&Alone::command())
}
