//! The page in a real browser, against a scripted server: elements, control
//! states, texts, colours, and what is left after it.
//!
//! `cargo xtask test` runs this in headless Chrome with its fake camera.

#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::unwrap_used,
    reason = "clippy does not know these functions for tests, where it allows this"
)]

#[path = "page/parity.rs"]
mod parity;
mod support;

use serde_json::{Value, json};
use support::{Page, open_peers, running_timers, tracks, turn};
use two_way_streaming::platform::location::page_address;
use two_way_streaming::platform::socket::SocketEvent;
use two_way_streaming::state::server_url;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::MediaStreamTrackState;

wasm_bindgen_test_configure!(run_in_browser);

/// The controls in the order of the reference's table of states.
const CONTROLS: [&str; 8] = [
    "urlServer",
    "connectBtn",
    "publishStream",
    "publishBtn",
    "sendDataBtn",
    "playStream",
    "playBtn",
    "availableBtn",
];

/// One letter a control, `E` or `D`, then the labels of the three buttons that
/// change theirs.
fn row(page: &Page) -> String {
    let letters = CONTROLS.map(|id| if page.enabled(id) { "E" } else { "D" });
    format!(
        "{} {} {} {}",
        letters.concat(),
        page.text("connectBtn"),
        page.text("publishBtn"),
        page.text("playBtn")
    )
}

fn assert_status(page: &Page, id: &str, text: &str, class: &str) {
    assert_eq!(page.text(id), text, "#{id}");
    assert_eq!(page.element(id).class_name(), format!("status {class}"));
}

fn publisher_stopped(page: &Page, request: &Value) {
    let info = Some("Stopped by publisher stop");
    page.server.status(request, "FAILED", info);
}

