//! The player's controls in a real browser: sound and autoplay, keys, help,
//! snapshot, full screen, and what is said over the picture.

#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::unwrap_used,
    reason = "clippy does not know these functions for tests, where it allows this"
)]

#[allow(dead_code, reason = "the page's tests use the rest of it")]
mod support;

use support::Page;
use two_way_streaming::components::remote_video::{RemoteVideo, RemoteVideoProps};
use two_way_streaming::platform::snapshot::{Snapshot, SnapshotError};
use two_way_streaming::state::{Muted, SHORTCUTS, Settings};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{Blob, Element, Event, HtmlElement, HtmlVideoElement};
use yew::{AppHandle, Callback, Children, NodeRef, Renderer, scheduler};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/tests/support/player.js")]
extern "C" {
    fn autoplay(allowed: &str);
    fn reset();
    fn press(target: &Element, key: &str, more: &str) -> bool;
    fn focused() -> String;
    #[wasm_bindgen(js_name = isModal)]
    fn is_modal(dialog: &Element) -> bool;
    #[wasm_bindgen(js_name = catchDownloads)]
    fn catch_downloads();
    #[wasm_bindgen(js_name = lastDownload)]
    fn last_download() -> Vec<String>;
    #[wasm_bindgen(js_name = canBeRead)]
    async fn can_be_read(address: &str) -> wasm_bindgen::JsValue;
    async fn look(image: &Blob) -> wasm_bindgen::JsValue;
    #[wasm_bindgen(js_name = giveScreen)]
    fn give_screen(element: Option<&Element>);
    #[wasm_bindgen(js_name = refuseScreen)]
    fn refuse_screen();
}

/// The browser as the test wants it; itself again when dropped.
struct Browser;

impl Browser {
    fn allows(what: &str) -> Self {
        reset();
        autoplay(what);
        Self
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        support::stop_answering();
        reset();
    }
}

/// A page that plays a moving picture.
async fn playing() -> Page {
    let page = Page::established().await;
    let request = page.asked_to_play().await;
    let offer = request["sdp"].as_str().unwrap();
    let answer = support::answer_with_camera(offer).await;
    page.server
        .say_answer(&request, &answer.as_string().unwrap());
    page.server.status(&request, "PLAYING", None);
    let video = page.video("remoteVideo");
    page.until("a picture", || video.video_width() > 0 && !waits(&page))
        .await;
    page
}

fn waits(page: &Page) -> bool {
    page.has("#remoteVideo .spinner")
}

fn attribute(page: &Page, id: &str, name: &str) -> String {
    page.element(id).get_attribute(name).unwrap_or_default()
}

async fn key(page: &Page, target: &str, name: &str) -> bool {
    let taken = press(&page.element(target), name, "{}");
    scheduler::flush().await;
    taken
}

/// So that the picture need not wait for it; only a server that knows the attribute
/// takes notice.
#[wasm_bindgen_test]
async fn sound_may_come_a_little_after_its_picture() {
    let page = Page::established().await;
    let request = page.asked_to_play().await;
    let offer = request["sdp"].as_str().unwrap();
    let (audio, video) = offer.split_once("m=video").unwrap();
    assert!(audio.contains("m=audio") && audio.ends_with("a=sound-lag:45\r\n"));
    assert!(!video.contains("a=sound-lag"));
}

#[wasm_bindgen_test]
async fn sound_comes_by_itself_where_it_may() {
    let _browser = Browser::allows("all");
    let page = playing().await;
    let video = page.video("remoteVideo");
    page.until("sound", || !video.muted()).await;
    assert!(!page.has("#unmuteBtn") && !page.has("#startBtn"));
    assert_eq!(attribute(&page, "muteBtn", "aria-pressed"), "false");
}

#[wasm_bindgen_test]
async fn refused_sound_is_one_press_away() {
    let _browser = Browser::allows("muted");
    let page = playing().await;
    let video = page.video("remoteVideo");
    page.until("the offer of sound", || page.has("#unmuteBtn"))
        .await;
    assert!(video.muted() && !video.paused());
    assert_eq!(attribute(&page, "muteBtn", "aria-pressed"), "true");
    assert_eq!(page.value("volume"), "0");

    autoplay("all");
    page.click("unmuteBtn").await;
    page.until("the press is over", || !page.has("#unmuteBtn"))
        .await;
    assert!(!video.muted());
    assert_eq!(page.value("volume"), "100");
}

