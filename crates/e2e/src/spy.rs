//! What a page does behind its picture: its peer connections as the browser
//! itself tells of them, and what it says on its sockets.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::Browser;

/// Put into every page of a watched tab before the page's own scripts.
const SPY: &str = include_str!("scripts/spy.js");

/// Looks into the pages that a browser's tab opens.
#[derive(Debug)]
pub struct Spy<'b> {
    browser: &'b Browser,
}

/// What the browser says of the video that it plays: names and units are those
/// of the `inbound-rtp` entry of W3C's Identifiers for WebRTC's Statistics API,
/// section 6.1.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Playback {
    /// Pictures decoded.
    pub frames_decoded: u64,
    /// Keyframes among them.
    pub key_frames_decoded: u64,
    /// Height of the last one, in pixels.
    pub frame_height: u32,
    /// How often the picture stood still for clearly longer than usual.
    pub freeze_count: u64,
    /// Seconds for which it did.
    pub total_freezes_duration: f64,
    /// RTP packets that came.
    pub packets_received: u64,
    /// RTP packets that are missing; what came again is taken off.
    pub packets_lost: i64,
    /// RTP packets that came again.
    pub retransmitted_packets_received: u64,
    /// Requests for single packets.
    pub nack_count: u64,
    /// Requests for a keyframe.
    pub pli_count: u64,
    /// The codec as a media type, `video/H264`.
    pub codec: String,
}

/// Which way video goes, seen from the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It is played.
    In,
    /// It is published.
    Out,
}

/// The candidate pair in use.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Route {
    /// `udp` or `tcp`.
    pub protocol: String,
    /// The server's address.
    pub remote: String,
}

impl<'b> Spy<'b> {
    /// Watches the pages that the browser's current tab opens from now on.
    ///
    /// # Errors
    /// The browser is not Chromium, or gone.
    pub async fn hide_in(browser: &'b Browser) -> Result<Self> {
        browser.run_before_pages(SPY).await?;
        Ok(Self { browser })
    }

    /// What is known of the played video.
    ///
    /// # Errors
    /// Nothing plays.
    pub async fn playback(&self) -> Result<Playback> {
        self.ask("return spy.playback()", vec![]).await
    }

    /// Waits until `condition`, an expression of `now`, the browser's
    /// `inbound-rtp` entry of the played video, holds. What is known then.
    ///
    /// # Errors
    /// It never does.
    pub async fn wait_playback(&self, condition: &str) -> Result<Playback> {
        let script = format!(
            "return (async () => {{
                 const now = await spy.playback();
                 return now !== null && ({condition}) && now;
             }})()"
        );
        let known = self.browser.wait_until(condition, &script, vec![]).await;
        let known = match known {
            Ok(known) => known,
            Err(error) => {
                let last = self.playback().await;
                return Err(error.context(format!("the played video: {last:?}")));
            }
        };
        serde_json::from_value(known).context("what the browser knows of its video")
    }

    /// Waits until so many more pictures of the played stream are decoded.
    ///
    /// # Errors
    /// They do not come.
    pub async fn wait_frames(&self, frames: u64) -> Result<Playback> {
        let decoded = self.playback().await?.frames_decoded + frames;
        self.wait_playback(&format!("now.framesDecoded >= {decoded}"))
            .await
    }

    /// Waits for the pair of candidates over which video goes.
    ///
    /// # Errors
    /// There is none.
    pub async fn route(&self, way: Way) -> Result<Route> {
        let entry = match way {
            Way::In => "inbound-rtp",
            Way::Out => "outbound-rtp",
        };
        let script = "return spy.route(arguments[0])";
        let route = self
            .browser
            .wait_until("a route", script, vec![json!(entry)]);
        serde_json::from_value(route.await?).context("a candidate pair")
    }

    /// How many peer connections the page has made.
    ///
    /// # Errors
    /// The page is gone.
    pub async fn peers(&self) -> Result<usize> {
        self.ask("return spy.peers.length", vec![]).await
    }

    /// The signalling messages that the page has sent, by name, in order.
    ///
    /// # Errors
    /// The page is gone.
    pub async fn sent(&self) -> Result<Vec<String>> {
        self.ask("return spy.sent", vec![]).await
    }

    /// Notes each text that the element has from now on.
    ///
    /// # Errors
    /// There is no such element.
    pub async fn note_texts(&self, id: &str) -> Result<()> {
        let script = "spy.noteTexts(arguments[0])";
        self.browser.run(script, vec![json!(id)]).await?;
        Ok(())
    }

    /// The texts noted, in order; each differs from the one before.
    ///
    /// # Errors
    /// The page is gone.
    pub async fn texts(&self) -> Result<Vec<String>> {
        self.ask("return spy.texts", vec![]).await
    }

    async fn ask<T: DeserializeOwned>(&self, script: &str, arguments: Vec<Value>) -> Result<T> {
        let answer = self.browser.run(script, arguments).await?;
        serde_json::from_value(answer).with_context(|| format!("the answer to {script}"))
    }
}
