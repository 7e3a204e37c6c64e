//! What a client asks of a stream beside its offer, and what of that is
//! repeated in the stream's statuses.

use serde_json::Value;
use wire::{PlayStream, PublishStream};

use super::Refusal;
use super::backend::{PlayoutDelay, Transport, Wishes};

/// Members of a request that its stream's statuses repeat: mobile clients
/// replace their whole stream object by each status.
#[derive(Debug, Default)]
pub(super) struct Echo {
    pub(super) custom: Option<Value>,
    pub(super) transport: Option<String>,
    pub(super) cvo_extension: Option<bool>,
    /// kbit/s; 0 is unset.
    pub(super) bitrate: f64,
    /// kbit/s; 0 is unset.
    pub(super) min_bitrate: f64,
    /// kbit/s; 0 is unset.
    pub(super) max_bitrate: f64,
    /// 0 to 100; 0 is unset.
    pub(super) quality: f64,
}

impl Echo {
    pub(super) fn of_publish(request: &mut PublishStream) -> Self {
        hide_token(&mut request.custom);
        Self {
            custom: request.custom.take(),
            transport: known_transport(request.transport.take()),
            cvo_extension: request.cvo_extension,
            bitrate: request.bitrate,
            min_bitrate: request.min_bitrate,
            max_bitrate: request.max_bitrate,
            quality: 0.0,
        }
    }

    pub(super) fn of_play(request: &mut PlayStream) -> Self {
        hide_token(&mut request.custom);
        Self {
            custom: request.custom.take(),
            transport: known_transport(request.transport.take()),
            cvo_extension: request.cvo_extension,
            bitrate: request.bitrate,
            min_bitrate: request.min_bitrate,
            max_bitrate: request.max_bitrate,
            quality: request.quality,
        }
    }

    /// What the media backend is asked for, but for a playout delay.
    pub(super) fn wishes(&self) -> Wishes {
        let transport = match self.transport.as_deref() {
            Some("UDP") => Transport::Udp,
            Some("TCP") => Transport::Tcp,
            Some(_) | None => Transport::Any,
        };
        Wishes {
            transport,
            playout_delay: None,
        }
    }

    /// The playout delay that a player asks for, if it does; a publisher's
    /// `custom` is its own business.
    ///
    /// # Errors
    /// `custom.playoutDelay` is none.
    pub(super) fn playout_delay(&self) -> Result<Option<PlayoutDelay>, Refusal> {
        let custom = self.custom.as_ref();
        let asked = custom.and_then(|custom| custom.get("playoutDelay"));
        let asked = asked.filter(|delay| !delay.is_null());
        let delay = asked.map(|delay| playout_delay(delay).ok_or(Refusal::PlayoutDelay));
        delay.transpose()
    }
}

/// Takes the access token out of application data, which is repeated.
pub(super) fn hide_token(custom: &mut Option<Value>) {
    if let Some(Value::Object(members)) = custom {
        members.remove("token");
    }
}

/// `UDP` or `TCP`, however it is written; anything else is taken as unset, as
/// clients leave it to the server most of the time.
fn known_transport(asked: Option<String>) -> Option<String> {
    let asked = asked?.trim().to_ascii_uppercase();
    matches!(asked.as_str(), "UDP" | "TCP").then_some(asked)
}

/// `{min, max}`, whole milliseconds.
fn playout_delay(asked: &Value) -> Option<PlayoutDelay> {
    PlayoutDelay::from_millis(asked.get("min")?.as_u64()?, asked.get("max")?.as_u64()?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check_transport(asked: Option<&str>, expected: Transport) {
        let mut request = PlayStream {
            transport: asked.map(Into::into),
            ..PlayStream::default()
        };
        let wishes = Echo::of_play(&mut request).wishes();
        assert_eq!(wishes.transport, expected, "{asked:?}");
    }

    #[test]
    fn a_transport_is_read_however_it_is_written() {
        check_transport(Some("UDP"), Transport::Udp);
        check_transport(Some("tcp"), Transport::Tcp);
        check_transport(Some(" Tcp "), Transport::Tcp);
        for unset in [Some(""), Some("SCTP"), Some("TCP,UDP"), None] {
            check_transport(unset, Transport::Any);
        }
    }

    #[track_caller]
    fn check_delay(custom: Value, expected: Option<Option<(u64, u64)>>) {
        let echo = Echo {
            custom: Some(custom.clone()),
            ..Echo::default()
        };
        let found = echo.playout_delay().ok();
        let millis = Duration::from_millis;
        let delay = |(min, max)| PlayoutDelay {
            min: millis(min),
            max: millis(max),
        };
        assert_eq!(found, expected.map(|some| some.map(delay)), "{custom}");
    }

    #[test]
    fn a_playout_delay_is_two_milliseconds_in_order() {
        let asked = |delay: Value| json!({ "playoutDelay": delay });
        check_delay(asked(json!({"min": 0, "max": 0})), Some(Some((0, 0))));
        check_delay(
            asked(json!({"min": 100, "max": 40_950})),
            Some(Some((100, 40_950))),
        );
        for none in [
            json!({"min": 100, "max": 99}),
            json!({"min": 0, "max": 40_951}),
            json!({"min": -10, "max": 10}),
            json!({"min": 0.5, "max": 10}),
            json!({"min": "0", "max": "10"}),
            json!({"max": 10}),
            json!({}),
            json!(10),
        ] {
            check_delay(asked(none), None);
        }
        for unset in [asked(Value::Null), json!({"token": "t"}), json!("text")] {
            check_delay(unset, Some(None));
        }
    }
}
