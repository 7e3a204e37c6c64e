//! JSON Web Tokens (RFC 7519), signed by another system.
//!
//! ```json
//! { "sub": "camera 7", "exp": 1893456000, "aud": "live.example",
//!   "publish": ["cam-7"], "play": "*", "admin": false }
//! ```
//!
//! `exp` must be there. `publish` and `play` are a stream's name, or a list of names, each
//! possibly with `*` at its end. Which algorithm is right follows from the key alone,
//! never from the token (RFC 8725 section 3.1).

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use thiserror::Error;

use super::tokens::MAX_TOKEN;
use super::{Denied, Grant, Names};

/// Fewest bytes of a shared secret: those of HS256's digest (RFC 7518 section 3.2).
pub const MIN_SECRET: usize = 32;

/// How far the clocks of whoever signs and of this server may be apart.
pub const LEEWAY: Duration = Duration::from_secs(30);

/// Most names that a token may list for a right.
const MAX_NAMES: usize = 1_000;

/// Checks tokens by a key.
pub struct Jwt {
    key: DecodingKey,
    validation: Validation,
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwt")
            .field("validation", &self.validation)
            .finish_non_exhaustive()
    }
}

/// Why a key is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadKey {
    /// A secret that could be guessed.
    #[error("the secret has fewer than {MIN_SECRET} bytes, which could be guessed")]
    ShortSecret,
    /// A private key: this server only needs the public one.
    #[error("it is a private key: give this server the public one alone")]
    Private,
    /// PEM, but no public key.
    #[error("it is no public key of RSA, ECDSA (P-256, P-384) or Ed25519")]
    NoKey,
}

/// What a token says.
#[derive(Debug, Deserialize)]
struct Claims {
    sub: Option<String>,
    /// A `NumericDate`, which may have a fraction (RFC 7519 section 2).
    exp: f64,
    #[serde(default)]
    publish: Listed,
    #[serde(default)]
    play: Listed,
    #[serde(default)]
    admin: bool,
}

/// One name, several, or none.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Listed {
    One(String),
    Several(Vec<String>),
    #[default]
    None,
}

impl Jwt {
    /// Checks by `key`: a public key in PEM, or the bytes of a shared secret, without the
    /// line's end of its file. Tokens must be for `audience` and of `issuer`, where these
    /// are given.
    ///
    /// # Errors
    /// The key is none.
    pub fn new(key: &[u8], audience: Option<&str>, issuer: Option<&str>) -> Result<Self, BadKey> {
        let (key, algorithms) = read_key(key)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.algorithms = algorithms;
        validation.leeway = LEEWAY.as_secs();
        validation.validate_nbf = true;
        if let Some(audience) = audience {
            validation.set_audience(&[audience]);
            validation.required_spec_claims.insert("aud".into());
        } else {
            validation.validate_aud = false;
        }
        if let Some(issuer) = issuer {
            validation.set_issuer(&[issuer]);
            validation.required_spec_claims.insert("iss".into());
        }
        Ok(Self { key, validation })
    }

    /// Whether its key is a secret.
    #[must_use]
    pub fn is_by_secret(&self) -> bool {
        self.validation.algorithms.contains(&Algorithm::HS256)
    }

    /// What `token` allows.
    ///
    /// # Errors
    /// It is not valid, here or now.
    pub fn grant(&self, token: &str) -> Result<Grant, Denied> {
        if token.len() > MAX_TOKEN {
            return Err(Denied::BadToken);
        }
        let claims: Claims = match decode(token, &self.key, &self.validation) {
            Ok(decoded) => decoded.claims,
            Err(error) => return Err(denied(error.kind())),
        };
        // What is beyond the calendar never comes.
        let expires = Duration::try_from_secs_f64(claims.exp).ok();
        let expires =
            expires.and_then(|expires| UNIX_EPOCH.checked_add(expires.saturating_add(LEEWAY)));
        Ok(Grant {
            subject: claims.sub,
            publish: claims.publish.names()?,
            play: claims.play.names()?,
            administer: claims.admin,
            expires,
        })
    }
}

