//! Who may do what: publish, play, administer.
//!
//! A client shows a token, or none. [`Access::grant`] says what it may do with it, and
//! [`Grant::check`] whether that covers what it asks for. Tokens are of two kinds:
//! fixed ones from a file ([`tokens`]), and JSON Web Tokens (RFC 7519, [`jwt`]) that
//! another system signs. With neither, everybody may publish and play, and nobody
//! administer but from this host. Beside that, whose pages may use the server
//! ([`Origins`]) and which proxies are believed ([`Proxies`]).
//!
//! Not here: asking an application by REST hooks, and where in a request a token stands.

mod anonymous;
pub mod jwt;
mod names;
mod origins;
mod proxies;
pub mod tokens;

use std::time::SystemTime;

use thiserror::Error;

pub use self::anonymous::{Anonymous, BadAnonymous};
use self::jwt::Jwt;
pub use self::names::{BadPattern, Names};
pub use self::origins::{BadOrigin, Origin, Origins};
pub use self::proxies::{BadNetwork, Network, Proxies};
use self::tokens::Tokens;
use crate::counters::Reason;

/// What may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// Publish a stream.
    Publish,
    /// Play a stream.
    Play,
    /// See and end everybody's streams, read figures.
    Administer,
}

impl Right {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Publish, Self::Play, Self::Administer];

    /// The word for it in tokens and settings.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Play => "play",
            Self::Administer => "admin",
        }
    }

    /// What `word` stands for.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.word() == word)
    }
}

/// Why something is refused. `Display` is what the client is told: no more than that
/// it is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Denied {
    /// There is no token, and one is needed.
    #[error("an access token is needed")]
    NoToken,
    /// Nobody here gave out the token, or somebody changed it.
    #[error("the access token is not valid")]
    BadToken,
    /// It was valid once.
    #[error("the access token has expired")]
    Expired,
    /// It will be valid.
    #[error("the access token is not valid yet")]
    NotYet,
    /// It is for another server.
    #[error("the access token is for another audience")]
    WrongAudience,
    /// It is valid, and does not allow what was asked for.
    #[error("the access token does not allow this")]
    NotAllowed,
    /// The application behind the REST hooks says no.
    #[error("the application does not allow this")]
    HookRefused,
    /// The application behind the REST hooks cannot be asked.
    #[error("the application cannot be asked whether this is allowed")]
    HookFailed,
}

impl Denied {
    /// The counter it goes to.
    pub const fn reason(self) -> Reason {
        match self {
            Self::NoToken => Reason::NoToken,
            Self::BadToken => Reason::BadToken,
            Self::Expired => Reason::ExpiredToken,
            Self::NotYet => Reason::EarlyToken,
            Self::WrongAudience => Reason::WrongAudience,
            Self::NotAllowed => Reason::NotAllowed,
            Self::HookRefused => Reason::HookRefused,
            Self::HookFailed => Reason::HookUnanswered,
        }
    }
}

/// What somebody may do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grant {
    /// Whom it was given to, for the log.
    pub subject: Option<String>,
    /// The streams that may be published.
    pub publish: Names,
    /// The streams that may be played.
    pub play: Names,
    /// Everything else.
    pub administer: bool,
    /// Until when.
    pub expires: Option<SystemTime>,
}

impl Grant {
    /// What everybody may do on a server without access control.
    #[must_use]
    pub fn open() -> Self {
        Self {
            publish: Names::All,
            play: Names::All,
            ..Self::default()
        }
    }

    /// Gives `right` to streams called so.
    pub fn add(&mut self, right: Right, names: &Names) {
        match right {
            Right::Publish => self.publish.add(names),
            Right::Play => self.play.add(names),
            Right::Administer => self.administer = true,
        }
    }

    /// Whether it covers `right` to the stream called `name`, which means nothing to
    /// [`Right::Administer`].
    ///
    /// # Errors
    /// It does not, or no longer.
    pub fn check(&self, right: Right, name: &str, now: SystemTime) -> Result<(), Denied> {
        if self.expires.is_some_and(|expires| now >= expires) {
            return Err(Denied::Expired);
        }
        let covered = match right {
            Right::Publish => self.publish.contain(name),
            Right::Play => self.play.contain(name),
            Right::Administer => self.administer,
        };
        if covered {
            Ok(())
        } else {
            Err(Denied::NotAllowed)
        }
    }
}

/// All that gives rights.
#[derive(Debug, Default)]
pub struct Access {
    /// What those may do who show no token; `None`: what is usual.
    pub anonymous: Option<Grant>,
    /// Fixed tokens.
    pub tokens: Option<Tokens>,
    /// Signed ones.
    pub jwt: Option<Jwt>,
}

