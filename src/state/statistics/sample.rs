//! One reading of `getStats()`, typed (W3C "Identifiers for WebRTC's
//! Statistics API").
//!
//! Browsers differ in what they tell, so every member may be missing, and what
//! is missing stays unknown.

use std::time::Duration;

use serde_json::Value;

/// From the NTP era, 1900, to the Unix epoch, in milliseconds (RFC 5905, section 6).
const NTP_TO_UNIX_MS: f64 = 2_208_988_800_000.0;

/// What a receiver counts of one track (`RTCInboundRtpStreamStats`). Counters
/// run from the track's start; durations are their sums.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inbound {
    /// When this was counted, milliseconds since the Unix epoch.
    pub timestamp_ms: Option<f64>,
    /// Payload bytes.
    pub bytes: Option<f64>,
    /// Packets that came.
    pub packets: Option<f64>,
    /// Packets that did not; may go down when late ones come.
    pub packets_lost: Option<f64>,
    /// Packets that came by a second sending.
    pub retransmitted: Option<f64>,
    /// RFC 3550, section 6.4.1.
    pub jitter_ms: Option<f64>,
    /// Requests to send packets again.
    pub nacks: Option<f64>,
    /// Requests for a keyframe (Picture Loss Indication).
    pub plis: Option<f64>,
    /// Requests for a keyframe (Full Intra Request).
    pub firs: Option<f64>,
    /// Frames complete.
    pub frames_received: Option<f64>,
    /// Frames decoded.
    pub frames_decoded: Option<f64>,
    /// Frames thrown away before they were shown.
    pub frames_dropped: Option<f64>,
    /// Keyframes decoded.
    pub keyframes: Option<f64>,
    /// Frames in the last second, as the browser counts them.
    pub frame_rate: Option<f64>,
    /// Width of the last frame in pixels.
    pub width: Option<f64>,
    /// Height of the last frame in pixels.
    pub height: Option<f64>,
    /// Pauses long enough to be seen.
    pub freezes: Option<f64>,
    /// How long they were together.
    pub frozen_ms: Option<f64>,
    /// Time spent in the jitter buffer, all frames (or audio samples) together.
    pub buffer_ms: Option<f64>,
    /// Frames (or audio samples) that left the jitter buffer.
    pub buffer_emitted: Option<f64>,
    /// Time spent decoding, all frames together.
    pub decode_ms: Option<f64>,
    /// Audio samples that were made up for missing ones.
    pub concealed: Option<f64>,
    /// Audio samples played.
    pub samples: Option<f64>,
    /// What is playing now, as its sender's clock was when it was captured:
    /// milliseconds since the Unix epoch.
    pub playout_ms: Option<f64>,
    /// Such as `video/H264`.
    pub codec: Option<String>,
    /// The decoder's name.
    pub decoder: Option<String>,
}

/// The sender's last report (`RTCRemoteOutboundRtpStreamStats`): the same
/// moment on two clocks, but for the way between them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SenderReport {
    /// When it came, milliseconds since the Unix epoch.
    pub received_ms: Option<f64>,
    /// When it left, on the sender's clock, milliseconds since the Unix epoch.
    pub sent_ms: Option<f64>,
}

/// The pair of candidates in use (`RTCIceCandidatePairStats`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Path {
    /// To the server and back, from the last connectivity check.
    pub round_trip_ms: Option<f64>,
    /// The own candidate's type, such as `host` or `relay`.
    pub candidate: Option<String>,
    /// `udp` or `tcp`.
    pub protocol: Option<String>,
}

/// Everything of one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sample {
    /// When it was read, on the page's clock (`performance.now()`).
    pub at_ms: f64,
    /// The picture.
    pub video: Inbound,
    /// The sound.
    pub audio: Inbound,
    /// The report on the picture.
    pub video_sender: SenderReport,
    /// The way to the server.
    pub path: Path,
}

