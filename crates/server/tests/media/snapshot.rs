//! Pictures of what is published, over real sockets.

use std::io::Cursor;

use twoway_server::core::backend::{PictureSize, SnapshotError, SnapshotId};

use super::*;

/// A keyframe by libvpx, 64 by 48: red, green, blue and white quadrants.
const QUADRANTS: &[u8] = include_bytes!("../data/quadrants.vp8");
const SIZE: (u32, u32) = (64, 48);

fn snapshot(world: &mut World, number: u64) -> Result<Vec<u8>, SnapshotError> {
    let request = SnapshotId(number);
    let source = PUBLISHER;
    world.forwarder.send(Command::Snapshot { request, source });
    world.event("snapshot", |event| match event {
        Event::Snapshot {
            request: of,
            picture,
        } if *of == request => Some(picture.clone()),
        _ => None,
    })
}

/// The pixel in the middle of each quadrant.
fn middles(file: &[u8]) -> Vec<[u8; 3]> {
    let mut reader = png::Decoder::new(Cursor::new(file)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.width, info.height), SIZE);
    let pixel = |x: usize, y: usize| {
        let at = (y * SIZE.0 as usize + x) * 3;
        [pixels[at], pixels[at + 1], pixels[at + 2]]
    };
    vec![pixel(16, 12), pixel(48, 12), pixel(16, 36), pixel(48, 36)]
}

#[test]
fn a_snapshot_shows_what_is_published() {
    let mut world = World::new(2);
    assert_eq!(snapshot(&mut world, 1), Err(SnapshotError::SourceGone));
    world.join(PUBLISHER, Role::Publisher, VP8_TYPES);
    let payload = [&[0x10], QUADRANTS].concat();
    let (now, publisher) = (Instant::now(), &mut world.clients[0]);
    let pt = Some(VP8_TYPES.video[0].pt);
    publisher
        .client
        .write(pt, (60_000, VIDEO_BASE), now, &payload, now);
    publisher.send();
    let size = world.event("size", |event| match event {
        Event::Resized { peer, size } => Some((*peer, *size)),
        _ => None,
    });
    let (width, height) = SIZE;
    assert_eq!(size, (PUBLISHER, PictureSize { width, height }));
    let file = snapshot(&mut world, 2).unwrap();
    let expected = [[220, 30, 30], [30, 200, 40], [20, 40, 210], [235, 235, 235]];
    for (got, expected) in middles(&file).iter().zip(expected) {
        let close = got.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 24);
        assert!(close, "{got:?} and not {expected:?}");
    }
    world.forwarder.send(Command::Close { peer: PUBLISHER });
    assert_eq!(snapshot(&mut world, 3), Err(SnapshotError::SourceGone));
}
