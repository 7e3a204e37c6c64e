//! Links, the views they open, what is remembered and what is shared, in a real
//! browser against a scripted server.

#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::unwrap_used,
    reason = "clippy does not know these functions for tests, where it allows this"
)]

#[allow(dead_code, reason = "each test crate uses its part of the support")]
mod support;

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::json;
use session::StreamRole;
use support::Page;
use two_way_streaming::platform::location::{page_address, page_url};
use two_way_streaming::platform::peer::{self, Peer, PeerEvent};
use two_way_streaming::platform::socket::SocketEvent;
use two_way_streaming::platform::storage::Storage;
use two_way_streaming::state::{Pair, PairState, Progress, server_url};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use yew::Callback;

wasm_bindgen_test_configure!(run_in_browser);

/// A place to remember that one test has for itself and leaves empty.
struct Own(Storage);

impl Own {
    fn new(test: &str) -> Self {
        let storage = Storage::named(test);
        storage.clear();
        Self(storage)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.0.clear();
    }
}

async fn by_link(query: &str) -> Page {
    Page::open_with(query, Storage::none()).await
}

/// The server takes the session that the page asks for.
async fn establish(page: &Page) {
    page.until("a socket", || page.server.open_sockets() == 1)
        .await;
    page.server.event(SocketEvent::Opened);
    page.server.say("getUserData", json!({}));
}

async fn until_asked(page: &Page, message: &str) {
    page.until(message, || page.server.last(message).is_some())
        .await;
}

#[wasm_bindgen_test]
async fn a_link_fills_the_fields_and_presses_nothing() {
    let page = by_link("?server=ws://there:1&stream=cam&publish=0").await;
    assert_eq!(page.value("urlServer"), "ws://there:1");
    assert_eq!(page.value("playStream"), "cam");
    assert_ne!(page.value("publishStream"), "cam");
    assert_eq!(page.server.open_sockets(), 0);

    let page = by_link("?connect=1").await;
    page.until("a socket", || page.server.open_sockets() == 1)
        .await;
    assert_eq!(page.server.url(), server_url(&page_address()));
}

#[wasm_bindgen_test]
async fn play_and_publish_are_pressed_once() {
    let page = by_link("?stream=cam&play=1&publish=1").await;
    establish(&page).await;
    until_asked(&page, "playStream").await;
    until_asked(&page, "publishStream").await;
    let play = page.server.last("playStream").unwrap();
    let publish = page.server.last("publishStream").unwrap();
    assert_eq!(
        (&play["name"], &publish["name"]),
        (&json!("cam"), &json!("cam"))
    );
    page.server.status(&play, "PLAYING", None);
    page.until_text("playStatus", "PLAYING").await;

    // What the user ended stays ended, in the next session too.
    page.click("connectBtn").await;
    page.until_text("connectStatus", "DISCONNECTED").await;
    page.click("connectBtn").await;
    establish(&page).await;
    page.until_text("connectStatus", "ESTABLISHED").await;
    assert_eq!(page.text("playBtn"), "Play");
    assert!(page.enabled("playBtn") && page.enabled("publishBtn"));
    assert_eq!(page.server.last("playStream").unwrap(), play);
}

#[wasm_bindgen_test]
async fn a_link_waits_for_a_server_that_answers() {
    let page = by_link("?stream=cam&play=1").await;
    page.until("a socket", || page.server.open_sockets() == 1)
        .await;
    page.server
        .event(SocketEvent::Failed("No connection".to_owned()));
    page.until_text("connectStatus", "FAILED").await;
    page.until("another try", || page.server.open_sockets() == 1)
        .await;
    establish(&page).await;
    until_asked(&page, "playStream").await;
}

#[wasm_bindgen_test]
async fn the_player_view_has_one_player_and_its_play_connects() {
    let page = by_link("?view=player&stream=cam").await;
    assert!(page.has("#remoteVideo video") && page.has("#shareBtn"));
    assert!(!page.has("#localVideo") && !page.has("#publishBtn"));
    assert!(page.has("details.fold:not([open]) #urlServer"));
    assert!(page.enabled("playBtn") && page.enabled("playStream"));
    assert_eq!(page.server.open_sockets(), 0);

    page.click("playBtn").await;
    page.until("a socket", || page.server.open_sockets() == 1)
        .await;
    page.server
        .event(SocketEvent::Failed("No connection".to_owned()));
    page.until("the server's address", || {
        page.has("details.fold[open] #urlServer")
    })
    .await;

    page.until("another try", || page.server.open_sockets() == 1)
        .await;
    establish(&page).await;
    page.until("the address out of the way", || {
        page.has("details.fold:not([open])")
    })
    .await;
    until_asked(&page, "playStream").await;
    assert_eq!(page.server.last("playStream").unwrap()["name"], "cam");
}

