//! What a bench found, as it is written to JSON and told in `docs/PERFORMANCE.md`.
//!
//! Times are in microseconds or seconds as their names say, sizes in bytes, rates in
//! bits per second; processor time is of all threads of a process together.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Everything one call of the bench measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// When it began, UTC, as `2026-01-31 12:00`.
    pub began: String,
    /// The command that repeats it.
    pub command: String,
    /// Whether it was the short run, whose figures are rough.
    pub quick: bool,
    /// What it ran on.
    pub machine: Machine,
    /// The servers compared, ours first.
    pub servers: Vec<ServerInfo>,
    /// In the order they ran: servers take turns.
    pub runs: Vec<Run>,
    /// What was measured in a browser, where there was one.
    pub browser: Option<Browser>,
}

/// The machine, as the operating system describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Model of the processor.
    pub processor: String,
    /// Logical cores.
    pub cores: usize,
    /// Memory.
    pub memory_bytes: u64,
    /// Name and version of system and kernel.
    pub system: String,
}

/// A server under test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// What it is called in tables: `twoway`, `janus`, or as given.
    pub name: String,
    /// As it tells itself.
    pub version: Option<String>,
    /// Cores it was bound to; empty for all of them.
    pub cores: Vec<usize>,
}

/// One scenario, run once against one server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// [`ServerInfo::name`].
    pub server: String,
    /// How often this scenario has run against this server before.
    pub round: u32,
    /// What was done.
    pub scenario: Scenario,
    /// What came of it.
    pub outcome: Outcome,
}

/// What is done to a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Scenario {
    /// One stream, many viewers.
    FanOut {
        /// Viewers of the one stream.
        viewers: u32,
        /// What is sent.
        media: MediaShape,
    },
    /// Many streams with as many viewers each.
    Streams {
        /// Streams, each with a publisher of its own.
        streams: u32,
        /// Viewers of each; 0 for publishers alone.
        viewers_each: u32,
        /// What each sends.
        media: MediaShape,
    },
    /// Viewers join a stream that is on air.
    Join {
        /// How many within a second; 1 is one after the other.
        crowd: u32,
        /// What is sent.
        media: MediaShape,
    },
    /// Viewers come and go.
    Churn {
        /// At a time.
        viewers: u32,
        /// What is sent.
        media: MediaShape,
    },
}

/// The packets of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaShape {
    /// Of the video, without headers.
    pub bitrate_bps: u64,
    /// Frames a second.
    pub frame_rate: u32,
    /// Frames from one keyframe to the next, unless one is asked for.
    pub keyframe_interval: u32,
    /// How many times a usual frame's size a keyframe has.
    pub keyframe_factor: u32,
    /// Whether 50 packets of sound go beside it each second.
    pub audio: bool,
}

/// What came of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// Of [`Scenario::FanOut`] and [`Scenario::Streams`].
    Load(Load),
    /// Of [`Scenario::Join`].
    Join(Join),
    /// Of [`Scenario::Churn`].
    Churn(Churn),
    /// Of [`Scenario::FanOut`] and [`Scenario::Streams`]: the server took all viewers, but
    /// not all of them got a picture, so that there was nothing to measure.
    Unjoined(Unjoined),
    /// It could not be run or not be measured; a sentence says why.
    Failed(String),
}

/// Viewers that were to be there, and one that waited in vain for a picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unjoined {
    /// How many had a picture by then.
    pub joined: u32,
    /// How many were to be there.
    pub of: u32,
    /// How long it waited, seconds.
    pub patience: f64,
    /// How long server and generator were looked at until then.
    pub seconds: f64,
    /// The server.
    pub server: Option<ProcessUse>,
    /// The generator.
    pub generator: GeneratorUse,
}

impl fmt::Display for Unjoined {
    /// In a sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            joined,
            of,
            patience,
            ..
        } = self;
        write!(
            f,
            "{joined} of {of} viewers had a picture when the next one had waited {patience:.0} s \
             for a keyframe"
        )?;
        if let Some(server) = self.server {
            let of_a_core = server.cpu_seconds / self.seconds.max(f64::EPSILON) * 100.0;
            write!(f, ", the server using {of_a_core:.0} % of a core")?;
        }
        if self.generator.was_bottleneck() {
            f.write_str("; the load generator was busy itself")?;
        }
        Ok(())
    }
}

/// What viewers got over a span of time, and what it cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// How long was measured.
    pub seconds: f64,
    /// Viewers that got media.
    pub viewers: u32,
    /// What all viewers together received.
    pub received: Received,
    /// What publishers sent in that time.
    pub sent_packets: u64,
    /// From a packet's way into the publisher's socket to its way out of a viewer's.
    pub delay_us: Option<Quantiles>,
    /// The server.
    pub server: Option<ProcessUse>,
    /// The generator.
    pub generator: GeneratorUse,
}

