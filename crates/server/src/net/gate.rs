//! Who is let in: what a request shows, and what it may do with that.

mod session;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tokio::sync::watch;

pub(super) use self::session::{SessionGate, Verdict};
use super::http::Ends;
use crate::access::{Access, Denied, Grant, Origins, Proxies, Right, decide};
use crate::core::ResourcePath;
use crate::hooks::Hooks;
use crate::limits::AddressLimits;

/// What proxies add to what they pass on (RFC 7239, and what was there before it).
const FORWARDED: [HeaderName; 3] = [
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-forwarded-for"),
];

/// What may change while the server runs: whoever asks goes by what it is then.
#[derive(Debug, Default)]
pub struct Live {
    /// Who may do what.
    pub access: Access,
    /// Whose pages may use WebSocket, WHIP and WHEP.
    pub origins: Origins,
    /// Who is believed to speak for others.
    pub proxies: Proxies,
    /// How often everybody may come.
    pub limits: AddressLimits,
}

/// Who may read an answer (the Fetch standard, section 3.3).
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cors {
    /// Every page.
    AnyPage,
    /// The page from here.
    Page(HeaderValue),
    /// It was no page that asked; another time it may be one.
    NoPage,
}

/// A page of an origin that may not use the server.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ForeignOrigin;

/// Decides by what is set now.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    live: watch::Receiver<Arc<Live>>,
    /// The application that has the last word, if there is one.
    hooks: Option<Hooks>,
}

impl Gate {
    pub(super) fn new(live: watch::Receiver<Arc<Live>>, hooks: Option<Hooks>) -> Self {
        Self { live, hooks }
    }

    /// A client that has asked for a WebSocket.
    pub(super) fn session(&self, headers: &HeaderMap, ends: Ends) -> SessionGate {
        let hooks = self.hooks.as_ref();
        let hooks = hooks.map(|hooks| hooks.session(ends.remote, ends.local, origin(headers)));
        SessionGate::new(token(headers), hooks)
    }

    /// Asks the application, if there is one, whether an HTTP request may make a
    /// resource.
    ///
    /// # Errors
    /// It may not.
    pub(super) async fn ask_offer(
        &self,
        headers: &HeaderMap,
        ends: Ends,
        path: &ResourcePath,
        offer: &str,
    ) -> Result<(), Denied> {
        let Some(hooks) = &self.hooks else {
            return Ok(());
        };
        let session = hooks.session(ends.remote, ends.local, origin(headers));
        let token = token(headers).filter(|_| self.tells_tokens());
        session.ask_offer(path, offer, token.as_deref()).await
    }

    /// Whether tokens are the application's: where this server checks none itself.
    fn tells_tokens(&self) -> bool {
        !self.live.borrow().access.is_controlled()
    }

    /// What is set now.
    pub(super) fn live(&self) -> Arc<Live> {
        self.live.borrow().clone()
    }

    /// What an answer says to the page that asks, if one does.
    ///
    /// # Errors
    /// Pages from there may not ask.
    pub(super) fn cors(&self, headers: &HeaderMap) -> Result<Cors, ForeignOrigin> {
        let live = self.live();
        let origin = headers.get(header::ORIGIN);
        match (&live.origins, origin) {
            (Origins::Any, _) => Ok(Cors::AnyPage),
            (Origins::Listed(_), None) => Ok(Cors::NoPage),
            (origins @ Origins::Listed(_), Some(origin)) => {
                let known = origin.to_str().is_ok_and(|text| origins.contain(text));
                known
                    .then(|| Cors::Page(origin.clone()))
                    .ok_or(ForeignOrigin)
            }
        }
    }

    /// Whether everybody may publish and play.
    fn is_open(&self) -> bool {
        self.live.borrow().access.is_open()
    }

    /// Whether somebody who shows `token` has `right` to the stream called `name`.
    ///
    /// # Errors
    /// They have not.
    pub(super) fn admit(
        &self,
        token: Option<&str>,
        right: Right,
        name: &str,
    ) -> Result<Grant, Denied> {
        let live = self.live();
        decide(&live.access, token, (right, name), SystemTime::now())
    }

    /// Whether a token is valid, if there is one, whatever it allows.
    ///
    /// # Errors
    /// It is not.
    pub(super) fn check_token(&self, token: Option<&str>) -> Result<(), Denied> {
        let live = self.live();
        live.access.grant(token).map(drop)
    }

    /// Whether an HTTP request from `remote` may see and end what is everybody's.
    ///
    /// Where nobody needs a token, only this host itself may, and neither a proxy on it
    /// nor a page of elsewhere in its browser.
    ///
    /// # Errors
    /// It may not.
    pub(super) fn administer(&self, headers: &HeaderMap, remote: IpAddr) -> Result<(), Denied> {
        let live = self.live();
        let is_proxy = live.proxies.contain(remote);
        if !live.access.is_controlled() && !is_proxy && is_own(headers, remote) {
            return Ok(());
        }
        let token = token(headers);
        let asked = (Right::Administer, "");
        decide(&live.access, token.as_deref(), asked, SystemTime::now()).map(drop)
    }
}

