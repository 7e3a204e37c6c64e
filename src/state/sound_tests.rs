use super::SoundEvent::{Joined, Loaded, Paused, Played, Pressed, Refused, Resumed, Wished};
use super::*;

const LOUD: Loudness = Loudness {
    volume: 0.5,
    muted: false,
};
const MUTE: Loudness = Loudness {
    volume: 0.5,
    muted: true,
};

/// After `events` of a whole stream: is it muted, is a press asked for, and was the last of
/// them answered with a call of play.
#[track_caller]
fn check(
    wish: Loudness,
    events: &[SoundEvent],
    muted: bool,
    press: Option<NeededPress>,
    play: bool,
) -> Sound {
    check_joining(wish, &[&[Joined], events].concat(), muted, press, play)
}

/// The same of a stream whose sound is not there yet.
#[track_caller]
fn check_joining(
    wish: Loudness,
    events: &[SoundEvent],
    muted: bool,
    press: Option<NeededPress>,
    play: bool,
) -> Sound {
    let mut sound = Sound::new(wish);
    let last = events.iter().fold(false, |_, event| sound.handle(*event));
    assert_eq!(
        (sound.muted(), sound.press(), last),
        (muted, press, play),
        "{sound:?}"
    );
    sound
}

#[test]
fn starts_muted_and_asks_for_sound_once_it_moves() {
    check(LOUD, &[], true, None, false);
    check(LOUD, &[Loaded], true, None, true);
    check(LOUD, &[Loaded, Played], false, None, true);
    let heard = check(LOUD, &[Loaded, Played, Played], false, None, false);
    assert!(!heard.shows_muted());
    assert_eq!(heard.volume(), 0.5);
}

#[test]
fn sound_that_joins_later_is_asked_for_then() {
    let plays = [Loaded, Played];
    let shown = check_joining(LOUD, &plays, true, None, false);
    assert!(!shown.shows_muted());
    let joined = [&plays[..], &[Joined]].concat();
    check_joining(LOUD, &joined, false, None, true);
    check_joining(MUTE, &joined, true, None, false);
    let muted = [&plays[..], &[Wished(MUTE), Joined]].concat();
    check_joining(LOUD, &muted, true, None, false);
    // The sound was faster, or came alone.
    check_joining(LOUD, &[Loaded, Joined], true, None, false);
    check_joining(LOUD, &[Loaded, Joined, Played], false, None, true);
}

#[test]
fn what_stops_before_the_sound_joins_wants_a_press() {
    let play = Some(NeededPress::Play);
    let stopped = [Loaded, Played, Paused];
    check_joining(LOUD, &stopped, true, play, false);
    let joined = [&stopped[..], &[Joined]].concat();
    check_joining(LOUD, &joined, true, play, false);
    let pressed = [&joined[..], &[Pressed]].concat();
    check_joining(LOUD, &pressed, false, None, true);
    let resumed = [&stopped[..], &[Resumed]].concat();
    check_joining(LOUD, &resumed, true, None, false);
    let heard = [&resumed[..], &[Joined]].concat();
    check_joining(LOUD, &heard, false, None, true);
}

#[test]
fn refused_sound_wants_one_press() {
    for refusal in [Refused, Paused] {
        let unmute = Some(NeededPress::Unmute);
        let refused = [Loaded, Played, refusal];
        let sound = check(LOUD, &refused, true, unmute, true);
        assert!(sound.shows_muted());
        let moves = [&refused[..], &[Played]].concat();
        check(LOUD, &moves, true, unmute, false);
        let pressed = [&moves[..], &[Pressed]].concat();
        let sound = check(LOUD, &pressed, false, None, true);
        assert!(!sound.shows_muted());
        check(
            LOUD,
            &[&pressed[..], &[Played]].concat(),
            false,
            None,
            false,
        );
        check(
            LOUD,
            &[&pressed[..], &[Refused]].concat(),
            true,
            unmute,
            true,
        );
    }
}

#[test]
fn refused_motion_wants_one_press_for_everything() {
    let play = Some(NeededPress::Play);
    check(LOUD, &[Loaded, Refused], true, play, false);
    check(LOUD, &[Loaded, Refused, Pressed], false, None, true);
    check(MUTE, &[Loaded, Refused, Pressed], true, None, true);
    check(
        MUTE,
        &[Loaded, Refused, Pressed, Refused],
        true,
        play,
        false,
    );
    check(LOUD, &[Loaded, Played, Refused, Refused], true, play, false);
}

#[test]
fn a_later_pause_wants_a_press() {
    let play = Some(NeededPress::Play);
    check(LOUD, &[Loaded, Paused], true, play, false);
    check(LOUD, &[Loaded, Played, Played, Paused], true, play, false);
    check(
        LOUD,
        &[Loaded, Played, Played, Paused, Pressed],
        false,
        None,
        true,
    );
    check(MUTE, &[Loaded, Played, Paused], true, play, false);
}

#[test]
fn what_others_resume_needs_no_press_any_more() {
    let paused = [Loaded, Played, Played, Paused, Resumed];
    check(LOUD, &paused, false, None, true);
    check(MUTE, &[Loaded, Played, Paused, Resumed], true, None, false);
    // Said of the muted start, while the answer about the sound is awaited.
    check(LOUD, &[Loaded, Played, Resumed], false, None, false);
    let refused = [Loaded, Played, Resumed, Refused];
    check(LOUD, &refused, true, Some(NeededPress::Unmute), true);
}

#[test]
fn the_users_own_mute_asks_for_nothing() {
    let sound = check(MUTE, &[Loaded, Played], true, None, false);
    assert!(sound.shows_muted());
    check(MUTE, &[Loaded, Played, Wished(LOUD)], false, None, true);
    check(
        LOUD,
        &[Loaded, Played, Played, Wished(MUTE)],
        true,
        None,
        false,
    );
    // Muted while asked for sound: the element may have been paused.
    check(LOUD, &[Loaded, Played, Wished(MUTE)], true, None, true);
    check(
        LOUD,
        &[Loaded, Played, Refused, Wished(MUTE)],
        true,
        None,
        false,
    );
}

#[test]
fn another_volume_is_no_press() {
    let quiet = Wished(Loudness {
        volume: 0.1,
        muted: false,
    });
    let unmute = Some(NeededPress::Unmute);
    let sound = check(LOUD, &[Loaded, Played, Refused, quiet], true, unmute, false);
    assert_eq!(sound.volume(), 0.1);
    check(LOUD, &[Loaded, Played, Played, quiet], false, None, false);
}

#[test]
fn the_next_stream_starts_over() {
    let again = [Loaded, Played, Refused, Played, Loaded];
    check(LOUD, &again, true, None, true);
}

#[test]
fn steps_stay_on_the_grid_and_in_range() {
    for (volume, louder, expected) in [
        (0.5, true, 0.55),
        (0.5, false, 0.45),
        (0.52, true, 0.55),
        (0.52, false, 0.5),
        (0.98, true, 1.0),
        (1.0, true, 1.0),
        (0.03, false, 0.0),
        (0.0, false, 0.0),
    ] {
        assert_eq!(volume_step(volume, louder), expected, "{volume} {louder}");
    }
}

#[test]
fn per_cent() {
    for (volume, expected) in [(0.0, 0), (0.55, 55), (1.0, 100), (7.0, 100), (-1.0, 0)] {
        assert_eq!(percent(volume), expected);
    }
    assert_eq!(percent(f64::NAN), 0);
}
