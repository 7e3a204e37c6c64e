//! The status line: how the publication is doing, in the width of a terminal.

use std::time::Instant;

use twoway_publisher::{
    Event, MonitorStats, NetworkStats, PublisherEvent, SessionStatus, Stats, StreamStatus,
    VideoStats,
};

use super::units;

const SEPARATOR: &str = " | ";

/// What is not known.
const UNKNOWN: &str = "-";

/// Where the publication is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Connecting,
    /// The server is there, the stream not yet.
    Publishing,
    OnAir,
    /// Off air, to be tried again at this time.
    Waiting(Instant),
    /// Asked to stop.
    Stopping,
    Ended,
}

impl State {
    /// The state after `event` at `now`. Who stops does not go on air again.
    pub(crate) fn after(self, event: &PublisherEvent, now: Instant) -> Self {
        if matches!(self, Self::Stopping | Self::Ended) {
            return self;
        }
        match event {
            PublisherEvent::Signalling(event) => self.after_signalling(event),
            PublisherEvent::Reconnecting { wait, .. } => Self::Waiting(now + *wait),
            PublisherEvent::Notice(_) => self,
        }
    }

    fn after_signalling(self, event: &Event) -> Self {
        match event {
            Event::Session { status, .. } => match status {
                SessionStatus::Pending => Self::Connecting,
                SessionStatus::Connected | SessionStatus::Established => Self::Publishing,
                SessionStatus::Disconnected | SessionStatus::Failed => self,
            },
            Event::Stream(update) if update.status == StreamStatus::Publishing => Self::OnAir,
            Event::Stream(update) if update.status.is_terminal() => Self::Publishing,
            Event::Stream(_)
            | Event::StreamEvent { .. }
            | Event::Available { .. }
            | Event::Warning(_)
            | Event::AppData(_)
            | Event::VideoRate { .. } => self,
        }
    }

    fn text(self, stats: &Stats, now: Instant) -> String {
        let on_air = || units::clock(stats.on_air);
        match self {
            Self::Connecting => "connecting".to_owned(),
            Self::Publishing => "publishing".to_owned(),
            Self::OnAir => format!("on air {}", on_air()),
            Self::Waiting(at) if at > now => {
                format!("reconnecting in {}", units::seconds(at - now))
            }
            Self::Waiting(_) => "reconnecting".to_owned(),
            Self::Stopping => "stopping".to_owned(),
            Self::Ended => format!("ended {}", on_air()),
        }
    }

    /// A foreground colour's code (ECMA-48 section 8.3.117): green while on
    /// air, yellow while not.
    fn colour(self) -> Option<u8> {
        match self {
            Self::OnAir => Some(32),
            Self::Waiting(_) => Some(33),
            Self::Connecting | Self::Publishing | Self::Stopping | Self::Ended => None,
        }
    }
}

/// One line, cut to a width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StatusLine {
    text: String,
    /// The colour of the first so many bytes.
    colour: Option<(u8, usize)>,
}

impl StatusLine {
    /// What fits into `width` columns of how the publication is doing: numbers
    /// that do not fit are left out whole, the less important first.
    pub(crate) fn new(state: State, stats: &Stats, now: Instant, width: usize) -> Self {
        // Nothing here is beyond ASCII, so that bytes are columns.
        let mut text = state.text(stats, now);
        text.truncate(width);
        let colour = state.colour().map(|colour| (colour, text.len()));
        for part in parts(stats) {
            if text.len() + SEPARATOR.len() + part.len() > width {
                break;
            }
            text.push_str(SEPARATOR);
            text.push_str(&part);
        }
        Self { text, colour }
    }

    #[cfg(test)]
    pub(crate) fn plain(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            colour: None,
        }
    }

    /// How many columns it takes.
    pub(crate) fn columns(&self) -> usize {
        self.text.len()
    }

    /// As a terminal gets it.
    pub(crate) fn painted(&self, colour: bool) -> String {
        match self.colour.filter(|_| colour) {
            Some((code, length)) => {
                let (state, rest) = self.text.split_at(length);
                format!("\u{1b}[{code}m{state}\u{1b}[0m{rest}")
            }
            None => self.text.clone(),
        }
    }
}