/// Counts over all viewers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// RTP packets, each once.
    pub packets: u64,
    /// Their datagrams' bytes, without IP and UDP headers.
    pub bytes: u64,
    /// Never came.
    pub lost: u64,
    /// Came after one with a higher number.
    pub reordered: u64,
    /// Came once more.
    pub duplicates: u64,
    /// Were not what was sent.
    pub damaged: u64,
    /// Complete frames.
    pub frames: u64,
    /// Complete frames whose last packet took longer than [`LATE`](crate::results::LATE_US).
    pub late_frames: u64,
    /// Frames that were never complete.
    pub lost_frames: u64,
}

/// A frame is late if its last packet comes longer than this after the publisher has sent
/// it, server and viewer being on the same machine: one and a half frames at 30 a second.
pub const LATE_US: u64 = 50_000;

/// A distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// How many values.
    pub count: u64,
    /// Half are lower.
    pub median: f64,
    /// 95 of a hundred are lower.
    pub p95: f64,
    /// 99 of a hundred are lower.
    pub p99: f64,
    /// The highest.
    pub max: f64,
}

/// What a process used over the span, as the operating system says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessUse {
    /// User and system time, seconds.
    pub cpu_seconds: f64,
    /// The part of it in the kernel.
    pub system_seconds: f64,
    /// Resident before any client came.
    pub idle_bytes: u64,
    /// Resident at the end of the span.
    pub resident_bytes: u64,
    /// Voluntary and involuntary switches of all threads.
    pub context_switches: u64,
    /// Datagrams that the system dropped before its sockets could take them.
    pub dropped_datagrams: u64,
}

/// How loaded the generator itself was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GeneratorUse {
    /// User and system time, seconds.
    pub cpu_seconds: f64,
    /// The busiest thread's share of a core, 0 to 1.
    pub busiest_thread: f64,
    /// Datagrams that the system dropped before the generator could take them.
    pub dropped_datagrams: u64,
    /// The most that its own publishers were late with a packet.
    pub worst_lateness_us: u64,
}

/// From this share of a core on, 0 to 1, a thread of the generator is too busy to tell the
/// server's lateness from its own.
pub const BUSY: f64 = 0.85;

impl GeneratorUse {
    /// Whether the generator was the bottleneck, so that losses and delays may be its
    /// own and say nothing of the server.
    pub fn was_bottleneck(&self) -> bool {
        self.busiest_thread > BUSY || self.dropped_datagrams > 0 || self.worst_lateness_us > LATE_US
    }
}

impl Load {
    /// Every viewer got every frame in time.
    pub fn is_clean(&self) -> bool {
        let r = &self.received;
        r.frames > 0 && r.lost_frames == 0 && r.late_frames == 0 && r.lost == 0 && r.damaged == 0
    }
}

/// Joining, phase by phase: each from the viewer's wish on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Join {
    /// Viewers that saw a keyframe.
    pub joined: u32,
    /// Viewers that did not within the time for it.
    pub failed: u32,
    /// The answer was there.
    pub answered_us: Quantiles,
    /// ICE was connected.
    pub ice_us: Quantiles,
    /// DTLS was done.
    pub dtls_us: Quantiles,
    /// The first packet came.
    pub first_packet_us: Quantiles,
    /// The first keyframe was complete.
    pub keyframe_us: Quantiles,
    /// The server.
    pub server: Option<ProcessUse>,
    /// The generator.
    pub generator: GeneratorUse,
}

/// Coming and going.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Churn {
    /// How long.
    pub seconds: f64,
    /// Viewers that came and got media.
    pub visits: u64,
    /// Viewers that came and got none.
    pub failures: u64,
    /// Resident bytes of the server over time, seconds from the first viewer on; the
    /// last ones are after all viewers have gone.
    pub resident: Vec<(f64, u64)>,
    /// The server.
    pub server: Option<ProcessUse>,
    /// The generator.
    pub generator: GeneratorUse,
}

/// The page of this project in a browser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Browser {
    /// Name and version.
    pub version: String,
    /// From the press on Play to the first painted frame, milliseconds.
    pub join_ms: Quantiles,
    /// The same by phase: a name and milliseconds since Play was pressed.
    pub join_phases_ms: Vec<(String, Quantiles)>,
    /// From a frame's capture to its presentation, milliseconds.
    pub glass_to_glass_ms: Quantiles,
    /// The median of each span of it: seconds from the start and milliseconds.
    pub glass_to_glass_over_time: Vec<(f64, f64)>,
    /// Every file that a first visit loads: its name and compressed bytes.
    pub transfer: Vec<(String, u64)>,
    /// From navigation until the page can be used, milliseconds.
    pub interactive_ms: Quantiles,
    /// Memory of the page's JavaScript, its elements and its WebAssembly while it plays:
    /// seconds from the start and bytes.
    pub memory: Vec<(f64, u64)>,
}
