//! The statistics of the played stream.

use yew::{AttrValue, Callback, Html, MouseEvent, html};

use super::graph::graph;
use super::stacked_bar::stacked_bar;
use crate::state::statistics::{
    DelaySource, Figures, FirstFrame, Overview, Point, Sample, bitrate, decimal, millis, percent,
};

/// What the panel is given.
pub struct StatisticsPanel<'a> {
    /// What the stream does; `None` before the first sample.
    pub overview: Option<Overview>,
    /// How long its first picture took.
    pub first_frame: FirstFrame,
    /// What became of the last copying; empty if nothing yet.
    pub copied: &'a AttrValue,
    /// Told of a press on "Copy".
    pub on_copy: Callback<MouseEvent>,
}

/// Figures, where the delay and the first picture's time went, and graphs.
pub fn statistics_panel(props: &StatisticsPanel) -> Html {
    html! {
        <section id="statsPanel" class="statistics" aria-label="Statistics of the played stream">
            if let Some(overview) = &props.overview {
                { headline(overview, &props.first_frame) }
                { shares(overview, &props.first_frame) }
                <div class="graphs">
                    { for overview.plots.iter().map(graph) }
                </div>
                { facts(overview) }
            } else {
                <p class="text-muted">{"Figures appear here while a stream plays."}</p>
            }
            { copy(props) }
        </section>
    }
}

fn headline(overview: &Overview, first_frame: &FirstFrame) -> Html {
    let point = &overview.latest;
    let quality = overview.quality.map(|quality| quality.text().to_owned());
    let delay_name = match point.delay.map(|delay| delay.source) {
        Some(DelaySource::SenderReport) => "Delay (estimated)",
        Some(DelaySource::CaptureClock) | None => "Delay",
    };
    html! {
        <dl class="tiles">
            { fact("statDelay", delay_name, point.delay.map(|delay| millis(delay.ms))) }
            { fact("statStripDelay", "By the picture's strip", point.strip_ms.map(millis)) }
            { fact("statFirstFrame", "First picture after", first_frame.total_ms.map(millis)) }
            { fact("statQuality", "Quality", quality) }
        </dl>
    }
}

fn shares(overview: &Overview, first_frame: &FirstFrame) -> Html {
    html! {
        <div class="shares">
            <h3>{"Where the delay goes"}</h3>
            { stacked_bar("Parts of the delay", &overview.latest.split.parts()) }
            <h3>{"Where the time to the first picture went"}</h3>
            { stacked_bar("Parts of the time to the first picture", &first_frame.parts()) }
        </div>
    }
}

fn facts(overview: &Overview) -> Html {
    let Point {
        figures, sample, ..
    } = &*overview.latest;
    let video = &sample.video;
    let resolution = figures.resolution;
    html! {
        <dl class="facts">
            { fact("statResolution", "Resolution", resolution.map(|(w, h)| format!("{w} × {h}"))) }
            { fact("statFrameRate", "Frames a second", figures.frame_rate.map(decimal)) }
            { fact("statCodec", "Codec", codec(sample)) }
            { fact("statBitrate", "Video bitrate", figures.bitrate_bps.map(bitrate)) }
            { fact("statAudioBitrate", "Audio bitrate", figures.audio_bitrate_bps.map(bitrate)) }
            { fact("statRoundTrip", "Round trip", figures.round_trip_ms.map(millis)) }
            { fact("statJitter", "Jitter", figures.jitter_ms.map(millis)) }
            { fact("statLoss", "Lost in the last minute", overview.loss.map(percent)) }
            { fact("statRetransmitted", "Packets sent again", video.retransmitted.map(count)) }
            { fact("statRequests", "NACK, PLI, FIR", requests(sample)) }
            { fact("statBuffer", "Jitter buffer", figures.buffer_ms.map(millis)) }
            { fact("statDropped", "Dropped frames", video.frames_dropped.map(count)) }
            { fact("statFreezes", "Freezes", freezes(sample)) }
            { fact("statLipSync", "Lip sync", lip_sync(figures)) }
            { fact("statConcealed", "Concealed sound", figures.concealed.map(percent)) }
            { fact("statPath", "Path", path(sample)) }
        </dl>
    }
}

fn copy(props: &StatisticsPanel) -> Html {
    html! {
        <div class="copy">
            <button
                id="copyStatsBtn"
                type="button"
                class="button"
                disabled={props.overview.is_none()}
                onclick={&props.on_copy}
            >
                {"Copy as JSON"}
            </button>
            <span id="copyStatsResult" role="status">{ props.copied }</span>
        </div>
    }
}

fn fact(id: &'static str, name: &'static str, value: Option<String>) -> Html {
    html! {
        <div>
            <dt>{ name }</dt>
            if let Some(value) = value {
                <dd {id}>{ value }</dd>
            } else {
                <dd {id} class="unknown">{"unknown"}</dd>
            }
        </div>
    }
}

fn count(value: f64) -> String {
    (value as u64).to_string()
}

/// Such as `H264 (FFmpeg)`.
fn codec(sample: &Sample) -> Option<String> {
    let codec = sample.video.codec.as_deref()?;
    let name = codec.strip_prefix("video/").unwrap_or(codec);
    Some(match &sample.video.decoder {
        Some(decoder) => format!("{name} ({decoder})"),
        None => name.to_owned(),
    })
}

fn requests(sample: &Sample) -> Option<String> {
    let video = &sample.video;
    let one = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), count);
    video.nacks.or(video.plis).map(|_| {
        format!(
            "{}, {}, {}",
            one(video.nacks),
            one(video.plis),
            one(video.firs)
        )
    })
}

fn freezes(sample: &Sample) -> Option<String> {
    let freezes = count(sample.video.freezes?);
    let frozen_ms = sample.video.frozen_ms?;
    Some(format!("{freezes} ({} s)", decimal(frozen_ms / 1_000.0)))
}

fn lip_sync(figures: &Figures) -> Option<String> {
    let ms = figures.lip_sync_ms?.round();
    Some(if ms == 0.0 {
        "in sync".to_owned()
    } else {
        let side = if ms > 0.0 { "ahead" } else { "behind" };
        format!("picture {} {side}", millis(ms.abs()))
    })
}

/// Such as `udp, host`.
fn path(sample: &Sample) -> Option<String> {
    let path = &sample.path;
    let protocol = path.protocol.clone()?;
    Some(match &path.candidate {
        Some(candidate) => format!("{protocol}, {candidate}"),
        None => protocol,
    })
}