#[wasm_bindgen_test]
async fn the_embed_view_is_the_bare_picture_and_one_press() {
    let page = by_link("?view=embed&stream=cam").await;
    assert!(page.has(".embed #remoteVideo video"));
    assert!(!page.has("h1") && !page.has("input") && !page.has("#shareBtn"));
    assert_eq!(page.text("embedNotice"), "");

    page.click("playBtn").await;
    assert_eq!(page.text("embedNotice"), "Connecting…");
    assert!(!page.has("#playBtn"));
    establish(&page).await;
    until_asked(&page, "playStream").await;
    page.until_text("embedNotice", "Starting…").await;
    let request = page.server.last("playStream").unwrap();
    page.server.status(&request, "PLAYING", None);
    page.until_text("embedNotice", "").await;
    assert!(!page.has("#playBtn"));

    page.server
        .status(&request, "FAILED", Some("No common codecs"));
    page.until_text("embedNotice", "Other: No common codecs")
        .await;
    assert!(page.has("#playBtn"));
}

#[wasm_bindgen_test]
async fn an_embed_plays_by_itself_and_says_when_it_has_no_stream() {
    let page = by_link("?view=embed&stream=cam&play=1").await;
    assert_eq!(page.text("embedNotice"), "Connecting…");
    establish(&page).await;
    until_asked(&page, "playStream").await;

    let page = by_link("?view=embed").await;
    assert!(page.text("embedNotice").contains("names no stream"));
    assert!(!page.has("#playBtn"));
}

#[wasm_bindgen_test]
async fn links_are_shared_without_the_own_server_and_escaped() {
    let page = Page::open().await;
    page.fill("playStream", "a\"b&c").await;
    page.click("shareBtn").await;
    assert!(page.has("dialog#shareSheet[open]"));
    assert_eq!(
        page.value("shareLink"),
        format!("{}?stream=a%22b%26c&play=1&view=player", page_url())
    );
    let snippet = page.value("shareSnippet");
    assert!(snippet.starts_with("<iframe src=\"http"), "{snippet}");
    assert!(
        snippet.contains("?stream=a%22b%26c&amp;play=1&amp;view=embed\""),
        "{snippet}"
    );
    assert!(
        snippet.contains("title=\"Live: a&quot;b&amp;c\""),
        "{snippet}"
    );

    // The tests' own page comes from this machine.
    assert!(page.has("#shareNote"));
    // A browser without a person may refuse; either way it is said.
    page.click("copyLinkBtn").await;
    page.until("a result", || {
        let result = page.text("shareSheet");
        result.contains("Copied") || result.contains("selected")
    })
    .await;
    page.click("closeShareBtn").await;
    assert!(!page.has("dialog[open]"));
}

#[wasm_bindgen_test]
async fn a_server_that_was_typed_and_answered_is_offered_again() {
    let own = Own::new("views-server");
    let page = Page::open_with("", own.0.clone()).await;
    page.fill("urlServer", "ws://there:1").await;
    assert_eq!(own.0.read(), None, "not before it answered");
    page.click("connectBtn").await;
    establish(&page).await;
    page.until_text("connectStatus", "ESTABLISHED").await;
    drop(page);

    let page = Page::open_with("", own.0.clone()).await;
    assert_eq!(page.value("urlServer"), "ws://there:1");
    drop(page);
    let page = Page::open_with("?server=ws://link:2&connect=1", own.0.clone()).await;
    assert_eq!(page.value("urlServer"), "ws://link:2");
    establish(&page).await;
    page.until_text("connectStatus", "ESTABLISHED").await;
    drop(page);
    let page = Page::open_with("", own.0.clone()).await;
    assert_eq!(
        page.value("urlServer"),
        "ws://there:1",
        "a link changes nothing"
    );
}

#[wasm_bindgen_test]
async fn what_the_user_set_is_there_next_time() {
    let own = Own::new("views-settings");
    let page = Page::open_with("", own.0.clone()).await;
    assert!(page.has("#keepTrying:checked"));
    assert_eq!(own.0.read(), None, "nothing was set yet");
    page.click("keepTrying").await;
    drop(page);

    let page = Page::open_with("", own.0.clone()).await;
    assert!(page.has("#keepTrying:not(:checked)"));
    // And it counts: what is lost stays lost.
    page.click("connectBtn").await;
    page.until("a socket", || page.server.open_sockets() == 1)
        .await;
    page.server.event(SocketEvent::Closed);
    page.until("the end of it", || page.enabled("connectBtn"))
        .await;
    assert_eq!(page.text("connectBtn"), "Connect");
}

