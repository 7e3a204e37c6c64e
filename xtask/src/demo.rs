//! `cargo xtask demo`: the whole chain on this machine, until Ctrl-C.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::build::{self, Profile, Programs};
use crate::process::{POLL, Process, Stop, prefixed};
use crate::progress::Progress;
use crate::shell::Shell;
use crate::tools;

/// How long server and publisher may take to come up.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a connection on the loopback may take.
const CONNECT: Duration = Duration::from_millis(500);

/// Options of `cargo xtask demo`.
#[derive(Args)]
pub(crate) struct Options {
    /// Port of page and signalling; 0 takes a free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// First port of the media, UDP and TCP, one a core; 0 takes free ones.
    #[arg(long, default_value_t = 31001)]
    media_port: u16,
    /// Name the test picture is published under.
    #[arg(long, default_value = "test")]
    name: String,
    /// Open the page in the browser.
    #[arg(long)]
    open: bool,
}

/// # Errors
/// When a port is in use, a tool or a build fails, or when server or publisher
/// end before Ctrl-C.
pub(crate) fn run(shell: &mut Shell, options: &Options) -> Result<()> {
    check_tcp(options.port)?;
    // The server starts a worker a core, if not told otherwise.
    let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    check_media(options.media_port, workers)?;

    let mut progress = Progress::new();
    progress.step("tools", || {
        tools::prepare(shell, tools::FOR_PAGE.iter().copied())
    })?;
    let page = progress.step("the page (trunk, release)", || build::page(shell))?;
    let programs = progress.step("server and publisher (release)", || {
        build::programs(shell, Profile::Release)
    })?;

    progress.heading("starting server and publisher");
    let mut command = shell.command(&programs.server);
    command.args(["--port", &options.port.to_string()]);
    command.args(["--media-port", &options.media_port.to_string()]);
    command.arg("--page").arg(page);
    // Dropped in reverse order: the publisher takes its leave first.
    let (mut server, url) = start(command, "server", shell.stop(), |line| {
        line.strip_prefix("ready: ").map(str::to_owned)
    })?;
    let mut publisher = publish(shell, &programs, &url, &options.name)?;

    let page = format!("{url}?stream={}&connect=1", percent_encoded(&options.name));
    announce(&page);
    if options.open {
        open(shell, &page);
    }
    let result = watch(&mut server, &mut publisher, shell.stop());
    progress.heading("ending publisher and server");
    publisher.end();
    server.end();
    result
}

fn publish(shell: &Shell, programs: &Programs, url: &str, name: &str) -> Result<Process> {
    let mut command = shell.command(&programs.publish);
    command.arg(url.replacen("http", "ws", 1));
    command.args(["--name", name]);
    let on_air = format!("stream {name}: PUBLISHING");
    let (publisher, ()) = start(command, "publisher", shell.stop(), |line| {
        line.starts_with(&on_air).then_some(())
    })?;
    Ok(publisher)
}

/// Starts a program and waits for the line in which it says that it is up.
fn start<T>(
    mut command: Command,
    name: &'static str,
    stop: &Stop,
    is_up: impl Fn(&str) -> Option<T>,
) -> Result<(Process, T)> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = Process::spawn(&mut command)?;
    let lines = process.stdout_lines(prefixed(name));
    drop(process.stderr_lines(prefixed(name)));
    let up =
        wait_for(&lines, stop, is_up).with_context(|| format!("the {name} does not come up"))?;
    Ok((process, up))
}

fn wait_for<T>(
    lines: &Receiver<String>,
    stop: &Stop,
    is_up: impl Fn(&str) -> Option<T>,
) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        stop.check()?;
        match lines.recv_timeout(POLL) {
            Ok(line) => {
                if let Some(up) = is_up(&line) {
                    return Ok(up);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => bail!("it ended at once; see above why"),
        }
    }
    bail!("it has not said so in {} s", PATIENCE.as_secs())
}

