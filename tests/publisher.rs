//! The publishing controls in a real browser with two fake cameras and several
//! fake microphones, against a scripted server.

#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::unwrap_used,
    reason = "clippy does not know these functions for tests, where it allows this"
)]

#[allow(dead_code, reason = "each test crate uses its part of the support")]
mod support;

use serde_json::Value;
use support::{Page, tracks};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{Event, HtmlSelectElement, MediaStreamTrack, MediaStreamTrackState};
use yew::scheduler;

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/tests/support/publisher.js")]
extern "C" {
    fn reset();
    fn refuse(name: &str, kinds: Vec<String>);
    #[wasm_bindgen(js_name = refuseChoice)]
    fn refuse_choice(name: &str);
    #[wasm_bindgen(js_name = neverAnswer)]
    fn never_answer();
    fn screens(refused: &str);
    fn end(track: &MediaStreamTrack);
    fn unplug(id: &str);
    #[wasm_bindgen(js_name = plugIn)]
    fn plug_in();
    #[wasm_bindgen(js_name = timesAsked)]
    fn times_asked() -> u32;
    #[wasm_bindgen(js_name = liveTracks)]
    fn live_tracks() -> u32;
    #[wasm_bindgen(js_name = deviceOf)]
    fn device_of(track: &MediaStreamTrack) -> String;
    #[wasm_bindgen(js_name = heightOf)]
    fn height_of(track: &MediaStreamTrack) -> u32;
    #[wasm_bindgen(js_name = offersMade)]
    fn offers_made() -> u32;
    fn sent(kind: &str) -> Option<MediaStreamTrack>;
    #[wasm_bindgen(js_name = sentAtMost)]
    fn sent_at_most() -> u32;
    #[wasm_bindgen(js_name = openAudio)]
    fn open_audio() -> u32;
    fn permit(state: &str);
}

async fn opened() -> Page {
    reset();
    Page::open().await
}

async fn established() -> Page {
    reset();
    Page::established().await
}

/// A page that is PUBLISHING, and what it asked for.
async fn publishing() -> (Page, Value) {
    let page = established().await;
    let request = publish(&page).await;
    (page, request)
}

async fn publish(page: &Page) -> Value {
    let request = page.asked_to_publish().await;
    page.server.status(&request, "PUBLISHING", None);
    page.until_text("publishStatus", "PUBLISHING").await;
    request
}

async fn stop(page: &Page, request: &Value) {
    page.click("publishBtn").await;
    page.server.status(request, "UNPUBLISHED", None);
    page.until_text("publishStatus", "UNPUBLISHED").await;
}

/// A page with the preview on.
async fn previewing() -> Page {
    let page = opened().await;
    page.click("cameraBtn").await;
    page.until("the preview", || preview(&page).len() == 2)
        .await;
    page
}

fn preview(page: &Page) -> Vec<MediaStreamTrack> {
    tracks(&page.video("localVideo"))
}

fn preview_of(page: &Page, kind: &str) -> Option<MediaStreamTrack> {
    preview(page).into_iter().find(|track| track.kind() == kind)
}

fn is_live(track: &MediaStreamTrack) -> bool {
    track.ready_state() == MediaStreamTrackState::Live
}

fn select(page: &Page, id: &str) -> HtmlSelectElement {
    page.element(id).unchecked_into()
}

/// The values there are to choose from, without the first, the browser's own.
fn choices(page: &Page, id: &str) -> Vec<String> {
    let options = page.element(id).query_selector_all("option").unwrap();
    (1..options.length())
        .map(|index| {
            let option: web_sys::Element = options.get(index).unwrap().unchecked_into();
            option.get_attribute("value").unwrap()
        })
        .collect()
}

async fn pick(page: &Page, id: &str, value: &str) {
    let select = select(page, id);
    select.set_value(value);
    select
        .dispatch_event(&Event::new("change").unwrap())
        .unwrap();
    scheduler::flush().await;
}

/// The device of a picker that is not in use.
async fn another(page: &Page, id: &str, in_use: &MediaStreamTrack) -> String {
    let in_use = device_of(in_use);
    page.until("named devices", || choices(page, id).len() > 1)
        .await;
    let mut all = choices(page, id).into_iter();
    all.find(|device| *device != in_use).unwrap()
}

fn pressed(page: &Page, id: &str) -> bool {
    page.element(id).get_attribute("aria-pressed").unwrap() == "true"
}