impl Listed {
    fn names(self) -> Result<Names, Denied> {
        let list = match self {
            Self::One(name) => vec![name],
            Self::Several(names) => names,
            Self::None => Vec::new(),
        };
        if list.len() > MAX_NAMES {
            return Err(Denied::BadToken);
        }
        let mut names = Names::None;
        for name in list {
            names.add(&Names::parse(&name).map_err(|_| Denied::BadToken)?);
        }
        Ok(names)
    }
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "the library may add kinds, and all others mean that the token is not valid"
)]
fn denied(kind: &ErrorKind) -> Denied {
    match kind {
        ErrorKind::ExpiredSignature => Denied::Expired,
        ErrorKind::ImmatureSignature => Denied::NotYet,
        ErrorKind::InvalidAudience => Denied::WrongAudience,
        _ => Denied::BadToken,
    }
}

fn read_key(key: &[u8]) -> Result<(DecodingKey, Vec<Algorithm>), BadKey> {
    use Algorithm::{
        ES256, ES384, EdDSA, HS256, HS384, HS512, PS256, PS384, PS512, RS256, RS384, RS512,
    };
    let text = String::from_utf8_lossy(key);
    if !text.trim_start().starts_with("-----BEGIN") {
        let secret = key.trim_ascii_end();
        if secret.len() < MIN_SECRET {
            return Err(BadKey::ShortSecret);
        }
        return Ok((DecodingKey::from_secret(secret), vec![HS256, HS384, HS512]));
    }
    if text.contains("PRIVATE KEY") {
        return Err(BadKey::Private);
    }
    let rsa = || {
        DecodingKey::from_rsa_pem(key)
            .map(|key| (key, vec![RS256, RS384, RS512, PS256, PS384, PS512]))
    };
    let ec = || DecodingKey::from_ec_pem(key).map(|key| (key, vec![ES256, ES384]));
    let ed = || DecodingKey::from_ed_pem(key).map(|key| (key, vec![EdDSA]));
    rsa()
        .or_else(|_| ec())
        .or_else(|_| ed())
        .map_err(|_| BadKey::NoKey)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde_json::{Value, json};

    use super::super::{Access, Right, decide};
    use super::*;

    const SECRET: &[u8] = b"a secret of more than thirty-two bytes";

    /// Seconds since the epoch, `from_now` seconds from now.
    fn at(from_now: i64) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        now.as_secs().saturating_add_signed(from_now)
    }

    fn signed(claims: &Value) -> String {
        let key = EncodingKey::from_secret(SECRET);
        encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
    }

    fn by_secret() -> Jwt {
        Jwt::new(SECRET, Some("live"), None).unwrap()
    }

    #[track_caller]
    fn check(claims: &Value, expected: Denied) {
        assert_eq!(
            by_secret().grant(&signed(claims)),
            Err(expected),
            "{claims}"
        );
    }

    #[test]
    fn a_token_gives_what_it_says_and_no_more() {
        let claims = json!({
            "sub": "camera 7", "exp": at(60), "aud": "live",
            "publish": ["cam-7", "spare-*"], "play": "*",
        });
        let grant = by_secret().grant(&signed(&claims)).unwrap();
        assert_eq!(grant.subject.as_deref(), Some("camera 7"));
        assert!(grant.publish.contain("cam-7") && grant.publish.contain("spare-1"));
        assert!(!grant.publish.contain("cam-8"));
        assert_eq!(grant.play, Names::All);
        assert!(!grant.administer);
        let nothing = json!({ "exp": at(60), "aud": ["other", "live"] });
        let grant = by_secret().grant(&signed(&nothing)).unwrap();
        assert_eq!((grant.publish, grant.play), (Names::None, Names::None));
    }

    #[test]
    fn what_is_wrong_with_a_token_is_told_apart() {
        check(&json!({ "exp": at(-60), "aud": "live" }), Denied::Expired);
        check(
            &json!({ "exp": at(60), "nbf": at(50), "aud": "live" }),
            Denied::NotYet,
        );
        check(
            &json!({ "exp": at(60), "aud": "other" }),
            Denied::WrongAudience,
        );
        check(&json!({ "exp": at(60) }), Denied::BadToken);
        check(&json!({ "aud": "live" }), Denied::BadToken);
        let star = json!({ "exp": at(60), "aud": "live", "play": "a*b" });
        check(&star, Denied::BadToken);
        let many = vec!["x"; MAX_NAMES + 1];
        check(
            &json!({ "exp": at(60), "aud": "live", "play": many }),
            Denied::BadToken,
        );
        check(
            &json!({ "exp": at(60), "aud": "live", "admin": "yes" }),
            Denied::BadToken,
        );
    }

    #[test]
    fn clocks_may_be_a_little_apart() {
        let claims = json!({ "exp": at(-10), "nbf": at(10), "aud": "live", "play": "*" });
        let access = Access {
            jwt: Some(by_secret()),
            ..Access::default()
        };
        let asked = (Right::Play, "a");
        let decided = decide(&access, Some(&signed(&claims)), asked, SystemTime::now());
        assert!(decided.is_ok(), "{decided:?}");
    }

    #[test]
    fn a_date_beyond_the_calendar_never_comes() {
        let claims = json!({ "exp": u64::MAX, "aud": "live" });
        assert_eq!(by_secret().grant(&signed(&claims)).unwrap().expires, None);
        check(&json!({ "exp": 1e300, "aud": "live" }), Denied::BadToken);
        check(&json!({ "exp": -1, "aud": "live" }), Denied::BadToken);
    }

    #[test]
    fn a_forged_token_is_refused() {
        let claims = json!({ "exp": at(60), "aud": "live", "admin": true });
        let token = signed(&claims);
        let (signed_part, signature) = token.rsplit_once('.').unwrap();
        let (header, _) = signed_part.split_once('.').unwrap();
        let bolder = json!({ "exp": at(9_999), "aud": "live", "admin": true }).to_string();
        let unsigned = URL_SAFE_NO_PAD.encode(br#"{"alg":"none","typ":"JWT"}"#);
        let bolder = URL_SAFE_NO_PAD.encode(bolder);
        let forged = [
            format!("{header}.{bolder}.{signature}"),
            format!("{unsigned}.{bolder}."),
            format!("{unsigned}.{bolder}.{signature}"),
            format!("{signed_part}."),
            signed_part.to_owned(),
            token[..token.len() - 3].to_owned(),
            format!("{token}.{signature}"),
            String::new(),
            "..".to_owned(),
            "x".repeat(MAX_TOKEN + 1),
        ];
        for forged in forged {
            assert_eq!(
                by_secret().grant(&forged),
                Err(Denied::BadToken),
                "{forged}"
            );
        }
    }

    fn key_pair() -> (EncodingKey, String) {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let private = EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        let text = STANDARD.encode(public.as_ref());
        let lines: Vec<_> = text
            .as_bytes()
            .chunks(64)
            .map(String::from_utf8_lossy)
            .collect();
        let lines = lines.join("\n");
        (
            private,
            format!("-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"),
        )
    }

    #[test]
    fn a_public_key_checks_and_is_no_secret_to_sign_with() {
        let (private, public) = key_pair();
        let jwt = Jwt::new(public.as_bytes(), None, Some("issuer")).unwrap();
        let claims = json!({ "exp": at(60), "iss": "issuer", "play": "*" });
        let token = encode(&Header::new(Algorithm::ES256), &claims, &private).unwrap();
        assert_eq!(jwt.grant(&token).unwrap().play, Names::All);
        let (other, _) = key_pair();
        let token = encode(&Header::new(Algorithm::ES256), &claims, &other).unwrap();
        assert_eq!(jwt.grant(&token), Err(Denied::BadToken));
        // What everybody may know must not do as the secret of HS256.
        let confused = EncodingKey::from_secret(public.as_bytes());
        let token = encode(&Header::new(Algorithm::HS256), &claims, &confused).unwrap();
        assert_eq!(jwt.grant(&token), Err(Denied::BadToken));
        let stranger = json!({ "exp": at(60), "iss": "stranger", "play": "*" });
        let token = encode(&Header::new(Algorithm::ES256), &stranger, &private).unwrap();
        assert_eq!(jwt.grant(&token), Err(Denied::BadToken));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let refused = |key: &[u8]| Jwt::new(key, None, None).unwrap_err();
        assert_eq!(refused(b"too short"), BadKey::ShortSecret);
        assert_eq!(refused(b"-----BEGIN PRIVATE KEY-----\n"), BadKey::Private);
        assert_eq!(refused(b"-----BEGIN PUBLIC KEY-----\nxx\n"), BadKey::NoKey);
        let shown = format!("{:?}", by_secret());
        assert!(!shown.contains("secret"), "{shown}");
    }
}
