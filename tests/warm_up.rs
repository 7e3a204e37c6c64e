//! What a connected page does before anything is asked of it, in a real browser
//! against a scripted server.

#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::unwrap_used,
    reason = "clippy does not know these functions for tests, where it allows this"
)]

#[allow(dead_code, reason = "each test crate uses its part of the support")]
mod support;

use serde_json::json;
use support::{Page, open_peers};
use two_way_streaming::platform::socket::SocketEvent;
use two_way_streaming::platform::storage::Storage;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/tests/support/warm_up.js")]
extern "C" {
    fn forget();
    #[wasm_bindgen(js_name = peersMade)]
    fn peers_made() -> u32;
    #[wasm_bindgen(js_name = contextsMade)]
    fn contexts_made() -> u32;
    #[wasm_bindgen(js_name = contextsClosed)]
    fn contexts_closed() -> u32;
    async fn rest();
}

#[wasm_bindgen_test]
async fn a_connected_page_at_rest_warms_up_and_keeps_nothing() {
    forget();
    let page = Page::open().await;
    rest().await;
    assert_eq!((peers_made(), contexts_made()), (0, 0), "not connected yet");
    drop(page);

    let page = Page::established().await;
    page.until("the warm-up", || {
        (peers_made(), contexts_closed()) == (1, 1)
    })
    .await;
    assert_eq!((open_peers(), contexts_made()), (0, 1));
}

#[wasm_bindgen_test]
async fn a_stream_that_is_asked_for_does_not_wait_for_the_warm_up() {
    forget();
    let page = Page::open_with("?stream=cam&play=1", Storage::none()).await;
    page.until("a socket", || page.server.open_sockets() == 1)
        .await;
    page.server.event(SocketEvent::Opened);
    page.server.say("getUserData", json!({}));
    page.until("the stream", || page.server.last("playStream").is_some())
        .await;
    rest().await;
    assert_eq!((peers_made(), contexts_made()), (1, 0));
}
