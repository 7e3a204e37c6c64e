//! Fixed tokens: a file that an operator writes.
//!
//! ```text
//! # rights        streams  token
//! publish         cam-*    2f1d0c...
//! play            *        9b77aa...
//! publish,play    studio   0c44e1...
//! admin           -        71c0de...
//! ```
//!
//! Lines of the same token add up. Of tokens only digests are kept, and all of them are
//! compared with what a client shows, in a time that does not tell how much of it is
//! right.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use thiserror::Error;

use super::{BadPattern, Grant, Names, Right};

/// Fewest characters of a token: fewer could be guessed.
pub const MIN_TOKEN: usize = 16;

/// Most characters of a token, of either kind; what is longer is never looked at.
pub const MAX_TOKEN: usize = 8 << 10;

/// Most lines of a file that say something.
pub const MAX_LINES: usize = 10_000;

/// The tokens of a file.
#[derive(Clone)]
pub struct Tokens(Vec<(Digest, Grant)>);

type Digest = [u8; SHA256_OUTPUT_LEN];

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tokens", self.0.len())
    }
}

/// What is wrong with a line. It never shows the token.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadLine {
    /// Not three words.
    #[error("a line is three words: rights, streams, token")]
    Words,
    /// Another word than a right's.
    #[error(
        "there is no right {0:?}: the rights are publish, play, admin, with commas between them"
    )]
    Right(String),
    /// Streams that are none.
    #[error(transparent)]
    Streams(#[from] BadPattern),
    /// A token that could be guessed.
    #[error("the token has fewer than {MIN_TOKEN} characters, which could be guessed")]
    ShortToken,
    /// A token that nobody could show.
    #[error("the token has more than {MAX_TOKEN} characters")]
    LongToken,
    /// Too much of all.
    #[error("there are more than {MAX_LINES} tokens")]
    TooMany,
}

/// Which line is wrong, and why.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {error}")]
pub struct TokensError {
    /// From 1.
    pub line: usize,
    /// Why.
    pub error: BadLine,
}

impl Tokens {
    /// The tokens of a file's text.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, TokensError> {
        let mut tokens = Self(Vec::new());
        for (line, number) in text.lines().zip(1..) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let taken = tokens.take(line);
            taken.map_err(|error| TokensError {
                line: number,
                error,
            })?;
        }
        Ok(tokens)
    }

    fn take(&mut self, line: &str) -> Result<(), BadLine> {
        let words: Vec<_> = line.split_whitespace().collect();
        let [rights, streams, token] = words[..] else {
            return Err(BadLine::Words);
        };
        if token.len() < MIN_TOKEN {
            return Err(BadLine::ShortToken);
        }
        if token.len() > MAX_TOKEN {
            return Err(BadLine::LongToken);
        }
        let names = Names::parse(streams)?;
        let digest = digest_of(token);
        let at = match self.0.iter().position(|(other, _)| *other == digest) {
            Some(at) => at,
            None if self.0.len() == MAX_LINES => return Err(BadLine::TooMany),
            None => {
                self.0.push((digest, Grant::default()));
                self.0.len() - 1
            }
        };
        for word in rights.split(',') {
            let right = Right::from_word(word).ok_or_else(|| BadLine::Right(word.to_owned()))?;
            self.0[at].1.add(right, &names);
        }
        Ok(())
    }

    /// What `token` allows; `None` if it is none of these.
    #[must_use]
    pub fn find(&self, token: &str) -> Option<&Grant> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let shown = digest_of(token);
        // Every one is compared, wherever the right one stands.
        let mut found = None;
        for (digest, grant) in &self.0 {
            if verify_slices_are_equal(digest, &shown).is_ok() {
                found = Some(grant);
            }
        }
        found
    }
}

fn digest_of(token: &str) -> Digest {
    let mut bytes = [0; SHA256_OUTPUT_LEN];
    bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, line: usize, expected: &str) {
        let error = Tokens::parse(text).unwrap_err();
        assert_eq!(
            (error.line, error.error.to_string()),
            (line, expected.to_owned())
        );
    }

    #[test]
    fn lines_of_one_token_add_up() {
        let text = "# rights streams token\n\n\
                    publish\ta\tcafe-cafe-cafe-cafe\n  play,publish b* cafe-cafe-cafe-cafe\n";
        let tokens = Tokens::parse(text).unwrap();
        let grant = tokens.find("cafe-cafe-cafe-cafe").unwrap();
        assert!(grant.publish.contain("a") && grant.publish.contain("b1"));
        assert!(grant.play.contain("b1") && !grant.play.contain("a"));
        assert!(!grant.administer);
        assert_eq!(tokens.find("cafe-cafe-cafe-caf"), None);
        assert_eq!(tokens.find(""), None);
        assert_eq!(tokens.find(&"x".repeat(MAX_TOKEN + 1)), None);
    }

    #[test]
    fn a_wrong_line_is_told_without_its_token() {
        let words = "a line is three words: rights, streams, token";
        check("publish cam-*", 1, words);
        check("\n#\nplay a secret-secret-secret more", 3, words);
        check(
            "play a short",
            1,
            "the token has fewer than 16 characters, which could be guessed",
        );
        let right = "there is no right \"watch\": the rights are publish, play, admin, with commas \
                     between them";
        check("play,watch a secret-secret-secret", 1, right);
        check(
            "play a*b secret-secret-secret",
            1,
            "* may stand at the end of a name only",
        );
    }

    #[test]
    fn nothing_shows_a_token() {
        let tokens = Tokens::parse("play * secret-secret-secret\n").unwrap();
        assert_eq!(format!("{tokens:?}"), "1 tokens");
    }
}
