//! Walks the page's state machine; the expectations are the rows of the page's
//! own tables (reference section 7).

use serde_json::json;
use session::Severity;
use wire::{MediaSessionId, info};

use super::*;
use crate::state::{Controls, Tone};

const NOON: (u32, u32) = (12, 0);
const PUBLISH: Press = Press::Stream(StreamRole::Publisher);
const PLAY: Press = Press::Stream(StreamRole::Player);

fn screen() -> Screen {
    Screen::new("ws://localhost:8080", "a1b2", "a1b2")
}

fn established() -> Screen {
    let mut screen = screen();
    screen.press(Press::Connect);
    session(&mut screen, SessionStatus::Established);
    screen
}

fn session(screen: &mut Screen, status: SessionStatus) {
    let reason = None;
    screen.event(Event::Session { status, reason }, NOON);
}

fn stream(screen: &mut Screen, role: StreamRole, status: StreamStatus, info: Option<&str>) {
    let update = StreamUpdate {
        id: MediaSessionId::new("id"),
        name: StreamName::new("a1b2"),
        role,
        status,
        info: info.map(str::to_owned),
        error: None,
        severity: Severity::Passing,
        retry_after: None,
        muted: None,
    };
    screen.event(Event::Stream(update), NOON);
}

fn publishing(status: StreamStatus) -> Screen {
    let mut screen = established();
    screen.press(PUBLISH);
    stream(&mut screen, StreamRole::Publisher, status, None);
    screen
}

fn playing(status: StreamStatus) -> Screen {
    let mut screen = established();
    screen.press(PLAY);
    stream(&mut screen, StreamRole::Player, status, None);
    screen
}

/// One letter a control in the table's order, `E` or `D`, then the three labels.
fn row(screen: &Screen) -> String {
    let controls = Controls::of(screen);
    let letters: String = [
        controls.server,
        controls.connect.enabled,
        controls.publish.input,
        controls.publish.button.enabled,
        controls.send_data,
        controls.play.input,
        controls.play.button.enabled,
        controls.available,
    ]
    .map(|enabled| if enabled { 'E' } else { 'D' })
    .iter()
    .collect();
    format!(
        "{letters} {} {} {}",
        controls.connect.label, controls.publish.button.label, controls.play.button.label
    )
}

#[test]
fn control_states_of_the_connection() {
    let start = "EEDDDDDD Connect Publish Play";
    assert_eq!(row(&screen()), start);

    let mut connecting = screen();
    assert_eq!(
        connecting.press(Press::Connect),
        Some(Command::Connect {
            url: "ws://localhost:8080".to_owned(),
            token: None,
        })
    );
    assert_eq!(row(&connecting), "DDDDDDDD Connect Publish Play");
    session(&mut connecting, SessionStatus::Connected);
    assert_eq!(row(&connecting), "DDDDDDDD Connect Publish Play");

    let mut screen = established();
    assert_eq!(row(&screen), "DEEEDEEE Disconnect Publish Play");
    assert_eq!(screen.press(Press::Connect), Some(Command::Disconnect));
    assert_eq!(row(&screen), "DDEEDEEE Disconnect Publish Play");
    session(&mut screen, SessionStatus::Disconnected);
    assert_eq!(row(&screen), start);

    session(&mut connecting, SessionStatus::Failed);
    assert_eq!(row(&connecting), start);
}

#[test]
fn control_states_of_publishing() {
    let mut screen = established();
    screen.press(PUBLISH);
    assert_eq!(row(&screen), "DEDDDEEE Disconnect Publish Play");
    stream(
        &mut screen,
        StreamRole::Publisher,
        StreamStatus::Publishing,
        None,
    );
    assert_eq!(row(&screen), "DEDEEEEE Disconnect Stop Play");
    assert_eq!(
        screen.press(PUBLISH),
        Some(Command::Stop(StreamRole::Publisher))
    );
    assert_eq!(row(&screen), "DEDDEEEE Disconnect Stop Play");
    for end in [StreamStatus::Unpublished, StreamStatus::Failed] {
        let ended = publishing(end);
        assert_eq!(row(&ended), "DEEEDEEE Disconnect Publish Play");
    }
}

