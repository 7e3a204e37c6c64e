//! STUN and TURN servers from `Link` headers (RFC 8288 section 3; RFC 9725
//! section 4.6).

use super::message::IceServer;

/// Most ICE servers taken of one response; browsers warn of more than a few.
pub const MAX_ICE_SERVERS: usize = 16;

/// The longest header that is looked at; a long-term credential takes a few
/// hundred characters.
const MAX_HEADER_BYTES: usize = 16 * 1_024;

/// The ICE servers among the links. What is no link, or one to something else,
/// is passed over.
pub(super) fn ice_servers(headers: &[String]) -> Vec<IceServer> {
    headers
        .iter()
        .filter(|header| header.len() <= MAX_HEADER_BYTES)
        .flat_map(|header| split(header, ','))
        .filter_map(ice_server)
        .take(MAX_ICE_SERVERS)
        .collect()
}

fn ice_server(link: &str) -> Option<IceServer> {
    let (url, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    let (scheme, host) = url.split_once(':')?;
    let known = ["stun", "stuns", "turn", "turns"];
    if host.is_empty() || !known.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return None;
    }
    let mut server = IceServer {
        urls: vec![url.to_owned()],
        username: None,
        credential: None,
    };
    let mut is_ice_server = false;
    for parameter in split(parameters, ';') {
        let Some((name, value)) = parameter.split_once('=') else {
            continue;
        };
        let value = unquote(value.trim());
        match name.trim().to_ascii_lowercase().as_str() {
            "rel" => is_ice_server = is_ice_server || names_ice_server(&value),
            "username" => server.username = Some(value),
            "credential" => server.credential = Some(value),
            // Browsers know no other kind any more.
            "credential-type" if value != "password" => return None,
            _ => {}
        }
    }
    is_ice_server.then_some(server)
}

fn names_ice_server(relations: &str) -> bool {
    relations
        .split_whitespace()
        .any(|relation| relation.eq_ignore_ascii_case("ice-server"))
}

/// Splits at a separator that is neither in `<...>` nor in `"..."`.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    let mut in_target = false;
    text.split(move |c: char| {
        if quoted {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            quoted = !ends;
            return false;
        }
        match c {
            '"' => quoted = !in_target,
            '<' => in_target = true,
            '>' => in_target = false,
            _ => return c == separator && !in_target,
        }
        false
    })
}

/// The text of a token or of a quoted string (RFC 9110 section 5.6.4).
fn unquote(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else {
        return value.to_owned();
    };
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => text.extend(chars.next()),
            _ => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use core::slice;

    use super::*;

    fn server(url: &str, secrets: Option<(&str, &str)>) -> IceServer {
        IceServer {
            urls: vec![url.to_owned()],
            username: secrets.map(|(username, _)| username.to_owned()),
            credential: secrets.map(|(_, credential)| credential.to_owned()),
        }
    }

    #[track_caller]
    fn check(headers: &[&str], expected: &[IceServer]) {
        let headers: Vec<_> = headers.iter().map(|&header| header.to_owned()).collect();
        assert_eq!(ice_servers(&headers), expected, "{headers:?}");
    }

    #[test]
    fn ice_servers_are_read() {
        let stun = server("stun:s.example:3478", None);
        let turn = server("turn:t.example?transport=udp", Some(("user", "pass")));
        let stun_link = r#"<stun:s.example:3478>; rel="ice-server""#;
        let turn_link = r#"<turn:t.example?transport=udp>; rel="ice-server"; username="user"; credential="pass"; credential-type="password""#;
        check(&[], &[]);
        check(&[stun_link], slice::from_ref(&stun));
        check(&[stun_link, turn_link], &[stun.clone(), turn.clone()]);
        // Browsers join headers.
        let joined = format!("{turn_link}, {stun_link}");
        check(&[&joined], &[turn, stun.clone()]);
        check(
            &["<stun:s.example:3478>;rel=ice-server"],
            slice::from_ref(&stun),
        );
        check(
            &[r#"<stun:s.example:3478> ; REL = "x Ice-Server""#],
            &[stun],
        );
    }

    #[test]
    fn quoted_texts_may_hold_anything() {
        check(
            &[r#"<turn:t>; rel="ice-server"; username="a,b;c<d>"; credential="q\"\\,;=""#],
            &[server("turn:t", Some(("a,b;c<d>", r#"q"\,;="#)))],
        );
        check(
            &[r#"<turn:t?a="x,y>; rel=ice-server; username=u; credential=c"#],
            &[server(r#"turn:t?a="x,y"#, Some(("u", "c")))],
        );
    }

    #[test]
    fn other_links_are_passed_over() {
        for header in [
            "",
            ",",
            ";",
            "stun:s; rel=ice-server",
            "<stun:s; rel=ice-server",
            "<stun:s>",
            "<stun:s>; rel=next",
            "<stun:>; rel=ice-server",
            "<stun>; rel=ice-server",
            "<https://h/>; rel=ice-server",
            r#"<stun:s>; title="rel=ice-server""#,
            r#"<turn:t>; rel="ice-server"; credential-type="oauth""#,
            "\"",
        ] {
            check(&[header], &[]);
        }
    }

    #[test]
    fn their_number_and_length_are_limited() {
        let header = vec!["<stun:s>; rel=ice-server"; MAX_ICE_SERVERS + 1].join(",");
        assert_eq!(ice_servers(&[header]).len(), MAX_ICE_SERVERS);
        let long = format!("<stun:{}>; rel=ice-server", "s".repeat(MAX_HEADER_BYTES));
        check(&[&long], &[]);
    }

    #[test]
    fn a_credential_is_not_shown() {
        let shown = format!("{:?}", server("turn:t", Some(("user", "secret"))));
        assert!(
            shown.contains("user") && !shown.contains("secret"),
            "{shown}"
        );
    }
}
