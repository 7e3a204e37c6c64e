//! The page's style sheets, joined into one: one request, and what repeats
//! in them compresses once.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

const TAG: &str = "<link ";

/// Joins the style sheets that `index.html` in `folder` names.
pub(super) fn join(folder: &Path) -> Result<()> {
    let index = folder.join("index.html");
    let html = fs::read_to_string(&index).context("cannot read the page's HTML")?;
    let (html, sheets) = first_sheet_only(&html);
    let Some(first) = sheets.first() else {
        return Ok(());
    };
    let mut joined = String::new();
    for name in &sheets {
        let file = folder.join(name);
        let sheet = fs::read_to_string(&file).with_context(|| format!("cannot read {name}"))?;
        joined.push_str(&sheet);
        joined.push('\n');
        fs::remove_file(&file).with_context(|| format!("cannot remove {name}"))?;
    }
    // Browsers keep a file for good by its name: another content, another name.
    let name = format!("page-{:016x}.css", fnv1a(joined.as_bytes()));
    let html = html.replacen(first.as_str(), &name, 1);
    fs::write(folder.join(name), joined).context("cannot write the style sheet")?;
    fs::write(&index, html).context("cannot write the page's HTML")
}

/// The 64-bit FNV-1a hash, which tells contents apart that nobody forges.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The HTML without its style sheets but the first, and the names of all.
fn first_sheet_only(html: &str) -> (String, Vec<String>) {
    let mut kept = String::with_capacity(html.len());
    let mut sheets = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find(TAG) {
        let end = rest[start..]
            .find('>')
            .map_or(rest.len(), |end| start + end + 1);
        let tag = &rest[start..end];
        let is_other = match sheet(tag) {
            Some(name) => {
                sheets.push(name);
                sheets.len() > 1
            }
            None => false,
        };
        kept.push_str(&rest[..if is_other { start } else { end }]);
        rest = &rest[end..];
    }
    kept.push_str(rest);
    (kept, sheets)
}

/// The file name of the style sheet that `tag` links to.
fn sheet(tag: &str) -> Option<String> {
    if attribute(tag, "rel")? != "stylesheet" {
        return None;
    }
    let (_, name) = attribute(tag, "href")?.rsplit_once('/')?;
    Some(name.to_owned())
}

/// The value of an attribute, quoted or not; the values here have no spaces.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let mut parts = tag.trim_end_matches(['>', '/']).split_ascii_whitespace();
    let value = parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))?;
    Some(value.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_sheets_become_one() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write(
            "index.html",
            "<head><link href=/icon.svg rel=icon><link href=/a-1.css rel=stylesheet>\
             <link rel=\"stylesheet\" href=\"/b-2.css\"/><script src=/x.js></script></head>",
        );
        write("a-1.css", "a{}");
        write("b-2.css", "b{}");

        join(folder.path()).unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join(name));
        let name = format!("page-{:016x}.css", fnv1a(b"a{}\nb{}\n"));
        assert_eq!(
            read("index.html").unwrap(),
            format!(
                "<head><link href=/icon.svg rel=icon><link href=/{name} rel=stylesheet>\
                 <script src=/x.js></script></head>"
            )
        );
        assert_eq!(read(&name).unwrap(), "a{}\nb{}\n");
        assert!(read("a-1.css").is_err() && read("b-2.css").is_err());
    }

    #[test]
    fn the_hash_is_fnv1a() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn a_page_without_sheets_stays() {
        let html = "<link rel=icon href=/i.svg><p>";
        assert_eq!(first_sheet_only(html), (html.to_owned(), Vec::new()));
    }
}
