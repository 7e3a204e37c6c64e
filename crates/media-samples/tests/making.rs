//! Every sample can be made.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use media_samples::{FRAMES, KEYFRAME_INTERVAL, PLAYABLE, UNPLAYABLE, VP8_IVF, probe_pictures};

#[test]
fn every_sample_can_be_made() {
    for sample in PLAYABLE.iter().chain(UNPLAYABLE) {
        let path = sample.make().unwrap();
        assert!(path.metadata().unwrap().len() > 1_000, "{}", sample.name);
        assert_eq!(sample.make().unwrap(), path);
    }
}

#[test]
fn pictures_are_as_many_as_promised() {
    let packets = probe_pictures(&VP8_IVF.make().unwrap()).unwrap();
    assert_eq!(packets.len(), FRAMES);
    let keyframes: Vec<_> = (0..).zip(&packets).filter(|(_, p)| p.keyframe).collect();
    let expected: Vec<_> = (0..FRAMES).step_by(KEYFRAME_INTERVAL).collect();
    assert_eq!(
        keyframes.iter().map(|(at, _)| *at).collect::<Vec<_>>(),
        expected
    );
}
