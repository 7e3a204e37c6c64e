//! What a shown stream does with its sound, between what the user wants and
//! what the browser allows.
//!
//! Browsers let a muted picture start by itself, but may want a press by the
//! user before there is sound, and in power-saving modes before anything moves
//! (HTML, section 4.8.11.8, "allowed to play"). Every stream therefore starts
//! muted and asks for its sound once it moves and the sound has joined it:
//!
//! ```text
//! Idle -> Starting (-> Waiting) -> Asking -> Heard
//!            |             |          `----> Silent (refused: "Unmute")
//!            |             `---------------> Silent (the user's own mute)
//!            `-----------------------------> Stopped ("Play")
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
    /// All of it is there, the sound too if it has any.
    Joined,
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
    /// Plays muted until the sound joins.
    Waiting,
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
    joined: bool,
}

impl Sound {
    /// Of a stream that is not there yet.
    pub fn new(wish: Loudness) -> Self {
        Self {
            wish,
            stage: Stage::Idle,
            joined: false,
        }
    }

    /// Takes an event. If it is true, the element is to be asked to play, after
    /// it was given [`Self::muted`].
    #[must_use]
    pub fn handle(&mut self, event: SoundEvent) -> bool {
        let (next, play) = match event {
            SoundEvent::Loaded => (Stage::Starting, true),
            SoundEvent::Joined => {
                self.joined = true;
                self.joined()
            }
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
            Stage::Idle
            | Stage::Starting
            | Stage::Waiting
            | Stage::Silent { .. }
            | Stage::Stopped => true,
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
            | Stage::Waiting
            | Stage::Asking
            | Stage::Heard
            | Stage::Silent { refused: false } => None,
        }
    }

    fn joined(&self) -> (Stage, bool) {
        match self.stage {
            Stage::Waiting => self.with_wished_sound(),
            Stage::Idle
            | Stage::Starting
            | Stage::Asking
            | Stage::Heard
            | Stage::Silent { .. }
            | Stage::Stopped => (self.stage, false),
        }
    }

    fn played(&self) -> (Stage, bool) {
        match self.stage {
            Stage::Starting => self.with_wished_sound(),
            Stage::Asking => (Stage::Heard, false),
            Stage::Idle | Stage::Waiting | Stage::Heard | Stage::Silent { .. } | Stage::Stopped => {
                (self.stage, false)
            }
        }
    }

    fn refused(&self) -> (Stage, bool) {
        match self.stage {
            Stage::Asking => (Stage::Silent { refused: true }, true),
            Stage::Starting | Stage::Waiting | Stage::Silent { .. } => (Stage::Stopped, false),
            Stage::Idle | Stage::Heard | Stage::Stopped => (self.stage, false),
        }
    }

    fn paused(&self) -> (Stage, bool) {
        match self.stage {
            // That is how browsers answer to sound without leave.
            Stage::Asking => (Stage::Silent { refused: true }, true),
            Stage::Starting | Stage::Waiting | Stage::Heard | Stage::Silent { .. } => {
                (Stage::Stopped, false)
            }
            Stage::Idle | Stage::Stopped => (self.stage, false),
        }
    }

    fn resumed(&self) -> (Stage, bool) {
        match self.stage {
            Stage::Stopped => self.with_wished_sound(),
            Stage::Idle
            | Stage::Starting
            | Stage::Waiting
            | Stage::Asking
            | Stage::Heard
            | Stage::Silent { .. } => (self.stage, false),
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
            Stage::Idle | Stage::Starting | Stage::Waiting | Stage::Asking | Stage::Heard => {
                (self.stage, false)
            }
        }
    }

    fn with_wished_sound(&self) -> (Stage, bool) {
        if !self.joined {
            (Stage::Waiting, false)
        } else if self.wish.muted {
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
#[path = "sound_tests.rs"]
mod tests;
