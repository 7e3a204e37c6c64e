//! Everything the panel knows, as JSON for a bug report. Never a token.

use serde_json::Value;

use super::{
    Delay, DelaySource, Figures, FirstFrame, Inbound, Overview, Path, Point, Record, Sample,
    SenderReport, Split,
};
use crate::platform::peer::Milestones;
use crate::state::json::Object;

/// Where a report comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// The server's address as typed; the report has it [`without_secrets`].
    pub server: String,
    /// What the browser calls itself.
    pub user_agent: String,
    /// When it is made, milliseconds since the Unix epoch.
    pub unix_ms: f64,
    /// What the guard said last; empty if nothing.
    pub guard: String,
}

/// The report as JSON text: what happened so far, then each of the last 60 seconds, oldest first.
pub fn bug_report(
    about: &About,
    milestones: Option<&Milestones>,
    first_frame: &FirstFrame,
    record: &Record,
) -> String {
    let overview = record.overview();
    let quality = overview.as_ref().and_then(|overview| overview.quality);
    let page = concat!("two-way-streaming ", env!("CARGO_PKG_VERSION"));
    let seconds: Vec<_> = record.points().map(|point| point_json(point)).collect();
    let report = Object::default()
        .with("page", page.into())
        .with("user_agent", about.user_agent.as_str().into())
        .with("server", without_secrets(&about.server).into())
        .with("unix_ms", about.unix_ms.into())
        .with("guard", about.guard.as_str().into())
        .with("milestones", milestones.map(milestones_json).into())
        .with("first_frame", first_frame_json(first_frame))
        .with("quality", quality.map(|quality| quality.text()).into())
        .with(
            "loss",
            overview.and_then(|Overview { loss, .. }| loss).into(),
        )
        .with("seconds", seconds.into())
        .build();
    format!("{report:#}")
}

fn milestones_json(milestones: &Milestones) -> Value {
    Object::default()
        .numbers(&[
            ("created_ms", Some(milestones.created_ms)),
            ("offered_ms", milestones.offered_ms),
            ("answered_ms", milestones.answered_ms),
            ("ice_ms", milestones.ice_ms),
            ("dtls_ms", milestones.dtls_ms),
            ("first_packet_ms", milestones.first_packet_ms),
        ])
        .build()
}

fn first_frame_json(steps: &FirstFrame) -> Value {
    Object::default()
        .numbers(&[
            ("signalling_ms", steps.signalling_ms),
            ("ice_ms", steps.ice_ms),
            ("dtls_ms", steps.dtls_ms),
            ("packet_ms", steps.packet_ms),
            ("keyframe_ms", steps.keyframe_ms),
            ("paint_ms", steps.paint_ms),
            ("total_ms", steps.total_ms),
        ])
        .build()
}

fn point_json(point: &Point) -> Value {
    Object::default()
        .with("delay", point.delay.map(delay_json).into())
        .with("strip_ms", point.strip_ms.into())
        .with("split", split_json(&point.split))
        .with("figures", figures_json(&point.figures))
        .with("sample", sample_json(&point.sample))
        .build()
}

fn delay_json(delay: Delay) -> Value {
    let source = match delay.source {
        DelaySource::CaptureClock => "CaptureClock",
        DelaySource::SenderReport => "SenderReport",
    };
    Object::default()
        .with("ms", delay.ms.into())
        .with("source", source.into())
        .build()
}

fn split_json(split: &Split) -> Value {
    Object::default()
        .numbers(&[
            ("upstream_ms", split.upstream_ms),
            ("network_ms", split.network_ms),
            ("buffer_ms", split.buffer_ms),
            ("decode_ms", split.decode_ms),
            ("display_ms", split.display_ms),
        ])
        .build()
}

fn figures_json(figures: &Figures) -> Value {
    let resolution = figures
        .resolution
        .map(|(width, height)| vec![width, height]);
    Object::default()
        .with("resolution", resolution.into())
        .numbers(&[
            ("frame_rate", figures.frame_rate),
            ("bitrate_bps", figures.bitrate_bps),
            ("audio_bitrate_bps", figures.audio_bitrate_bps),
            ("loss", figures.loss),
            ("jitter_ms", figures.jitter_ms),
            ("round_trip_ms", figures.round_trip_ms),
            ("buffer_ms", figures.buffer_ms),
            ("decode_ms", figures.decode_ms),
            ("lip_sync_ms", figures.lip_sync_ms),
            ("concealed", figures.concealed),
        ])
        .build()
}

