//! A headless Chromium behind its own ChromeDriver.

use std::env;
use std::process::Command;

use anyhow::{Context, Result, bail};
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;
use url::{ParseError, Url};

use crate::process::Process;
use crate::{PATIENCE, POLL};

/// What the browser is told about its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permissions {
    /// Camera and microphone are given to any page without asking.
    Given,
    /// They are refused to any page without asking.
    Refused,
}

/// Chromium with a fresh profile, a fake camera and a fake microphone.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    _driver: Process,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser with a window of 1280x900 that gives the camera.
    ///
    /// # Errors
    /// Chromium or its driver is missing, or does not start.
    pub async fn start() -> Result<Self> {
        Self::start_with(Permissions::Given).await
    }

    /// Starts a browser that shows pages as a phone of 390x844 does.
    ///
    /// # Errors
    /// Chromium or its driver is missing, or does not start.
    pub async fn start_phone() -> Result<Self> {
        let metrics = json!({ "width": 390, "height": 844, "pixelRatio": 2.0, "touch": true });
        let mut options = options(Permissions::Given);
        options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
        Self::open(options).await
    }

    /// Starts a browser with a window of 1280x900.
    ///
    /// # Errors
    /// Chromium or its driver is missing, or does not start.
    pub async fn start_with(permissions: Permissions) -> Result<Self> {
        Self::open(options(permissions)).await
    }

    /// Starts a browser that takes every certificate, and for which `host` is this
    /// machine.
    ///
    /// # Errors
    /// Chromium or its driver is missing, or does not start.
    pub async fn start_trusting(host: &str) -> Result<Self> {
        let mut options = options(Permissions::Given);
        let arguments = options["args"].as_array_mut();
        let map = format!("--host-resolver-rules=MAP {host} 127.0.0.1");
        let more = ["--ignore-certificate-errors".into(), map.into()];
        arguments.context("a list of arguments")?.extend(more);
        Self::open(options).await
    }

    async fn open(options: Value) -> Result<Self> {
        let driver = env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".to_owned());
        let driver = Process::spawn("chromedriver", Command::new(driver).arg("--port=0"))
            .context(NO_BROWSER)?;
        let port = driver.wait_for_line("its port", |line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        })?;
        let profile = tempfile::tempdir()?;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(&profile, options)?)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .context(NO_BROWSER)?;
        Ok(Self {
            client,
            _driver: driver,
            _profile: profile,
        })
    }

    /// The WebDriver client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What it calls itself, with its version.
    ///
    /// # Errors
    /// The browser is not Chromium, or gone.
    pub async fn version(&self) -> Result<String> {
        let version = self.dev_tools("Browser.getVersion", json!({})).await?;
        let product = version["product"].as_str().context("a browser's name")?;
        Ok(product.replace('/', " "))
    }

    /// Opens a second tab and goes there.
    ///
    /// # Errors
    /// The browser is gone.
    pub async fn new_tab(&self) -> Result<()> {
        let tab = self.client.new_window(true).await?;
        self.client.switch_to_window(tab.handle).await?;
        Ok(())
    }

    /// Sets the size of the page's own room in the window, in CSS pixels. A
    /// window is at least 500 wide.
    ///
    /// # Errors
    /// The browser is gone.
    pub async fn set_viewport(&self, width: u32, height: u32) -> Result<()> {
        self.client.set_window_size(width, height).await?;
        let frame = "return [outerWidth - innerWidth, outerHeight - innerHeight]";
        let frame = self.run(frame, vec![]).await?;
        let (beside, above): (u32, u32) = serde_json::from_value(frame)?;
        self.client
            .set_window_size(width + beside, height + above)
            .await?;
        Ok(())
    }

    /// Runs `script` (the body of a function) in the page and returns its value.
    ///
    /// # Errors
    /// The script throws, or the browser is gone.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        Ok(self.client.execute(script, arguments).await?)
    }

    /// Runs `script` in each page that the current tab opens from now on, before
    /// the page's own scripts.
    ///
    /// # Errors
    /// The browser is not Chromium, or gone.
    pub async fn run_before_pages(&self, script: &str) -> Result<()> {
        let parameters = json!({ "source": script });
        self.dev_tools("Page.addScriptToEvaluateOnNewDocument", parameters)
            .await?;
        Ok(())
    }

    /// Gives the current tab a command of the Chrome DevTools Protocol; its answer.
    ///
    /// # Errors
    /// The browser is not Chromium, or gone, or refuses.
    pub(crate) async fn dev_tools(
        &self,
        command: &'static str,
        parameters: Value,
    ) -> Result<Value> {
        let command = DevTools {
            command,
            parameters,
        };
        Ok(self.client.issue_cmd(command).await?)
    }

    /// Runs `script` again and again until it returns something truthy.
    ///
    /// # Errors
    /// It never does, or throws.
    pub async fn wait_until(
        &self,
        what: &str,
        script: &str,
        arguments: Vec<Value>,
    ) -> Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        let mut poll = tokio::time::interval(POLL);
        loop {
            poll.tick().await;
            let value = self.run(script, arguments.clone()).await?;
            if !matches!(value, Value::Null | Value::Bool(false)) && value != "" && value != 0 {
                return Ok(value);
            }
            if Instant::now() > deadline {
                bail!("waited in vain for {what}");
            }
        }
    }

    /// Ends the browser.
    ///
    /// # Errors
    /// It was gone before.
    pub async fn close(self) -> Result<()> {
        Ok(self.client.close().await?)
    }
}

const NO_BROWSER: &str = "the browser does not start: install Chromium and ChromeDriver of one \
                          version, or name them by CHROME and CHROMEDRIVER";

fn options(permissions: Permissions) -> Value {
    let mut arguments = vec![
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1280,900",
        "--use-fake-device-for-media-stream",
    ];
    let mut options = json!({});
    match permissions {
        Permissions::Given => arguments.push("--use-fake-ui-for-media-stream"),
        Permissions::Refused => options["prefs"] = refusing_camera(),
    }
    options["args"] = json!(arguments);
    options
}

fn capabilities(profile: &TempDir, mut options: Value) -> Result<Capabilities> {
    let profile = format!("--user-data-dir={}", profile.path().display());
    let arguments = options["args"].as_array_mut();
    arguments
        .context("a list of arguments")?
        .push(profile.into());
    if let Ok(chrome) = env::var("CHROME") {
        options["binary"] = chrome.into();
    }
    let capabilities = json!({ "browserName": "chrome", "goog:chromeOptions": options });
    Ok(serde_json::from_value(capabilities)?)
}

/// A command of the Chrome DevTools Protocol, by ChromeDriver's extension.
#[derive(Debug)]
struct DevTools {
    command: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/goog/cdp/execute"))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = json!({ "cmd": self.command, "params": self.parameters });
        (Method::POST, Some(body.to_string()))
    }
}

/// Chromium's settings under which no page gets camera or microphone.
fn refusing_camera() -> Value {
    const BLOCK: u32 = 2;
    json!({
        "profile.default_content_setting_values.media_stream_camera": BLOCK,
        "profile.default_content_setting_values.media_stream_mic": BLOCK,
    })
}