#[test]
fn control_states_of_playing() {
    let mut screen = established();
    screen.press(PLAY);
    assert_eq!(row(&screen), "DEEEDDDE Disconnect Publish Play");
    stream(&mut screen, StreamRole::Player, StreamStatus::Pending, None);
    assert_eq!(row(&screen), "DEEEDDDE Disconnect Publish Play");
    stream(&mut screen, StreamRole::Player, StreamStatus::Playing, None);
    assert_eq!(row(&screen), "DEEEDDEE Disconnect Publish Stop");
    assert_eq!(screen.press(PLAY), Some(Command::Stop(StreamRole::Player)));
    assert_eq!(row(&screen), "DEEEDDDE Disconnect Publish Stop");
    for end in [StreamStatus::Stopped, StreamStatus::Failed] {
        assert_eq!(row(&playing(end)), "DEEEDEEE Disconnect Publish Play");
    }
}

#[test]
fn disconnecting_leaves_live_halves_as_they_were_until_the_session_is_gone() {
    let mut screen = publishing(StreamStatus::Publishing);
    screen.press(PLAY);
    stream(&mut screen, StreamRole::Player, StreamStatus::Playing, None);
    screen.press(Press::Connect);
    assert_eq!(row(&screen), "DDDEEDEE Disconnect Stop Stop");
    for role in [StreamRole::Publisher, StreamRole::Player] {
        stream(&mut screen, role, StreamStatus::Failed, None);
    }
    session(&mut screen, SessionStatus::Disconnected);
    assert_eq!(row(&screen), "EEDDDDDD Connect Publish Play");
    assert_eq!(screen.publish.report.status, Some(Status::Failed));
    assert_eq!(
        screen.play.report.info,
        "Other: the connection to the server ended"
    );
}

#[test]
fn empty_fields_stop_a_press_and_are_shown_until_filled() {
    let mut screen = established();
    screen.typed(Typed::Name(StreamRole::Player, String::new()));
    assert_eq!(screen.press(PLAY), None);
    assert!(screen.play.name.missing);
    assert_eq!(screen.play.stage, Stage::Idle);
    assert_eq!(screen.press(Press::Available), None);

    screen.typed(Typed::Name(StreamRole::Player, " ".to_owned()));
    assert!(!screen.play.name.missing);
    let name = StreamName::new(" ");
    let role = StreamRole::Player;
    assert_eq!(screen.press(PLAY), Some(Command::Start { role, name }));

    let mut screen = Screen::new("", "a", "a");
    assert_eq!(screen.press(Press::Connect), None);
    assert!(screen.server.missing);
    assert_eq!(screen.connection, Connection::Ready);
}

#[test]
fn a_second_press_asks_for_nothing() {
    let mut screen = established();
    assert!(screen.press(PLAY).is_some());
    assert_eq!(screen.press(PLAY), None);
    assert!(screen.press(PUBLISH).is_some());
    assert_eq!(screen.press(PUBLISH), None);
}

#[test]
fn info_is_cleared_only_by_the_next_success() {
    let mut screen = established();
    let role = StreamRole::Player;
    screen.press(PLAY);
    let missing = Some(info::SESSION_DOES_NOT_EXIST);
    stream(&mut screen, role, StreamStatus::Failed, missing);
    let failed = Report::new(Status::Failed, "Actual session does not exist");
    assert_eq!(screen.play.report, failed);

    screen.press(PLAY);
    assert_eq!(screen.play.report, failed);
    stream(&mut screen, role, StreamStatus::Playing, None);
    assert_eq!(screen.play.report, Report::new(Status::Playing, ""));
}