#[wasm_bindgen_test]
async fn the_camera_button_previews_without_publishing() {
    let page = previewing().await;
    assert!(pressed(&page, "cameraBtn"));
    assert_eq!(offers_made_by(&page), 0);
    assert!(page.has("#localVideo video.mirrored"));
    page.click("mirrorPreview").await;
    assert!(!page.has("#localVideo video.mirrored"));
    let camera = preview(&page);
    page.click("cameraBtn").await;
    page.until("darkness", || preview(&page).is_empty()).await;
    assert!(!camera.iter().any(is_live));
    assert_eq!((live_tracks(), open_audio()), (0, 0));
}

/// A page that is not connected has no peer to offer with.
fn offers_made_by(page: &Page) -> u32 {
    page.server.open_sockets()
}

#[wasm_bindgen_test]
async fn publishing_takes_over_the_preview_and_leaves_it_on() {
    let page = established().await;
    page.click("cameraBtn").await;
    page.until("the preview", || preview(&page).len() == 2)
        .await;
    let camera = preview_of(&page, "video").unwrap();
    let request = publish(&page).await;
    assert_eq!(sent("video").unwrap().id(), camera.id());
    assert!(!page.enabled("cameraBtn"));
    stop(&page, &request).await;
    assert!(is_live(&camera) && page.enabled("cameraBtn"));
    page.click("connectBtn").await;
    page.until("darkness", || preview(&page).is_empty()).await;
    assert_eq!(live_tracks(), 0);
}

#[wasm_bindgen_test]
async fn devices_and_sizes_change_without_a_new_offer() {
    let (page, _request) = publishing().await;
    let offers = offers_made();
    for (id, kind) in [("cameraSelect", "video"), ("microphoneSelect", "audio")] {
        let old = sent(kind).unwrap();
        let device = another(&page, id, &old).await;
        pick(&page, id, &device).await;
        page.until("the other device", || {
            sent(kind).is_some_and(|track| device_of(&track) == device)
        })
        .await;
        page.until("the old one's end", || !is_live(&old)).await;
        let new = preview_of(&page, kind).unwrap();
        assert_eq!(new.id(), sent(kind).unwrap().id());
        assert!(is_live(&new) && new.enabled());
    }
    let camera = sent("video").unwrap();
    assert_eq!(height_of(&camera), 720);
    pick(&page, "heightSelect", "360").await;
    page.until("a smaller picture", || height_of(&camera) == 360)
        .await;
    assert_eq!(sent_at_most(), 0);
    pick(&page, "bitrateSelect", "500000").await;
    page.until("the limit", || sent_at_most() == 500_000).await;
    pick(&page, "bitrateSelect", "").await;
    page.until("no limit", || sent_at_most() == 0).await;
    assert_eq!((offers_made(), live_tracks()), (offers, 2));
}

#[wasm_bindgen_test]
async fn a_device_that_cannot_be_had_leaves_the_old_one() {
    let (page, _request) = publishing().await;
    let old = sent("video").unwrap();
    let device = another(&page, "cameraSelect", &old).await;
    refuse_choice("NotReadableError");
    pick(&page, "cameraSelect", &device).await;
    page.until("the reason", || {
        page.text("captureNotice").contains("not changed")
    })
    .await;
    assert!(is_live(&old) && sent("video").unwrap().id() == old.id());
    assert_eq!(select(&page, "cameraSelect").value(), "");
    assert!(page.text("publishAdvice").contains("Close other programs"));
    assert_eq!(page.text("publishStatus"), "PUBLISHING");
}

#[wasm_bindgen_test]
async fn a_remembered_device_that_is_not_there_is_replaced_by_itself() {
    let page = opened().await;
    refuse_choice("OverconstrainedError");
    page.until("devices", || !choices(&page, "cameraSelect").is_empty())
        .await;
    let device = choices(&page, "cameraSelect").pop().unwrap();
    pick(&page, "cameraSelect", &device).await;
    page.click("cameraBtn").await;
    page.until("the preview", || preview(&page).len() == 2)
        .await;
    assert_eq!(page.text("publishAdvice"), "");
}