impl Sample {
    /// Reads the entries of an `RTCStatsReport`, in any order; whatever is not
    /// as specified counts as missing.
    pub fn from_entries(at_ms: f64, entries: &[Value]) -> Self {
        let of_kind = |kind: &'static str, media: &'static str| {
            entries.iter().find(|entry| {
                text(entry, "type") == Some(kind)
                    && text(entry, "kind").or_else(|| text(entry, "mediaType")) == Some(media)
            })
        };
        let inbound = |media| {
            of_kind("inbound-rtp", media)
                .map(|entry| read_inbound(entry, entries))
                .unwrap_or_default()
        };
        Self {
            at_ms,
            video: inbound("video"),
            audio: inbound("audio"),
            video_sender: of_kind("remote-outbound-rtp", "video")
                .map(|entry| SenderReport {
                    received_ms: number(entry, "timestamp"),
                    sent_ms: number(entry, "remoteTimestamp"),
                })
                .unwrap_or_default(),
            path: pair_in_use(entries)
                .map(|pair| read_path(pair, entries))
                .unwrap_or_default(),
        }
    }

    /// Where the sender calls its sound younger than it is, by `lag`: with the time
    /// when it was really captured.
    #[must_use]
    pub fn with_sound_lag(mut self, lag: Duration) -> Self {
        let captured = &mut self.audio.playout_ms;
        *captured = captured.map(|ms| ms - lag.as_secs_f64() * 1_000.0);
        self
    }
}

fn read_inbound(entry: &Value, entries: &[Value]) -> Inbound {
    let count = |name| number(entry, name);
    let duration = |name| Some(number(entry, name)? * 1_000.0);
    Inbound {
        timestamp_ms: count("timestamp"),
        bytes: count("bytesReceived"),
        packets: count("packetsReceived"),
        packets_lost: count("packetsLost"),
        retransmitted: count("retransmittedPacketsReceived"),
        jitter_ms: duration("jitter"),
        nacks: count("nackCount"),
        plis: count("pliCount"),
        firs: count("firCount"),
        frames_received: count("framesReceived"),
        frames_decoded: count("framesDecoded"),
        frames_dropped: count("framesDropped"),
        keyframes: count("keyFramesDecoded"),
        frame_rate: count("framesPerSecond"),
        width: count("frameWidth"),
        height: count("frameHeight"),
        freezes: count("freezeCount"),
        frozen_ms: duration("totalFreezesDuration"),
        buffer_ms: duration("jitterBufferDelay"),
        buffer_emitted: count("jitterBufferEmittedCount"),
        decode_ms: duration("totalDecodeTime"),
        concealed: count("concealedSamples"),
        samples: count("totalSamplesReceived"),
        playout_ms: count("estimatedPlayoutTimestamp").map(|ntp| ntp - NTP_TO_UNIX_MS),
        codec: linked(entry, "codecId", entries)
            .and_then(|codec| text(codec, "mimeType"))
            .map(str::to_owned),
        decoder: text(entry, "decoderImplementation").map(str::to_owned),
    }
}

fn pair_in_use(entries: &[Value]) -> Option<&Value> {
    let named = entries
        .iter()
        .filter(|entry| text(entry, "type") == Some("transport"))
        .find_map(|transport| linked(transport, "selectedCandidatePairId", entries));
    // Firefox has no transport, but marks the pair.
    named.or_else(|| {
        entries.iter().find(|entry| {
            text(entry, "type") == Some("candidate-pair")
                && (entry["selected"] == true
                    || (entry["nominated"] == true && text(entry, "state") == Some("succeeded")))
        })
    })
}

fn read_path(pair: &Value, entries: &[Value]) -> Path {
    let local = linked(pair, "localCandidateId", entries);
    let of_local = |name| local.and_then(|local| text(local, name)).map(str::to_owned);
    Path {
        round_trip_ms: number(pair, "currentRoundTripTime").map(|seconds| seconds * 1_000.0),
        candidate: of_local("candidateType"),
        protocol: of_local("protocol"),
    }
}

/// The entry whose id `entry` names in its member `name`.
fn linked<'a>(entry: &Value, name: &str, entries: &'a [Value]) -> Option<&'a Value> {
    let id = text(entry, name)?;
    entries.iter().find(|other| text(other, "id") == Some(id))
}

