//! Pictures are taken of the latest keyframe, or of the next one.

use super::*;
use crate::core::backend::{PictureSize, SnapshotError, SnapshotId};

const REQUEST: SnapshotId = SnapshotId(7);

/// What a request came to, if it came to something at once: the number of the
/// keyframe.
fn take(world: &mut World, source: PeerId) -> Option<Result<u64, SnapshotError>> {
    world.command(Message::Snapshot {
        request: REQUEST,
        source,
    });
    taken(world)
}

fn taken(world: &mut World) -> Option<Result<u64, SnapshotError>> {
    let mut keyframes = world.shards[SOURCE_WORKER.0].outbox.keyframes.drain(..);
    let keyframe = keyframes.next_back().map(|(request, keyframe)| {
        assert_eq!((request, keyframe.packets.len()), (REQUEST, 1));
        let payload = &keyframe.packets[0].payload;
        Ok(u64::from_be_bytes(
            payload[payload.len() - 8..].try_into().unwrap(),
        ))
    });
    drop(keyframes);
    let failed = world.events.iter().find_map(|(_, event)| match event {
        Event::Snapshot { request, picture } if *request == REQUEST => {
            Some(Err(*picture.as_ref().unwrap_err()))
        }
        _ => None,
    });
    world
        .events
        .retain(|(_, event)| !matches!(event, Event::Snapshot { .. }));
    keyframe.or(failed)
}

/// A publisher whose keyframes have a size, as a picture must.
fn publishing(config: Config) -> World {
    let mut world = World::with(1, config);
    world.source.pt = VP8;
    world.publish();
    world
}

#[test]
fn the_latest_keyframe_is_taken_at_once() {
    let mut world = publishing(Config::default());
    world.stream(SECOND);
    assert_eq!(take(&mut world, PUBLISHER), Some(Ok(65_500)));
    assert_eq!(world.clients[0].keyframe_requests, 0);
}

#[test]
fn without_a_keyframe_one_is_asked_for() {
    let config = Config {
        group_packets: 2,
        ..Config::default()
    };
    let mut world = publishing(config);
    world.stream(SECOND);
    assert_eq!(take(&mut world, PUBLISHER), None);
    let next = world.source.sequence + 1;
    world.stream(SECOND);
    assert_eq!(taken(&mut world), Some(Ok(next)));
    // A publisher that does not answer.
    world.source.deaf = true;
    assert_eq!(take(&mut world, PUBLISHER), None);
    world.stream(5 * SECOND);
    assert_eq!(taken(&mut world), Some(Err(SnapshotError::NoKeyframe)));
    world.stream(SECOND);
    assert_eq!(taken(&mut world), None, "answered once");
}

#[test]
fn who_is_not_there_or_ends_meanwhile_has_no_picture() {
    let mut world = World::new(1);
    assert_eq!(
        take(&mut world, PUBLISHER),
        Some(Err(SnapshotError::SourceGone))
    );
    world.open(PUBLISHER, Role::Publisher);
    assert_eq!(take(&mut world, PUBLISHER), None, "nothing has come");
    world.close(PUBLISHER);
    assert_eq!(taken(&mut world), Some(Err(SnapshotError::SourceGone)));
}

#[test]
fn few_may_wait_for_a_keyframe() {
    let mut world = World::new(1);
    world.open(PUBLISHER, Role::Publisher);
    let answers: Vec<_> = (0..9).map(|_| take(&mut world, PUBLISHER)).collect();
    assert!(answers[..8].iter().all(Option::is_none));
    assert_eq!(answers[8], Some(Err(SnapshotError::Busy)));
}

#[test]
fn a_size_is_told_when_it_is_known() {
    let mut world = publishing(Config::default());
    world.stream(SECOND);
    let size = PictureSize {
        width: 640,
        height: 360,
    };
    let sizes = world.events.iter().filter_map(|(_, event)| match event {
        Event::Resized { peer, size } => Some((*peer, *size)),
        _ => None,
    });
    assert_eq!(sizes.collect::<Vec<_>>(), [(PUBLISHER, size)]);
}
