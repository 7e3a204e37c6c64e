//! What operators ask and order.

use serde_json::json;
use twoway_server::core::backend::{SnapshotError, VideoRate};
use twoway_server::core::{
    Answer, ClientId, Config, Input, Notice, Order, PAGE, SessionFilter, StreamFilter,
};
use twoway_server::limits::Limits;
use wire::{ClientMessage, DataStatus, DataStatusEvent, MediaSessionId, StreamName, StreamStatus};

use crate::fake_backend::{ANSWERED, FLOWS};
use crate::world::{World, play, publish, whep, whip};

/// Where every client of these tests is.
const SESSION: &str = "/10.0.0.2:50066/10.0.0.1:8080";

/// `live` with a viewer in each signalling world, and `starting`.
fn stage() -> (World, ClientId, ClientId) {
    let mut world = World::with(Config {
        notices: true,
        ..Config::default()
    });
    let publisher = world.connect();
    let viewer = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    world.send(viewer, play("v", "live", FLOWS));
    world.offer(&whep("live", "w"), FLOWS);
    world.send(publisher, publish("s", "starting", ANSWERED));
    world.read(publisher);
    world.read(viewer);
    (world, publisher, viewer)
}

fn named(name: &str) -> StreamFilter {
    StreamFilter {
        name: Some(StreamName::new(name)),
        ..StreamFilter::default()
    }
}

fn with_id(id: &str) -> StreamFilter {
    StreamFilter {
        ids: vec![MediaSessionId::new(id)],
        ..StreamFilter::default()
    }
}

/// The ids of the streams that fit.
#[track_caller]
fn check(world: &World, filter: &StreamFilter, expected: &[&str]) {
    let page = world.core.streams(filter, 0);
    let ids = page.items.iter().map(|stream| &stream.info.event);
    let ids: Vec<_> = ids.map(|event| event.media_session_id.as_str()).collect();
    assert_eq!(ids, expected, "{filter:?}");
    assert_eq!(page.next, None);
}

#[test]
fn streams_are_found_by_all_that_is_asked() {
    let (world, ..) = stage();
    check(&world, &StreamFilter::default(), &["p", "v", "w", "s"]);
    check(&world, &named("live"), &["p", "v", "w"]);
    check(&world, &named("nobody"), &[]);
    check(&world, &with_id("v"), &["v"]);
    let played = StreamFilter {
        published: Some(false),
        ..named("live")
    };
    check(&world, &played, &["v", "w"]);
    let pending = StreamFilter {
        status: Some(StreamStatus::Pending),
        ..StreamFilter::default()
    };
    check(&world, &pending, &["s"]);
    let neither = StreamFilter {
        ids: vec![MediaSessionId::new("s")],
        ..named("live")
    };
    check(&world, &neither, &[]);
}

#[test]
fn a_listed_stream_says_who_watches_and_how_much_it_is() {
    let (mut world, ..) = stage();
    let rate = VideoRate {
        bitrate_bps: 1_500_000,
        ..VideoRate::default()
    };
    world.media_rates(3, rate);
    let page = world.core.streams(&with_id("p"), 0);
    let [stream] = page.items.as_slice() else {
        panic!("{page:?}");
    };
    assert_eq!((stream.viewers, stream.rate), (Some(2), Some(rate)));
    let members = stream.info.to_members();
    assert_eq!(members["status"], "PUBLISHING");
    assert_eq!(members["sessionId"], SESSION);
    assert_eq!(members["audioState"], json!({ "muted": false }));
}

#[test]
fn lists_come_in_pages() {
    let mut world = World::with(Config {
        limits: Limits {
            streams_per_session: 2 * PAGE,
            ..Limits::default()
        },
        ..Config::default()
    });
    let publisher = world.connect();
    world.send(publisher, publish("p", "live", FLOWS));
    for viewer in 1..PAGE + 7 {
        world.send(publisher, play(&format!("v{viewer}"), "live", FLOWS));
    }
    for filter in [StreamFilter::default(), named("live")] {
        let first = world.core.streams(&filter, 0);
        assert_eq!(first.items.len(), PAGE);
        let second = world.core.streams(&filter, first.next.unwrap());
        assert_eq!((second.items.len(), second.next), (7, None));
        let id = |stream: &twoway_server::core::ListedStream| stream.info.event.clone();
        assert_eq!(id(&second.items[6]).media_session_id.as_str(), "v256");
    }
}

#[test]
fn sessions_come_in_pages_with_those_that_wait() {
    let mut world = World::with(Config {
        notices: true,
        ..Config::default()
    });
    let (kept, _) = world.connect_kept(None);
    world.send(kept, publish("p", "live", FLOWS));
    world.handle(Input::Gone { client: kept });
    world.open();
    for _ in 0..PAGE {
        world.connect();
    }
    let all = SessionFilter::default();
    let first = world.core.sessions(&all, 0);
    assert!(!first.items[0].is_connected);
    assert_eq!(first.items[0].streams, 1);
    assert!(first.items[1].is_connected);
    let second = world.core.sessions(&all, first.next.unwrap());
    let found = first.items.len() + second.items.len();
    assert_eq!(
        (found, second.next),
        (PAGE + 1, None),
        "the silent one is none"
    );
    let other = SessionFilter {
        app_key: Some("other".into()),
        ..all
    };
    assert_eq!(world.core.sessions(&other, 0).items, []);
}

