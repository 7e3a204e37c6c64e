//! A viewer's packets say the playout delay that it asked for.

use super::*;
use crate::core::backend::PlayoutDelay;
use str0m::media::MediaTime;

/// The delays that a viewer's packets say, each once, of a kind.
fn told(wishes: Wishes, video: bool) -> Vec<(Option<MediaTime>, Option<MediaTime>)> {
    let mut world = World::new(2);
    world.publish();
    world.wishes = wishes;
    let viewer = world.play();
    let extensions = world.clients[viewer]
        .of_kind(video)
        .map(|p| &p.header.ext_vals);
    let mut told: Vec<_> = extensions
        .map(|e| (e.play_delay_min, e.play_delay_max))
        .collect();
    assert!(told.len() > 10);
    told.dedup();
    told
}

#[test]
fn a_viewers_video_says_the_delay_it_asked_for() {
    let [min, max] = [100, 400].map(Duration::from_millis);
    let wishes = Wishes {
        playout_delay: Some(PlayoutDelay { min, max }),
        ..Wishes::default()
    };
    let [min, max] = [10, 40].map(|steps| Some(MediaTime::from_hundredths(steps)));
    assert_eq!(told(wishes, true), [(min, max)]);
    assert_eq!(told(wishes, false), [(None, None)]);
    assert_eq!(told(Wishes::default(), true), [(None, None)]);
}