#[wasm_bindgen_test]
async fn refused_motion_is_one_press_away() {
    let _browser = Browser::allows("nothing");
    let page = playing().await;
    page.until("the offer to play", || page.has("#startBtn"))
        .await;
    assert!(!page.has("#unmuteBtn"));
    autoplay("all");
    page.click("startBtn").await;
    let video = page.video("remoteVideo");
    page.until("motion with sound", || {
        !page.has("#startBtn") && !video.muted()
    })
    .await;
    assert!(!page.has("#unmuteBtn"));
}

#[wasm_bindgen_test]
async fn volume_and_mute_reach_the_element() {
    let _browser = Browser::allows("all");
    let page = playing().await;
    let video = page.video("remoteVideo");
    page.until("sound", || !video.muted()).await;
    page.fill("volume", "35").await;
    assert_eq!(video.volume(), 0.35);
    assert_eq!(attribute(&page, "volume", "aria-valuetext"), "35%");

    page.click("muteBtn").await;
    assert!(video.muted());
    assert_eq!(attribute(&page, "muteBtn", "aria-pressed"), "true");
    assert_eq!(page.value("volume"), "0");
    assert!(!page.has("#unmuteBtn"), "the user's own wish");
    page.click("muteBtn").await;
    page.until("sound", || !video.muted()).await;
    assert_eq!(page.value("volume"), "35");

    page.fill("volume", "0").await;
    assert_eq!(attribute(&page, "muteBtn", "aria-pressed"), "true");
    page.click("muteBtn").await;
    assert_eq!((video.muted(), video.volume()), (false, 0.5));

    page.click("muteBtn").await;
    page.fill("volume", "60").await;
    page.until("sound", || !video.muted()).await;
    assert_eq!(video.volume(), 0.6);
}