impl Access {
    /// Everybody may publish and play, whatever they show.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.is_controlled() && self.anonymous.is_none()
    }

    /// Tokens are asked for.
    #[must_use]
    pub fn is_controlled(&self) -> bool {
        self.tokens.is_some() || self.jwt.is_some()
    }

    /// What whoever shows `token` may do.
    ///
    /// # Errors
    /// The token is not valid, here or now.
    pub fn grant(&self, token: Option<&str>) -> Result<Grant, Denied> {
        let Some(token) = token else {
            return Ok(self.without_token());
        };
        if let Some(grant) = self.tokens.as_ref().and_then(|tokens| tokens.find(token)) {
            return Ok(grant.clone());
        }
        match &self.jwt {
            Some(jwt) => jwt.grant(token),
            None if self.is_controlled() => Err(Denied::BadToken),
            // Clients may carry one for another server.
            None => Ok(self.without_token()),
        }
    }

    fn without_token(&self) -> Grant {
        match &self.anonymous {
            Some(grant) => grant.clone(),
            None if self.is_controlled() => Grant::default(),
            None => Grant::open(),
        }
    }
}

/// Whether somebody who showed `token` may do what they ask for: what both signalling
/// and HTTP decide by.
///
/// # Errors
/// They may not. Without a token, that one is needed.
pub fn decide(
    access: &Access,
    token: Option<&str>,
    (right, name): (Right, &str),
    now: SystemTime,
) -> Result<Grant, Denied> {
    let grant = access.grant(token)?;
    match grant.check(right, name, now) {
        Ok(()) => Ok(grant),
        Err(Denied::NotAllowed) if token.is_none() && access.is_controlled() => {
            Err(Denied::NoToken)
        }
        Err(denied) => Err(denied),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Access {
        Access {
            tokens: Some(Tokens::parse(text).unwrap()),
            ..Access::default()
        }
    }

    #[track_caller]
    fn check(
        access: &Access,
        token: Option<&str>,
        asked: (Right, &str),
        expected: Result<(), Denied>,
    ) {
        let decided = decide(access, token, asked, SystemTime::now()).map(drop);
        assert_eq!(decided, expected, "{token:?} {asked:?}");
    }

    #[test]
    fn without_access_control_everybody_publishes_and_plays_and_nobody_administers() {
        let open = Access::default();
        for token in [None, Some("of another server")] {
            check(&open, token, (Right::Publish, "a"), Ok(()));
            check(&open, token, (Right::Play, "a"), Ok(()));
            check(
                &open,
                token,
                (Right::Administer, ""),
                Err(Denied::NotAllowed),
            );
        }
    }

    #[test]
    fn each_right_is_one_of_its_own() {
        let access = tokens(
            "publish cam-* token-for-publishers\n\
             play * token-for-everybody-else\n\
             admin - token-for-the-operator\n",
        );
        let refused = Err(Denied::NotAllowed);
        let publisher = Some("token-for-publishers");
        check(&access, publisher, (Right::Publish, "cam-1"), Ok(()));
        check(&access, publisher, (Right::Publish, "dog-1"), refused);
        check(&access, publisher, (Right::Play, "cam-1"), refused);
        check(&access, publisher, (Right::Administer, ""), refused);
        let viewer = Some("token-for-everybody-else");
        check(&access, viewer, (Right::Play, "dog-1"), Ok(()));
        check(&access, viewer, (Right::Publish, "cam-1"), refused);
        let operator = Some("token-for-the-operator");
        check(&access, operator, (Right::Administer, ""), Ok(()));
        check(&access, operator, (Right::Play, "cam-1"), refused);
        check(&access, None, (Right::Play, "cam-1"), Err(Denied::NoToken));
        let truncated = Some("token-for-the-operato");
        check(
            &access,
            truncated,
            (Right::Play, "cam-1"),
            Err(Denied::BadToken),
        );
    }

    #[test]
    fn what_is_open_to_all_is_open_to_those_without_a_token() {
        let access = Access {
            anonymous: Some(Grant {
                play: Names::All,
                ..Grant::default()
            }),
            ..tokens("publish * token-for-publishers\n")
        };
        check(&access, None, (Right::Play, "a"), Ok(()));
        check(&access, None, (Right::Publish, "a"), Err(Denied::NoToken));
        let publisher = Some("token-for-publishers");
        check(&access, publisher, (Right::Publish, "a"), Ok(()));
    }

    #[test]
    fn a_grant_ends_when_it_expires() {
        let now = SystemTime::now();
        let grant = Grant {
            expires: Some(now),
            ..Grant::open()
        };
        assert_eq!(grant.check(Right::Play, "a", now), Err(Denied::Expired));
        let before = now - std::time::Duration::from_secs(1);
        assert_eq!(grant.check(Right::Play, "a", before), Ok(()));
    }
}
