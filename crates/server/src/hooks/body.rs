//! What requests say: one JSON object each, by the names that Web Call Server uses.

use serde_json::{Map, Value, json};
use wire::{Connection, MediaSessionId, PlayStream, PublishStream, StopStream, StreamName};

/// Every name that an application may have left out.
pub(super) const FIELDS: &[&str] = &[
    "appKey",
    "audioBitrate",
    "audioCodec",
    "audioState",
    "bitrate",
    "clientBrowserVersion",
    "clientOSVersion",
    "clientVersion",
    "createDate",
    "custom",
    "cvoExtension",
    "fps",
    "gop",
    "hasAudio",
    "hasVideo",
    "height",
    "info",
    "keepAlive",
    "maxBitrate",
    "mediaProvider",
    "mediaProviders",
    "mediaSessionId",
    "mediaType",
    "minBitrate",
    "name",
    "nodeId",
    "origin",
    "published",
    "quality",
    "record",
    "sdp",
    "sessionId",
    "status",
    "transport",
    "videoCodec",
    "videoState",
    "width",
];

/// What a request has not been granted yet.
const PENDING: &str = "PENDING";

/// A body on its way: members whose value is not known are not there.
#[derive(Debug, Default)]
pub(super) struct Body(pub(super) Map<String, Value>);

impl Body {
    pub(super) fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        debug_assert!(FIELDS.contains(&name), "{name} cannot be left out");
        self.0.insert(name.into(), value.into());
        self
    }

    fn maybe(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// Bitrates, quality and sizes: 0 is unset.
    fn number(self, name: &str, value: f64) -> Self {
        // Written as whole numbers where they are, as clients write them.
        let whole = value as i64;
        if whole as f64 == value {
            self.set(name, whole)
        } else {
            self.set(name, value)
        }
    }

    /// `custom`, with the token that the client shows if the application is to know it,
    /// and without one if not.
    fn custom(self, custom: Option<&Value>, token: Option<&str>) -> Self {
        let custom = match (custom.cloned(), token) {
            (Some(Value::Object(mut members)), token) => {
                members.remove("token");
                if let Some(token) = token {
                    members.insert("token".into(), token.into());
                }
                Some(Value::Object(members))
            }
            (None | Some(Value::Null), Some(token)) => Some(json!({ "token": token })),
            (other, _) => other,
        };
        self.maybe("custom", custom)
    }

    fn stream(self, id: Option<&MediaSessionId>, name: Option<&StreamName>) -> Self {
        self.maybe("mediaSessionId", id.map(MediaSessionId::as_str))
            .maybe("name", name.map(StreamName::as_str))
    }

    pub(super) fn connect(
        self,
        request: &Connection,
        origin: Option<&str>,
        token: Option<&str>,
    ) -> Self {
        self.set("mediaProviders", request.media_providers.as_slice())
            .set("clientVersion", request.client_version.as_str())
            .set("clientOSVersion", request.client_os_version.as_str())
            .set(
                "clientBrowserVersion",
                request.client_browser_version.as_str(),
            )
            .set("keepAlive", request.keep_alive == Some(true))
            .set("status", PENDING)
            .maybe("origin", origin)
            .custom(request.custom.as_ref(), token)
    }

    pub(super) fn publish(self, request: &PublishStream, token: Option<&str>) -> Self {
        self.stream(request.media_session_id.as_ref(), request.name.as_ref())
            .set("published", true)
            .set("hasVideo", request.has_video)
            .set("hasAudio", request.has_audio)
            .set("status", PENDING)
            .set("record", request.record)
            .set("mediaType", "publish")
            .set("mediaProvider", request.media_provider.as_str())
            .set("sdp", request.sdp.as_str())
            .number("bitrate", request.bitrate)
            .number("minBitrate", request.min_bitrate)
            .number("maxBitrate", request.max_bitrate)
            .maybe("transport", request.transport.as_deref())
            .maybe("cvoExtension", request.cvo_extension)
            .custom(request.custom.as_ref(), token)
    }

    pub(super) fn play(self, request: &PlayStream, token: Option<&str>) -> Self {
        self.stream(request.media_session_id.as_ref(), request.name.as_ref())
            .set("published", false)
            .set("hasVideo", request.has_video)
            .set("hasAudio", request.has_audio)
            .set("status", PENDING)
            .set("record", request.record)
            .set("mediaType", "play")
            .set("mediaProvider", request.media_provider.as_str())
            .set("sdp", request.sdp.as_str())
            .number("width", request.width)
            .number("height", request.height)
            .number("bitrate", request.bitrate)
            .number("minBitrate", request.min_bitrate)
            .number("maxBitrate", request.max_bitrate)
            .number("quality", request.quality)
            .maybe("transport", request.transport.as_deref())
            .maybe("cvoExtension", request.cvo_extension)
            .custom(request.custom.as_ref(), token)
    }

    pub(super) fn stop(self, request: &StopStream, published: bool) -> Self {
        self.stream(request.media_session_id.as_ref(), request.name.as_ref())
            .set("published", published)
            .set("hasVideo", request.has_video)
            .set("hasAudio", request.has_audio)
            .set("status", request.status.as_str())
            .set("mediaType", if published { "publish" } else { "play" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(custom: Option<Value>, token: Option<&str>, expected: Value) {
        let body = Body::default().custom(custom.as_ref(), token);
        assert_eq!(Value::Object(body.0), expected, "{custom:?} {token:?}");
    }

    #[test]
    fn a_token_is_in_custom_if_it_is_for_the_application() {
        let own = json!({ "token": "own", "room": 7 });
        check(
            Some(own.clone()),
            Some("own"),
            json!({ "custom": { "token": "own", "room": 7 } }),
        );
        check(Some(own), None, json!({ "custom": { "room": 7 } }));
        check(
            None,
            Some("bearer"),
            json!({ "custom": { "token": "bearer" } }),
        );
        check(None, None, json!({}));
        // What has no members has no room for one either.
        check(
            Some(json!("text")),
            Some("bearer"),
            json!({ "custom": "text" }),
        );
    }

    #[test]
    fn numbers_are_written_as_clients_write_them() {
        let body = Body::default()
            .number("bitrate", 500.0)
            .number("quality", 0.5);
        assert_eq!(
            Value::Object(body.0).to_string(),
            r#"{"bitrate":500,"quality":0.5}"#
        );
    }
}
