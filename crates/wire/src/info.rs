//! `STREAM_STATUS_INFO`: the reasons that go with a status, exact on the wire.

/// To the second publisher of a live name.
pub const STREAM_NAME_ALREADY_IN_USE: &str = "Stream name is already in use";
/// Play of a name nobody publishes.
pub const SESSION_DOES_NOT_EXIST: &str = "Session does not exist";
/// To players: the publisher stopped or its connection was lost.
pub const STOPPED_BY_PUBLISHER_STOP: &str = "Stopped by publisher stop";
/// Play while the publisher is still starting; the client may retry.
pub const PUBLISH_STREAM_IS_NOT_READY: &str = "Publish stream is not ready";
/// Name lookup failed.
pub const STREAM_NOT_FOUND: &str = "Stream not found";
/// The source session is not initialised or has already ended.
pub const SESSION_NOT_READY: &str = "Session not ready";
/// A request without an id.
pub const MEDIASESSION_ID_NULL: &str = "MediaSessionId is null";
/// The id is taken by another publish or play.
pub const MEDIASESSION_ID_ALREADY_IN_USE: &str = "MediaSessionId is already in use";
/// The media session could not be made: unparsable SDP, no port, bad configuration.
pub const FAILED_TO_ADD_STREAM_TO_PROXY: &str = "Failed to add stream to proxy";
/// No codec is shared by the two sides.
pub const NO_COMMON_CODECS: &str = "No common codecs";
/// The player cannot take the source as it is and there is no transcoding.
pub const TRANSCODING_REQUIRED_BUT_DISABLED: &str = "Transcoding required, but disabled";
/// General ICE failure.
pub const FAILED_BY_ICE_ERROR: &str = "Failed by ICE error";
/// ICE was not up in time.
pub const FAILED_BY_ICE_TIMEOUT: &str = "Failed by ICE timeout";
/// ICE consent was lost later on (RFC 7675).
pub const FAILED_BY_KEEP_ALIVE: &str = "Failed by ICE keep alive";
/// The certificate does not match the SDP.
pub const FAILED_BY_DTLS_FINGERPRINT_ERROR: &str = "Failed by DTLS fingerprint error";
/// The client's DTLS packets are absent or damaged.
pub const FAILED_BY_DTLS_ERROR: &str = "Failed by DTLS error";
/// No RTP within the activity timer.
pub const FAILED_BY_RTP_ACTIVITY: &str = "Failed by RTP activity";
/// Ended by the user's own request.
pub const STOPPED_BY_USER: &str = "Stopped by user";
/// The owner's session ended.
pub const STOPPED_BY_SESSION_DISCONNECT: &str = "Stopped by session disconnect";
/// An operator ended it over the REST API.
pub const STOPPED_BY_REST_TERMINATE: &str = "Stopped by rest /terminate";
/// An access list denies.
pub const RESTRICTED_ACCESS: &str = "Restricted access";
/// Unspecified.
pub const FAILED_BY_ERROR: &str = "Failed by error";
/// Unspecified.
pub const STREAM_FAILED: &str = "Stream failed";
/// Local, never on the wire: the browser refused the camera or microphone.
pub const LOCAL_ERROR: &str = "Local error";
