//! How an application knows that a request is this server's.

use std::fmt;
use std::fmt::Write as _;

use ::hmac::{Hmac, Mac};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use md5::Md5;
use thiserror::Error;

/// Fewest bytes of a secret: whoever sees one signed request can try short ones.
pub(super) const MIN_SECRET: usize = 16;

/// What requests are signed with, and the application checks signatures by.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Why a secret is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadSecret {
    /// It could be guessed.
    #[error("the secret has fewer than {MIN_SECRET} bytes, which could be guessed")]
    TooShort,
}

impl Secret {
    /// The bytes of a file, without its line's end.
    ///
    /// # Errors
    /// They are too few.
    pub fn new(bytes: &[u8]) -> Result<Self, BadSecret> {
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if bytes.len() < MIN_SECRET {
            return Err(BadSecret::TooShort);
        }
        Ok(Self(bytes.to_vec()))
    }

    /// What Web Call Server signs with: `Authorization: WCS <HMAC-MD5, in hexadecimal>`.
    /// HMAC-MD5 is not broken, but nobody should build on it; and it says nothing of when
    /// the request was made.
    pub(super) fn wcs(&self, body: &[u8]) -> String {
        // It takes a key of any length.
        let Ok(mut mac) = Hmac::<Md5>::new_from_slice(&self.0) else {
            return String::new();
        };
        mac.update(body);
        let mut value = String::from("WCS ");
        for byte in mac.finalize().into_bytes() {
            // Writing to a string does not fail.
            let _ = write!(value, "{byte:02x}");
        }
        value
    }

    /// The signature of the Standard Webhooks specification 1.0: HMAC-SHA-256 of id, time
    /// and body. `timestamp` is in seconds since the Unix epoch.
    pub(super) fn webhook(&self, id: &str, timestamp: u64, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut context = hmac::Context::with_key(&key);
        context.update(format!("{id}.{timestamp}.").as_bytes());
        context.update(body);
        format!("v1,{}", BASE64_STANDARD.encode(context.sign()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_what_the_specifications_say() {
        // RFC 2202 section 2, test case 1, with as long a key as is allowed here.
        let secret = Secret::new(&[0x0b; 16]).unwrap();
        assert_eq!(
            secret.wcs(b"Hi There"),
            "WCS 9294727a3638bb1c13f48ef8158bfc9d"
        );
        // The example of the Standard Webhooks specification's libraries.
        let key = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let secret = Secret::new(&BASE64_STANDARD.decode(key).unwrap()).unwrap();
        assert_eq!(
            secret.webhook(
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1_614_265_330,
                br#"{"test": 2432232314}"#
            ),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn a_secret_is_long_enough_and_shows_nowhere() {
        let secret = Secret::new(b"0123456789abcdef\r\n").unwrap();
        assert_eq!(secret.0, b"0123456789abcdef");
        assert_eq!(format!("{secret:?}"), "Secret");
        assert_eq!(
            Secret::new(b"0123456789abcde\n").unwrap_err(),
            BadSecret::TooShort
        );
    }
}
