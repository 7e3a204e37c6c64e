//! Janus, as fast as it can be configured for what is measured, so that the comparison
//! is fair:
//!
//! - only the WebSocket transport and the video room are loaded, events are off, and
//!   only what ends it is logged;
//! - `event_loops` is the number of its cores: by default each peer connection has a
//!   thread of its own, which took twice the processor time for 100 viewers on one core,
//!   and switched threads 190 times as often;
//! - ICE-lite, without STUN, mDNS and IPv6, as our server has it: nothing is waited for
//!   while candidates are gathered;
//! - no events about media that is missing, and retransmission buffers are emptied at
//!   each keyframe (`nack_optimizations`), which made no difference to its time;
//!   otherwise they are left as they are, 200 ms, since a server without them is none
//!   for real networks;
//! - its DTLS certificate is made by itself, of P-256, as ours;
//! - rooms limit no bitrate, ask for no keyframes by themselves and negotiate no header
//!   extensions ([`crate::janus`]).
//!
//! It is reached over the loopback by WebSocket, and for media at the address of a
//! network interface, since it takes none on the loopback; the system delivers what goes
//! to an own address without leaving the machine, as on the loopback.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::time::{Instant, sleep};

use super::child::Child;
use super::{Address, Started};
use crate::janus::Client;
use crate::results::ServerInfo;

/// How long it may take to come up.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often it is asked meanwhile.
const POLL: Duration = Duration::from_millis(50);

/// What Debian's package has beside the video room.
const OTHER_PLUGINS: [&str; 11] = [
    "audiobridge",
    "duktape",
    "echotest",
    "lua",
    "nosip",
    "recordplay",
    "sip",
    "streaming",
    "textroom",
    "videocall",
    "voicemail",
];

/// What Debian's package has beside WebSocket.
const OTHER_TRANSPORTS: [&str; 5] = ["http", "mqtt", "nanomsg", "pfunix", "rabbitmq"];

pub(super) async fn start(program: &Path, cores: &[usize]) -> Result<Started> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let port = free_port()?;
    configure(folder.path(), port, loops(cores)).context("cannot write Janus' configuration")?;
    let mut child = Child::spawn("Janus", command(program, folder.path()), cores)?;
    let url = format!("ws://127.0.0.1:{port}/");
    let version = come_up(&mut child, &url).await?;
    child.ignore_lines();
    let info = ServerInfo {
        name: "janus".to_owned(),
        version: Some(version),
        cores: cores.to_vec(),
    };
    Started::new(info, Address::Janus(url), child, folder)
}

/// What the Janus at `url` says it is.
///
/// # Errors
/// There is none, or one whose video room does not know streams.
pub(super) async fn version(url: &str) -> Result<String> {
    let version = Client::new(url).about().await?.version;
    ensure!(
        !version.starts_with("0."),
        "Janus {version} is too old: 1.0 or later is needed"
    );
    Ok(version)
}

fn loops(cores: &[usize]) -> usize {
    if cores.is_empty() {
        thread::available_parallelism().map_or(1, Into::into)
    } else {
        cores.len()
    }
}

/// One that was free a moment ago: Janus takes none of its own choice.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("there is no free port")?;
    Ok(listener.local_addr()?.port())
}

fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg("--configs-folder").arg(folder);
    command.arg("--config").arg(folder.join("janus.jcfg"));
    command
}

fn configure(folder: &Path, port: u16, loops: usize) -> std::io::Result<()> {
    let main = format!(
        "general: {{\n\
         \tdebug_level = 1\n\
         \tdebug_colors = false\n\
         \tevent_loops = {loops}\n\
         }}\n\
         media: {{\n\
         \tno_media_timer = 0\n\
         \tslowlink_threshold = 0\n\
         \tnack_optimizations = true\n\
         }}\n\
         nat: {{\n\
         \tice_lite = true\n\
         \tignore_mdns = true\n\
         }}\n\
         plugins: {{ disable = \"{}\" }}\n\
         transports: {{ disable = \"{}\" }}\n\
         events: {{ broadcast = false }}\n",
        libraries(&OTHER_PLUGINS),
        libraries(&OTHER_TRANSPORTS),
    );
    let websocket = format!(
        "general: {{\n\
         \tjson = \"compact\"\n\
         \tws = true\n\
         \tws_ip = \"127.0.0.1\"\n\
         \tws_port = {port}\n\
         \tws_logging = \"none\"\n\
         \tevents = false\n\
         }}\n"
    );
    fs::write(folder.join("janus.jcfg"), main)?;
    fs::write(folder.join("janus.transport.websockets.jcfg"), websocket)?;
    fs::write(
        folder.join("janus.plugin.videoroom.jcfg"),
        "general: { events = false }\n",
    )
}

fn libraries(names: &[&str]) -> String {
    let files: Vec<_> = names
        .iter()
        .map(|name| format!("libjanus_{name}.so"))
        .collect();
    files.join(",")
}

/// Its version, once it takes connections.
async fn come_up(child: &mut Child, url: &str) -> Result<String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match version(url).await {
            Ok(version) => return Ok(version),
            Err(_) if child.has_ended() => {
                // Its last line is followed by its end.
                loop {
                    child.line().await?;
                }
            }
            Err(error) if Instant::now() > deadline => {
                let patience = PATIENCE.as_secs();
                return Err(error.context(format!("Janus is not up after {patience} s")));
            }
            Err(_) => sleep(POLL).await,
        }
    }
}