#[wasm_bindgen_test]
async fn a_link_sets_the_statistics_for_its_visit_only() {
    let own = Own::new("views-visit");
    let page = Page::open_with("?stats=1", own.0.clone()).await;
    page.until("the panel", || page.has("#statsPanel")).await;
    page.click("keepTrying").await;
    drop(page);
    let page = Page::open_with("", own.0.clone()).await;
    assert!(!page.has("#statsPanel"));

    page.click("statsBtn").await;
    page.until("the panel", || page.has("#statsPanel")).await;
    drop(page);
    let page = Page::open_with("?stats=0", own.0.clone()).await;
    assert!(!page.has("#statsPanel"));
    drop(page);
    let page = Page::open_with("", own.0.clone()).await;
    page.until("the panel", || page.has("#statsPanel")).await;
}

#[wasm_bindgen_test]
async fn secrets_are_never_stored() {
    let own = Own::new("views-secrets");
    let query = "?token=hush&server=ws://me:hush@there/&stream=hush&connect=1";
    let page = Page::open_with(query, own.0.clone()).await;
    page.fill("urlServer", "ws://there/?token=hush").await;
    establish(&page).await;
    page.until_text("connectStatus", "ESTABLISHED").await;
    let stored = own.0.read().unwrap_or_default();
    assert!(!stored.contains("hush"), "{stored}");
}

#[wasm_bindgen_test]
async fn broken_memory_is_no_memory() {
    let own = Own::new("views-broken");
    for text in ["", "{", "[]", r#"{"server":7}"#, r#"{"settings":"x"}"#] {
        own.0.write(text);
        let page = Page::open_with("", own.0.clone()).await;
        assert_eq!(
            page.value("urlServer"),
            server_url(&page_address()),
            "{text}"
        );
    }
}

#[wasm_bindgen_test]
async fn the_doctor_says_why_an_answer_without_addresses_leads_nowhere() {
    let page = Page::established().await;
    assert!(!page.has("#doctor"));
    let request = page.asked_to_play().await;
    let answer = support::answer_with_camera(request["sdp"].as_str().unwrap()).await;
    let without: String = answer
        .as_string()
        .unwrap()
        .split_inclusive("\r\n")
        .filter(|line| !line.contains("candidate"))
        .collect();
    page.server.say_answer(&request, &without);
    page.until("the answer in place", || support::answered_peers() > 0)
        .await;
    page.server
        .status(&request, "FAILED", Some("Failed by ICE timeout"));
    page.until("the doctor", || page.has("#doctor")).await;
    let said = page.text("doctorTitle");
    assert!(said.contains("names no address"), "{said}");
    assert!(page.has("#doctor[role=region] .advice li"));
    assert!(page.has("#doctor details:not([open]) table"));
    page.until("the closed connection", || support::open_peers() == 0)
        .await;

    // The next start is not judged by the last.
    page.until("the button", || page.enabled("playBtn")).await;
    page.click("playBtn").await;
    assert!(!page.has("#doctor"));
    support::stop_answering();
}

#[wasm_bindgen_test]
async fn the_evidence_of_a_working_connection_is_healthy() {
    let offer = Rc::new(RefCell::new(None));
    let offered = offer.clone();
    let mut player = Peer::player(Callback::from(move |event| {
        if let PeerEvent::Offer(sdp) = event {
            offered.replace(Some(sdp));
        }
    }))
    .unwrap();
    player.create_offer();
    // Any page lets the browser work.
    let page = Page::open().await;
    page.until("an offer", || offer.borrow().is_some()).await;
    let answer = support::answer_with_camera(&offer.take().unwrap()).await;
    player.apply_answer(&answer.as_string().unwrap());
    let probe = player.probe();
    page.until("the connection", || probe.milestones().dtls_ms.is_some())
        .await;
    let mut evidence = peer::evidence(&probe, StreamRole::Player).await;
    while evidence.media.packets == 0 {
        evidence = peer::evidence(&probe, StreamRole::Player).await;
    }
    assert_eq!(evidence.progress, Progress::Connected);
    assert!(!evidence.local.is_empty() && !evidence.remote.is_empty());
    let works = |pair: &Pair| pair.state == PairState::Succeeded && pair.responses > 0;
    assert!(evidence.pairs.iter().any(works), "{evidence:?}");
    drop(player);
    support::stop_answering();
}