/// The numbers, the most important first; none before there are any.
fn parts(stats: &Stats) -> Vec<String> {
    if *stats == Stats::default() {
        return Vec::new();
    }
    let mut parts = vec![units::bitrate(sent_bps(stats))];
    parts.extend(stats.video.as_ref().map(picture));
    parts.extend(stats.monitor.as_ref().map(monitor));
    parts.extend(network(&stats.network));
    parts.extend(
        stats
            .video
            .as_ref()
            .map(|v| format!("keyframes {}", v.keyframes)),
    );
    parts.push(format!("dropped {}", dropped(stats)));
    if stats.reconnects > 0 {
        parts.push(format!("reconnects {}", stats.reconnects));
    }
    parts
}

fn sent_bps(stats: &Stats) -> u64 {
    let video = stats.video.as_ref().map_or(0, |video| video.bitrate_bps);
    let audio = stats.audio.as_ref().map_or(0, |audio| audio.bitrate_bps);
    video + audio
}

fn picture(video: &VideoStats) -> String {
    let VideoStats {
        width,
        height,
        fps,
        codec,
        ..
    } = video;
    if *width == 0 {
        format!("{fps:.0} fps {codec}")
    } else {
        format!("{fps:.0} fps {width}x{height}")
    }
}

fn monitor(monitor: &MonitorStats) -> String {
    format!(
        "delay {} freezes {}",
        or_unknown(monitor.delay, units::span),
        monitor.freezes
    )
}

fn network(network: &NetworkStats) -> [String; 3] {
    [
        format!("rtt {}", or_unknown(network.round_trip, units::span)),
        format!("loss {}", or_unknown(network.loss, units::percent)),
        format!(
            "estimate {}",
            or_unknown(network.estimate_bps, units::bitrate)
        ),
    ]
}

/// What any of the queues dropped.
fn dropped(stats: &Stats) -> u64 {
    let video = stats.video.as_ref();
    let pictures = video.map_or(0, |video| {
        video.dropped_before_encoder + video.dropped_before_send
    });
    let sound = stats.audio.as_ref().map_or(0, |audio| audio.dropped);
    pictures + sound
}

