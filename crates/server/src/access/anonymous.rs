//! What is for everybody: rights that take no token.

use std::str::FromStr;

use thiserror::Error;

use super::{BadPattern, Names, Right};

/// A right for those who show no token: `play *`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anonymous {
    /// What they may do.
    pub right: Right,
    /// With which streams.
    pub names: Names,
}

/// What is no such right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadAnonymous {
    /// Not two words, or others.
    #[error("it is publish or play, and streams: \"play *\"")]
    Words,
    /// What nobody may do without a token.
    #[error("admin takes a token always")]
    Administer,
    /// Streams that are none.
    #[error(transparent)]
    Streams(#[from] BadPattern),
}

impl FromStr for Anonymous {
    type Err = BadAnonymous;

    fn from_str(text: &str) -> Result<Self, BadAnonymous> {
        let words: Vec<_> = text.split_whitespace().collect();
        let [right, streams] = words[..] else {
            return Err(BadAnonymous::Words);
        };
        let right = Right::from_word(right).ok_or(BadAnonymous::Words)?;
        if right == Right::Administer {
            return Err(BadAnonymous::Administer);
        }
        let names = Names::parse(streams)?;
        Ok(Self { right, names })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_and_streams() {
        let play: Anonymous = "play  cam-*".parse().unwrap();
        assert_eq!(play.right, Right::Play);
        assert!(play.names.contain("cam-1") && !play.names.contain("dog-1"));
        let refused = |text: &str| text.parse::<Anonymous>().unwrap_err();
        for text in ["", "play", "watch *", "play a b", "play,publish *"] {
            assert_eq!(refused(text), BadAnonymous::Words, "{text}");
        }
        assert_eq!(refused("admin *"), BadAnonymous::Administer);
        let streams = BadAnonymous::Streams(BadPattern::StarWithin);
        assert_eq!(refused("play a*b"), streams);
    }
}
