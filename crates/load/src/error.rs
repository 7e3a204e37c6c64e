//! What goes wrong, as a sentence.

use std::fmt;

/// Why something could not be done: one sentence for people, which names what it is
/// about and holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

impl Error {
    /// The sentence: lower case start, no period at its end.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// `what: why`.
    pub(crate) fn because(what: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self(format!("{what}: {why}"))
    }
}

impl From<crate::janus::Error> for Error {
    fn from(error: crate::janus::Error) -> Self {
        Self(error.to_string())
    }
}

/// With an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
