//! Every state of the original page and every element in it (reference
//! sections 7.1 to 7.5), as a table. Whoever adds a row there adds one here.
//!
//! Trying again by itself, which the original does not do, is switched off;
//! its own states are the last rows.

use serde_json::{Value, json};
use two_way_streaming::platform::socket::SocketEvent;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{Page, assert_status, row};

const IN_USE: &str = "Stream name is already in use";
const NOT_THERE: &str = "Session does not exist";
const PUBLISHER_GONE: &str = "Stopped by publisher stop";

/// What a user or the server does.
#[derive(Debug, Clone, Copy)]
enum Step {
    Press(&'static str),
    SocketOpens,
    UserData,
    SocketFails,
    SocketCloses,
    /// A status of the published stream, with its info.
    Published(&'static str, Option<&'static str>),
    /// A status of the played stream, with its info.
    Played(&'static str, Option<&'static str>),
    /// The answer to "Available".
    Answered(&'static str, Option<&'static str>),
}

use Step::{Answered, Played, Press, Published, SocketCloses, SocketFails, SocketOpens, UserData};

/// What the page then shows; what is left out is as on a fresh page.
#[derive(Debug, Clone, Copy)]
struct Shown {
    /// As [`row`] writes it.
    controls: &'static str,
    connect: &'static str,
    publish: (&'static str, &'static str),
    play: (&'static str, &'static str),
    available: (&'static str, &'static str),
    /// The camera is on.
    preview: bool,
    notices: [&'static str; 3],
}

const FRESH: Shown = Shown {
    controls: "EEDDDDDD Connect Publish Play",
    connect: "",
    publish: ("", ""),
    play: ("", ""),
    available: ("", ""),
    preview: false,
    notices: ["", "", ""],
};

const IDLE: Shown = Shown {
    controls: "DEEEDEEE Disconnect Publish Play",
    connect: "ESTABLISHED",
    ..FRESH
};

const ESTABLISH: [Step; 3] = [Press("connectBtn"), SocketOpens, UserData];

/// State, the steps from ESTABLISHED that lead to it, what is shown.
const STREAM_ROWS: &[(&str, &[Step], Shown)] = &[
    ("idle", &[], IDLE),
    (
        "publish asked",
        &[Press("publishBtn")],
        Shown {
            controls: "DEDDDEEE Disconnect Publish Play",
            preview: true,
            ..IDLE
        },
    ),
    (
        "publish refused",
        &[Press("publishBtn"), Published("FAILED", Some(IN_USE))],
        Shown {
            publish: (
                "FAILED",
                "Server already has a publish stream with the same name, try using different one",
            ),
            preview: true,
            ..IDLE
        },
    ),
    (
        "publishing",
        &[Press("publishBtn"), Published("PUBLISHING", None)],
        Shown {
            controls: "DEDEEEEE Disconnect Stop Play",
            publish: ("PUBLISHING", ""),
            preview: true,
            ..IDLE
        },
    ),
    (
        "publish stop clicked",
        &[
            Press("publishBtn"),
            Published("PUBLISHING", None),
            Press("publishBtn"),
        ],
        Shown {
            controls: "DEDDEEEE Disconnect Stop Play",
            publish: ("PUBLISHING", ""),
            preview: true,
            ..IDLE
        },
    ),
    (
        "unpublished",
        &[
            Press("publishBtn"),
            Published("PUBLISHING", None),
            Press("publishBtn"),
            Published("UNPUBLISHED", Some("Stopped by user")),
        ],
        Shown {
            publish: ("UNPUBLISHED", ""),
            preview: true,
            ..IDLE
        },
    ),
    (
        "play asked",
        &[Press("playBtn")],
        Shown {
            controls: "DEEEDDDE Disconnect Publish Play",
            ..IDLE
        },
    ),
    (
        "playing",
        &[Press("playBtn"), Played("PLAYING", None)],
        Shown {
            controls: "DEEEDDEE Disconnect Publish Stop",
            play: ("PLAYING", ""),
            ..IDLE
        },
    ),
    (
        "play stop clicked",
        &[Press("playBtn"), Played("PLAYING", None), Press("playBtn")],
        Shown {
            controls: "DEEEDDDE Disconnect Publish Stop",
            play: ("PLAYING", ""),
            ..IDLE
        },
    ),
    (
        "stopped",
        &[
            Press("playBtn"),
            Played("PLAYING", None),
            Press("playBtn"),
            Played("STOPPED", Some("Stopped by user")),
        ],
        Shown {
            play: ("STOPPED", ""),
            ..IDLE
        },
    ),
    (
        "play failed, then playing clears the info",
        &[
            Press("playBtn"),
            Played("FAILED", Some(NOT_THERE)),
            Press("playBtn"),
            Played("PLAYING", None),
        ],
        Shown {
            controls: "DEEEDDEE Disconnect Publish Stop",
            play: ("PLAYING", ""),
            ..IDLE
        },
    ),
    (
        "stopping keeps an earlier info",
        &[
            Press("playBtn"),
            Played("FAILED", Some(NOT_THERE)),
            Press("playBtn"),
            Played("STOPPED", None),
        ],
        Shown {
            play: ("STOPPED", "Actual session does not exist"),
            ..IDLE
        },
    ),
    (
        "both halves live",
        &[
            Press("publishBtn"),
            Published("PUBLISHING", None),
            Press("playBtn"),
            Played("PLAYING", None),
        ],
        Shown {
            controls: "DEDEEDEE Disconnect Stop Stop",
            publish: ("PUBLISHING", ""),
            play: ("PLAYING", ""),
            preview: true,
            ..IDLE
        },
    ),
    (
        "connection lost with both halves live",
        &[
            Press("publishBtn"),
            Published("PUBLISHING", None),
            Press("playBtn"),
            Played("PLAYING", None),
            SocketCloses,
        ],
        Shown {
            controls: "EEDDDDDD Connect Publish Play",
            connect: "DISCONNECTED",
            publish: ("FAILED", "Other: the connection to the server ended"),
            play: ("FAILED", "Other: the connection to the server ended"),
            ..FRESH
        },
    ),
    (
        "available",
        &[Press("availableBtn"), Answered("true", None)],
        Shown {
            available: ("AVAILABLE", ""),
            ..IDLE
        },
    ),
    (
        "unavailable",
        &[
            Press("availableBtn"),
            Answered("false", Some("Stream not found")),
        ],
        Shown {
            available: ("UNAVAILABLE", "Stream not found"),
            ..IDLE
        },
    ),
    (
        "available while playing",
        &[
            Press("playBtn"),
            Played("PLAYING", None),
            Press("availableBtn"),
            Answered("true", None),
        ],
        Shown {
            controls: "DEEEDDEE Disconnect Publish Stop",
            play: ("PLAYING", ""),
            available: ("AVAILABLE", ""),
            ..IDLE
        },
    ),
];

/// State, the steps from a fresh page, what is shown.
const SESSION_ROWS: &[(&str, &[Step], Shown)] = &[
    ("start", &[], FRESH),
    (
        "connecting",
        &[Press("connectBtn")],
        Shown {
            controls: "DDDDDDDD Connect Publish Play",
            ..FRESH
        },
    ),
    (
        "connected, not yet established",
        &[Press("connectBtn"), SocketOpens],
        Shown {
            controls: "DDDDDDDD Connect Publish Play",
            ..FRESH
        },
    ),
    (
        "failed",
        &[Press("connectBtn"), SocketFails],
        Shown {
            connect: "FAILED",
            ..FRESH
        },
    ),
    (
        "closed before it was established",
        &[Press("connectBtn"), SocketOpens, SocketCloses],
        Shown {
            connect: "DISCONNECTED",
            ..FRESH
        },
    ),
    (
        "disconnected",
        &[
            Press("connectBtn"),
            SocketOpens,
            UserData,
            Press("connectBtn"),
        ],
        Shown {
            connect: "DISCONNECTED",
            ..FRESH
        },
    ),
];

/// The states beyond the original's, with trying again on: every try is asked
/// for, lost, and can be stopped by one press.
const WAITING_ROWS: &[(&str, &[Step], Shown)] = &[
    (
        "waiting for a stream to start",
        &[Press("playBtn"), Played("FAILED", Some(NOT_THERE))],
        Shown {
            controls: "DEEEDDEE Disconnect Publish Stop",
            play: ("FAILED", "Actual session does not exist"),
            notices: ["", "", "Waiting for the stream to start."],
            ..IDLE
        },
    ),
    (
        "waiting for a publisher that left",
        &[
            Press("playBtn"),
            Played("PLAYING", None),
            Played("FAILED", Some(PUBLISHER_GONE)),
        ],
        Shown {
            controls: "DEEEDDEE Disconnect Publish Stop",
            play: (
                "FAILED",
                "Related publisher stopped its stream or lost connection",
            ),
            notices: ["", "", "The stream is tried again at once."],
            ..IDLE
        },
    ),
    (
        "waiting, then stopped",
        &[
            Press("playBtn"),
            Played("FAILED", Some(NOT_THERE)),
            Press("playBtn"),
        ],
        Shown {
            play: ("STOPPED", "Actual session does not exist"),
            ..IDLE
        },
    ),
    (
        "a fatal failure is not waited for",
        &[Press("playBtn"), Played("FAILED", Some("No common codecs"))],
        Shown {
            play: ("FAILED", "Other: No common codecs"),
            ..IDLE
        },
    ),
    (
        "connection lost",
        &[Press("playBtn"), Played("PLAYING", None), SocketCloses],
        Shown {
            controls: "DEDDDDED Disconnect Publish Stop",
            connect: "DISCONNECTED",
            play: ("FAILED", "Other: the connection to the server ended"),
            notices: [
                "The connection is tried again at once.",
                "",
                "The stream is resumed when the connection is back.",
            ],
            ..FRESH
        },
    ),
    (
        "connection lost, then given up",
        &[
            Press("playBtn"),
            Played("PLAYING", None),
            SocketCloses,
            Press("connectBtn"),
        ],
        Shown {
            connect: "DISCONNECTED",
            play: ("FAILED", "Other: the connection to the server ended"),
            ..FRESH
        },
    ),
];

#[wasm_bindgen_test]
async fn every_session_state() {
    for (state, steps, shown) in SESSION_ROWS {
        let page = Page::open().await;
        page.click("keepTrying").await;
        walk(&page, state, steps).await;
        check(&page, state, shown).await;
    }
}

#[wasm_bindgen_test]
async fn every_stream_state() {
    for (state, steps, shown) in STREAM_ROWS {
        let page = Page::open().await;
        page.click("keepTrying").await;
        walk(&page, state, &ESTABLISH).await;
        walk(&page, state, steps).await;
        check(&page, state, shown).await;
    }
}

#[wasm_bindgen_test]
async fn every_state_of_trying_again() {
    for (state, steps, shown) in WAITING_ROWS {
        let page = Page::open().await;
        walk(&page, state, &ESTABLISH).await;
        walk(&page, state, steps).await;
        check(&page, state, shown).await;
    }
}

#[wasm_bindgen_test]
async fn disconnect_leaves_the_halves_as_they_were_until_the_session_ends() {
    // The scripted socket closes at once, so the state in between is seen in
    // the native tests of the screen; here: nothing of the session is left.
    let page = Page::established().await;
    page.asked_to_play().await;
    page.click("connectBtn").await;
    page.until_text("connectStatus", "DISCONNECTED").await;
    assert_eq!(row(&page), FRESH.controls);
}

/// Each info and its text (7.5).
#[wasm_bindgen_test]
async fn every_info_text() {
    let page = Page::open().await;
    page.click("keepTrying").await;
    walk(&page, "infos", &ESTABLISH).await;
    for (info, text) in [
        (NOT_THERE, "Actual session does not exist"),
        (
            PUBLISHER_GONE,
            "Related publisher stopped its stream or lost connection",
        ),
        (
            "Session not ready",
            "Session is not initialized or terminated on play ordinary stream",
        ),
        (
            "Rtsp stream not found",
            "Rtsp stream not found where agent received '404-Not Found'",
        ),
        (
            "Failed to connect to rtsp stream",
            "Failed to connect to rtsp stream",
        ),
        ("File not found", "File does not exist, check filename"),
        (
            "File has wrong format",
            "File has wrong format on play vod, this format is not supported",
        ),
        (
            "Transcoding required, but disabled",
            "Transcoding required, but disabled in settings",
        ),
        (
            "No available transcoders",
            "No available transcoders for stream",
        ),
        ("Failed by ICE error", "Other: Failed by ICE error"),
        ("<b>anything</b>", "Other: <b>anything</b>"),
    ] {
        let request = page.asked_to_play().await;
        page.server.status(&request, "FAILED", Some(info));
        page.until_text("playInfo", text).await;
        assert_status(&page, "playStatus", "FAILED", "text-danger");
        assert!(!page.has("#playInfo b"), "text, never markup");
    }
    for (info, text) in [
        (
            IN_USE,
            "Server already has a publish stream with the same name, try using different one",
        ),
        ("Failed by RTP activity", "Other: Failed by RTP activity"),
    ] {
        let request = page.asked_to_publish().await;
        page.server.status(&request, "FAILED", Some(info));
        page.until_text("publishInfo", text).await;
        assert_status(&page, "publishStatus", "FAILED", "text-danger");
    }
}

async fn walk(page: &Page, state: &str, steps: &[Step]) {
    for step in steps {
        take(page, *step).await;
        web_sys::console::debug_1(&format!("{state}: {step:?}").into());
    }
}

async fn take(page: &Page, step: Step) {
    match step {
        Press("publishBtn") if page.text("publishBtn") == "Publish" => {
            page.asked_to_publish().await;
        }
        Press("playBtn") if page.text("playBtn") == "Play" => {
            page.asked_to_play().await;
        }
        Press("availableBtn") => {
            page.asked("availableBtn", "availableStream").await;
        }
        Press("connectBtn") if page.text("connectBtn") == "Connect" => {
            page.click("connectBtn").await;
            page.until("a socket", || page.server.open_sockets() == 1)
                .await;
        }
        Press(id) => page.click(id).await,
        SocketOpens => page.server.event(SocketEvent::Opened),
        UserData => {
            page.server.say("getUserData", json!({}));
            page.until_text("connectStatus", "ESTABLISHED").await;
        }
        SocketFails => page.server.event(SocketEvent::Failed(String::new())),
        SocketCloses => page.server.event(SocketEvent::Closed),
        Published(status, info) => {
            let request = last(page, "publishStream");
            page.server.status(&request, status, info);
            page.until_text("publishStatus", status).await;
        }
        Played(status, info) => {
            let request = last(page, "playStream");
            page.server.status(&request, status, info);
            page.until_text("playStatus", status).await;
        }
        Answered(status, info) => {
            let id = last(page, "availableStream")["mediaSessionId"].clone();
            let answer = json!({"id": id, "status": status, "info": info});
            page.server.say("availableStream", answer);
        }
    }
}

fn last(page: &Page, message: &str) -> Value {
    page.server.last(message).expect(message)
}

/// Every element of the page, whatever the step changed.
async fn check(page: &Page, state: &str, shown: &Shown) {
    page.until_shown(state, shown.controls, || row(page)).await;
    let texts = [
        ("connectStatus", shown.connect),
        ("publishStatus", shown.publish.0),
        ("publishInfo", shown.publish.1),
        ("playStatus", shown.play.0),
        ("playInfo", shown.play.1),
        ("availableStatus", shown.available.0),
        ("availableInfo", shown.available.1),
        ("connectNotice", shown.notices[0]),
        ("publishNotice", shown.notices[1]),
        ("playNotice", shown.notices[2]),
        ("receivedData", ""),
        ("notifyFlash", ""),
    ];
    for (id, text) in texts {
        page.until_shown(&format!("{state}: #{id}"), text, || page.text(id))
            .await;
    }
    for id in [
        "connectStatus",
        "publishStatus",
        "playStatus",
        "availableStatus",
    ] {
        let class = page.element(id).class_name();
        assert_eq!(class.trim(), class_of(&page.text(id)), "{state}: #{id}");
    }
    assert!(page.enabled("streamData"), "{state}");
    assert!(!page.has(".has-error"), "{state}");
    let camera = page.video("localVideo").src_object().is_some();
    assert_eq!(camera, shown.preview, "{state}: the preview");
}

/// The colour of a status (7.4).
fn class_of(status: &str) -> &'static str {
    match status {
        "" => "status",
        "PLAYING" | "ESTABLISHED" | "PUBLISHING" | "AVAILABLE" => "status text-success",
        "DISCONNECTED" | "UNPUBLISHED" | "STOPPED" => "status text-muted",
        "FAILED" | "UNAVAILABLE" => "status text-danger",
        unknown => panic!("no such status: {unknown}"),
    }
}
