//! What is measured where media passes: numbers that one thread writes and others read.
//!
//! Each media worker has a block of them, [`Meters`]. It is the only one that writes
//! there, so a count is a load and a store: no lock, and no instruction that locks the
//! bus. Whoever reads sees every number whole, and some a little earlier than others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

macro_rules! measured {
    ($(#[$of:meta])* $name:ident: $($(#[$doc:meta])* $variant:ident => $family:literal $labels:literal,)*) => {
        $(#[$of])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// All of them, those of one family together.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its family among the metrics of Prometheus.
            pub const fn family(self) -> &'static str {
                match self { $(Self::$variant => $family,)* }
            }

            /// Its labels in that family, as they are written.
            pub const fn labels(self) -> &'static str {
                match self { $(Self::$variant => $labels,)* }
            }
        }
    };
}

measured! {
    /// What is counted.
    Meter:
    /// Datagrams, and packets over TCP, that came.
    PacketsIn => "twoway_media_received_packets_total" "",
    /// Their bytes.
    BytesIn => "twoway_media_received_bytes_total" "",
    /// Datagrams, and packets over TCP, that were handed to the system.
    PacketsOut => "twoway_media_sent_packets_total" "",
    /// Their bytes.
    BytesOut => "twoway_media_sent_bytes_total" "",
    /// Audio packets of publishers, without what came twice or too late.
    AudioIn => "twoway_rtp_received_packets_total" r#"kind="audio""#,
    /// Video packets of publishers.
    VideoIn => "twoway_rtp_received_packets_total" r#"kind="video""#,
    /// Bytes of payload in them.
    AudioBytesIn => "twoway_rtp_received_bytes_total" r#"kind="audio""#,
    /// Bytes of payload in them.
    VideoBytesIn => "twoway_rtp_received_bytes_total" r#"kind="video""#,
    /// Audio packets passed on, one for each viewer.
    AudioOut => "twoway_rtp_forwarded_packets_total" r#"kind="audio""#,
    /// Video packets passed on, one for each viewer.
    VideoOut => "twoway_rtp_forwarded_packets_total" r#"kind="video""#,
    /// Bytes of payload in them.
    AudioBytesOut => "twoway_rtp_forwarded_bytes_total" r#"kind="audio""#,
    /// Bytes of payload in them.
    VideoBytesOut => "twoway_rtp_forwarded_bytes_total" r#"kind="video""#,
    /// Video frames of publishers, those of each layer.
    FramesIn => "twoway_video_received_frames_total" "",
    /// The keyframes among them.
    KeyframesIn => "twoway_video_received_keyframes_total" "",
    /// Video frames passed on, one for each viewer.
    FramesOut => "twoway_video_forwarded_frames_total" "",
    /// Video packets of publishers whose numbers were left out when others came.
    Missing => "twoway_publisher_missing_packets_total" "",
    /// Those of them that never came.
    GivenUp => "twoway_publisher_lost_packets_total" "",
    /// Packets that viewers say they never got.
    ViewerLost => "twoway_viewer_lost_packets_total" "",
    /// Packets that viewers asked for again.
    AskedAgain => "twoway_retransmissions_asked_total" "",
    /// Packets that were sent again.
    SentAgain => "twoway_retransmissions_sent_total" "",
    /// Packets that could not be: no longer kept, or on their way already.
    NotKept => "twoway_retransmissions_unavailable_total" "",
    /// Keyframes that viewers asked for (PLI, FIR).
    KeyframesWanted => "twoway_keyframe_requests_received_total" "",
    /// Keyframes that publishers were asked for (PLI).
    KeyframesAsked => "twoway_keyframe_requests_sent_total" "",
}

measured! {
    /// What is timed.
    Time:
    /// From a publisher's answer to ICE.
    PublisherIce => "twoway_join_seconds" r#"kind="publisher",phase="ice""#,
    /// From there to DTLS.
    PublisherDtls => "twoway_join_seconds" r#"kind="publisher",phase="dtls""#,
    /// From there to its first packet.
    PublisherMedia => "twoway_join_seconds" r#"kind="publisher",phase="media""#,
    /// From a viewer's answer to ICE.
    ViewerIce => "twoway_join_seconds" r#"kind="player",phase="ice""#,
    /// From there to DTLS.
    ViewerDtls => "twoway_join_seconds" r#"kind="player",phase="dtls""#,
    /// From there to the first packet of a keyframe for it; of sound, if that is all.
    ViewerMedia => "twoway_join_seconds" r#"kind="player",phase="media""#,
    /// A packet's way to a publisher and back, as its reports tell it.
    PublisherRoundTrip => "twoway_round_trip_seconds" r#"kind="publisher""#,
    /// The same of a viewer.
    ViewerRoundTrip => "twoway_round_trip_seconds" r#"kind="player""#,
}

/// A worker that has not turned for so long does nothing any more.
pub const STUCK_AFTER: Duration = Duration::from_secs(5);

/// How often a worker turns that has nothing to do.
pub const TURN: Duration = Duration::from_secs(1);

/// How a media worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It works.
    Works,
    /// It takes far too long over something.
    Stuck,
    /// It has ended.
    Over,
}

/// What waits for a worker, which others put there.
#[derive(Debug, Default)]
pub struct Queue {
    /// Messages that may be dropped and have not been taken.
    pub(crate) waiting: AtomicUsize,
    /// Those that were dropped.
    pub(crate) dropped: AtomicU64,
}

