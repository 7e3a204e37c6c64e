//! What a shown stream does with its sound, between what the user wants and
//! what the browser allows.
//!
//! Browsers let a muted picture start by itself, but may want a press by the
//! user before there is sound, and in power-saving modes before anything moves
//! (HTML, section 4.8.11.8, "allowed to play"). Every stream therefore starts
//! muted and asks for its sound once it moves:
//!
//! ```text
//! Idle -> Starting -> Asking -> Heard
//!            |           `----> Silent (refused: "Unmute")
//!            |----------------> Silent (the user's own mute)
//!            `----------------> Stopped ("Play")
//! ```

/// Loudness of a step of the arrow keys and of the slider, in per cent.
pub const VOLUME_STEP: u8 = 5;

/// What the user wants to hear.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loudness {
    /// Loudness, 0 to 1.
    pub volume: f64,
    /// No sound.
    pub muted: bool,
}

/// What happened to a shown stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SoundEvent {
    /// Its first picture can be shown.
    Loaded,
    /// The browser started it, as it was last asked to.
    Played,
    /// The browser refused to start it as it was last asked to.
    Refused,
    /// It stopped without being asked to.
    Paused,
    /// It plays, whoever asked it to: a small window has buttons of its own.
    Resumed,
    /// The user wants to hear something else.
    Wished(Loudness),
    /// The user pressed what [`Sound::press`] shows.
    Pressed,
}

/// The press the browser waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeededPress {
    /// For the sound; the picture moves.
    Unmute,
    /// For everything.
    Play,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// There is no picture yet.
    Idle,
    /// Asked to play muted.
    Starting,
    /// Plays, and was asked for sound.
    Asking,
    /// Plays with sound.
    Heard,
    /// Plays muted: the browser refused the sound, or the user wants none.
    Silent { refused: bool },
    /// Does not play.
    Stopped,
}

/// The sound of one shown stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sound {
    wish: Loudness,
    stage: Stage,
}

impl Sound {
    /// Of a stream that is not there yet.
    pub fn new(wish: Loudness) -> Self {
        Self {
            wish,
            stage: Stage::Idle,
        }
    }

    /// Takes an event. If it is true, the element is to be asked to play, after
    /// it was given [`Self::muted`].
    #[must_use]
    pub fn handle(&mut self, event: SoundEvent) -> bool {
        let (next, play) = match event {
            SoundEvent::Loaded => (Stage::Starting, true),
            SoundEvent::Played => self.played(),
            SoundEvent::Refused => self.refused(),
            SoundEvent::Paused => self.paused(),
            SoundEvent::Resumed => self.resumed(),
            SoundEvent::Wished(wish) => {
                self.wish = wish;
                self.wished()
            }
            SoundEvent::Pressed => self.pressed(),
        };
        self.stage = next;
        play
    }

    /// The element makes no sound.
    pub fn muted(&self) -> bool {
        match self.stage {
            Stage::Asking | Stage::Heard => false,
            Stage::Idle | Stage::Starting | Stage::Silent { .. } | Stage::Stopped => true,
        }
    }

    /// The element's loudness, 0 to 1, muted or not.
    pub fn volume(&self) -> f64 {
        // Elements throw at anything else, and it may come from a file.
        f64::from(percent(self.wish.volume)) / 100.0
    }

    /// Whether the controls say that there is no sound. While the stream starts
    /// that is what the user wants, not how the element happens to be.
    pub fn shows_muted(&self) -> bool {
        self.wish.muted || self.stage == Stage::Silent { refused: true }
    }

    /// What the user is to be asked for.
    pub fn press(&self) -> Option<NeededPress> {
        match self.stage {
            Stage::Silent { refused: true } => Some(NeededPress::Unmute),
            Stage::Stopped => Some(NeededPress::Play),
            Stage::Idle
            | Stage::Starting
            | Stage::Asking
            | Stage::Heard
            | Stage::Silent { refused: false } => None,
        }
    }

    fn played(&self) -> (Stage, bool) {
        match self.stage {
            Stage::Starting => self.with_wished_sound(),
            Stage::Asking => (Stage::Heard, false),
            Stage::Idle | Stage::Heard | Stage::Silent { .. } | Stage::Stopped => {
                (self.stage, false)
            }
        }
    }

    fn refused(&self) -> (Stage, bool) {
        match self.stage {
            Stage::Asking => (Stage::Silent { refused: true }, true),
            Stage::Starting | Stage::Silent { .. } => (Stage::Stopped, false),
            Stage::Idle | Stage::Heard | Stage::Stopped => (self.stage, false),
        }
    }

    fn paused(&self) -> (Stage, bool) {
        match self.stage {
            // That is how browsers answer to sound without leave.
            Stage::Asking => (Stage::Silent { refused: true }, true),
            Stage::Starting | Stage::Heard | Stage::Silent { .. } => (Stage::Stopped, false),
            Stage::Idle | Stage::Stopped => (self.stage, false),
        }
    }

    fn resumed(&self) -> (Stage, bool) {
        match self.stage {
            Stage::Stopped => self.with_wished_sound(),
            Stage::Idle | Stage::Starting | Stage::Asking | Stage::Heard | Stage::Silent { .. } => {
                (self.stage, false)
            }
        }
    }

    fn wished(&self) -> (Stage, bool) {
        match (self.stage, self.wish.muted) {
            (Stage::Asking, true) => (Stage::Silent { refused: false }, true),
            (Stage::Heard | Stage::Silent { .. }, true) => {
                (Stage::Silent { refused: false }, false)
            }
            // To unmute is a press, so the sound may be allowed by now. To turn
            // the volume after a refusal is none the browser needs to accept.
            (Stage::Silent { refused: false }, false) => (Stage::Asking, true),
            (stage, _) => (stage, false),
        }
    }

    fn pressed(&self) -> (Stage, bool) {
        match self.stage {
            Stage::Stopped => {
                if self.wish.muted {
                    (Stage::Starting, true)
                } else {
                    (Stage::Asking, true)
                }
            }
            Stage::Silent { .. } => self.with_wished_sound(),
            Stage::Idle | Stage::Starting | Stage::Asking | Stage::Heard => (self.stage, false),
        }
    }

    fn with_wished_sound(&self) -> (Stage, bool) {
        if self.wish.muted {
            (Stage::Silent { refused: false }, false)
        } else {
            (Stage::Asking, true)
        }
    }
}

/// `volume`, 0 to 1, in whole per cent.
pub fn percent(volume: f64) -> u8 {
    // In range after the clamp.
    (volume.clamp(0.0, 1.0) * 100.0).round() as u8
}

/// One step louder or quieter than `volume`, 0 to 1, on the grid of the steps.
pub fn volume_step(volume: f64, louder: bool) -> f64 {
    let step = u32::from(VOLUME_STEP);
    let now = u32::from(percent(volume));
    let next = if louder {
        (now / step + 1) * step
    } else {
        now.div_ceil(step).saturating_sub(1) * step
    };
    f64::from(next.min(100)) / 100.0
}

#[cfg(test)]
mod tests {
    use super::SoundEvent::{Loaded, Paused, Played, Pressed, Refused, Resumed, Wished};
    use super::*;

    const LOUD: Loudness = Loudness {
        volume: 0.5,
        muted: false,
    };
    const MUTE: Loudness = Loudness {
        volume: 0.5,
        muted: true,
    };

    /// After `events`: is it muted, is a press asked for, and was the last of
    /// them answered with a call of play.
    #[track_caller]
    fn check(
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
}