fn sample_json(sample: &Sample) -> Value {
    Object::default()
        .with("at_ms", sample.at_ms.into())
        .with("video", inbound_json(&sample.video))
        .with("audio", inbound_json(&sample.audio))
        .with("video_sender", sender_json(sample.video_sender))
        .with("path", path_json(&sample.path))
        .build()
}

fn sender_json(report: SenderReport) -> Value {
    Object::default()
        .numbers(&[
            ("received_ms", report.received_ms),
            ("sent_ms", report.sent_ms),
        ])
        .build()
}

fn path_json(path: &Path) -> Value {
    Object::default()
        .with("round_trip_ms", path.round_trip_ms.into())
        .texts(&[
            ("candidate", path.candidate.as_deref()),
            ("protocol", path.protocol.as_deref()),
        ])
        .build()
}

fn inbound_json(track: &Inbound) -> Value {
    Object::default()
        .numbers(&[
            ("timestamp_ms", track.timestamp_ms),
            ("bytes", track.bytes),
            ("packets", track.packets),
            ("packets_lost", track.packets_lost),
            ("retransmitted", track.retransmitted),
            ("jitter_ms", track.jitter_ms),
            ("nacks", track.nacks),
            ("plis", track.plis),
            ("firs", track.firs),
            ("frames_received", track.frames_received),
            ("frames_decoded", track.frames_decoded),
            ("frames_dropped", track.frames_dropped),
            ("keyframes", track.keyframes),
            ("frame_rate", track.frame_rate),
            ("width", track.width),
            ("height", track.height),
            ("freezes", track.freezes),
            ("frozen_ms", track.frozen_ms),
            ("buffer_ms", track.buffer_ms),
            ("buffer_emitted", track.buffer_emitted),
            ("decode_ms", track.decode_ms),
            ("concealed", track.concealed),
            ("samples", track.samples),
            ("playout_ms", track.playout_ms),
        ])
        .texts(&[
            ("codec", track.codec.as_deref()),
            ("decoder", track.decoder.as_deref()),
        ])
        .build()
}

/// An address without what may be secret in it: user, password, query and
/// fragment (RFC 3986, section 3).
pub fn without_secrets(address: &str) -> String {
    let end = address.find(['?', '#']).unwrap_or(address.len());
    let address = &address[..end];
    let (scheme, rest) = address.find("://").map_or(("", address), |scheme| {
        let authority = scheme + 3;
        (&address[..authority], &address[authority..])
    });
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::super::{FrameTimes, Sample};
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_stay_out() {
        let check = |address, expected| assert_eq!(without_secrets(address), expected);
        check("ws://a.example:8080/ws", "ws://a.example:8080/ws");
        check("wss://a.example/x?token=y", "wss://a.example/x");
        check("wss://a.example/x#y", "wss://a.example/x");
        check("wss://me:pass@a.example/x", "wss://a.example/x");
        check("wss://me:p@ss@a.example?t=/@", "wss://a.example");
        check("https://a.example/user@home", "https://a.example/user@home");
        check("me@a.example", "a.example");
        check("me:pass@a.example/x@y", "a.example/x@y");
        check("?@://", "");
        check("", "");
    }

    #[test]
    fn golden() {
        let mut record = Record::default();
        let mut sample = Sample {
            at_ms: 1_500.0,
            ..Sample::default()
        };
        sample.video.width = Some(640.0);
        sample.video.height = Some(360.0);
        sample.video.codec = Some("video/VP8".to_owned());
        sample.path.round_trip_ms = Some(4.0);
        let frames = FrameTimes {
            delay_ms: Some(40.0),
            arrival_ms: Some(20.0),
            display_ms: Some(20.0),
            strip_ms: Some(41.0),
        };
        record.handle_sample(sample, &frames);
        let about = About {
            server: "wss://me:pass@a.example/ws?token=secret".to_owned(),
            user_agent: "Browser/1".to_owned(),
            unix_ms: 1_795_344_498_399.0,
            guard: "Caught up: was 2.3 s behind".to_owned(),
        };
        let milestones = Milestones {
            created_ms: 1_000.0,
            answered_ms: Some(1_020.0),
            ..Milestones::default()
        };
        let first_frame = FirstFrame::of(&milestones, None);
        let text = bug_report(&about, Some(&milestones), &first_frame, &record);
        assert!(!text.contains("secret") && !text.contains("pass"), "{text}");
        let report: Value = serde_json::from_str(&text).unwrap();
        let mut expected: Value = serde_json::from_str(include_str!("report_golden.json")).unwrap();
        expected["page"] = json!(concat!("two-way-streaming ", env!("CARGO_PKG_VERSION")));
        assert_eq!(report, expected, "{text}");
    }
}
