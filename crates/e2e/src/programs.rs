//! The programs under test, on free ports.

use std::env;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::link::Link;
use crate::process::{Process, Signal};

/// Decides which packets are lost: the same ones in every run, as far as they
/// are sent in the same order.
const LINK_SEED: u64 = 4;

/// `twoway-server` serving the built page.
#[derive(Debug)]
pub struct Server {
    process: Process,
    url: String,
    /// Beyond those that every server here has.
    options: Vec<String>,
}

impl Server {
    /// Starts a server on a free port and waits until it takes connections.
    ///
    /// # Errors
    /// The program is not built, or does not come up.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// Starts a server on a free port with these further options.
    ///
    /// # Errors
    /// The program is not built, or does not come up.
    pub fn start_with(options: &[&str]) -> Result<Self> {
        let options = options.iter().map(ToString::to_string);
        Self::spawn(Ipv4Addr::LOCALHOST.into(), 0, options.collect())
    }

    /// Starts a server that has only IPv6: page, signalling and media at `::1`.
    ///
    /// # Errors
    /// The program is not built, or does not come up.
    pub fn start_ipv6() -> Result<Self> {
        let options = ["--media-bind", "::1"].map(str::to_owned);
        Self::spawn(Ipv6Addr::LOCALHOST.into(), 0, options.into())
    }

    /// Starts a server whose clients reach its media through a link only, which
    /// is perfect at first.
    ///
    /// # Errors
    /// The program is not built or does not come up, or the link's address,
    /// 127.0.0.2, cannot be bound.
    pub fn start_behind_link() -> Result<(Self, Link)> {
        const NEAR: Ipv4Addr = Ipv4Addr::LOCALHOST;
        const FAR: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
        let (near, far) = (NEAR.to_string(), FAR.to_string());
        let addresses = ["--media-bind", &near, "--public-address", &far];
        // One worker, so one port and one link.
        let server = Self::start_with(&[&addresses[..], &["--workers", "1"]].concat())?;
        let port = server.media_port()?;
        let link = Link::start((FAR, port).into(), (NEAR, port).into(), LINK_SEED)?;
        Ok((server, link))
    }

    /// Ends the server without any farewell (SIGKILL) and starts another at the
    /// same address.
    ///
    /// # Errors
    /// It does not come up.
    pub fn restart(self) -> Result<Self> {
        self.kill()?.start()
    }

    /// Ends the server without any farewell (SIGKILL).
    ///
    /// # Errors
    /// It said something else than an address.
    pub fn kill(self) -> Result<Killed> {
        let address = self.address()?;
        let options = self.options;
        drop(self.process);
        Ok(Killed { address, options })
    }

    /// Asks the server for something.
    ///
    /// # Errors
    /// It cannot be asked.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        self.process.signal(signal)
    }

    /// Waits until the server has logged a line with `text` in it.
    ///
    /// # Errors
    /// It never does.
    pub fn wait_log(&self, text: &str) -> Result<()> {
        let has_text = |line: &str| line.contains(text).then_some(());
        self.process.wait_for_line(text, has_text)
    }

    /// Waits until the server ends by itself, and returns its exit code.
    ///
    /// # Errors
    /// It does not end.
    pub fn wait_end(self) -> Result<Option<i32>> {
        self.process.wait_end()
    }

    fn spawn(bind: IpAddr, port: u16, options: Vec<String>) -> Result<Self> {
        let mut command = Command::new(program("TWOWAY_SERVER", "twoway-server")?);
        command.args(["--bind", &bind.to_string(), "--port", &port.to_string()]);
        command.args(["--media-port", "0"]).args(&options);
        if !options.iter().any(|option| option == "--page") {
            command.arg("--page").arg(page_folder()?);
        }
        let process = Process::spawn("twoway-server", &mut command)?;
        let url = process.wait_for_line("the ready line", |line| {
            line.strip_prefix("ready: ").map(str::to_owned)
        })?;
        Ok(Self {
            process,
            url,
            options,
        })
    }

    /// The port of its first media worker.
    fn media_port(&self) -> Result<u16> {
        let port = |line: &str| {
            let (_, addresses) = line.strip_prefix("media over ")?.split_once(" at ")?;
            let (_, port) = addresses.split(',').next()?.rsplit_once(':')?;
            port.parse().ok()
        };
        self.process.wait_for_line("where its media is", port)
    }

    /// Where it listens.
    ///
    /// # Errors
    /// It said something else than an address.
    pub fn address(&self) -> Result<SocketAddr> {
        let (_, address) = self.url.split_once("://").context("a URL")?;
        Ok(address.trim_end_matches('/').parse()?)
    }

    /// Address of the page, ending in a slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens for TLS.
    ///
    /// # Errors
    /// It was started without.
    pub fn tls_address(&self) -> Result<SocketAddr> {
        let address = |line: &str| {
            let url = line.strip_prefix("with TLS: https://")?;
            url.trim_end_matches('/').parse().ok()
        };
        self.process.wait_for_line("where it has TLS", address)
    }

    /// Address of the signalling, without a path.
    pub fn signalling_url(&self) -> String {
        self.url
            .trim_end_matches('/')
            .replacen("http://", "ws://", 1)
    }

    /// Ends the server as an operator would and returns its exit code.
    ///
    /// # Errors
    /// It does not end.
    pub fn terminate(self) -> Result<Option<i32>> {
        self.process.terminate()
    }
}

/// What is left of a server that was killed.
#[derive(Debug)]
pub struct Killed {
    address: SocketAddr,
    options: Vec<String>,
}

impl Killed {
    /// Starts another server at the same address.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start(self) -> Result<Server> {
        Server::spawn(self.address.ip(), self.address.port(), self.options)
    }
}

/// The program named by the environment, or the one built beside this test.
pub(crate) fn program(variable: &str, name: &str) -> Result<PathBuf> {
    if let Some(path) = env::var_os(variable) {
        return Ok(path.into());
    }
    let test = env::current_exe().context("the test has a path")?;
    let profile = test.ancestors().find(|folder| folder.join(name).is_file());
    profile
        .map(|folder| folder.join(name))
        .with_context(|| format!("{name} is not built: run cargo xtask test"))
}

/// Where the built page is.
///
/// # Errors
/// It is not built.
pub fn page_folder() -> Result<PathBuf> {
    let folder = env::var_os("TWOWAY_PAGE").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../dist"),
        PathBuf::from,
    );
    anyhow::ensure!(
        folder.join("index.html").is_file(),
        "the page is not built: run cargo xtask test"
    );
    Ok(folder)
}

/// The Python that has aiortc.
///
/// # Errors
/// It is not installed.
pub(crate) fn aiortc_python() -> Result<PathBuf> {
    installed("TWOWAY_AIORTC", "aiortc")
}

/// Where the modules of npm are that tests run in the browser.
///
/// # Errors
/// They are not installed.
pub(crate) fn web_clients_folder() -> Result<PathBuf> {
    installed("TWOWAY_WEB_CLIENTS", "what tests run of npm")
}

/// Where Flashphoner's WebSDK is, with its example pages.
///
/// # Errors
/// It is not installed.
pub fn websdk_folder() -> Result<PathBuf> {
    Ok(web_clients_folder()?.join("@flashphoner/websdk"))
}

fn installed(variable: &str, what: &str) -> Result<PathBuf> {
    let path = env::var_os(variable).map(PathBuf::from);
    path.with_context(|| {
        format!("no {what}: run cargo xtask test, which installs it (and sets {variable})")
    })
}
