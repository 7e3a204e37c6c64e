//! The operators' page, in a browser.

use anyhow::{Result, ensure};
use e2e::Stage;
use serde_json::{Value, json};

/// What a client may call itself, and no page shall take for markup.
const MARKUP: &str = "<img src=x onerror=\"document.title='broken'\">";

/// A session that calls itself as it likes; it lives as long as the page.
const CONNECT: &str = "
    window.socket = new WebSocket(`ws://${location.host}/`);
    const client = { appKey: arguments[0], clientVersion: '2.0', clientBrowserVersion: arguments[0] };
    socket.onopen = () => socket.send(JSON.stringify({ message: 'connection', data: [client] }));";

/// The row that has a cell of just this text, by its key; of two tables at most one has it.
const KEY_OF_ROW: &str = "
    const cells = [...document.querySelectorAll('tbody td')];
    const found = cells.find((cell) => cell.textContent === arguments[0]);
    return found ? found.parentElement.dataset.key : null;";

/// Whether a row is no longer there, by its key.
const IS_GONE: &str = "
    const rows = [...document.querySelectorAll('tbody tr')];
    return !rows.some((row) => row.dataset.key === arguments[0]);";

#[tokio::test]
async fn names_are_text_and_streams_end_after_a_question() -> Result<()> {
    let stage = Stage::set().await?;
    let _publisher = stage.publisher("garden")?;
    let browser = &stage.browser;
    let url = format!("{}status", stage.server.url());
    browser.client().goto(&url).await?;

    browser.run(CONNECT, vec![json!(MARKUP)]).await?;
    let row = |text: &str| vec![json!(text)];
    browser
        .wait_until("the session", KEY_OF_ROW, row(MARKUP))
        .await?;
    let made = "return [document.images.length, document.title]";
    let made = browser.run(made, vec![]).await?;
    let title = "Server status · Two-way Streaming";
    ensure!(made == json!([0, title]), "markup of a name: {made}");

    let key = browser.wait_until("the stream", KEY_OF_ROW, row("garden"));
    let key: Value = key.await?;
    // Not at once: a script that asks is over only when it is answered.
    let press = "setTimeout(() => document.querySelector('#streams button.danger').click())";
    browser.run(press, vec![]).await?;
    accept(browser).await?;
    let gone = browser.wait_until("the stream's end", IS_GONE, vec![key]);
    gone.await?;
    stage.clear().await
}

/// Says yes once the page asks.
async fn accept(browser: &e2e::Browser) -> Result<()> {
    let deadline = tokio::time::Instant::now() + e2e::PATIENCE;
    loop {
        match browser.client().accept_alert().await {
            Ok(()) => return Ok(()),
            Err(error) if tokio::time::Instant::now() > deadline => return Err(error.into()),
            Err(_) => tokio::task::yield_now().await,
        }
    }
}