/// A value of a query string (RFC 3986 section 2.1): all but the unreserved
/// characters escaped.
fn percent_encoded(value: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    value.bytes().map(escape).collect()
}

fn announce(page: &str) {
    println!("\n    {page}\n");
    println!("  Open this page and press Play: a moving picture with sound.");
    println!("  Ctrl-C ends server and publisher.\n");
}

/// Returns when the user has had enough.
///
/// # Errors
/// When one of the two ends by itself.
fn watch(server: &mut Process, publisher: &mut Process, stop: &Stop) -> Result<()> {
    while stop.check().is_ok() {
        for (name, process) in [("server", &mut *server), ("publisher", &mut *publisher)] {
            if let Some(status) = process.poll()? {
                bail!("the {name} ended by itself ({status}); see above why");
            }
        }
        thread::sleep(POLL);
    }
    Ok(())
}

/// Opens the page; that there is no browser is not worth ending for.
fn open(shell: &Shell, url: &str) {
    let mut command = if cfg!(target_os = "macos") {
        shell.command("open")
    } else if cfg!(windows) {
        // Not `cmd /c start`, which takes the `&` of a query for its own.
        shell.command("explorer")
    } else {
        shell.command("xdg-open")
    };
    // Not a `Process`: the browser stays when the demo ends.
    let started = command
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Err(error) = started {
        eprintln!("  cannot open the browser ({error}): open the page yourself");
    }
}

/// That nobody listens on `port` yet, told before anything is built.
fn check_tcp(port: u16) -> Result<()> {
    if port == 0 {
        return Ok(());
    }
    let free = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok();
    // Some systems let two listen, one of them on the loopback only.
    let local = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    if !free || TcpStream::connect_timeout(&local, CONNECT).is_ok() {
        bail!("port {port} is in use: end what listens there, or choose another with --port");
    }
    Ok(())
}

/// As [`check_tcp`], for `first` and those after it: one for each of the
/// server's workers.
fn check_media(first: u16, workers: usize) -> Result<()> {
    if first == 0 {
        return Ok(());
    }
    for port in (first..=u16::MAX).take(workers) {
        let address = (Ipv4Addr::UNSPECIFIED, port);
        if UdpSocket::bind(address).is_err() || TcpListener::bind(address).is_err() {
            bail!(
                "media port {port} is in use: end what has it, or choose others with --media-port"
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_told_and_how_to_choose_another() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let error = check_tcp(port).expect_err("it is in use").to_string();
        assert!(error.contains(&port.to_string()) && error.contains("--port"));
        drop(listener);
        check_tcp(0).expect("any free port is free");
    }

    #[test]
    fn a_media_port_in_use_is_told() {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = socket.local_addr().expect("its address").port();
        let error = check_media(port, 1).expect_err("it is in use").to_string();
        assert!(error.contains("--media-port"));
        let before = check_media(port - 1, 2).expect_err("the second worker's port is in use");
        assert!(before.to_string().contains("in use"));
        drop(socket);
        check_media(0, 2).expect("any free ports are free");
    }

    #[test]
    fn a_name_of_any_characters_fits_into_the_address() {
        assert_eq!(percent_encoded("studio-1.a_b~"), "studio-1.a_b~");
        assert_eq!(percent_encoded("a b&c=ä/"), "a%20b%26c%3D%C3%A4%2F");
    }

    #[test]
    fn a_program_is_up_once_it_says_so() {
        let (sender, lines) = std::sync::mpsc::channel();
        for line in ["hello", "ready: http://127.0.0.1:1/", "more"] {
            sender.send(line.to_owned()).expect("it is open");
        }
        let url = |line: &str| line.strip_prefix("ready: ").map(str::to_owned);
        let up = wait_for(&lines, &Stop::never(), url);
        assert_eq!(up.expect("it is up"), "http://127.0.0.1:1/");
        drop(sender);
        let ended = wait_for(&lines, &Stop::never(), url).expect_err("it has ended");
        assert!(ended.to_string().contains("ended at once"));
    }
}