#[wasm_bindgen_test]
async fn mutes_are_told_when_publishing_and_again_after_it() {
    let page = established().await;
    page.click("muteAudioBtn").await;
    assert!(pressed(&page, "muteAudioBtn") && page.has("#audioMutedBadge"));
    assert_eq!(page.server.last("sendStreamEvent"), None);
    let request = publish(&page).await;
    let told = |kind: &'static str, request: &Value| {
        let id = request["mediaSessionId"].clone();
        let server = page.server.clone();
        move || {
            server
                .last("sendStreamEvent")
                .is_some_and(|sent| sent["type"] == kind && sent["mediaSessionId"] == id)
        }
    };
    page.until("muted sound", told("audioMuted", &request))
        .await;
    assert!(!sent("audio").unwrap().enabled() && sent("video").unwrap().enabled());
    page.click("muteVideoBtn").await;
    page.until("muted picture", told("videoMuted", &request))
        .await;
    page.click("muteAudioBtn").await;
    page.until("sound", told("audioUnmuted", &request)).await;
    assert!(sent("audio").unwrap().enabled());

    // Another device and another publishing stay muted.
    let device = another(&page, "cameraSelect", &sent("video").unwrap()).await;
    pick(&page, "cameraSelect", &device).await;
    page.until("the other camera", || {
        device_of(&sent("video").unwrap()) == device
    })
    .await;
    assert!(!sent("video").unwrap().enabled());
    stop(&page, &request).await;
    let request = publish(&page).await;
    page.until("muted picture", told("videoMuted", &request))
        .await;
    page.click("muteVideoBtn").await;
    page.until("a picture", told("videoUnmuted", &request))
        .await;
    assert!(sent("video").unwrap().enabled());
}

#[wasm_bindgen_test]
async fn a_screen_replaces_the_camera_until_it_ends() {
    let (page, _request) = publishing().await;
    let offers = offers_made();
    screens("");
    page.click("muteVideoBtn").await;
    let camera = sent("video").unwrap();
    page.click("shareScreenBtn").await;
    page.until("the screen", || sent("video").unwrap().id() != camera.id())
        .await;
    let screen = sent("video").unwrap();
    page.until("the camera's end", || !is_live(&camera)).await;
    assert!(pressed(&page, "shareScreenBtn") && !page.has("video.mirrored"));
    assert!(!screen.enabled(), "muted as the camera was");
    assert_eq!(preview_of(&page, "video").unwrap().id(), screen.id());

    // The browser's own "Stop sharing".
    end(&screen);
    page.until("the camera again", || {
        sent("video").is_some_and(|track| is_live(&track))
    })
    .await;
    assert!(!pressed(&page, "shareScreenBtn") && page.has("video.mirrored"));
    assert_eq!(
        page.text("captureNotice"),
        "The screen is not shared any more"
    );
    assert_eq!((offers_made(), live_tracks()), (offers, 2));

    let camera = sent("video").unwrap();
    screens("NotAllowedError");
    page.click("shareScreenBtn").await;
    page.until_text("captureNotice", "No screen was shared")
        .await;
    assert!(is_live(&camera) && !pressed(&page, "shareScreenBtn"));
}

/// What a refused page says and advises, and that the next press works.
async fn check_refusal(name: &str, permission: &str, text: &str, advice: &str) {
    let page = established().await;
    refuse(name, vec![]);
    permit(permission);
    page.click("publishBtn").await;
    page.until_text("publishStatus", "FAILED").await;
    let info = page.text("publishInfo");
    assert!(info.starts_with("Browser error detected: "), "{info}");
    assert!(info.contains(text) && info.contains("made up"), "{info}");
    let shown = page.text("publishAdvice");
    assert!(shown.contains(advice), "{name}: {shown}");
    assert!(preview(&page).is_empty() && !pressed(&page, "cameraBtn"));

    reset();
    publish(&page).await;
    assert_eq!(page.text("publishAdvice"), "", "{name}");
}

#[wasm_bindgen_test]
async fn every_refusal_has_its_text_and_its_advice() {
    for (name, text, advice) in [
        (
            "NotFoundError",
            "no camera or microphone was found",
            "Plug in",
        ),
        ("NotReadableError", "cannot be used", "Close other programs"),
        (
            "OverconstrainedError",
            "fits the settings",
            "Choose another",
        ),
        ("SecurityError", "over https or from localhost", "https://"),
        ("AbortError", "stopped while", "Unplug"),
        ("TypeError", "this browser gives", "Use a current"),
        ("OddError", "could not be opened", "Try again"),
    ] {
        check_refusal(name, "granted", text, advice).await;
    }
}

#[wasm_bindgen_test]
async fn refused_by_whom_decides_the_advice() {
    for (permission, text, advice) in [
        ("denied", "was refused", "beside the page\u{2019}s address"),
        ("prompt", "was closed", "choose"),
        ("granted", "operating system", "privacy settings"),
    ] {
        check_refusal("NotAllowedError", permission, text, advice).await;
    }
}

#[wasm_bindgen_test]
async fn one_kind_is_enough() {
    for (absent, present) in [("audio", "video"), ("video", "audio")] {
        let page = established().await;
        refuse("NotFoundError", vec![absent.to_owned()]);
        let request = page.asked_to_publish().await;
        assert_eq!(request["hasAudio"], present == "audio");
        assert_eq!(request["hasVideo"], present == "video");
        let offer = request["sdp"].as_str().unwrap();
        assert!(offer.contains(&format!("m={present} ")), "{offer}");
        assert!(!offer.contains(&format!("m={absent} ")), "{offer}");
        assert!(page.text("captureNotice").contains("was found: only"));
    }
}

