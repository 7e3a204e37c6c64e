//! The Two-way Streaming page as a person uses it.

use anyhow::{Context, Result};
use fantoccini::Locator;
use fantoccini::key::Key;
use serde_json::{Value, json};
use strip::Stamp;

use crate::picture::{self, Watched};
use crate::{Browser, Server};

/// The page in the browser's current tab. Elements go by their ids.
#[derive(Debug)]
pub struct TwoWayPage<'b> {
    browser: &'b Browser,
}

/// How a page and its server talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signalling {
    /// Web Call Server's signalling, over a WebSocket.
    WebCallServer,
    /// WHIP to publish and WHEP to play.
    WhipWhep,
}

impl<'b> TwoWayPage<'b> {
    /// Opens the page that `server` serves and waits until it is up.
    ///
    /// # Errors
    /// The page does not appear.
    pub async fn open(browser: &'b Browser, server: &Server) -> Result<Self> {
        let page = Self::open_link(browser, server, "").await?;
        page.wait_enabled("connectBtn").await?;
        Ok(page)
    }

    /// Opens the page at this address and waits until it is up.
    ///
    /// # Errors
    /// The page does not appear.
    pub async fn open_url(browser: &'b Browser, url: &str) -> Result<Self> {
        browser.client().goto(url).await?;
        let page = Self { browser };
        page.wait_enabled("connectBtn").await?;
        Ok(page)
    }

    /// Opens the page that `server` serves by a link with the query `query`.
    ///
    /// # Errors
    /// There is no such page.
    pub async fn open_link(browser: &'b Browser, server: &Server, query: &str) -> Result<Self> {
        let url = format!("{}?{query}", server.url());
        browser.client().goto(&url).await?;
        Ok(Self { browser })
    }

    /// Opens another page with the same elements, a file that `server` serves.
    ///
    /// # Errors
    /// There is no such page.
    pub async fn open_at(browser: &'b Browser, server: &Server, file: &str) -> Result<Self> {
        let url = format!("{}{file}", server.url());
        browser.client().goto(&url).await?;
        Ok(Self { browser })
    }

    /// Opens the page and connects it to its server.
    ///
    /// # Errors
    /// The page does not appear or does not connect.
    pub async fn open_connected(browser: &'b Browser, server: &Server) -> Result<Self> {
        let page = Self::open(browser, server).await?;
        page.click("connectBtn").await?;
        page.wait_text("connectStatus", "ESTABLISHED").await?;
        Ok(page)
    }

    /// Connects the page in this way, whatever it remembers from earlier visits.
    ///
    /// # Errors
    /// It does not connect.
    pub async fn connect_by(&self, signalling: Signalling, server: &Server) -> Result<()> {
        let url = match signalling {
            Signalling::WebCallServer => server.signalling_url(),
            Signalling::WhipWhep => server.url().to_owned(),
        };
        self.fill("urlServer", &url).await?;
        self.click("connectBtn").await?;
        self.wait_text("connectStatus", "ESTABLISHED").await
    }

    /// Presses a button once it is enabled.
    ///
    /// # Errors
    /// It never is.
    pub async fn click(&self, id: &str) -> Result<()> {
        self.wait_enabled(id).await?;
        self.element(id).await?.click().await?;
        Ok(())
    }

    /// Replaces the text of a field once it is enabled.
    ///
    /// # Errors
    /// It never is.
    pub async fn fill(&self, id: &str, text: &str) -> Result<()> {
        self.wait_enabled(id).await?;
        // As a person does it: WebDriver's own way to clear a field tells the
        // page nothing.
        let select_all = format!("{}a{}", char::from(Key::Control), char::from(Key::Null));
        let field = self.element(id).await?;
        field.send_keys(&(select_all + text)).await?;
        Ok(())
    }

    /// Waits until the element says exactly `text`.
    ///
    /// # Errors
    /// It says something else to the end; the error tells what.
    pub async fn wait_text(&self, id: &str, text: &str) -> Result<()> {
        let script =
            "return document.getElementById(arguments[0])?.textContent.trim() === arguments[1]";
        let waited = self
            .browser
            .wait_until(
                &format!("#{id}: {text}"),
                script,
                vec![json!(id), json!(text)],
            )
            .await;
        if waited.is_err() {
            let said = self.text(id).await?;
            return waited
                .map(drop)
                .with_context(|| format!("#{id} says {said:?} instead of {text:?}"));
        }
        Ok(())
    }