/// The token that a request shows: as `Bearer` (RFC 6750 section 2.1), or as the
/// password of `Basic` (RFC 7617), which a browser asks its user for.
pub(super) fn token(headers: &HeaderMap) -> Option<String> {
    let shown = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = shown.split_once(' ')?;
    let credentials = credentials.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(credentials.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = BASE64_STANDARD.decode(credentials).ok()?;
    let (_, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some(password.to_owned())
}

/// The origin of the page that a request comes from, if a browser says so.
fn origin(headers: &HeaderMap) -> Option<String> {
    let origin = headers.get(header::ORIGIN)?.to_str().ok()?;
    Some(origin.to_owned())
}

/// Whether the request was made on this host, for this host, by no other page.
fn is_own(headers: &HeaderMap, remote: IpAddr) -> bool {
    let text = |name| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or_default())
    };
    let host = text(header::HOST).and_then(|host| host.parse::<Authority>().ok());
    let origin = text(header::ORIGIN);
    remote.is_loopback()
        && !FORWARDED.iter().any(|name| headers.contains_key(name))
        && host.as_ref().is_some_and(|host| is_loopback(host.host()))
        && origin.is_none_or(|origin| host.is_some_and(|host| is_of(origin, &host)))
}

/// Whether a page of `origin` (RFC 6454 section 7) comes from `host`.
fn is_of(origin: &str, host: &Authority) -> bool {
    let (_, authority) = origin.split_once("://").unwrap_or_default();
    authority.eq_ignore_ascii_case(host.as_str())
}

/// Whether a host's name can mean nothing but this host.
fn is_loopback(name: &str) -> bool {
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::access::tokens::Tokens;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    pub(super) fn gate(tokens: Option<&str>) -> Gate {
        let tokens = tokens.map(|text| Tokens::parse(text).unwrap());
        let access = Access {
            tokens,
            ..Access::default()
        };
        // A receiver keeps what was sent last.
        let live = Live {
            access,
            ..Live::default()
        };
        Gate::new(watch::channel(Arc::new(live)).1, None)
    }

    fn headers(lines: &[(HeaderName, &str)]) -> HeaderMap {
        let lines = lines.iter();
        lines
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn where_nobody_needs_a_token_only_this_host_administers() {
        let open = gate(None);
        let elsewhere = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        let local = (header::HOST, "localhost:8080");
        let refused = Err(Denied::NotAllowed);
        let own = headers(std::slice::from_ref(&local));
        assert_eq!(open.administer(&own, HERE), Ok(()));
        assert_eq!(open.administer(&own, elsewhere), refused);
        let page = |origin| headers(&[local.clone(), (header::ORIGIN, origin)]);
        assert_eq!(
            open.administer(&page("http://localhost:8080"), HERE),
            Ok(())
        );
        assert_eq!(open.administer(&page("http://example.org"), HERE), refused);
        assert_eq!(open.administer(&page("null"), HERE), refused);
        // A name that somebody else has lead here.
        let rebound = headers(&[(header::HOST, "example.org:8080")]);
        assert_eq!(open.administer(&rebound, HERE), refused);
        assert_eq!(open.administer(&HeaderMap::new(), HERE), refused);
        let proxied = headers(&[local, (FORWARDED[2].clone(), "192.0.2.1")]);
        assert_eq!(open.administer(&proxied, HERE), refused);
        let ipv6 = headers(&[(header::HOST, "[::1]:8080")]);
        assert_eq!(open.administer(&ipv6, HERE), Ok(()));
        let behind = Live {
            proxies: Proxies(vec!["127.0.0.0/8".parse().unwrap()]),
            ..Live::default()
        };
        let behind = Gate::new(watch::channel(Arc::new(behind)).1, None);
        assert_eq!(behind.administer(&own, HERE), refused);
    }

    #[test]
    fn with_tokens_one_of_them_is_needed_here_too() {
        let gate = gate(Some(
            "admin - token-for-the-operator\nplay * token-for-everybody-else\n",
        ));
        let local = (header::HOST, "localhost");
        let shown = |value: &str| headers(&[local.clone(), (header::AUTHORIZATION, value)]);
        let admitted = |value: &str| gate.administer(&shown(value), HERE);
        assert_eq!(admitted("Bearer token-for-the-operator"), Ok(()));
        assert_eq!(admitted("bearer  token-for-the-operator"), Ok(()));
        let basic = BASE64_STANDARD.encode("admin:token-for-the-operator");
        assert_eq!(admitted(&format!("Basic {basic}")), Ok(()));
        assert_eq!(
            admitted("Bearer token-for-everybody-else"),
            Err(Denied::NotAllowed)
        );
        assert_eq!(admitted("Bearer forged"), Err(Denied::BadToken));
        assert_eq!(admitted("Basic %%%"), Err(Denied::NoToken));
        let silent = headers(std::slice::from_ref(&local));
        assert_eq!(gate.administer(&silent, HERE), Err(Denied::NoToken));
    }
}
