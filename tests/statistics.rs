//! The statistics of a played stream in a real browser, whose fake camera
//! answers as a server would.

#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::unwrap_used,
    reason = "clippy does not know these functions for tests, where it allows this"
)]

#[allow(dead_code, reason = "the page's tests use the rest of it")]
mod support;

use serde_json::Value;
use support::{Page, open_peers, running_timers};
use two_way_streaming::platform::frames;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/tests/support/statistics.js")]
extern "C" {
    /// Replaces what the browser tells of a play until its `end`.
    type FakedBuffer;
    #[wasm_bindgen(constructor)]
    fn new() -> FakedBuffer;
    /// How long frames stay in the buffer, in milliseconds, and whether the page is hidden.
    #[wasm_bindgen(method)]
    fn set(this: &FakedBuffer, ms: f64, hidden: bool);
    #[wasm_bindgen(method)]
    fn samples(this: &FakedBuffer) -> u32;
    #[wasm_bindgen(method)]
    fn target(this: &FakedBuffer) -> Option<f64>;
    #[wasm_bindgen(method)]
    fn end(this: &FakedBuffer);
}

/// A page that plays the fake camera; the request.
async fn playing() -> (Page, Value) {
    let page = Page::established().await;
    let request = page.asked_to_play().await;
    let offer = request["sdp"].as_str().unwrap();
    assert!(!offer.contains("rrtr"), "the server gets the browser's own");
    let answer = support::answer_with_camera(offer).await;
    page.server
        .say_answer(&request, &answer.as_string().unwrap());
    page.server.status(&request, "PLAYING", None);
    let video = page.video("remoteVideo");
    page.until("a moving picture", || support::is_playing(&video))
        .await;
    (page, request)
}

fn known(page: &Page, id: &str) -> bool {
    page.text(id) != "unknown"
}

#[wasm_bindgen_test]
async fn the_panel_opens_by_its_button_and_says_what_it_is() {
    let page = Page::open().await;
    let button = page.element("statsBtn");
    let expanded = || button.get_attribute("aria-expanded").unwrap();
    assert_eq!(expanded(), "false");
    assert!(!page.has("#statsPanel"));
    page.click("statsBtn").await;
    assert_eq!(expanded(), "true");
    assert_eq!(button.get_attribute("aria-controls").unwrap(), "statsPanel");
    assert!(page.text("statsPanel").contains("while a stream plays"));
    assert!(!page.enabled("copyStatsBtn"));
    page.click("statsBtn").await;
    assert_eq!(expanded(), "false");
    assert!(!page.has("#statsPanel"));
}

#[wasm_bindgen_test]
async fn figures_of_a_played_stream() {
    let (page, request) = playing().await;
    page.click("statsBtn").await;
    page.until("figures", || {
        page.has("#statFrameRate") && known(&page, "statFrameRate") && known(&page, "statBitrate")
    })
    .await;
    let video = page.video("remoteVideo");
    let size = format!("{} × {}", video.video_width(), video.video_height());
    assert_eq!(page.text("statResolution"), size);
    let frame_rate: f64 = page.text("statFrameRate").parse().unwrap();
    assert!(frame_rate > 0.0, "{frame_rate}");
    page.until("the first picture's time", || {
        known(&page, "statFirstFrame")
    })
    .await;
    let first = page.text("statFirstFrame");
    let first: u32 = first.strip_suffix(" ms").unwrap().parse().unwrap();
    assert!(first > 0);
    assert!(page.text("statPath").starts_with("udp"));
    // A camera has no strip, and without the server's count nobody knows.
    assert!(!known(&page, "statStripDelay"));
    assert!(!known(&page, "statQuality"));
    assert!(page.has(".graph [role=img][aria-label^='Bitrate in the last minute: now']"));
    assert!(!page.has("[style]"), "a policy may forbid inline styles");

    page.server.say(
        "outboundVideoRate",
        serde_json::json!({"mediaSessionId": request["mediaSessionId"], "videoRate": 1e9}),
    );
    page.until_text("statQuality", "BAD").await;

    page.click("copyStatsBtn").await;
    // A test may or may not have the clipboard; either way the page says so.
    page.until("the result", || !page.text("copyStatsResult").is_empty())
        .await;

    // What was seen stays after the end, for the report.
    page.server
        .status(&request, "FAILED", Some("Stopped by publisher stop"));
    page.until_text("playStatus", "FAILED").await;
    assert_eq!(page.text("statResolution"), size);
    assert!(page.enabled("copyStatsBtn"));
    support::stop_answering();
}

#[wasm_bindgen_test]
async fn a_video_that_gets_its_stream_again_plays_on() {
    let (page, _request) = playing().await;
    let video = page.video("remoteVideo");
    frames::reattach(&video);
    assert!(!support::is_playing(&video), "it starts anew");
    page.until("a moving picture", || support::is_playing(&video))
        .await;
    support::stop_answering();
}

/// A page whose buffer is as long as the test says: nothing else is known.
#[wasm_bindgen_test]
async fn the_guard_drains_what_grew_while_the_page_was_hidden() {
    let faked = FakedBuffer::new();
    let (page, _request) = playing().await;
    page.click("statsBtn").await;
    page.until("a steady buffer", || faked.samples() > 4).await;
    assert_eq!(page.text("guardNote"), "");
    assert_eq!(page.text("statBuffer"), "50 ms");

    faked.set(2_350.0, true);
    let seen = faked.samples();
    page.until("growth", || faked.samples() > seen + 1).await;
    assert_eq!(page.text("guardNote"), "", "nobody looks");
    assert_eq!(faked.target(), None);

    faked.set(2_350.0, false);
    page.until_text("guardNote", "Catching up: 2.3 s behind")
        .await;
    assert_eq!(faked.target(), Some(0.0));
    faked.set(50.0, false);
    page.until_text("guardNote", "Caught up: was 2.3 s behind")
        .await;
    assert_eq!(faked.target(), None);
    faked.end();
    support::stop_answering();
}

#[wasm_bindgen_test]
async fn unmounting_leaves_nothing_behind() {
    let (mut page, _request) = playing().await;
    page.click("statsBtn").await;
    page.until("figures", || page.has("#statFrameRate")).await;
    assert!(running_timers() > 0);
    page.unmount();
    page.until("the end of everything", || {
        open_peers() == 0 && running_timers() == 0
    })
    .await;
    support::stop_answering();
}
