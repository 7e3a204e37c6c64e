//! The player's keys: one table, for the keyboard and for the help sheet.

/// What the player can be asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlayerAction {
    /// Sound off and on.
    Mute,
    /// A step louder.
    Louder,
    /// A step quieter.
    Quieter,
    /// Into full screen and out of it.
    FullScreen,
    /// Into a small window of its own and back.
    PictureInPicture,
    /// All of the picture, or all of the box.
    Fit,
    /// The picture as a file.
    Snapshot,
    /// The statistics, shown or not.
    Statistics,
    /// The help sheet, shown or not.
    Help,
}

/// A key and what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortcut {
    /// The key, as `KeyboardEvent.key` has it, in lower case if it is a letter.
    pub key: &'static str,
    /// The key, as the help sheet shows it.
    pub shown: &'static str,
    /// What it does.
    pub action: PlayerAction,
    /// The name of the button that does the same.
    pub label: &'static str,
    /// What it does, in the help sheet's words.
    pub text: &'static str,
}

/// All of them, in the order of the help sheet.
pub const SHORTCUTS: [Shortcut; 9] = {
    use PlayerAction::{
        Fit, FullScreen, Help, Louder, Mute, PictureInPicture, Quieter, Snapshot, Statistics,
    };
    [
        shortcut("m", "M", Mute, "Mute", "Sound off and on"),
        shortcut("ArrowUp", "↑", Louder, "Louder", "Louder"),
        shortcut("ArrowDown", "↓", Quieter, "Quieter", "Quieter"),
        shortcut("f", "F", FullScreen, "Full screen", "Full screen"),
        shortcut(
            "p",
            "P",
            PictureInPicture,
            "Picture in picture",
            "Picture in a window of its own",
        ),
        shortcut("c", "C", Fit, "Fill the box", "Fill the box or show all"),
        shortcut(
            "s",
            "S",
            Snapshot,
            "Save the picture",
            "Save the picture as PNG",
        ),
        shortcut("i", "I", Statistics, "Statistics", "Statistics"),
        shortcut("?", "?", Help, "Keys of the player", "This sheet"),
    ]
};

const fn shortcut(
    key: &'static str,
    shown: &'static str,
    action: PlayerAction,
    label: &'static str,
    text: &'static str,
) -> Shortcut {
    Shortcut {
        key,
        shown,
        action,
        label,
        text,
    }
}

/// Where the focus is while a key is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// Nowhere of importance.
    Page,
    /// In the player, or the player is the whole screen.
    Player,
    /// On something that takes the arrow keys, such as a slider.
    Slider,
    /// On something that takes every key, such as a text field.
    Text,
}

/// A key pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stroke {
    /// `KeyboardEvent.key`, in lower case if it is a Latin letter.
    pub key: String,
    /// Held with Control, Alt or Meta: the browser's or the system's.
    pub modified: bool,
    /// Not the first of a key held down.
    pub repeated: bool,
    /// Where the focus is.
    pub focus: Focus,
}

/// What the keys may do at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keys {
    /// The user has not turned them off.
    pub enabled: bool,
    /// A stream is shown.
    pub playing: bool,
    /// The help sheet is open.
    pub help: bool,
    /// There is nothing but the player, and nothing to scroll.
    pub alone: bool,
}

impl Keys {
    /// What `stroke` asks for, if anything.
    pub fn action(self, stroke: &Stroke) -> Option<PlayerAction> {
        if !self.enabled || stroke.modified || stroke.focus == Focus::Text {
            return None;
        }
        let action = SHORTCUTS
            .iter()
            .find(|shortcut| shortcut.key == stroke.key)?
            .action;
        self.allows(action, stroke).then_some(action)
    }

    fn allows(self, action: PlayerAction, stroke: &Stroke) -> bool {
        match action {
            PlayerAction::Help => !stroke.repeated,
            PlayerAction::Statistics => !self.help && !stroke.repeated,
            // Elsewhere the arrows scroll the page.
            PlayerAction::Louder | PlayerAction::Quieter => {
                let ours = match stroke.focus {
                    Focus::Player => true,
                    Focus::Page => self.alone,
                    Focus::Slider | Focus::Text => false,
                };
                self.playing && !self.help && ours
            }
            PlayerAction::Mute
            | PlayerAction::FullScreen
            | PlayerAction::PictureInPicture
            | PlayerAction::Fit
            | PlayerAction::Snapshot => self.playing && !self.help && !stroke.repeated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAYING: Keys = Keys {
        enabled: true,
        playing: true,
        help: false,
        alone: false,
    };

    fn stroke(key: &str, focus: Focus) -> Stroke {
        Stroke {
            key: key.to_owned(),
            modified: false,
            repeated: false,
            focus,
        }
    }

    fn on_page(keys: Keys) -> Vec<&'static str> {
        let works = |shortcut: &&Shortcut| {
            let stroke = stroke(shortcut.key, Focus::Page);
            keys.action(&stroke) == Some(shortcut.action)
        };
        let working = SHORTCUTS.iter().filter(works);
        working.map(|shortcut| shortcut.key).collect()
    }

    #[test]
    fn every_key_has_one_meaning_and_a_text() {
        for shortcut in SHORTCUTS {
            assert!(!shortcut.text.is_empty() && !shortcut.label.is_empty());
            let same = SHORTCUTS.iter().filter(|other| other.key == shortcut.key);
            assert_eq!(same.count(), 1, "{}", shortcut.key);
        }
    }

    #[test]
    fn what_works_when() {
        assert_eq!(on_page(PLAYING), ["m", "f", "p", "c", "s", "i", "?"]);
        let idle = Keys {
            playing: false,
            ..PLAYING
        };
        assert_eq!(on_page(idle), ["i", "?"]);
        let help = Keys {
            help: true,
            ..PLAYING
        };
        assert_eq!(on_page(help), ["?"]);
        let off = Keys {
            enabled: false,
            ..PLAYING
        };
        assert!(on_page(off).is_empty());
        let alone = Keys {
            alone: true,
            ..PLAYING
        };
        assert_eq!(on_page(alone).len(), SHORTCUTS.len());
    }

    #[test]
    fn the_arrows_belong_to_whatever_else_needs_them() {
        for (focus, expected) in [
            (Focus::Player, Some(PlayerAction::Louder)),
            (Focus::Page, None),
            (Focus::Slider, None),
            (Focus::Text, None),
        ] {
            assert_eq!(PLAYING.action(&stroke("ArrowUp", focus)), expected);
        }
    }

    #[test]
    fn typing_and_the_browsers_own_keys_are_left_alone() {
        assert_eq!(PLAYING.action(&stroke("m", Focus::Text)), None);
        assert_eq!(PLAYING.action(&stroke("x", Focus::Page)), None);
        let mute = stroke("m", Focus::Slider);
        assert_eq!(PLAYING.action(&mute), Some(PlayerAction::Mute));
        let modified = Stroke {
            modified: true,
            ..mute
        };
        assert_eq!(PLAYING.action(&modified), None);
    }

    #[test]
    fn only_the_volume_repeats() {
        for (key, expected) in [("ArrowDown", Some(PlayerAction::Quieter)), ("f", None)] {
            let held = Stroke {
                repeated: true,
                ..stroke(key, Focus::Player)
            };
            assert_eq!(PLAYING.action(&held), expected);
        }
    }
}