fn or_unknown<T>(value: Option<T>, text: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), text)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::lines::testing::{session, stream};
    use super::*;
    use twoway_publisher::{AudioStats, Error};

    fn on_air() -> Stats {
        Stats {
            on_air: Duration::from_secs(754),
            reconnects: 0,
            video: Some(VideoStats {
                codec: "H264".to_owned(),
                width: 1280,
                height: 720,
                fps: 29.97,
                keyframes: 14,
                dropped_before_encoder: 1,
                dropped_before_send: 2,
                bitrate_bps: 1_920_000,
                ..VideoStats::default()
            }),
            audio: Some(AudioStats {
                bitrate_bps: 64_000,
                dropped: 4,
                ..AudioStats::default()
            }),
            network: NetworkStats {
                round_trip: Some(Duration::from_millis(12)),
                loss: Some(0.0),
                estimate_bps: Some(3_200_000),
                ..NetworkStats::default()
            },
            monitor: None,
        }
    }

    fn line(state: State, stats: &Stats, width: usize) -> String {
        StatusLine::new(state, stats, Instant::now(), width).painted(false)
    }

    #[test]
    fn it_tells_how_the_publication_is_doing() {
        let check = |stats: &Stats, expected: &str| {
            assert_eq!(line(State::OnAir, stats, 500), expected);
        };
        let mut stats = on_air();
        check(
            &stats,
            "on air 0:12:34 | 1.98 Mbit/s | 30 fps 1280x720 | rtt 12 ms | loss 0.0 % | \
             estimate 3.20 Mbit/s | keyframes 14 | dropped 7",
        );
        stats.monitor = Some(MonitorStats {
            delay: Some(Duration::from_millis(85)),
            freezes: 1,
            ..MonitorStats::default()
        });
        stats.reconnects = 2;
        check(
            &stats,
            "on air 0:12:34 | 1.98 Mbit/s | 30 fps 1280x720 | delay 85 ms freezes 1 | rtt 12 ms | \
             loss 0.0 % | estimate 3.20 Mbit/s | keyframes 14 | dropped 7 | reconnects 2",
        );
    }

    #[test]
    fn what_is_unknown_is_not_made_up() {
        let mut stats = on_air();
        stats.network = NetworkStats::default();
        stats.monitor = Some(MonitorStats::default());
        stats.audio = None;
        let video = stats.video.as_mut().unwrap();
        (video.width, video.height) = (0, 0);
        assert_eq!(
            line(State::OnAir, &stats, 500),
            "on air 0:12:34 | 1.92 Mbit/s | 30 fps H264 | delay - freezes 0 | rtt - | loss - | \
             estimate - | keyframes 14 | dropped 3"
        );
        stats.video = None;
        stats.monitor = None;
        assert_eq!(
            line(State::OnAir, &stats, 500),
            "on air 0:12:34 | 0 kbit/s | rtt - | loss - | estimate - | dropped 0"
        );
        let nothing = line(State::Connecting, &Stats::default(), 500);
        assert_eq!(nothing, "connecting");
    }

    #[test]
    fn it_fits_into_any_width() {
        let whole = line(State::OnAir, &on_air(), 500);
        for width in 0..=whole.len() + 1 {
            let line = line(State::OnAir, &on_air(), width);
            assert!(line.len() <= width, "{width}: {line}");
            assert!(whole.starts_with(&line), "{width}: {line}");
        }
        assert_eq!(
            line(State::OnAir, &on_air(), 30),
            "on air 0:12:34 | 1.98 Mbit/s"
        );
        assert_eq!(line(State::OnAir, &on_air(), 10), "on air 0:1");
    }

    #[test]
    fn only_the_state_is_coloured() {
        let painted = |state: State, width| {
            StatusLine::new(state, &on_air(), Instant::now(), width).painted(true)
        };
        assert_eq!(
            painted(State::OnAir, 28),
            "\u{1b}[32mon air 0:12:34\u{1b}[0m | 1.98 Mbit/s"
        );
        assert_eq!(painted(State::Connecting, 10), "connecting");
        let status = StatusLine::new(State::OnAir, &on_air(), Instant::now(), 28);
        assert_eq!(status.columns(), 28);
    }

    #[test]
    fn the_state_follows_the_events() {
        let now = Instant::now();
        let check = |state: State, event: &PublisherEvent, expected| {
            assert_eq!(state.after(event, now), expected, "{event:?}");
        };
        let (connecting, publishing) = (State::Connecting, State::Publishing);
        let connected = session(SessionStatus::Connected, None);
        check(connecting, &connected, publishing);
        check(publishing, &stream("PENDING", None, None), publishing);
        let on_air = stream("PUBLISHING", None, None);
        check(publishing, &on_air, State::OnAir);
        let failed = stream("FAILED", None, None);
        check(State::OnAir, &failed, publishing);
        check(
            publishing,
            &session(SessionStatus::Failed, None),
            publishing,
        );
        let wait = Duration::from_secs(3);
        let lost = PublisherEvent::Reconnecting {
            reason: Error::Connection("gone".to_owned()),
            attempt: 1,
            wait,
        };
        check(publishing, &lost, State::Waiting(now + wait));
        check(State::Waiting(now), &connected, publishing);
        check(
            State::OnAir,
            &PublisherEvent::Notice(String::new()),
            State::OnAir,
        );
        // Nothing of what the end brings hides that it was asked for.
        check(
            State::Stopping,
            &stream("UNPUBLISHED", None, None),
            State::Stopping,
        );
        check(State::Stopping, &on_air, State::Stopping);
    }

    #[test]
    fn waits_are_counted_down() {
        let now = Instant::now();
        let text = |wait| {
            let state = State::Waiting(now + Duration::from_millis(wait));
            StatusLine::new(state, &Stats::default(), now, 21).painted(false)
        };
        assert_eq!(text(2_240), "reconnecting in 2.2 s");
        assert_eq!(text(0), "reconnecting");
    }
}
