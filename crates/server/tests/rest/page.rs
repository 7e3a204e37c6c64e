//! The page for operators, as far as it can be seen without a browser.

use crate::client::{Client, config, start};
use crate::web::get;

#[tokio::test]
async fn the_page_and_its_files_may_run_nothing_else() {
    let server = start(config()).await;
    for (path, kind) in [
        ("/status", "text/html"),
        ("/status/status.css", "text/css"),
        ("/status/status.js", "text/javascript"),
    ] {
        let response = get(server.addr(), path).await;
        assert_eq!(response.status, 200, "{path}");
        assert!(response.expect("content-type").starts_with(kind));
        let policy = response.expect("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"));
        assert!(policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
    }
    let page = get(server.addr(), "/status").await;
    // All that it loads, it has.
    for link in page.text().split("=\"/").skip(1) {
        let path = format!("/{}", link.split('"').next().unwrap());
        assert_eq!(get(server.addr(), &path).await.status, 200, "{path}");
    }
    // The policy would stop it, and the page would be without.
    assert!(!page.text().contains("<style") && !page.text().contains(" style="));
    assert!(!page.text().contains("<script>") && !page.text().contains(" onclick"));
    server.shutdown().await;
}

#[tokio::test]
async fn names_are_no_part_of_the_page_and_lists_are_no_pages() {
    const NAME: &str = "<img src=x onerror=alert(1)>";
    let server = start(config()).await;
    let _client = Client::publishing(server.addr(), NAME).await;
    let list = get(server.addr(), "/rest-api/stream/find_all").await;
    assert!(list.text().contains(NAME));
    assert_eq!(list.expect("content-type"), "application/json");
    assert_eq!(list.header("x-content-type-options"), Some("nosniff"));
    let page = get(server.addr(), "/status").await;
    assert!(!page.text().contains(NAME));
}

/// Text becomes markup by few ways only; the page's script takes none of them.
#[test]
fn the_script_makes_no_markup_of_text() {
    let script = include_str!("../../src/net/status/status.js");
    for way in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "DOMParser",
        "createContextualFragment",
        "setHTML",
        "eval(",
        "Function(",
        ".href",
        ".src",
        "setAttribute(\"on",
    ] {
        assert!(!script.contains(way), "{way}");
    }
    assert!(script.contains("textContent"));
}
