//! Every claim of the threat model is shown by something that is there.

use crate::{file, root};

/// What stands between backticks in a text.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn what_shows_a_claim_is_there() {
    let text = file("docs/SECURITY.md");
    let shown = spans(&text).filter(|span| span.starts_with("src/") || span.starts_with("tests/"));
    let mut count = 0;
    for span in shown {
        count += 1;
        let (path, function) = span.split_once("::").unwrap_or((span, ""));
        let path = format!("crates/server/{path}");
        assert!(
            root().join(&path).is_file(),
            "{span}: there is no such file"
        );
        let found = function.is_empty() || file(&path).contains(&format!("fn {function}("));
        assert!(found, "{span}: there is no such test");
    }
    assert!(count > 30, "{count} claims");
    let manifest = file("Cargo.toml");
    assert!(manifest.contains("unsafe_code = \"forbid\""));
}
