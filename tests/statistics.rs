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
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

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