/// The numbers of one media worker.
#[derive(Debug)]
pub struct Meters {
    counts: [AtomicU64; Meter::ALL.len()],
    times: [Histogram; Time::ALL.len()],
    peers: AtomicUsize,
    start: Instant,
    /// When it last turned, in milliseconds since the start.
    turned: AtomicU64,
    over: AtomicBool,
    queue: Arc<Queue>,
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
            times: std::array::from_fn(|_| Histogram::default()),
            peers: AtomicUsize::new(0),
            start: Instant::now(),
            turned: AtomicU64::new(0),
            over: AtomicBool::new(false),
            queue: Arc::default(),
        }
    }
}

impl Meters {
    /// Of a worker for which `queue` waits.
    pub(crate) fn new(queue: Arc<Queue>) -> Self {
        Self {
            queue,
            ..Self::default()
        }
    }

    /// Counts so many more. For the worker's own thread.
    pub(crate) fn add(&self, meter: Meter, more: u64) {
        add(&self.counts[meter as usize], more);
    }

    /// Takes note of how long something took. For the worker's own thread.
    pub(crate) fn took(&self, time: Time, took: Duration) {
        self.times[time as usize].note(took);
    }

    /// It has this many peers, and has turned. For the worker's own thread.
    pub(crate) fn turn(&self, peers: usize, now: Instant) {
        self.peers.store(peers, Ordering::Relaxed);
        let at = now.saturating_duration_since(self.start).as_millis() as u64;
        self.turned.store(at, Ordering::Relaxed);
    }

    /// It has ended.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// How often that was counted.
    pub fn count(&self, meter: Meter) -> u64 {
        self.counts[meter as usize].load(Ordering::Relaxed)
    }

    /// How long that took.
    pub fn times(&self, time: Time) -> Times {
        self.times[time as usize].read()
    }

    /// Publishers and viewers that are there.
    pub fn peers(&self) -> usize {
        self.peers.load(Ordering::Relaxed)
    }

    /// Packets and wishes of other workers that wait.
    pub fn waiting(&self) -> usize {
        self.queue.waiting.load(Ordering::Relaxed)
    }

    /// Those that were dropped, since too many waited.
    pub fn dropped(&self) -> u64 {
        self.queue.dropped.load(Ordering::Relaxed)
    }

    /// How the worker is.
    pub fn condition(&self, now: Instant) -> Condition {
        if self.over.load(Ordering::Relaxed) {
            return Condition::Over;
        }
        let turned = Duration::from_millis(self.turned.load(Ordering::Relaxed));
        let age = now.saturating_duration_since(self.start + turned);
        if age > STUCK_AFTER {
            Condition::Stuck
        } else {
            Condition::Works
        }
    }
}

/// What only one thread at a time writes, so nothing gets between load and store.
fn add(count: &AtomicU64, more: u64) {
    let sum = count.load(Ordering::Relaxed).wrapping_add(more);
    count.store(sum, Ordering::Relaxed);
}

/// The upper bounds of a histogram's buckets, in microseconds; one more has the rest.
pub const BOUNDS_MICROS: [u64; 13] = [
    1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000,
    5_000_000, 10_000_000,
];

const BUCKETS: usize = BOUNDS_MICROS.len() + 1;

/// How often something took how long; written by one thread at a time.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    micros: AtomicU64,
}

impl Histogram {
    pub(crate) fn note(&self, took: Duration) {
        let micros = took.as_micros() as u64;
        let place = BOUNDS_MICROS.partition_point(|bound| *bound < micros);
        add(&self.buckets[place], 1);
        add(&self.micros, micros);
    }

    /// What it holds now.
    pub fn read(&self) -> Times {
        Times {
            buckets: std::array::from_fn(|place| self.buckets[place].load(Ordering::Relaxed)),
            micros: self.micros.load(Ordering::Relaxed),
        }
    }
}

/// What a histogram held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// How often it took more than one bound and no more than the next.
    pub buckets: [u64; BUCKETS],
    /// All of it together.
    pub micros: u64,
}

impl Times {
    /// Together with others.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            buckets: std::array::from_fn(|place| self.buckets[place] + other.buckets[place]),
            micros: self.micros + other.micros,
        }
    }

    /// How often in all.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_does_not_turn_is_stuck() {
        let meters = Meters::default();
        let start = meters.start;
        let second = Duration::from_secs(1);
        assert_eq!(meters.condition(start + STUCK_AFTER), Condition::Works);
        let late = start + STUCK_AFTER + second;
        assert_eq!(meters.condition(late), Condition::Stuck);
        meters.turn(7, late);
        assert_eq!(meters.condition(late), Condition::Works);
        assert_eq!(meters.peers(), 7);
        meters.end();
        assert_eq!(meters.condition(late), Condition::Over);
    }

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let histogram = Histogram::default();
        for micros in [0, 1_000, 1_001, 10_000_000, 10_000_001] {
            histogram.note(Duration::from_micros(micros));
        }
        let times = histogram.read();
        assert_eq!(times.buckets[..3], [2, 1, 0]);
        assert_eq!(times.buckets[BUCKETS - 2..], [1, 1]);
        assert_eq!((times.count(), times.micros), (5, 20_002_002));
        assert_eq!(times.with(times).count(), 10);
    }

    #[test]
    fn counts_are_of_their_own_meter() {
        let meters = Meters::default();
        for (number, meter) in (1..).zip(Meter::ALL) {
            meters.add(*meter, number);
        }
        for (number, meter) in (1..).zip(Meter::ALL) {
            assert_eq!(meters.count(*meter), number);
        }
    }
}
