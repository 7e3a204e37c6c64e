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

/// Where the links of a page lead within the repository.
fn links(page: &str) -> Vec<String> {
    let targets = page.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split(')').next());
    let inside = targets.filter(|target| !target.contains("://"));
    inside.map(ToOwned::to_owned).collect()
}

/// The anchor of each heading, as forges make it.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || *c == ' ');
            kept.collect::<String>().replace(' ', "-")
        })
        .collect()
}

#[test]
fn links_lead_somewhere() {
    for path in ["docs/OPERATING.md", "docs/SECURITY.md"] {
        let page = file(path);
        for link in links(&page) {
            let is_there = match link.strip_prefix('#') {
                Some(anchor) => anchors(&page).iter().any(|known| known == anchor),
                None => root().join("docs").join(&link).is_file(),
            };
            assert!(is_there, "{path}: {link} leads nowhere");
        }
    }
}
