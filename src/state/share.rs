//! Links to a stream, for people and for other pages.

use super::{Layout, Link, without_user};

/// The size an embedded player is given at first; the other page changes it.
const EMBED_SIZE: (u32, u32) = (640, 360);
/// What an embedded player may do in another page's `<iframe>`.
const EMBED_ALLOW: &str = "autoplay; fullscreen; picture-in-picture";

/// How others see a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Share {
    /// Opens the player view and plays.
    pub link: String,
    /// HTML that shows the stream in another page.
    pub snippet: String,
    /// Nobody on another machine can use them.
    pub this_machine_only: bool,
}

impl Share {
    /// What there is to share of `stream` on `server`. `page` is the page's own
    /// address without query; its own server, `page_default`, needs no naming.
    pub fn of(page: &str, server: &str, page_default: &str, stream: &str) -> Self {
        let not_empty = |text: String| (!text.is_empty()).then_some(text);
        let link = Link {
            server: not_empty(without_user(server)).filter(|server| server != page_default),
            stream: not_empty(stream.to_owned()),
            play: true,
            ..Link::default()
        };
        let with = |layout| {
            let link = Link {
                layout,
                ..link.clone()
            };
            format!("{page}{}", link.to_query())
        };
        Self {
            link: with(Layout::Player),
            snippet: snippet(&with(Layout::Embed), stream),
            this_machine_only: is_loopback(page) || is_loopback(server),
        }
    }
}

fn snippet(address: &str, stream: &str) -> String {
    let (width, height) = EMBED_SIZE;
    format!(
        r#"<iframe src="{}" title="{}" width="{width}" height="{height}" style="border:0" allow="{EMBED_ALLOW}"></iframe>"#,
        escape(address),
        escape(&format!("Live: {stream}")),
    )
}

/// Text for a quoted attribute (HTML, section 13.1.2.3).
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Whether an address names the machine itself.
fn is_loopback(address: &str) -> bool {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = match rest.split_once(']') {
        Some((bracketed, _)) => bracketed,
        None => rest.split([':', '/', '?', '#']).next().unwrap_or(rest),
    };
    host == "localhost" || host.starts_with("127.") || host == "[::1"
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "https://page.example/x/";
    const DEFAULT: &str = "wss://page.example:8443";

    #[test]
    fn the_own_server_is_not_named() {
        let share = Share::of(PAGE, DEFAULT, DEFAULT, "cam");
        assert_eq!(
            share.link,
            "https://page.example/x/?stream=cam&play=1&view=player"
        );
        assert!(!share.this_machine_only);
        let other = Share::of(PAGE, "wss://me:secret@there/", DEFAULT, "cam");
        assert_eq!(
            other.link,
            "https://page.example/x/?server=wss://there/&stream=cam&play=1&view=player"
        );
        assert!(!other.snippet.contains("secret"));
    }

    #[test]
    fn the_snippet_is_safe_html() {
        let share = Share::of(PAGE, DEFAULT, DEFAULT, r#""><script>'&"#);
        assert_eq!(
            share.snippet,
            concat!(
                r#"<iframe src="https://page.example/x/?stream=%22%3E%3Cscript%3E%27%26"#,
                r#"&amp;play=1&amp;view=embed" title="Live: &quot;&gt;&lt;script&gt;&#39;&amp;" "#,
                r#"width="640" height="360" style="border:0" "#,
                r#"allow="autoplay; fullscreen; picture-in-picture"></iframe>"#,
            )
        );
    }

    #[test]
    fn addresses_of_this_machine_are_told() {
        let check = |page: &str, server: &str, expected| {
            let share = Share::of(page, server, DEFAULT, "");
            assert_eq!(share.this_machine_only, expected, "{page} {server}");
        };
        check("http://127.0.0.1:8080/", "ws://10.0.0.1", true);
        check(PAGE, "ws://localhost:8080", true);
        check(PAGE, "wss://[::1]", true);
        check(PAGE, "wss://localhost.example", false);
        check(PAGE, "wss://there", false);
    }
}
