//! How the command ends.

use std::process::ExitCode;

use serde::Serialize;
use twoway_publisher::Error;

/// What an exit code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    Connection,
    Usage,
    Refused,
    Media,
}

impl Exit {
    const ALL: [Self; 5] = [
        Self::Done,
        Self::Connection,
        Self::Usage,
        Self::Refused,
        Self::Media,
    ];

    /// What the shell gets.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Connection => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Media => 4,
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Done => "stopped as asked, or the input is at its end",
            Self::Connection => "the connection failed or was lost, and was given up",
            Self::Usage => "bad arguments or input, or a device that cannot be opened",
            Self::Refused => "refused or ended by the server",
            Self::Media => "the media failed: the source, an encoder or the media connection",
        }
    }

    /// Each code and what it means, in order.
    pub(crate) fn table() -> impl Iterator<Item = (u8, &'static str)> {
        Self::ALL
            .map(|exit| (exit.code(), exit.meaning()))
            .into_iter()
    }
}

impl From<&Error> for Exit {
    fn from(error: &Error) -> Self {
        match error {
            Error::NoConnection(_) | Error::Connection(_) => Self::Connection,
            Error::Refused(_) => Self::Refused,
            Error::Media(_) => Self::Media,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// How a publication ended, for machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Outcome {
    pub(crate) exit_code: u8,
    /// `None` if all is well.
    pub(crate) error: Option<String>,
}

impl Outcome {
    /// It did not even begin.
    pub(crate) fn failed(exit: Exit, sentence: &str) -> Self {
        Self {
            exit_code: exit.code(),
            error: Some(sentence.to_owned()),
        }
    }
}

impl From<&Result<(), Error>> for Outcome {
    fn from(result: &Result<(), Error>) -> Self {
        let error = result.as_ref().err();
        Self {
            exit_code: error.map_or(Exit::Done, Exit::from).code(),
            error: error.map(ToString::to_string),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_as_documented() {
        let codes: Vec<u8> = Exit::table().map(|(code, _)| code).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4]);
        let check = |result: Result<(), Error>, exit_code, error: Option<&str>| {
            let error = error.map(str::to_owned);
            assert_eq!(Outcome::from(&result), Outcome { exit_code, error });
        };
        let text = || "x".to_owned();
        check(Ok(()), 0, None);
        check(Err(Error::NoConnection(text())), 1, Some("x"));
        check(
            Err(Error::Connection(text())),
            1,
            Some("connection lost: x"),
        );
        check(
            Err(Error::Refused(text())),
            3,
            Some("refused by the server: x"),
        );
        check(Err(Error::Media(text())), 4, Some("media failed: x"));
    }
}
