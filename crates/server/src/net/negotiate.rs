//! What a client accepts, and what it has already: RFC 9110 sections 12.5.3
//! and 13.1.2.

use axum::http::{HeaderMap, header};

/// How content is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Gzip,
    Identity,
}

impl Coding {
    /// Its name in HTTP, RFC 9110 section 8.4.1.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
            Self::Identity => "identity",
        }
    }
}

/// Which codings a client accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) brotli: bool,
    pub(super) gzip: bool,
}

impl Accepted {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT_ENCODING);
        let lists: Vec<_> = values.iter().filter_map(|v| v.to_str().ok()).collect();
        let accepts = |coding: Coding| {
            let named = weight(&lists, coding.name());
            named.or_else(|| weight(&lists, "*")).unwrap_or(false)
        };
        Self {
            brotli: accepts(Coding::Brotli),
            gzip: accepts(Coding::Gzip),
        }
    }
}

/// Whether a coding's weight is above zero; `None` if it is not named.
fn weight(lists: &[&str], coding: &str) -> Option<bool> {
    let items = lists.iter().flat_map(|list| list.split(','));
    items.map(str::trim).find_map(|item| {
        let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
        if !name.trim().eq_ignore_ascii_case(coding) {
            return None;
        }
        let weight = parameters.trim().strip_prefix("q=").unwrap_or("1");
        Some(weight.trim().parse::<f32>().is_ok_and(|q| q > 0.0))
    })
}

/// Whether the client has the content with this tag already.
pub(super) fn has_it_already(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH);
    let tags = values.iter().filter_map(|v| v.to_str().ok());
    tags.flat_map(|tags| tags.split(',')).any(|known| {
        let known = known.trim();
        known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
    })
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: HeaderName, values: &[&'static str]) -> HeaderMap {
        let values = values.iter().map(|v| HeaderValue::from_static(v));
        values.map(|value| (name.clone(), value)).collect()
    }

    #[test]
    fn codings_are_taken_at_their_word() {
        let table: &[(&[&'static str], bool, bool)] = &[
            (&[], false, false),
            (&[""], false, false),
            (&["gzip, deflate, br, zstd"], true, true),
            (&["gzip", "br"], true, true),
            (&["GZIP;q=0.5"], false, true),
            (&["br;q=0, gzip"], false, true),
            (&["br; q=0.000,*"], false, true),
            (&["*"], true, true),
            (&["*;q=0"], false, false),
            (&["identity"], false, false),
            (&["br;q=much"], false, false),
            (&["brx, xgzip"], false, false),
        ];
        for (values, brotli, gzip) in table {
            let accepted = Accepted::of(&headers(header::ACCEPT_ENCODING, values));
            let expected = Accepted {
                brotli: *brotli,
                gzip: *gzip,
            };
            assert_eq!(accepted, expected, "{values:?}");
        }
    }

    #[test]
    fn tags_are_compared_weakly() {
        let table: &[(&[&'static str], bool)] = &[
            (&[], false),
            (&["\"a\""], true),
            (&["W/\"a\""], true),
            (&["\"b\", \"a\""], true),
            (&["\"b\"", "\"a\""], true),
            (&["*"], true),
            (&["\"ab\""], false),
            (&["a"], false),
        ];
        for (values, expected) in table {
            let headers = headers(header::IF_NONE_MATCH, values);
            assert_eq!(has_it_already(&headers, "\"a\""), *expected, "{values:?}");
        }
    }
}
