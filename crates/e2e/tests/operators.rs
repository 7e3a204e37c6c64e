//! What operators do to a server while people watch.

use std::fs;
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Result, ensure};
use e2e::{Browser, PATIENCE, Server, Signal, Spy, Stage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Frames that show that a picture goes on.
const SOME_FRAMES: u64 = 30;

#[tokio::test]
async fn a_viewer_plays_on_while_the_server_is_reloaded_and_drained() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("server.toml");
    fs::write(&file, "[running]\ndrain-seconds = 600\n")?;
    let server = Server::start_with(&["--config", &file.display().to_string()])?;
    let stage = Stage::set_with(server, Browser::start()).await?;
    let publisher = stage.publisher("test")?;
    let spy = Spy::hide_in(&stage.browser).await?;
    let page = stage.connected().await?;
    page.play("test").await?;
    spy.note_texts("connectStatus").await?;
    spy.wait_frames(SOME_FRAMES).await?;

    // From now on nobody publishes without a token; who does already, goes on.
    let open = "[access]\nanonymous = [\"play *\"]\n[running]\ndrain-seconds = 600\n";
    fs::write(&file, open)?;
    stage.server.signal(Signal::Reload)?;
    stage.server.wait_log("the configuration was read again")?;
    spy.wait_frames(SOME_FRAMES).await?;

    stage.server.signal(Signal::Stop)?;
    let address = stage.server.address()?;
    let deadline = Instant::now() + PATIENCE;
    while !is_draining(address).await? {
        ensure!(Instant::now() < deadline, "the server does not drain");
        spy.wait_frames(1).await?;
    }
    spy.wait_frames(SOME_FRAMES).await?;
    assert_eq!(spy.texts().await?, ["ESTABLISHED"]);
    let asked = spy.sent().await?;
    let plays = asked.iter().filter(|name| *name == "playStream").count();
    assert_eq!(plays, 1, "{asked:?}");

    publisher.terminate()?;
    assert_eq!(stage.server.wait_end()?, Some(0));
    stage.browser.close().await
}

/// Whether the server says that nobody new should come.
async fn is_draining(address: SocketAddr) -> Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.starts_with("HTTP/1.1 503"))
}