#[test]
fn playing_that_crosses_a_stop_does_not_undo_it() {
    let mut screen = playing(StreamStatus::Playing);
    screen.press(PLAY);
    stream(&mut screen, StreamRole::Player, StreamStatus::Playing, None);
    assert_eq!(screen.play.stage, Stage::Stopping);
}

#[test]
fn a_stream_that_could_not_be_asked_for_can_be_tried_again() {
    let mut screen = established();
    screen.press(PLAY);
    screen.refused(StreamRole::Player, "the session is not established");
    assert_eq!(screen.play.stage, Stage::Idle);
    assert_eq!(
        screen.play.report,
        Report::new(Status::Failed, "Other: the session is not established")
    );
}

#[test]
fn availability_and_its_reason() {
    let mut screen = established();
    let mut answer = |available, info: Option<&str>| {
        let event = Event::Available {
            id: MediaSessionId::new("id"),
            available,
            info: info.map(str::to_owned),
        };
        screen.event(event, NOON);
        screen.availability.clone()
    };
    assert_eq!(
        answer(false, Some(info::STREAM_NOT_FOUND)),
        Report::new(Status::Unavailable, "Stream not found")
    );
    assert_eq!(answer(true, None), Report::new(Status::Available, ""));
}

#[test]
fn payloads_are_checked_and_data_is_logged() {
    let mut screen = publishing(StreamStatus::Publishing);
    assert_eq!(
        screen.press(Press::SendData),
        Some(Command::SendData(json!({"count": 23})))
    );
    screen.typed(Typed::Payload("{".to_owned()));
    assert_eq!(screen.press(Press::SendData), None);
    assert!(screen.payload_error.starts_with("This is not JSON: "));
    screen.typed(Typed::Payload("{}".to_owned()));
    assert_eq!(screen.payload_error, "");

    let data = Event::StreamEvent {
        id: MediaSessionId::new("id"),
        event_type: StreamEventType::Data,
        payload: json!({"count": 1}),
    };
    screen.event(data, (7, 3));
    let line = screen.received.lines().next().unwrap();
    assert_eq!(line.text, r#"7:03 - {"count":1}"#);
}

#[test]
fn status_colours() {
    let tones = [
        (Status::Established, Tone::Success),
        (Status::Publishing, Tone::Success),
        (Status::Playing, Tone::Success),
        (Status::Available, Tone::Success),
        (Status::Disconnected, Tone::Muted),
        (Status::Unpublished, Tone::Muted),
        (Status::Stopped, Tone::Muted),
        (Status::Failed, Tone::Danger),
        (Status::Unavailable, Tone::Danger),
    ];
    for (status, tone) in tones {
        assert_eq!(status.tone(), tone, "{}", status.text());
    }
}

fn wait(target: Target, delay_ms: Option<u64>) -> Wait {
    Wait {
        target,
        attempt: 3,
        delay: delay_ms.map(core::time::Duration::from_millis),
    }
}

#[test]
fn a_stream_that_is_tried_again_is_stopped_by_one_press() {
    let play = Target::Stream(StreamRole::Player);
    let mut screen = playing(StreamStatus::Failed);
    screen.waiting(wait(play, Some(2_500)));
    assert_eq!(row(&screen), "DEEEDDEE Disconnect Publish Stop");
    assert_eq!(
        screen.play.notice,
        "The stream is tried again in 2 s (attempt 3)."
    );
    assert_eq!(screen.press(PLAY), Some(Command::Stop(StreamRole::Player)));
    screen.given_up(play);
    assert_eq!(row(&screen), "DEEEDEEE Disconnect Publish Play");
    assert_eq!(screen.play.notice, "");
    assert_eq!(screen.play.report.status, Some(Status::Stopped));
}

#[test]
fn a_lost_connection_is_given_up_by_one_press_and_its_streams_with_it() {
    let mut screen = playing(StreamStatus::Playing);
    stream(&mut screen, StreamRole::Player, StreamStatus::Failed, None);
    session(&mut screen, SessionStatus::Failed);
    screen.waiting(wait(Target::Connection, Some(0)));
    screen.waiting(wait(Target::Stream(StreamRole::Player), None));
    assert_eq!(row(&screen), "DEDDDDED Disconnect Publish Stop");
    assert_eq!(screen.press(Press::Connect), Some(Command::Disconnect));
    screen.given_up(Target::Connection);
    assert_eq!(row(&screen), "EEDDDDDD Connect Publish Play");
    assert_eq!(screen.play.report.status, Some(Status::Failed));
    assert_eq!((&*screen.connect_notice, &*screen.play.notice), ("", ""));
}

#[test]
fn the_publishers_mutes_are_kept_for_the_played_stream() {
    let mut screen = playing(StreamStatus::Playing);
    let mute = |screen: &mut Screen, event_type| {
        let event = Event::StreamEvent {
            id: MediaSessionId::new("id"),
            event_type,
            payload: json!({"streamName": "a1b2"}),
        };
        screen.event(event, NOON);
        (screen.publisher_muted.audio, screen.publisher_muted.video)
    };
    use StreamEventType::{AudioMuted, AudioUnmuted, VideoMuted, VideoUnmuted};
    assert_eq!(mute(&mut screen, AudioMuted), (true, false));
    assert_eq!(mute(&mut screen, VideoMuted), (true, true));
    assert_eq!(mute(&mut screen, AudioUnmuted), (false, true));
    assert_eq!(mute(&mut screen, VideoUnmuted), (false, false));
    mute(&mut screen, VideoMuted);
    stream(&mut screen, StreamRole::Player, StreamStatus::Pending, None);
    assert_eq!(screen.publisher_muted, Muted::default(), "another stream");
}

#[test]
fn a_token_goes_to_either_kind_of_server_and_must_fit_into_a_header() {
    for server in ["https://example.org", "wss://example.org"] {
        let mut screen = Screen::new(server, "a", "a");
        screen.typed(Typed::Token("se cret".to_owned()));
        assert_eq!(screen.press(Press::Connect), None);
        assert_eq!(screen.connect_report.status, Some(Status::Failed));
        screen.typed(Typed::Token("secret".to_owned()));
        let Some(Command::Connect { token, .. }) = screen.press(Press::Connect) else {
            panic!("connects");
        };
        assert_eq!(token.unwrap().as_str(), "secret");
    }
    let mut screen = screen();
    screen.typed(Typed::Token(" ".to_owned()));
    let connect = screen.press(Press::Connect);
    assert!(matches!(
        connect,
        Some(Command::Connect { token: None, .. })
    ));
}

#[test]
fn a_play_that_fell_behind_is_stopped_and_played_again() {
    let mut screen = playing(StreamStatus::Playing);
    let stop = Some(Command::Stop(StreamRole::Player));
    assert_eq!(screen.press(Press::PlayAgain), stop);
    assert_eq!(screen.play_again(), None);
    stream(&mut screen, StreamRole::Player, StreamStatus::Stopped, None);
    let start = Some(Command::Start {
        role: StreamRole::Player,
        name: StreamName::new(screen.play.name.text.clone()),
    });
    assert_eq!(screen.play_again(), start);
    assert_eq!(screen.play.stage, Stage::Asked);
    assert_eq!(screen.play_again(), None, "once");
    assert_eq!(screen.press(Press::PlayAgain), None, "not while it starts");
    assert_eq!(screen.play_again(), None);
}

#[test]
fn a_play_that_fails_while_it_is_stopped_is_not_played_again() {
    let mut screen = playing(StreamStatus::Playing);
    screen.press(Press::PlayAgain);
    stream(&mut screen, StreamRole::Player, StreamStatus::Failed, None);
    assert_eq!(screen.play_again(), None);
    assert_eq!(screen.play.stage, Stage::Idle);
}
