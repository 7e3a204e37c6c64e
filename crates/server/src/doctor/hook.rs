//! Whether the application that is asked over HTTP is there.

use std::io;
use std::time::Duration;

use axum::http::Uri;

use super::Finding;
use super::health::connect;
use crate::settings::Gathered;

/// How long connecting may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// How the hooked application is, if there is one.
pub(super) fn finding(gathered: &Gathered) -> Option<Finding> {
    let url = gathered.values("hook-url").into_iter().next()?;
    let uri: Uri = url.parse().ok()?;
    let host = uri.host()?;
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    let is_https = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if is_https { 443 } else { 80 });
    let connected = connect((plain, port), PATIENCE).map(drop);
    Some(judge(&format!("{host}:{port}"), connected))
}

/// Not the whole URL, which may have a secret in it.
fn judge(at: &str, connected: io::Result<()>) -> Finding {
    let what = "hooks";
    match connected {
        Ok(()) => Finding::ok(what, format!("the application at {at} takes connections")),
        Err(error) => {
            let text = format!(
                "the application at {at} takes no connections ({error}): start it, or correct \
                 --hook-url"
            );
            Finding::wrong(what, text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn an_application_that_is_down_is_wrong() {
        assert_eq!(judge("app.example:80", Ok(())).level, Level::Ok);
        let refused = Err(io::ErrorKind::ConnectionRefused.into());
        let finding = judge("app.example:80", refused);
        assert_eq!(finding.level, Level::Wrong);
        assert!(finding.text.contains("app.example:80"), "{finding:?}");
    }
}
