//! What a peer connection tells the connection doctor (WebRTC Statistics,
//! section 8).

use session::StreamRole;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{RtcPeerConnection, RtcPeerConnectionState, RtcSessionDescription};

use super::Probe;
use crate::state::{
    Candidate, CandidateKind, Evidence, Media, Pair, PairState, Progress, Transport, candidates,
};

/// Pairs told of; a connection with more candidates tells no more by them.
const MAX_PAIRS: usize = 100;

/// Asks a connection about itself. It must stay open until the answer: a closed
/// one has forgotten its candidates.
pub async fn evidence(probe: &Probe, role: StreamRole) -> Evidence {
    let connection = probe.connection();
    let report = Report::of(connection).await;
    let mut local = offered(connection.local_description());
    if local.is_empty() {
        local = report
            .of_type("local-candidate")
            .filter_map(candidate)
            .filter(|it| !it.only_calls())
            .collect();
    }
    Evidence {
        role,
        progress: progress(probe),
        local,
        remote: offered(connection.remote_description()),
        pairs: report.pairs(),
        media: report.media(role),
    }
}

/// Whether there is an answer, and it names no candidate: nothing can come of
/// that.
pub fn is_answered_without_candidates(probe: &Probe) -> bool {
    let answer = probe.connection().remote_description();
    answer.is_some() && offered(answer).is_empty()
}

/// Whether the browser has given the connection up.
pub fn is_failed(probe: &Probe) -> bool {
    probe.connection().connection_state() == RtcPeerConnectionState::Failed
}

fn progress(probe: &Probe) -> Progress {
    let milestones = probe.milestones();
    let state = probe.connection().connection_state();
    if milestones.dtls_ms.is_some() {
        if state == RtcPeerConnectionState::Connected {
            Progress::Connected
        } else {
            Progress::Lost
        }
    } else if milestones.ice_ms.is_some() {
        Progress::Securing
    } else {
        Progress::Searching
    }
}

fn offered(description: Option<RtcSessionDescription>) -> Vec<Candidate> {
    description.map_or_else(Vec::new, |it| candidates(&it.sdp()))
}

/// The records of `getStats()`.
struct Report(Vec<JsValue>);

impl Report {
    /// Empty where the browser tells nothing.
    async fn of(connection: &RtcPeerConnection) -> Self {
        let mut records = Vec::new();
        if let Ok(report) = JsFuture::from(connection.get_stats()).await {
            // An `RTCStatsReport` is like a map, with the methods of one.
            let report: js_sys::Map = report.unchecked_into();
            report.for_each(&mut |record, _id| records.push(record));
        }
        Self(records)
    }

    fn of_type(&self, kind: &'static str) -> impl Iterator<Item = &JsValue> {
        let is_kind = move |record: &&JsValue| text(record, "type").as_deref() == Some(kind);
        self.0.iter().filter(is_kind)
    }

    fn by_id(&self, id: &str) -> Option<&JsValue> {
        self.0
            .iter()
            .find(|record| text(record, "id").as_deref() == Some(id))
    }

    fn pairs(&self) -> Vec<Pair> {
        self.of_type("candidate-pair")
            .take(MAX_PAIRS)
            .filter_map(|record| self.pair(record))
            .collect()
    }

    fn pair(&self, record: &JsValue) -> Option<Pair> {
        let side = |name| candidate(self.by_id(&text(record, name)?)?);
        Some(Pair {
            local: side("localCandidateId")?,
            remote: side("remoteCandidateId")?,
            state: match text(record, "state")?.as_str() {
                "succeeded" => PairState::Succeeded,
                "failed" => PairState::Failed,
                "in-progress" => PairState::Trying,
                _ => PairState::Waiting,
            },
            requests: count(record, "requestsSent"),
            responses: count(record, "responsesReceived"),
        })
    }

    fn media(&self, role: StreamRole) -> Media {
        let (records, packets, frames) = match role {
            StreamRole::Publisher => ("outbound-rtp", "packetsSent", "framesEncoded"),
            StreamRole::Player => ("inbound-rtp", "packetsReceived", "framesDecoded"),
        };
        let mut media = Media::default();
        for record in self.of_type(records) {
            let packets = count(record, packets);
            media.packets += packets;
            if text(record, "kind").as_deref() == Some("video") {
                media.video_packets += packets;
                media.frames += count(record, frames);
                media.codec =
                    text(record, "codecId").and_then(|id| text(self.by_id(&id)?, "mimeType"));
            }
        }
        media
    }
}

fn candidate(record: &JsValue) -> Option<Candidate> {
    Some(Candidate {
        kind: CandidateKind::parse(&text(record, "candidateType")?)?,
        transport: Transport::parse(&text(record, "protocol")?)?,
        // Browsers hide it from pages that may not use the camera.
        address: text(record, "address").unwrap_or_default(),
        port: u16::try_from(count(record, "port")).ok()?,
    })
}

fn text(record: &JsValue, name: &str) -> Option<String> {
    js_sys::Reflect::get(record, &name.into()).ok()?.as_string()
}

/// A counter; zero where the browser has none.
fn count(record: &JsValue, name: &str) -> u64 {
    js_sys::Reflect::get(record, &name.into())
        .ok()
        .and_then(|value| value.as_f64())
        .map_or(0, |value| value as u64)
}
