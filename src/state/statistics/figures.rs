//! Rates and shares out of two samples.

use super::Sample;
use super::sample::Inbound;

/// What two samples say of the time between them, and the counts since the
/// start. `None` is unknown.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figures {
    /// Width and height in pixels.
    pub resolution: Option<(u32, u32)>,
    /// Frames decoded a second.
    pub frame_rate: Option<f64>,
    /// Bits a second of video.
    pub bitrate_bps: Option<f64>,
    /// Bits a second of audio.
    pub audio_bitrate_bps: Option<f64>,
    /// Share of the picture's packets that were lost, 0 to 1.
    pub loss: Option<f64>,
    /// Variation of the packets' arrival.
    pub jitter_ms: Option<f64>,
    /// To the server and back.
    pub round_trip_ms: Option<f64>,
    /// A frame's time in the jitter buffer.
    pub buffer_ms: Option<f64>,
    /// A frame's time in the decoder.
    pub decode_ms: Option<f64>,
    /// How much earlier than its sound the picture is shown; negative is later.
    pub lip_sync_ms: Option<f64>,
    /// Share of the sound that was made up, 0 to 1.
    pub concealed: Option<f64>,
}

impl Figures {
    /// The figures of the time from `before` to `now`.
    pub fn between(before: Option<&Sample>, now: &Sample) -> Self {
        let nothing = Inbound::default();
        let (video, audio) = (&now.video, &now.audio);
        let video_before = before.map_or(&nothing, |sample| &sample.video);
        let audio_before = before.map_or(&nothing, |sample| &sample.audio);
        Self {
            resolution: video
                .width
                .zip(video.height)
                .map(|(width, height)| (width as u32, height as u32)),
            frame_rate: per_second(video, video_before, |track| track.frames_decoded)
                .or(video.frame_rate),
            bitrate_bps: bitrate(video, video_before),
            audio_bitrate_bps: bitrate(audio, audio_before),
            loss: loss(video, video_before),
            jitter_ms: video.jitter_ms,
            round_trip_ms: now.path.round_trip_ms,
            buffer_ms: per_frame(
                video,
                video_before,
                |track| track.buffer_ms,
                |track| track.buffer_emitted,
            ),
            decode_ms: per_frame(
                video,
                video_before,
                |track| track.decode_ms,
                |track| track.frames_decoded,
            ),
            lip_sync_ms: video
                .playout_ms
                .zip(audio.playout_ms)
                .map(|(video, audio)| video - audio),
            concealed: per_frame(
                audio,
                audio_before,
                |track| track.concealed,
                |track| track.samples,
            ),
        }
    }
}

/// A counter of a track.
type Counter = fn(&Inbound) -> Option<f64>;

fn bitrate(now: &Inbound, before: &Inbound) -> Option<f64> {
    Some(per_second(now, before, |track| track.bytes)? * 8.0)
}

fn per_second(now: &Inbound, before: &Inbound, counter: Counter) -> Option<f64> {
    let seconds = delta(now, before, |track| track.timestamp_ms)? / 1_000.0;
    (seconds > 0.0).then_some(delta(now, before, counter)? / seconds)
}

/// How much `sum` grew for each one that `count` grew.
fn per_frame(now: &Inbound, before: &Inbound, sum: Counter, count: Counter) -> Option<f64> {
    let frames = delta(now, before, count)?;
    (frames > 0.0).then_some(delta(now, before, sum)? / frames)
}

fn loss(now: &Inbound, before: &Inbound) -> Option<f64> {
    let came = delta(now, before, |track| track.packets)?;
    // Late packets take back what was counted as lost (RFC 3550, section 6.4.1).
    let lost = (now.packets_lost? - before.packets_lost?).max(0.0);
    let sent = came + lost;
    (sent > 0.0).then_some(lost / sent)
}

/// How much a counter grew; `None` if it is unknown or was set back.
fn delta(now: &Inbound, before: &Inbound, counter: Counter) -> Option<f64> {
    let grown = counter(now)? - counter(before)?;
    (grown >= 0.0).then_some(grown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: f64, scale: f64) -> Sample {
        Sample {
            video: Inbound {
                timestamp_ms: Some(second * 1_000.0),
                bytes: Some(100_000.0 * scale),
                packets: Some(90.0 * scale),
                packets_lost: Some(10.0 * scale),
                frames_decoded: Some(30.0 * scale),
                buffer_ms: Some(600.0 * scale),
                buffer_emitted: Some(30.0 * scale),
                decode_ms: Some(60.0 * scale),
                ..Inbound::default()
            },
            ..Sample::default()
        }
    }

    #[test]
    fn rates_are_of_the_time_between() {
        let figures = Figures::between(Some(&at(1.0, 1.0)), &at(2.0, 2.0));
        assert_eq!(figures.frame_rate, Some(30.0));
        assert_eq!(figures.bitrate_bps, Some(800_000.0));
        assert_eq!(figures.loss, Some(0.1));
        assert_eq!(figures.buffer_ms, Some(20.0));
        assert_eq!(figures.decode_ms, Some(2.0));
    }

    #[test]
    fn no_rate_without_time_or_after_a_reset() {
        for before in [None, Some(at(2.0, 1.0)), Some(at(1.0, 3.0))] {
            let figures = Figures::between(before.as_ref(), &at(2.0, 2.0));
            assert_eq!(figures.frame_rate, None, "{before:?}");
            assert_eq!(figures.bitrate_bps, None, "{before:?}");
        }
    }

    #[test]
    fn late_packets_are_no_negative_loss() {
        let mut now = at(2.0, 2.0);
        now.video.packets_lost = Some(4.0);
        let figures = Figures::between(Some(&at(1.0, 1.0)), &now);
        assert_eq!(figures.loss, Some(0.0));
    }

    #[test]
    fn lip_sync_is_picture_minus_sound() {
        let mut now = at(1.0, 1.0);
        now.video.playout_ms = Some(1_049.0);
        now.audio.playout_ms = Some(1_021.0);
        assert_eq!(Figures::between(None, &now).lip_sync_ms, Some(28.0));
        now.audio.playout_ms = None;
        assert_eq!(Figures::between(None, &now).lip_sync_ms, None);
    }
}