#[wasm_bindgen_test]
async fn opens_with_the_elements_and_defaults() {
    let page = Page::open().await;
    assert_eq!(page.value("urlServer"), server_url(&page_address()));
    let name = page.value("publishStream");
    assert_eq!(name.len(), 4, "{name}");
    assert!(name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
    assert_eq!(page.value("playStream"), name);
    assert_eq!(page.value("streamData"), r#"{"count": 23}"#);
    assert_eq!(
        page.element("streamData").get_attribute("rows").unwrap(),
        "5"
    );
    for (id, text) in [
        ("connectBtn", "Connect"),
        ("publishBtn", "Publish"),
        ("playBtn", "Play"),
        ("availableBtn", "Available"),
        ("sendDataBtn", "Send payload as object"),
    ] {
        assert_eq!(page.text(id), text);
    }
    for id in [
        "connectStatus",
        "publishStatus",
        "publishInfo",
        "playStatus",
        "playInfo",
        "availableStatus",
        "availableInfo",
        "receivedData",
        "notifyFlash",
    ] {
        assert_eq!(page.text(id), "", "#{id}");
    }
    assert!(page.has("h1") && page.has("#localVideo video") && page.has("#remoteVideo video"));
    for form in ["connectionForm", "streamerForm", "playerForm"] {
        assert!(page.has(&format!("form#{form}")));
    }
    assert_eq!(row(&page), "EEDDDDDD Connect Publish Play");
}

#[wasm_bindgen_test]
async fn labels_belong_to_fields_and_statuses_are_announced() {
    let page = Page::open().await;
    for id in ["urlServer", "publishStream", "playStream", "streamData"] {
        assert!(page.has(&format!("label[for={id}]")), "#{id}");
    }
    for id in ["connect", "publish", "play", "available"] {
        for part in ["Status", "Info"] {
            assert!(page.has(&format!("[aria-live=polite] #{id}{part}")));
        }
    }
}

#[wasm_bindgen_test]
async fn connection_states() {
    let page = Page::open().await;
    page.fill("urlServer", "ws://example.test:8080").await;
    page.click("connectBtn").await;
    assert_eq!(row(&page), "DDDDDDDD Connect Publish Play");
    page.until("a socket", || page.server.open_sockets() == 1)
        .await;
    assert_eq!(page.server.url(), "ws://example.test:8080");
    assert_eq!(page.text("connectStatus"), "");

    page.server.event(SocketEvent::Opened);
    page.server.say("getUserData", json!({}));
    page.until_text("connectStatus", "ESTABLISHED").await;
    assert_status(&page, "connectStatus", "ESTABLISHED", "text-success");
    assert_eq!(row(&page), "DEEEDEEE Disconnect Publish Play");

    page.click("connectBtn").await;
    page.until_text("connectStatus", "DISCONNECTED").await;
    assert_status(&page, "connectStatus", "DISCONNECTED", "text-muted");
    assert_eq!(row(&page), "EEDDDDDD Connect Publish Play");
    assert_eq!(page.server.open_sockets(), 0);
}

#[wasm_bindgen_test]
async fn a_server_that_is_not_there() {
    let page = Page::open().await;
    page.click("keepTrying").await;
    page.click("connectBtn").await;
    page.until("a socket", || page.server.open_sockets() == 1)
        .await;
    let reason = "No connection to the server";
    page.server.event(SocketEvent::Failed(reason.to_owned()));
    page.until_text("connectStatus", "FAILED").await;
    assert_status(&page, "connectStatus", "FAILED", "text-danger");
    assert_eq!(page.text("connectInfo"), reason);
    assert_eq!(row(&page), "EEDDDDDD Connect Publish Play");
    assert_eq!(page.server.open_sockets(), 0);
}

#[wasm_bindgen_test]
async fn play_states() {
    let page = Page::established().await;
    page.click("playBtn").await;
    assert_eq!(row(&page), "DEEEDDDE Disconnect Publish Play");
    page.until("the request", || page.server.last("playStream").is_some())
        .await;
    let request = page.server.last("playStream").unwrap();
    assert_eq!(request["name"], page.value("playStream").as_str());
    let offer = request["sdp"].as_str().unwrap();
    assert_eq!(offer.matches("a=recvonly").count(), 2, "{offer}");
    assert!(!offer.contains("a=candidate"), "{offer}");

    page.server.status(&request, "PLAYING", None);
    page.until_text("playStatus", "PLAYING").await;
    assert_status(&page, "playStatus", "PLAYING", "text-success");
    assert_eq!(row(&page), "DEEEDDEE Disconnect Publish Stop");

    page.click("playBtn").await;
    assert_eq!(row(&page), "DEEEDDDE Disconnect Publish Stop");
    page.until("the stop", || page.server.last("stopStream").is_some())
        .await;
    page.server.status(&request, "STOPPED", None);
    page.until_text("playStatus", "STOPPED").await;
    assert_status(&page, "playStatus", "STOPPED", "text-muted");
    assert_eq!(row(&page), "DEEEDEEE Disconnect Publish Play");
    assert_eq!(open_peers(), 0);
}

#[wasm_bindgen_test]
async fn play_failures_have_their_texts_and_can_be_tried_again() {
    let page = Page::established().await;
    page.click("keepTrying").await;
    for (info, text) in [
        ("Session does not exist", "Actual session does not exist"),
        (
            "Stopped by publisher stop",
            "Related publisher stopped its stream or lost connection",
        ),
        ("No common codecs", "Other: No common codecs"),
    ] {
        let request = page.asked_to_play().await;
        page.server.status(&request, "FAILED", Some(info));
        page.until_text("playInfo", text).await;
        assert_status(&page, "playStatus", "FAILED", "text-danger");
        assert_eq!(row(&page), "DEEEDEEE Disconnect Publish Play");
    }
    let request = page.asked_to_play().await;
    page.server.status(&request, "PLAYING", None);
    page.until_text("playStatus", "PLAYING").await;
    assert_eq!(page.text("playInfo"), "");
}

#[wasm_bindgen_test]
async fn publish_states_with_the_camera_kept_on_between() {
    let page = Page::established().await;
    page.click("publishBtn").await;
    assert_eq!(row(&page), "DEDDDEEE Disconnect Publish Play");
    page.until("the offer", || page.server.last("publishStream").is_some())
        .await;
    let request = page.server.last("publishStream").unwrap();
    let offer = request["sdp"].as_str().unwrap();
    assert_eq!(offer.matches("a=sendonly").count(), 2, "{offer}");
    let camera = tracks(&page.video("localVideo"));
    assert_eq!(camera.len(), 2);
    assert!(page.video("localVideo").muted());

    page.server.status(&request, "PUBLISHING", None);
    page.until_text("publishStatus", "PUBLISHING").await;
    assert_status(&page, "publishStatus", "PUBLISHING", "text-success");
    assert_eq!(row(&page), "DEDEEEEE Disconnect Stop Play");

    page.click("publishBtn").await;
    assert_eq!(row(&page), "DEDDEEEE Disconnect Stop Play");
    page.until("the stop", || page.server.last("unPublishStream").is_some())
        .await;
    page.server.status(&request, "UNPUBLISHED", None);
    page.until_text("publishStatus", "UNPUBLISHED").await;
    assert_status(&page, "publishStatus", "UNPUBLISHED", "text-muted");
    assert_eq!(row(&page), "DEEEDEEE Disconnect Publish Play");

    let again = page.asked_to_publish().await;
    page.server
        .status(&again, "FAILED", Some("Stream name is already in use"));
    page.until_text("publishStatus", "FAILED").await;
    assert_eq!(
        page.text("publishInfo"),
        "Server already has a publish stream with the same name, try using different one"
    );
    let kept = tracks(&page.video("localVideo"));
    assert_eq!(kept[0].id(), camera[0].id());
    assert_eq!(kept[0].ready_state(), MediaStreamTrackState::Live);

    page.click("connectBtn").await;
    page.until_text("connectStatus", "DISCONNECTED").await;
    assert_eq!(camera[0].ready_state(), MediaStreamTrackState::Ended);
}

#[wasm_bindgen_test]
async fn a_lost_connection_ends_both_halves() {
    let page = Page::established().await;
    page.click("keepTrying").await;
    let play = page.asked_to_play().await;
    let publish = page.asked_to_publish().await;
    page.server.status(&play, "PLAYING", None);
    page.server.status(&publish, "PUBLISHING", None);
    page.until_text("publishStatus", "PUBLISHING").await;
    assert_eq!(row(&page), "DEDEEDEE Disconnect Stop Stop");

    page.server.event(SocketEvent::Closed);
    page.until_text("connectStatus", "DISCONNECTED").await;
    assert_status(&page, "publishStatus", "FAILED", "text-danger");
    assert_status(&page, "playStatus", "FAILED", "text-danger");
    assert_eq!(row(&page), "EEDDDDDD Connect Publish Play");
    assert_eq!((open_peers(), page.server.open_sockets()), (0, 0));
}

#[wasm_bindgen_test]
async fn an_answer_of_garbage_fails_the_play_only() {
    let page = Page::established().await;
    let request = page.asked_to_play().await;
    page.server.say_answer(&request, "v=0 garbage");
    page.until_text("playStatus", "FAILED").await;
    let info = page.text("playInfo");
    assert!(info.contains("answer was refused"), "{info}");
    assert_eq!(row(&page), "DEEEDEEE Disconnect Publish Play");
}

#[wasm_bindgen_test]
async fn an_answered_stream_is_shown_and_taken_away_when_it_ends() {
    let page = Page::established().await;
    page.click("keepTrying").await;
    let request = page.asked_to_play().await;
    let offer = request["sdp"].as_str().unwrap();
    let answer = support::answer_with_camera(offer).await;
    page.server
        .say_answer(&request, &answer.as_string().unwrap());
    page.server.status(&request, "PLAYING", None);
    let video = page.video("remoteVideo");
    page.until("a moving picture", || support::is_playing(&video))
        .await;
    page.until("both tracks", || tracks(&video).len() == 2)
        .await;
    // This browser may or may not allow sound without a press; either way the
    // user hears it or is offered to.
    page.until("sound, or the offer of it", || {
        !video.muted() || page.has("#unmuteBtn")
    })
    .await;

    publisher_stopped(&page, &request);
    page.until_text("playStatus", "FAILED").await;
    assert!(tracks(&video).is_empty(), "no frozen picture");
    support::stop_answering();
}

#[wasm_bindgen_test]
async fn an_http_server_is_asked_by_whep_with_the_token() {
    support::serve_whep();
    let page = Page::open().await;
    page.fill("urlServer", "https://example.test").await;
    page.fill("token", "se cret").await;
    page.click("connectBtn").await;
    assert_status(&page, "connectStatus", "FAILED", "text-danger");
    assert!(page.text("connectInfo").contains("token"));

    page.fill("token", "secret").await;
    page.fill("playStream", "my cam").await;
    page.click("connectBtn").await;
    page.until_text("connectStatus", "ESTABLISHED").await;
    assert_eq!(row(&page), "DEEEDEEE Disconnect Publish Play");
    assert_eq!(page.server.open_sockets(), 0);
    page.click("playBtn").await;
    page.until_text("playStatus", "PLAYING").await;
    let video = page.video("remoteVideo");
    page.until("a moving picture", || support::is_playing(&video))
        .await;
    page.click("availableBtn").await;
    page.until_text("availableStatus", "UNAVAILABLE").await;

    page.click("playBtn").await;
    page.until_text("playStatus", "STOPPED").await;
    let requests = support::stop_serving();
    let (first, last) = (requests.first().unwrap(), requests.last().unwrap());
    assert_eq!(
        first,
        "POST https://example.test/whep/my%20cam Bearer secret"
    );
    assert_eq!(last, "DELETE https://example.test/resource/1 Bearer secret");
    assert_eq!(open_peers(), 0);
}

#[wasm_bindgen_test]
async fn availability() {
    let page = Page::established().await;
    for (available, info, text, class) in [
        (
            json!("false"),
            "Stream not found",
            "UNAVAILABLE",
            "text-danger",
        ),
        (json!("true"), "", "AVAILABLE", "text-success"),
    ] {
        let before = page.server.last("availableStream");
        page.click("availableBtn").await;
        page.until("the question", || {
            page.server.last("availableStream") != before
        })
        .await;
        let id = page.server.last("availableStream").unwrap()["mediaSessionId"].clone();
        let answer = json!({"id": id, "status": available, "info": info});
        page.server.say("availableStream", answer);
        page.until_text("availableStatus", text).await;
        assert_status(&page, "availableStatus", text, class);
        assert_eq!(page.text("availableInfo"), info);
    }
}

#[wasm_bindgen_test]
async fn empty_fields_are_shown_and_nothing_is_asked_for() {
    let page = Page::open().await;
    page.fill("urlServer", "").await;
    page.click("connectBtn").await;
    assert!(page.has(".input-group.has-error #urlServer[aria-invalid=true]"));
    assert_eq!(page.server.open_sockets(), 0);
    page.fill("urlServer", "ws://localhost").await;
    assert!(!page.has(".has-error"));
    drop(page);

    let page = Page::established().await;
    for (input, button) in [("publishStream", "publishBtn"), ("playStream", "playBtn")] {
        page.fill(input, "").await;
        page.click(button).await;
        assert!(page.has(&format!(".has-error #{input}")));
        assert_eq!(row(&page), "DEEEDEEE Disconnect Publish Play");
    }
}

#[wasm_bindgen_test]
async fn payloads_are_checked_and_received_markup_stays_text() {
    let page = Page::established().await;
    let play = page.asked_to_play().await;
    let publish = page.asked_to_publish().await;
    page.server.status(&play, "PLAYING", None);
    page.server.status(&publish, "PUBLISHING", None);
    page.until_text("publishStatus", "PUBLISHING").await;

    page.fill("streamData", "{oops").await;
    page.click("sendDataBtn").await;
    assert!(page.text("streamDataError").starts_with("This is not JSON"));
    assert_eq!(page.server.last("sendStreamEvent"), None);
    page.fill("streamData", r#"{"a": [1]}"#).await;
    assert_eq!(page.text("streamDataError"), "");
    page.click("sendDataBtn").await;
    page.until("the data", || page.server.last("sendStreamEvent").is_some())
        .await;
    let sent = page.server.last("sendStreamEvent").unwrap();
    assert_eq!(sent["payload"], json!({"a": [1]}));

    page.server.say(
        "notifyStreamEvent",
        json!({
            "mediaSessionId": play["mediaSessionId"],
            "type": "data",
            "payload": {"html": "<img src=x onerror=alert(1)>"},
        }),
    );
    page.until("the line", || !page.text("receivedData").is_empty())
        .await;
    let line = page.text("receivedData");
    assert!(
        line.ends_with(r#" - {"html":"<img src=x onerror=alert(1)>"}"#),
        "{line}"
    );
    assert!(!page.has("#receivedData img"));
}

#[wasm_bindgen_test]
async fn a_thousand_messages_leave_the_page_usable() {
    let page = Page::established().await;
    let play = page.asked_to_play().await;
    page.server.status(&play, "PLAYING", None);
    for count in 0..1_000 {
        page.server.say(
            "notifyStreamEvent",
            json!({"mediaSessionId": play["mediaSessionId"], "type": "data", "payload": count}),
        );
        if count % 100 == 99 {
            // The loop gets its turn, as between two messages of a socket.
            page.until("the statuses", || page.text("playStatus") == "PLAYING")
                .await;
            turn().await;
        }
    }
    page.until("the last line", || {
        page.text("receivedData").ends_with(" - 999")
    })
    .await;
    page.click("playBtn").await;
    page.until("the stop", || page.server.last("stopStream").is_some())
        .await;
}

#[wasm_bindgen_test]
async fn nonsense_from_the_server_changes_nothing() {
    let page = Page::established().await;
    for text in ["", "{", "[]", r#"{"message":"no such"}"#, r#"{"data":7}"#] {
        page.server.event(SocketEvent::Message(text.to_owned()));
    }
    page.server.say("ping", Value::Null);
    page.until("the pong", || page.server.last("pong").is_some())
        .await;
    assert_eq!(row(&page), "DEEEDEEE Disconnect Publish Play");
    assert_status(&page, "connectStatus", "ESTABLISHED", "text-success");
}

#[wasm_bindgen_test]
async fn unmounting_leaves_nothing_behind() {
    let mut page = Page::established().await;
    let play = page.asked_to_play().await;
    let publish = page.asked_to_publish().await;
    page.server.status(&play, "PLAYING", None);
    page.server.status(&publish, "PUBLISHING", None);
    page.until_text("publishStatus", "PUBLISHING").await;
    let camera = tracks(&page.video("localVideo"));
    assert_eq!(camera.len(), 2);
    assert_eq!(open_peers(), 2);
    assert_eq!(page.server.open_sockets(), 1);
    assert!(running_timers() > 0);

    page.unmount();
    page.until("the end of everything", || {
        open_peers() == 0 && page.server.open_sockets() == 0 && running_timers() == 0
    })
    .await;
    for track in camera {
        assert_eq!(track.ready_state(), MediaStreamTrackState::Ended);
    }
}