#[wasm_bindgen_test]
async fn an_unanswered_question_is_told_and_disconnecting_forgets_it() {
    let page = established().await;
    never_answer();
    page.click("publishBtn").await;
    page.until("the word", || {
        page.text("captureNotice")
            .starts_with("Waiting for permission")
    })
    .await;
    page.click("connectBtn").await;
    page.until_text("connectStatus", "DISCONNECTED").await;
    assert_eq!(page.text("captureNotice"), "");
    assert!(!pressed(&page, "cameraBtn"));
}

#[wasm_bindgen_test]
async fn a_permission_given_later_is_told() {
    let page = established().await;
    refuse("NotAllowedError", vec![]);
    permit("denied");
    page.click("publishBtn").await;
    page.until_text("publishStatus", "FAILED").await;
    reset();
    // The page listens as soon as the browser let it.
    page.until("the word", || {
        permit("granted");
        page.text("captureNotice").contains("allowed now")
    })
    .await;
    assert_eq!(page.text("publishAdvice"), "");
    publish(&page).await;
}

#[wasm_bindgen_test]
async fn a_camera_that_vanishes_is_replaced_and_comes_back() {
    let (page, _request) = publishing().await;
    let first = sent("video").unwrap();
    let device = another(&page, "cameraSelect", &first).await;
    pick(&page, "cameraSelect", &device).await;
    page.until("the chosen camera", || {
        device_of(&sent("video").unwrap()) == device
    })
    .await;
    let sound = sent("audio").unwrap();

    unplug(&device);
    end(&sent("video").unwrap());
    page.until("the other camera", || {
        sent("video").is_some_and(|track| is_live(&track) && device_of(&track) != device)
    })
    .await;
    page.until("the word", || {
        let notice = page.text("captureNotice");
        notice.contains("was disconnected") && notice.contains("is now")
    })
    .await;
    assert!(is_live(&sound) && sent("audio").unwrap().id() == sound.id());
    assert_eq!(select(&page, "cameraSelect").value(), device, "remembered");

    plug_in();
    page.until("the chosen camera again", || {
        sent("video").is_some_and(|track| is_live(&track) && device_of(&track) == device)
    })
    .await;
    assert_eq!(page.text("publishStatus"), "PUBLISHING");
    page.until("one of each", || live_tracks() == 2).await;
}

#[wasm_bindgen_test]
async fn the_last_camera_that_vanishes_leaves_the_sound() {
    let (page, _request) = publishing().await;
    refuse("NotFoundError", vec!["video".to_owned()]);
    let asked = times_asked();
    end(&sent("video").unwrap());
    page.until("the word", || {
        page.text("captureNotice").contains("there is no other")
    })
    .await;
    assert!(times_asked() > asked);
    page.until("no picture", || sent("video").is_none()).await;
    assert!(is_live(&sent("audio").unwrap()));
    assert_eq!(page.text("publishStatus"), "PUBLISHING");
}

#[wasm_bindgen_test]
async fn the_level_moves_with_the_fake_microphones_beep() {
    let page = previewing().await;
    let level = || -> f64 {
        let meter = page.element("micLevel");
        meter.get_attribute("value").unwrap().parse().unwrap()
    };
    page.until("a beep", || level() > 0.0).await;
    page.until("silence after it", || level() < 1.0).await;
    page.click("muteAudioBtn").await;
    page.until("nobody listening", || open_audio() == 0).await;
    assert_eq!(page.text("micSilence"), "");
}

#[wasm_bindgen_test]
async fn a_silent_microphone_is_told() {
    let page = previewing().await;
    preview_of(&page, "audio").unwrap().set_enabled(false);
    page.until_text("micSilence", "No sound from the microphone")
        .await;
}

#[wasm_bindgen_test]
async fn unmounting_leaves_no_track_and_no_audio_on() {
    let (mut page, _request) = publishing().await;
    page.until("a meter", || open_audio() == 1).await;
    assert_eq!(live_tracks(), 2);
    page.unmount();
    page.until("the end of everything", || {
        live_tracks() == 0 && open_audio() == 0 && support::running_timers() == 0
    })
    .await;
}

#[wasm_bindgen_test]
async fn a_camera_that_is_given_after_the_page_is_gone_goes_off() {
    let mut page = opened().await;
    page.click("cameraBtn").await;
    page.until("the question", || times_asked() == 1).await;
    page.unmount();
    page.until("darkness", || live_tracks() == 0).await;
}