fn number(entry: &Value, name: &str) -> Option<f64> {
    entry.get(name)?.as_f64()
}

fn text<'a>(entry: &'a Value, name: &str) -> Option<&'a str> {
    entry.get(name)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sample(entries: Value) -> Sample {
        Sample::from_entries(7.0, entries.as_array().unwrap())
    }

    #[test]
    fn what_chromium_tells() {
        let sample = sample(json!([
            {"type": "codec", "id": "C1", "mimeType": "video/H264"},
            {"type": "inbound-rtp", "id": "A", "kind": "audio", "jitter": 0.002,
             "estimatedPlayoutTimestamp": 4_004_333_298_321_u64},
            {"type": "inbound-rtp", "id": "V", "kind": "video", "codecId": "C1",
             "timestamp": 1_795_344_498_399.5, "bytesReceived": 519_550, "frameWidth": 1280,
             "frameHeight": 720, "jitterBufferDelay": 4.5, "jitterBufferEmittedCount": 422,
             "estimatedPlayoutTimestamp": 4_004_333_298_349_u64},
            {"type": "remote-outbound-rtp", "id": "R", "kind": "video",
             "timestamp": 1_795_344_498_397.5, "remoteTimestamp": 1_795_344_498_397.0},
            {"type": "candidate-pair", "id": "P0", "state": "succeeded", "nominated": true},
            {"type": "candidate-pair", "id": "P1", "currentRoundTripTime": 0.03,
             "localCandidateId": "L1"},
            {"type": "local-candidate", "id": "L1", "candidateType": "relay", "protocol": "tcp"},
            {"type": "transport", "id": "T", "selectedCandidatePairId": "P1"},
        ]));
        assert_eq!(sample.at_ms, 7.0);
        assert_eq!(sample.video.codec.as_deref(), Some("video/H264"));
        assert_eq!(sample.video.bytes, Some(519_550.0));
        assert_eq!(sample.video.buffer_ms, Some(4_500.0));
        assert_eq!(sample.video.playout_ms, Some(1_795_344_498_349.0));
        assert_eq!(sample.audio.jitter_ms, Some(2.0));
        assert_eq!(sample.audio.bytes, None);
        assert_eq!(sample.video_sender.sent_ms, Some(1_795_344_498_397.0));
        assert_eq!(sample.path.round_trip_ms, Some(30.0));
        assert_eq!(sample.path.candidate.as_deref(), Some("relay"));
        assert_eq!(sample.audio.playout_ms, Some(1_795_344_498_321.0));
        let lagging = sample.clone().with_sound_lag(Duration::from_millis(45));
        assert_eq!(lagging.audio.playout_ms, Some(1_795_344_498_276.0));
        assert_eq!(lagging.video, sample.video);
        assert_eq!(sample.path.protocol.as_deref(), Some("tcp"));
    }

    #[test]
    fn what_others_tell_otherwise() {
        let firefox = sample(json!([
            {"type": "candidate-pair", "id": "P0", "state": "failed"},
            {"type": "candidate-pair", "id": "P1", "selected": true, "currentRoundTripTime": 0.01},
            {"type": "inbound-rtp", "id": "V", "mediaType": "video", "framesDecoded": 9},
        ]));
        assert_eq!(firefox.path.round_trip_ms, Some(10.0));
        assert_eq!(firefox.video.frames_decoded, Some(9.0));
        let safari = sample(json!([
            {"type": "candidate-pair", "id": "P", "nominated": true, "state": "succeeded",
             "currentRoundTripTime": 0.02},
        ]));
        assert_eq!(safari.path.round_trip_ms, Some(20.0));
    }

    #[test]
    fn nonsense_is_missing() {
        let sample = sample(json!([
            null, 7, "x", [], {"type": 3},
            {"type": "inbound-rtp", "kind": "video", "bytesReceived": "many", "codecId": "none"},
        ]));
        assert_eq!(sample.video, Inbound::default());
        assert_eq!(sample.path, Path::default());
    }
}
