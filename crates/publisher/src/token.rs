//! A token kept in a file, and what to do about one that a server wants.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use session::{BadToken, MAX_TOKEN_CHARS, Token};
use thiserror::Error;

/// A token, and room for the line's end and space around it.
const MAX_FILE_BYTES: u64 = MAX_TOKEN_CHARS as u64 + 64;

/// Why there is no token in a file. Never shows what is in it.
#[derive(Debug, Error)]
pub enum TokenFileError {
    /// The file cannot be read.
    #[error("the token file {path} cannot be read: {error}")]
    Unreadable {
        /// As it was given.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// It is empty, too long or has several words.
    #[error("the token file {path} must have nothing but the token in it: {error}")]
    NoToken {
        /// As it was given.
        path: String,
        /// What a token is.
        error: BadToken,
    },
}

/// Reads an access token from a file, without the line's end and space around
/// it. A pipe will do for the file.
///
/// # Errors
/// The file cannot be read, or holds anything but one token.
pub fn token_from_file(path: impl AsRef<Path>) -> Result<Token, TokenFileError> {
    let path = path.as_ref();
    let shown = || path.display().to_string();
    let bytes = read(path).map_err(|error| TokenFileError::Unreadable {
        path: shown(),
        error,
    })?;
    std::str::from_utf8(&bytes)
        .map_err(|_| BadToken)
        .and_then(Token::new)
        .map_err(|error| TokenFileError::NoToken {
            path: shown(),
            error,
        })
}

/// What to do when a server answers 401 or 403, as the end of a sentence about
/// it.
pub(crate) fn advice(had_token: bool) -> &'static str {
    if had_token {
        "it does not take this access token, give another one with --token"
    } else {
        "it wants an access token, give one with --token"
    }
}

/// The file, or so much of it that it is too long for a token.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(content: &[u8]) -> Result<Token, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, content).unwrap();
        token_from_file(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn a_token_is_read_without_its_line_end() {
        for content in ["s3cret", "s3cret\n", "s3cret\r\n", "\n s3cret \n\n"] {
            let token = read_of(content.as_bytes());
            assert_eq!(token, Token::new("s3cret").map_err(|_| String::new()));
        }
        let longest = "x".repeat(MAX_TOKEN_CHARS);
        assert!(read_of(longest.as_bytes()).is_ok());
    }

    #[test]
    fn what_is_no_token_is_not_shown() {
        let long = "s3cret".repeat(MAX_TOKEN_CHARS);
        for content in ["", "\n", "s3cret two", "s3cret\ns3cret", "s3crèt", &long] {
            let sentence = read_of(content.as_bytes()).unwrap_err();
            assert!(sentence.contains("must have nothing but the token"));
            assert!(!sentence.contains("s3cr"), "{sentence}");
        }
        assert!(read_of(b"s3cret\xff").is_err());
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().join("none"), folder.path().to_owned()] {
            let sentence = token_from_file(&path).unwrap_err().to_string();
            assert!(sentence.contains(&path.display().to_string()), "{sentence}");
            assert!(sentence.contains("cannot be read: "), "{sentence}");
        }
    }
}
