//! What the page keeps in this browser from one visit to the next, and what a
//! link changes for one visit only. Never a token.

use serde_json::Value;

use super::json::Object;
use super::{Link, Setting, Settings};

/// What is kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Remembered {
    /// What the user set.
    pub settings: Settings,
    /// The server's address, if the user typed another than the page's own and
    /// it answered.
    pub server: Option<String>,
}

/// What is kept, and what a link says instead for this visit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Memory {
    kept: Remembered,
    muted: Option<bool>,
    statistics: Option<bool>,
}

impl Memory {
    /// Reads what [`Memory::to_json`] wrote. Anything else, by another page or
    /// an older version, gives the defaults.
    pub fn new(json: Option<&str>, link: &Link) -> Self {
        let json = json.and_then(|json| serde_json::from_str::<Value>(json).ok());
        let json = json.unwrap_or_default();
        let mut kept = Remembered {
            settings: Settings::from_json(&json["settings"]),
            server: json["server"].as_str().map(str::to_owned),
        };
        // Not every number is a loudness.
        kept.settings.apply(Setting::Volume(kept.settings.volume));
        Self {
            kept,
            muted: link.muted,
            statistics: link.statistics,
        }
    }

    /// What to keep, as JSON.
    pub fn to_json(&self) -> String {
        Object::default()
            .with("settings", self.kept.settings.to_json())
            .with("server", self.server().into())
            .build()
            .to_string()
    }

    /// The settings of this visit.
    pub fn settings(&self) -> Settings {
        let mut settings = self.kept.settings.clone();
        settings.muted = self.muted.unwrap_or(settings.muted);
        settings.statistics = self.statistics.unwrap_or(settings.statistics);
        settings
    }

    /// The server's address, if one is remembered.
    pub fn server(&self) -> Option<&str> {
        self.kept.server.as_deref()
    }

    /// Takes what the user set; it counts from now on, whatever the link said.
    pub fn apply(&mut self, setting: Setting) {
        match &setting {
            Setting::Muted(_) => self.muted = None,
            Setting::Statistics(_) => self.statistics = None,
            Setting::Volume(_)
            | Setting::Fit(_)
            | Setting::Speaker(_)
            | Setting::KeepTrying(_)
            | Setting::Shortcuts(_)
            | Setting::Capture(_) => {}
        }
        self.kept.settings.apply(setting);
    }

    /// The server that the user typed answered: it is offered next time. The
    /// page's own needs no remembering, and an address that may carry a secret
    /// (a password, a query) is not kept.
    pub fn reached(&mut self, server: &str, page_default: &str) {
        let keep = server != page_default && !may_carry_secret(server);
        self.kept.server = keep.then(|| server.to_owned());
    }
}

/// Whether an address has a user name, a query or a fragment: places for
/// secrets.
fn may_carry_secret(address: &str) -> bool {
    address.contains(['@', '?', '#'])
}

/// An address without user name and password (RFC 3986, section 3.2.1).
pub fn without_user(address: &str) -> String {
    let start = address.find("://").map_or(0, |at| at + "://".len());
    let (scheme, rest) = address.split_at(start);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}{}", &rest[at + 1..]),
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Fit;

    const DEFAULT: &str = "ws://here:8080";

    #[test]
    fn what_is_kept_comes_back() {
        let mut memory = Memory::default();
        memory.apply(Setting::Fit(Fit::Cover));
        memory.apply(Setting::Volume(0.25));
        memory.reached("wss://there/", DEFAULT);
        let json = memory.to_json();
        assert_eq!(Memory::new(Some(&json), &Link::default()), memory);
        assert_eq!(memory.server(), Some("wss://there/"));
    }

    #[test]
    fn foreign_content_gives_the_defaults() {
        for json in [
            "",
            "{",
            "null",
            "[1]",
            "7",
            r#"{"settings":{"volume":"loud"}}"#,
        ] {
            let memory = Memory::new(Some(json), &Link::default());
            assert_eq!(memory, Memory::default(), "{json}");
        }
        let json = r#"{"settings":{"volume":1e9,"muted":true},"later":1}"#;
        let settings = Memory::new(Some(json), &Link::default()).settings();
        assert_eq!((settings.volume, settings.muted), (1.0, true));
    }

    #[test]
    fn a_link_counts_for_the_visit_until_the_user_says_otherwise() {
        let link = Link::parse("muted=1&stats=1");
        let mut memory = Memory::new(None, &link);
        assert!(memory.settings().muted && memory.settings().statistics);
        memory.apply(Setting::Volume(0.5));
        let json = memory.to_json();
        let next = Memory::new(Some(&json), &Link::default()).settings();
        assert_eq!(
            (next.muted, next.statistics, next.volume),
            (false, false, 0.5)
        );

        memory.apply(Setting::Muted(false));
        assert!(!memory.settings().muted && memory.settings().statistics);
        memory.apply(Setting::Statistics(false));
        assert!(!memory.settings().statistics);
    }

    #[test]
    fn servers_are_kept_only_without_secrets() {
        let check = |server: &str, expected: Option<&str>| {
            let mut memory = Memory::default();
            memory.reached("ws://old", DEFAULT);
            memory.reached(server, DEFAULT);
            assert_eq!(memory.server(), expected, "{server}");
        };
        check("wss://there:1/path", Some("wss://there:1/path"));
        check(DEFAULT, None);
        check("wss://me:secret@there", None);
        check("https://there/whep?token=secret", None);
        check("wss://there/#secret", None);
    }

    #[test]
    fn users_are_taken_out_of_addresses() {
        let check = |address: &str, expected: &str| assert_eq!(without_user(address), expected);
        check("ws://a:b@c:1/d@e?f@g", "ws://c:1/d@e?f@g");
        check("ws://a@b@c", "ws://c");
        check("ws://c/d@e", "ws://c/d@e");
        check("a:b@c", "c");
        check("", "");
    }
}