#[test]
fn a_terminated_publisher_takes_its_players_along() {
    let (mut world, publisher, viewer) = stage();
    let filter = StreamFilter {
        published: Some(true),
        ..named("live")
    };
    let answer = world.order(Order::Terminate(filter.clone()));
    assert_eq!(answer, Some(Answer::Done(1)));
    let told = world.read_short(publisher);
    assert_eq!(told, ["p FAILED Stopped by rest /terminate"]);
    let told = world.read_short(viewer);
    assert_eq!(told, ["v FAILED Stopped by publisher stop"]);
    let again = world.order(Order::Terminate(filter));
    let none = Answer::NotFound("Stream not found".into());
    assert_eq!(again, Some(none.clone()));
    // A filter that names nothing ends nothing.
    let all = Order::Terminate(StreamFilter::default());
    assert_eq!(world.order(all), Some(none));
    check(&world, &StreamFilter::default(), &["s"]);
}

#[test]
fn a_terminated_name_is_publisher_and_players() {
    let (mut world, _, viewer) = stage();
    let answer = world.order(Order::Terminate(named("live")));
    assert_eq!(answer, Some(Answer::Done(3)));
    let told = world.read_short(viewer);
    assert_eq!(told, ["v FAILED Stopped by rest /terminate"]);
}

#[test]
fn a_terminated_resource_is_gone() {
    let (mut world, ..) = stage();
    let path = whip("other", "r");
    world.offer(&path, FLOWS);
    assert_eq!(
        world.order(Order::Terminate(with_id("r"))),
        Some(Answer::Done(1))
    );
    assert!(matches!(
        world.delete(&path),
        twoway_server::core::Reply::Refused { .. }
    ));
}

#[test]
fn a_disconnected_session_is_closed_and_does_not_come_back() {
    let mut world = World::new();
    let (publisher, token) = world.connect_kept(None);
    world.send(publisher, publish("p", "live", FLOWS));
    let end = || Order::Disconnect {
        session_id: SESSION.into(),
    };
    assert_eq!(world.order(end()), Some(Answer::Done(1)));
    assert!(world.closed.contains_key(&publisher));
    assert!(matches!(world.order(end()), Some(Answer::NotFound(_))));
    let (back, other) = world.connect_kept(Some(&token));
    assert_ne!(other, token);
    // One that waits for its client is ended as well.
    world.send(back, publish("p", "live", FLOWS));
    world.handle(Input::Gone { client: back });
    assert_eq!(world.order(end()), Some(Answer::Done(1)));
    assert!(world.core.is_idle());
}

#[test]
fn data_reaches_its_session_and_its_answer_is_told_once() {
    let (mut world, publisher, _) = stage();
    world.notices.clear();
    let data = |session_id: &str| Order::Data {
        session_id: session_id.into(),
        operation_id: "o1".into(),
        payload: json!({ "n": 1 }),
    };
    assert_eq!(world.order(data(SESSION)), Some(Answer::Done(1)));
    let sent = json!({ "message": "OnDataEvent", "data": [{
        "operationId": "o1", "payload": { "n": 1 },
    }] });
    assert_eq!(world.read_json(publisher), [sent]);
    let status = |id: &str| {
        ClientMessage::DataStatusEvent(DataStatusEvent {
            operation_id: id.into(),
            status: DataStatus::Accepted,
            info: None,
        })
    };
    for id in ["o2", "o1", "o1"] {
        world.send(publisher, status(id));
    }
    let [Notice::Data { event, .. }] = world.notices.as_slice() else {
        panic!("{:?}", world.notices);
    };
    assert_eq!(event.operation_id, "o1");
    assert!(matches!(
        world.order(data("/elsewhere")),
        Some(Answer::NotFound(_))
    ));
}

#[test]
fn data_for_a_stream_reaches_its_players() {
    let (mut world, publisher, viewer) = stage();
    let event = |streams| Order::StreamEvent {
        streams,
        payload: json!({ "n": 1 }),
    };
    assert_eq!(world.order(event(named("live"))), Some(Answer::Done(1)));
    let sent = json!({ "message": "notifyStreamEvent", "data": [{
        "mediaSessionId": "v", "type": "data", "payload": { "n": 1 },
    }] });
    assert_eq!(world.read_json(viewer), [sent]);
    assert_eq!(world.read_short(publisher), [""; 0]);
    for streams in [named("starting"), with_id("v")] {
        let answer = world.order(event(streams));
        assert!(matches!(answer, Some(Answer::NotFound(_))), "{answer:?}");
    }
}

#[test]
fn pictures_are_taken_a_few_at_a_time() {
    let (mut world, ..) = stage();
    let picture = |name: &str| Order::Snapshot {
        name: StreamName::new(name),
    };
    let answer = world.order(picture("nobody"));
    assert_eq!(answer, Some(Answer::NotFound("Stream not found".into())));
    assert!(matches!(
        world.order(picture("starting")),
        Some(Answer::Busy(_))
    ));
    let first = world.request(|client| Input::Order {
        client,
        order: picture("live"),
    });
    for _ in 0..3 {
        assert_eq!(world.order(picture("live")), None, "it waits");
    }
    assert!(matches!(
        world.order(picture("live")),
        Some(Answer::Busy(_))
    ));
    world.media_takes_snapshot(Ok(vec![1, 2, 3]));
    assert_eq!(world.answer(first), Some(Answer::Picture(vec![1, 2, 3])));
    let second = ClientId(first.0 + 1);
    world.media_takes_snapshot(Err(SnapshotError::NoVideo));
    assert!(matches!(world.answer(second), Some(Answer::Failed(_))));
    // Who leaves waits for nothing; who stays is told in the end.
    world.handle(Input::Gone {
        client: ClientId(first.0 + 2),
    });
    world.pass(Config::default().snapshot_timeout);
    assert_eq!(world.answer(ClientId(first.0 + 2)), None);
    let last = world.answer(ClientId(first.0 + 3));
    assert!(matches!(last, Some(Answer::Busy(_))), "{last:?}");
}
