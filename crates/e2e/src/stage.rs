//! Server and browser, which nearly every test needs.

use anyhow::Result;
use tokio::sync::MutexGuard;

use crate::{Browser, Publisher, Server, Signalling, TwoWayPage, turn};

/// A server and a browser, at a test's [`turn`].
#[derive(Debug)]
pub struct Stage {
    /// Serves the page and its streams.
    pub server: Server,
    /// Opens the page.
    pub browser: Browser,
    _turn: MutexGuard<'static, ()>,
}

impl Stage {
    /// Starts both as most users have them.
    ///
    /// # Errors
    /// One does not start.
    pub async fn set() -> Result<Self> {
        Self::set_with(Server::start()?, Browser::start()).await
    }

    /// Starts `browser`, once its turn has come, to go with `server`.
    ///
    /// # Errors
    /// It does not start.
    pub async fn set_with(
        server: Server,
        browser: impl Future<Output = Result<Browser>>,
    ) -> Result<Self> {
        let turn = turn().await;
        Ok(Self {
            server,
            browser: browser.await?,
            _turn: turn,
        })
    }

    /// Opens the page in the current tab and connects it to its default.
    ///
    /// # Errors
    /// The page does not appear or does not connect.
    pub async fn connected(&self) -> Result<TwoWayPage<'_>> {
        TwoWayPage::open_connected(&self.browser, &self.server).await
    }

    /// Opens the page in the current tab and connects it in this way.
    ///
    /// # Errors
    /// The page does not appear or does not connect.
    pub async fn connected_by(&self, signalling: Signalling) -> Result<TwoWayPage<'_>> {
        let page = TwoWayPage::open(&self.browser, &self.server).await?;
        page.connect_by(signalling, &self.server).await?;
        Ok(page)
    }

    /// Opens the page in the current tab by a link with the query `query`.
    ///
    /// # Errors
    /// There is no such page.
    pub async fn linked(&self, query: &str) -> Result<TwoWayPage<'_>> {
        TwoWayPage::open_link(&self.browser, &self.server, query).await
    }

    /// Starts publishing the test picture by `name` and waits until it is on air.
    ///
    /// # Errors
    /// The program is not built, or the stream does not come up.
    pub fn publisher(&self, name: &str) -> Result<Publisher> {
        Publisher::start(&self.server, name)
    }

    /// Ends the browser, which tells whether it was still there.
    ///
    /// # Errors
    /// It was gone before.
    pub async fn clear(self) -> Result<()> {
        self.browser.close().await
    }
}