    /// Waits until what the element says starts with `text`.
    ///
    /// # Errors
    /// It never does.
    pub async fn wait_start(&self, id: &str, text: &str) -> Result<()> {
        let script = "return document.getElementById(arguments[0])
                          ?.textContent.trim().startsWith(arguments[1])";
        let what = format!("#{id}: {text}...");
        let arguments = vec![json!(id), json!(text)];
        self.browser.wait_until(&what, script, arguments).await?;
        Ok(())
    }

    /// Waits until an element matches the CSS selector, or none does.
    ///
    /// # Errors
    /// It stays as it is.
    pub async fn wait_there(&self, selector: &str, there: bool) -> Result<()> {
        let script = "return !!document.querySelector(arguments[0]) === arguments[1]";
        let what = format!("{selector} to {}", if there { "come" } else { "go" });
        let arguments = vec![json!(selector), json!(there)];
        self.browser.wait_until(&what, script, arguments).await?;
        Ok(())
    }

    /// Waits until the element says a whole number of milliseconds; the number.
    ///
    /// # Errors
    /// It never does.
    pub async fn wait_millis(&self, id: &str) -> Result<f64> {
        let script = "const text = document.getElementById(arguments[0])?.textContent;
                      return text && /^\\s*-?\\d+ ms\\s*$/.test(text) && parseFloat(text) + 1e6";
        let number = self
            .browser
            .wait_until(&format!("#{id} in ms"), script, vec![json!(id)])
            .await?;
        Ok(number.as_f64().context("a number")? - 1e6)
    }

    /// What the element says.
    ///
    /// # Errors
    /// There is no such element.
    pub async fn text(&self, id: &str) -> Result<String> {
        let script = "return document.getElementById(arguments[0]).textContent.trim()";
        let text = self.browser.run(script, vec![json!(id)]).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Plays `name` and waits for PLAYING and a first picture.
    ///
    /// # Errors
    /// Either does not come.
    pub async fn play(&self, name: &str) -> Result<()> {
        self.listen(name).await?;
        self.wait_moving("remoteVideo").await
    }

    /// Plays `name`, which has sound only, and waits for PLAYING.
    ///
    /// # Errors
    /// It does not come.
    pub async fn listen(&self, name: &str) -> Result<()> {
        self.fill("playStream", name).await?;
        self.click("playBtn").await?;
        let playing = self.wait_text("playStatus", "PLAYING").await;
        if playing.is_err() {
            let info = self.text("playInfo").await?;
            return playing.with_context(|| format!("{name} does not play: {info:?}"));
        }
        Ok(())
    }

    /// Publishes the camera by `name` and waits for PUBLISHING.
    ///
    /// # Errors
    /// It does not come.
    pub async fn publish(&self, name: &str) -> Result<()> {
        self.fill("publishStream", name).await?;
        self.click("publishBtn").await?;
        self.wait_text("publishStatus", "PUBLISHING").await
    }

    /// Waits until the video in box `id` shows picture after picture, each
    /// differing from the one before.
    ///
    /// # Errors
    /// It stays empty or still.
    pub async fn wait_moving(&self, id: &str) -> Result<()> {
        picture::wait_moving(self.browser, id).await
    }

    /// Waits until the played stream is heard.
    ///
    /// # Errors
    /// It stays silent.
    pub async fn wait_sound(&self) -> Result<()> {
        self.browser
            .wait_until("sound", picture::SOUND_HEARD, vec![])
            .await?;
        Ok(())
    }

    /// Watches and listens to the played test picture for `seconds`.
    ///
    /// # Errors
    /// Nothing plays.
    pub async fn watch(&self, seconds: u32) -> Result<Watched> {
        picture::watch(self.browser, seconds).await
    }

    /// What the strip of the played picture says that is shown now; `None` if it
    /// cannot be read.
    ///
    /// # Errors
    /// Nothing plays.
    pub async fn shown(&self) -> Result<Option<Stamp>> {
        picture::shown(self.browser).await
    }

    async fn wait_enabled(&self, id: &str) -> Result<Value> {
        let script = "const e = document.getElementById(arguments[0]); return !!e && !e.disabled";
        self.browser
            .wait_until(&format!("#{id} to be enabled"), script, vec![json!(id)])
            .await
    }

    async fn element(&self, id: &str) -> Result<fantoccini::elements::Element> {
        Ok(self.browser.client().find(Locator::Id(id)).await?)
    }
}
