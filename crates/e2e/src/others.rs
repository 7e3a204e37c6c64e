//! WHIP and WHEP clients by other people, as `cargo xtask` installs them: aiortc,
//! and libraries of npm in a page that comes from elsewhere than the server.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::process::Process;
use crate::{Browser, PATIENCE, POLL, Server, picture, programs};

/// What a client talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// Publishes.
    Whip,
    /// Plays.
    Whep,
}

impl Endpoint {
    /// Where `server` speaks it about a stream.
    pub fn url(self, server: &Server, name: &str) -> String {
        let path = match self {
            Self::Whip => "whip",
            Self::Whep => "whep",
        };
        format!("{}{path}/{name}", server.url())
    }
}

/// aiortc, publishing a moving picture with a tone, or playing.
#[derive(Debug)]
pub struct Aiortc(Process);

impl Aiortc {
    /// Starts it; it waits for a stream that is not there yet.
    ///
    /// # Errors
    /// It is not installed.
    pub fn start(endpoint: Endpoint, server: &Server, name: &str) -> Result<Self> {
        let python = programs::aiortc_python()?;
        let what = match endpoint {
            Endpoint::Whip => "publish",
            Endpoint::Whep => "play",
        };
        let mut command = Command::new(python);
        command.arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/clients/aiortc_client.py"
        ));
        command.args([what, &endpoint.url(server, name)]);
        Ok(Self(Process::spawn_piped("aiortc", &mut command)?))
    }

    /// Waits until it is connected.
    ///
    /// # Errors
    /// It never is.
    pub fn wait_connected(&self) -> Result<()> {
        self.wait_line("connection connected")
    }

    /// Waits until it has decoded `frames` frames of `kind` (`audio`, `video`),
    /// of which no fewer than `different` differ.
    ///
    /// # Errors
    /// They do not come.
    pub fn wait_frames(&self, kind: &str, frames: u64, different: u64) -> Result<()> {
        let start = format!("{kind} frames ");
        let what = format!("{frames} frames of {kind}, {different} of them different");
        self.0.wait_for_line(&what, |line| {
            let (all, differing) = line.strip_prefix(&start)?.split_once(" different ")?;
            let enough = all.parse::<u64>().ok()? >= frames;
            (enough && differing.parse::<u64>().ok()? >= different).then_some(())
        })
    }

    /// Waits until its media is over by the server's doing.
    ///
    /// # Errors
    /// It goes on.
    pub fn wait_ended(&self) -> Result<()> {
        self.wait_line("connection closed")
    }

    /// Lets it delete its resource and end.
    ///
    /// # Errors
    /// It cannot.
    pub fn stop(mut self) -> Result<()> {
        self.0.close_stdin();
        self.wait_line("deleted")
    }

    fn wait_line(&self, wanted: &str) -> Result<()> {
        self.0
            .wait_for_line(wanted, |line| (line == wanted).then_some(()))
    }
}

/// The page with the clients of npm, served from an origin of its own.
#[derive(Debug)]
pub struct ClientPage<'b> {
    browser: &'b Browser,
    serving: JoinHandle<()>,
}

impl<'b> ClientPage<'b> {
    /// Opens the page.
    ///
    /// # Errors
    /// The libraries are not installed, or the page does not come up.
    pub async fn open(browser: &'b Browser) -> Result<Self> {
        let modules = programs::web_clients_folder()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let serving = tokio::spawn(serve(listener, modules));
        let page = Self { browser, serving };
        browser.client().goto(&format!("http://{address}/")).await?;
        browser
            .wait_until("the clients' page", "return !!window.clients", vec![])
            .await?;
        Ok(page)
    }

    /// Calls one of the page's functions and waits for its value.
    ///
    /// # Errors
    /// It throws.
    pub async fn call(&self, function: &str, endpoint: &str) -> Result<Value> {
        let script = "const [name, endpoint, done] = arguments;
            const failed = (error) => done({ error: String(error) });
            window.clients[name](endpoint).then((value) => done({ value }), failed)";
        let arguments = vec![json!(function), json!(endpoint)];
        let client = self.browser.client();
        let mut done = client.execute_async(script, arguments).await?;
        match done["error"].as_str() {
            None => Ok(done["value"].take()),
            Some(error) => bail!("{function}: {error}"),
        }
    }

    /// Waits until an offer to play is answered with this status.
    ///
    /// # Errors
    /// It never is.
    pub async fn wait_status(&self, endpoint: &str, status: u16) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let mut poll = tokio::time::interval(POLL);
        loop {
            poll.tick().await;
            let now = self.call("probe", endpoint).await?;
            if now == status {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("{endpoint} answers {now} instead of {status}");
            }
        }
    }

    /// Waits until the played picture has changed a few times.
    ///
    /// # Errors
    /// It stays empty or still.
    pub async fn wait_moving(&self) -> Result<()> {
        picture::wait_moving(self.browser, "remoteVideo").await
    }

    /// What no code of the page caught.
    ///
    /// # Errors
    /// The browser is gone.
    pub async fn errors(&self) -> Result<Value> {
        self.browser.run("return window.errors", vec![]).await
    }
}

impl Drop for ClientPage<'_> {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// What xtask has installed.
const PAGE: &str = include_str!("../clients/page.html");

/// Serves the page and the libraries' files, one request a connection.
async fn serve(listener: TcpListener, modules: PathBuf) {
    while let Ok((stream, _)) = listener.accept().await {
        // The browser is to blame for a request that breaks off.
        let _ = answer(stream, &modules).await;
    }
}

async fn answer(mut stream: TcpStream, modules: &Path) -> Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or("/");
    let (status, kind, body) = match path {
        "/" => ("200 OK", "text/html", PAGE.as_bytes().to_vec()),
        path => match std::fs::read(modules.join(path.trim_start_matches('/'))) {
            Ok(file) => ("200 OK", "text/javascript", file),
            Err(_) => ("404 Not Found", "text/plain", Vec::new()),
        },
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), &body].concat()).await?;
    Ok(())
}