#[wasm_bindgen_test]
async fn keys_work_but_not_while_typing() {
    let _browser = Browser::allows("all");
    let page = playing().await;
    let video = page.video("remoteVideo");
    page.until("sound", || !video.muted()).await;
    assert!(!key(&page, "streamData", "m").await);
    assert!(!press(&page.element("playBtn"), "m", r#"{"ctrlKey":true}"#));
    assert!(
        !key(&page, "playBtn", "ArrowDown").await,
        "the page scrolls"
    );
    assert!(!video.muted());

    assert!(key(&page, "playBtn", "m").await);
    assert!(video.muted());
    assert_eq!(page.text("playerStatus"), "Sound off");
    // Another layout, the same place on the keyboard.
    assert!(press(&page.element("playBtn"), "ь", r#"{"code":"KeyM"}"#));
    page.until("sound", || !video.muted()).await;

    assert!(key(&page, "fitBtn", "ArrowDown").await);
    assert_eq!(
        (video.volume(), page.text("playerStatus")),
        (0.95, "Volume 95%".to_owned())
    );
    assert!(!key(&page, "volume", "ArrowDown").await, "the slider's own");
    assert!(key(&page, "volume", "c").await);
    assert!(page.has("#remoteVideo.cover"));
}

#[wasm_bindgen_test]
async fn the_keys_can_be_turned_off() {
    let _browser = Browser::allows("all");
    let page = playing().await;
    page.click("helpBtn").await;
    page.click("shortcutsSwitch").await;
    page.click("helpCloseBtn").await;
    page.until("the sheet is closed", || !page.has("#helpSheet"))
        .await;
    assert!(!key(&page, "playBtn", "c").await);
    assert!(!page.has("#remoteVideo.cover"));
}

#[wasm_bindgen_test]
async fn help_opens_holds_the_focus_and_gives_it_back() {
    let _browser = Browser::allows("all");
    let page = playing().await;
    for opened_by_key in [false, true] {
        page.element("helpBtn").focus().unwrap();
        if opened_by_key {
            assert!(key(&page, "helpBtn", "?").await);
        } else {
            page.click("helpBtn").await;
        }
        let sheet = page.element("helpSheet");
        assert!(is_modal(&sheet));
        assert_ne!(focused(), "helpBtn");
        let text = sheet.text_content().unwrap();
        for shortcut in SHORTCUTS {
            assert!(text.contains(shortcut.text), "{}", shortcut.text);
        }
        assert!(
            !key(&page, "helpSheet", "c").await,
            "nothing behind it moves"
        );
        if opened_by_key {
            assert!(key(&page, "helpSheet", "?").await);
        } else {
            page.click("helpCloseBtn").await;
        }
        page.until("the sheet is closed", || !page.has("#helpSheet"))
            .await;
        assert_eq!(focused(), "helpBtn");
    }
}

#[wasm_bindgen_test]
async fn fit_and_fill() {
    let _browser = Browser::allows("all");
    let page = playing().await;
    for (pressed, cover) in [("true", true), ("false", false)] {
        page.click("fitBtn").await;
        assert_eq!(attribute(&page, "fitBtn", "aria-pressed"), pressed);
        assert_eq!(page.has("#remoteVideo.cover"), cover);
    }
}

#[wasm_bindgen_test]
async fn a_snapshot_is_a_png_of_the_streams_size() {
    let _browser = Browser::allows("all");
    let page = playing().await;
    let video = page.video("remoteVideo");
    let snapshot = Snapshot::of(&video).await.unwrap();
    assert_eq!(snapshot.png().type_(), "image/png");
    let seen: Vec<f64> = js_sys::Array::from(&look(snapshot.png()).await)
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect();
    let (width, height) = (video.video_width(), video.video_height());
    assert_eq!((snapshot.width, snapshot.height), (width, height));
    assert_eq!(seen[..2], [f64::from(width), f64::from(height)]);
    assert!(seen[2] > 60.0, "it is all dark");
    let empty = page.video("localVideo");
    assert_eq!(Snapshot::of(&empty).await, Err(SnapshotError::NoPicture));
}

#[wasm_bindgen_test]
async fn a_snapshot_is_saved_under_the_streams_name_and_let_go() {
    let _browser = Browser::allows("all");
    let mut page = playing().await;
    let stream = page.value("playStream");
    catch_downloads();
    page.click("snapshotBtn").await;
    page.until("the file", || {
        page.text("playerStatus").starts_with("Saved as ")
    })
    .await;
    let [name, address] = &last_download()[..] else {
        panic!("a name and an address");
    };
    assert!(name.starts_with(&format!("{stream}-2")), "{name}");
    assert!(name.ends_with(".png"), "{name}");
    assert_eq!(can_be_read(address).await, true);
    page.unmount();
    scheduler::flush().await;
    assert_eq!(can_be_read(address).await, false);
}

#[wasm_bindgen_test]
async fn full_screen_follows_the_browser_and_refusals_are_said() {
    let _browser = Browser::allows("all");
    let page = playing().await;
    let player = page.element("remoteVideo");
    for (holder, pressed) in [(Some(&*player), "true"), (None, "false")] {
        give_screen(holder);
        scheduler::flush().await;
        assert_eq!(attribute(&page, "fullScreenBtn", "aria-pressed"), pressed);
    }
    refuse_screen();
    page.click("fullScreenBtn").await;
    page.until_text("playerStatus", "Full screen: not today")
        .await;
}

#[wasm_bindgen_test]
async fn picture_in_picture_follows_the_browser() {
    let _browser = Browser::allows("all");
    let page = playing().await;
    if !page.has("#pipBtn") {
        // This browser has no such window, so nothing offers one.
        return;
    }
    let video = page.video("remoteVideo");
    for (event, pressed) in [
        ("enterpictureinpicture", "true"),
        ("leavepictureinpicture", "false"),
    ] {
        video.dispatch_event(&Event::new(event).unwrap()).unwrap();
        scheduler::flush().await;
        assert_eq!(attribute(&page, "pipBtn", "aria-pressed"), pressed);
    }
}

#[wasm_bindgen_test]
async fn without_a_picture_only_help_is_offered() {
    let _browser = Browser::allows("all");
    let page = Page::open().await;
    assert!(page.has("#helpBtn") && page.has("#remoteVideo .empty"));
    for id in [
        "muteBtn",
        "volume",
        "fitBtn",
        "snapshotBtn",
        "pipBtn",
        "fullScreenBtn",
    ] {
        assert!(!page.has(&format!("#{id}")), "#{id}");
    }
    assert!(!key(&page, "playBtn", "m").await);
    assert!(key(&page, "playBtn", "?").await);
    assert!(page.has("#helpSheet[open]"));
}

#[wasm_bindgen_test]
async fn the_box_keeps_its_size_when_the_picture_comes() {
    let _browser = Browser::allows("all");
    let document = web_sys::window().unwrap().document().unwrap();
    let sheet = document.create_element("style").unwrap();
    sheet.set_text_content(Some(concat!(
        include_str!("../static/page.css"),
        include_str!("../static/player.css")
    )));
    document.body().unwrap().append_child(&sheet).unwrap();
    let before = size(&Page::open().await);
    assert!(
        (before.0 / before.1 - 16.0 / 9.0).abs() < 0.01,
        "{before:?}"
    );
    let page = playing().await;
    let video = page.video("remoteVideo");
    assert_ne!(video.video_width() * 9, video.video_height() * 16);
    assert_eq!(size(&page), before);
    sheet.remove();
}

fn size(page: &Page) -> (f64, f64) {
    let frame = page.element("remoteVideo").get_bounding_client_rect();
    (frame.width(), frame.height())
}

/// The player alone.
struct Player {
    root: Element,
    app: Option<AppHandle<RemoteVideo>>,
}

impl Player {
    async fn mount(props: RemoteVideoProps) -> Self {
        let document = web_sys::window().unwrap().document().unwrap();
        let root = document.create_element("div").unwrap();
        document.body().unwrap().append_child(&root).unwrap();
        let app = Renderer::<RemoteVideo>::with_root_and_props(root.clone(), props).render();
        scheduler::flush().await;
        Self {
            root,
            app: Some(app),
        }
    }

    async fn update(&mut self, props: RemoteVideoProps) {
        self.app.as_mut().unwrap().update(props);
        scheduler::flush().await;
    }

    fn text(&self, selector: &str) -> Option<String> {
        let found = self.root.query_selector(selector).unwrap()?;
        found.text_content()
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.app.take().unwrap().destroy();
        self.root.remove();
    }
}

fn idle() -> RemoteVideoProps {
    RemoteVideoProps {
        picture: None,
        settings: Settings::default(),
        on_setting: Callback::noop(),
        name: "".into(),
        video: NodeRef::default(),
        busy: false,
        notice: None,
        publisher_muted: Muted::default(),
        fill: false,
        children: Children::default(),
    }
}

#[wasm_bindgen_test]
async fn badges_notice_and_waiting() {
    let mut player = Player::mount(idle()).await;
    assert_eq!(player.text("#playNotice").unwrap(), "");
    assert_eq!(player.text(".spinner"), None);

    let waiting = RemoteVideoProps {
        busy: true,
        ..idle()
    };
    player.update(waiting.clone()).await;
    assert!(player.text(".spinner").is_some() && player.text(".empty").is_none());

    player
        .update(RemoteVideoProps {
            notice: Some("Trying again".into()),
            publisher_muted: Muted {
                audio: true,
                video: false,
            },
            ..waiting
        })
        .await;
    assert_eq!(
        player.text("[role=status]#playNotice").unwrap(),
        "Trying again"
    );
    assert_eq!(player.text(".spinner"), None);
    assert_eq!(player.text("#audioMutedBadge").unwrap(), "Microphone muted");
    assert_eq!(player.text("#videoMutedBadge"), None);

    player
        .update(RemoteVideoProps {
            publisher_muted: Muted {
                audio: false,
                video: true,
            },
            fill: true,
            ..idle()
        })
        .await;
    assert_eq!(player.text("#audioMutedBadge"), None);
    assert_eq!(player.text("#videoMutedBadge").unwrap(), "Camera off");
    assert!(player.text("#remoteVideo.fill").is_some());
}

#[wasm_bindgen_test]
async fn a_speaker_that_is_gone_is_said() {
    let mut player = Player::mount(idle()).await;
    let settings = Settings {
        speaker: Some("no such speaker".to_owned()),
        ..Settings::default()
    };
    player.update(RemoteVideoProps { settings, ..idle() }).await;
    let page = Page::open().await;
    let said = || player.text("#playerStatus").unwrap();
    page.until("the failure", || said().starts_with("The speaker: "))
        .await;
}

#[wasm_bindgen_test]
async fn others_can_look_at_the_video_and_keys_end_with_the_player() {
    let props = RemoteVideoProps {
        fill: true,
        ..idle()
    };
    let node = props.video.clone();
    let player = Player::mount(props).await;
    let video: HtmlVideoElement = node.cast().unwrap();
    assert!(player.root.contains(Some(&video)));
    let body: HtmlElement = web_sys::window()
        .unwrap()
        .document()
        .unwrap()
        .body()
        .unwrap();
    assert!(press(&body, "i", "{}"));
    drop(player);
    scheduler::flush().await;
    assert!(!press(body.unchecked_ref(), "i", "{}"));
}

#[wasm_bindgen_test]
async fn unmounting_while_playing_leaves_nothing_behind() {
    let _browser = Browser::allows("muted");
    let mut page = playing().await;
    let video = page.video("remoteVideo");
    key(&page, "playBtn", "c").await;
    page.click("helpBtn").await;
    page.unmount();
    page.until("the end of everything", || {
        support::running_timers() == 0 && support::open_peers() == 0
    })
    .await;
    assert!(support::tracks(&video).is_empty());
}
