//! Who may use the server, and who may listen to it.

use super::Finding;
use crate::net;
use crate::settings::Gathered;

/// Whether anybody needs a token.
pub(super) fn findings(gathered: &Gathered, config: &net::Config) -> Vec<Finding> {
    let is_hooked = !gathered.values("hook-url").is_empty();
    vec![finding(
        config.live.access.is_controlled(),
        is_hooked,
        config.listen.ip().is_loopback(),
    )]
}

fn finding(is_controlled: bool, is_hooked: bool, is_local: bool) -> Finding {
    let what = "access";
    match (is_controlled, is_hooked) {
        (true, _) => Finding::ok(what, "takes a token"),
        (false, true) => Finding::ok(what, "is what the hooked application says"),
        (false, false) if is_local => Finding::ok(what, "is for this host alone"),
        (false, false) => {
            let text = "everybody who reaches this host may publish and play: give --tokens or \
                        --jwt-key";
            Finding::warning(what, text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn a_server_that_is_open_to_everybody_is_warned_of() {
        assert_eq!(finding(false, false, false).level, Level::Warning);
        assert_eq!(finding(false, false, true).level, Level::Ok);
        assert_eq!(finding(true, false, false).level, Level::Ok);
        assert_eq!(finding(false, true, false).level, Level::Ok);
    }
}
