//! A stream's picture before its sound, in a real browser against a scripted
//! server.

#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::unwrap_used,
    reason = "clippy does not know these functions for tests, where it allows this"
)]

#[allow(dead_code, reason = "each test crate uses its part of the support")]
mod support;

use serde_json::Value;
use support::Page;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::HtmlVideoElement;

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/tests/support/picture_first.js")]
extern "C" {
    #[wasm_bindgen(js_name = watchFirstFrame)]
    fn watch_first_frame(video: &HtmlVideoElement);
    #[wasm_bindgen(js_name = hadAtFirstFrame)]
    fn had_at_first_frame() -> String;
    fn has(video: &HtmlVideoElement) -> String;
    #[wasm_bindgen(js_name = answerWith)]
    async fn answer_with(offer: &str, sent: &str, silent: &str) -> wasm_bindgen::JsValue;
    #[wasm_bindgen(js_name = sendAll)]
    fn send_all();
    #[wasm_bindgen(js_name = stopSeconds)]
    fn stop_seconds();
    #[wasm_bindgen(js_name = tellNoFrames)]
    fn tell_no_frames();
    #[wasm_bindgen(js_name = paintNothing)]
    fn paint_nothing();
    fn reset();
}

/// The browser as the test wants it; itself again when dropped.
struct Browser;

impl Browser {
    fn as_it_is() -> Self {
        Self
    }

    /// Nothing that waits for a second ever happens.
    fn without_seconds() -> Self {
        stop_seconds();
        Self
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        reset();
    }
}

/// A page whose player asked for a stream; what happens to it is watched.
async fn asked() -> (Page, Value, HtmlVideoElement) {
    let page = Page::established().await;
    let video = page.video("remoteVideo");
    watch_first_frame(&video);
    let request = page.asked_to_play().await;
    (page, request, video)
}

/// The server announces `sent` to such a page, of which `silent` does not come.
async fn play(page: &Page, request: &Value, sent: &str, silent: &str) {
    let answer = answer_with(request["sdp"].as_str().unwrap(), sent, silent).await;
    page.server
        .say_answer(request, &answer.as_string().unwrap());
    page.server.status(request, "PLAYING", None);
}

async fn until_has(page: &Page, video: &HtmlVideoElement, kinds: &str) {
    page.until_shown("tracks", kinds, || has(video)).await;
}

async fn until_heard(page: &Page, video: &HtmlVideoElement) {
    let is_heard = || !video.muted() && !video.paused() && video.current_time() > 0.0;
    page.until("sound", is_heard).await;
}

#[wasm_bindgen_test]
async fn the_sound_joins_after_the_first_frame() {
    let _browser = Browser::without_seconds();
    let (page, request, video) = asked().await;
    play(&page, &request, "audio video", "").await;
    page.until_shown("tracks at the first frame", "video", had_at_first_frame)
        .await;
    until_has(&page, &video, "audio+video").await;
    until_heard(&page, &video).await;
}

#[wasm_bindgen_test]
async fn where_no_frames_are_told_of_the_sound_joins_too() {
    let _browser = Browser::without_seconds();
    let (page, request, video) = asked().await;
    tell_no_frames();
    play(&page, &request, "audio video", "").await;
    until_has(&page, &video, "audio+video").await;
    assert!(video.video_width() > 0);
    until_heard(&page, &video).await;
}

#[wasm_bindgen_test]
async fn sound_alone_waits_for_nothing() {
    let _browser = Browser::without_seconds();
    let (page, request, video) = asked().await;
    play(&page, &request, "audio", "").await;
    until_has(&page, &video, "audio").await;
    until_heard(&page, &video).await;
}

#[wasm_bindgen_test]
async fn a_picture_that_does_not_come_holds_no_sound_back() {
    let _browser = Browser::as_it_is();
    let (page, request, video) = asked().await;
    play(&page, &request, "audio video", "video").await;
    until_heard(&page, &video).await;
    assert_eq!(had_at_first_frame(), "");

    send_all();
    let both = "audio+video";
    page.until_shown("tracks at the first frame", both, had_at_first_frame)
        .await;
    until_heard(&page, &video).await;
}

#[wasm_bindgen_test]
async fn a_page_that_is_not_looked_at_is_heard_too() {
    let _browser = Browser::as_it_is();
    let (page, request, video) = asked().await;
    paint_nothing();
    play(&page, &request, "audio video", "").await;
    until_has(&page, &video, "audio+video").await;
    until_heard(&page, &video).await;
}

#[wasm_bindgen_test]
async fn what_is_tried_for_again_is_seen_and_heard_again() {
    let _browser = Browser::as_it_is();
    let (page, lost, video) = asked().await;
    play(&page, &lost, "audio video", "").await;
    until_heard(&page, &video).await;

    page.server.status(&lost, "FAILED", Some("for a while"));
    let asked = || page.server.last("playStream").unwrap();
    page.until("the next try", || asked() != lost).await;
    watch_first_frame(&video);
    play(&page, &asked(), "audio video", "").await;
    page.until_shown("tracks at the first frame", "video", had_at_first_frame)
        .await;
    until_has(&page, &video, "audio+video").await;
    until_heard(&page, &video).await;
}
