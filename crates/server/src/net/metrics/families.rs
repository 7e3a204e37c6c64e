//! Every family of metrics, once: its type, its labels and what it means.

use std::fmt::Write as _;

/// What kind of numbers a family has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Counter,
    Gauge,
    Histogram,
}

impl Type {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Metrics of one name.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) kind: Type,
    /// The names of its labels.
    pub(super) labels: &'static [&'static str],
    pub(super) help: &'static str,
}

const fn counter(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Family {
    let kind = Type::Counter;
    Family {
        name,
        kind,
        labels,
        help,
    }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Family {
    let kind = Type::Gauge;
    Family {
        name,
        kind,
        labels,
        help,
    }
}

const fn histogram(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Family {
    let kind = Type::Histogram;
    Family {
        name,
        kind,
        labels,
        help,
    }
}

/// All of them, in the order in which they are told.
pub(super) const FAMILIES: &[Family] = &[
    gauge(
        "twoway_sessions",
        &[],
        "Established Web Call Server sessions, those that wait for their client to come back included",
    ),
    gauge("twoway_websockets", &[], "Open WebSockets"),
    gauge(
        "twoway_streams",
        &["kind", "signalling"],
        "Streams that are there, starting ones included: kind is publisher or player (a viewer), signalling websocket, whip or whep",
    ),
    counter(
        "twoway_streams_opened_total",
        &["kind"],
        "Offers that media was asked to answer",
    ),
    counter(
        "twoway_streams_ended_total",
        &["reason"],
        "Streams that ended: closed means by their client, with its session, or by the server's wish",
    ),
    histogram(
        "twoway_join_seconds",
        &["kind", "phase"],
        "How long each step of joining took, from the one before: answer (from the offer on), ice, dtls, and media, which is a publisher's first packet, and for a player the first packet of a keyframe sent to it",
    ),
    histogram(
        "twoway_snapshot_seconds",
        &[],
        "How long pictures took that were taken of streams",
    ),
    counter(
        "twoway_snapshots_failed_total",
        &[],
        "Pictures that could not be taken",
    ),
    counter(
        "twoway_media_received_packets_total",
        &[],
        "Packets of any kind that came to the media ports, over UDP and TCP",
    ),
    counter(
        "twoway_media_received_bytes_total",
        &[],
        "Bytes in them, without the headers of UDP and IP",
    ),
    counter(
        "twoway_media_sent_packets_total",
        &[],
        "Packets of any kind handed to the system at the media ports",
    ),
    counter("twoway_media_sent_bytes_total", &[], "Bytes in them"),
    counter(
        "twoway_rtp_received_packets_total",
        &["kind"],
        "RTP packets of publishers, each once: kind is audio or video",
    ),
    counter(
        "twoway_rtp_received_bytes_total",
        &["kind"],
        "Bytes of payload in them",
    ),
    counter(
        "twoway_rtp_forwarded_packets_total",
        &["kind"],
        "RTP packets passed on to viewers, one for each viewer, without what was sent again",
    ),
    counter(
        "twoway_rtp_forwarded_bytes_total",
        &["kind"],
        "Bytes of payload in them",
    ),
    counter(
        "twoway_video_received_frames_total",
        &[],
        "Video frames of publishers, those of each simulcast layer",
    ),
    counter(
        "twoway_video_received_keyframes_total",
        &[],
        "The keyframes among them",
    ),
    counter(
        "twoway_video_forwarded_frames_total",
        &[],
        "Video frames passed on to viewers, one for each viewer",
    ),
    counter(
        "twoway_publisher_missing_packets_total",
        &[],
        "Video packets of publishers that were not there when later ones came, and were asked for again",
    ),
    counter(
        "twoway_publisher_lost_packets_total",
        &[],
        "Those of them that never came",
    ),
    counter(
        "twoway_viewer_lost_packets_total",
        &[],
        "Packets that viewers report as lost",
    ),
    counter(
        "twoway_retransmissions_asked_total",
        &[],
        "Packets that viewers asked for again; viewers of simulcast streams are not counted here",
    ),
    counter(
        "twoway_retransmissions_sent_total",
        &[],
        "Packets that were sent again to them",
    ),
    counter(
        "twoway_retransmissions_unavailable_total",
        &[],
        "Packets that were asked for and not sent: unknown, no longer kept, or sent again a moment ago",
    ),
    counter(
        "twoway_keyframe_requests_received_total",
        &[],
        "Keyframes that viewers asked for (PLI, FIR)",
    ),
    counter(
        "twoway_keyframe_requests_sent_total",
        &[],
        "Keyframes that publishers were asked for (PLI), the wishes of all viewers being one",
    ),
    histogram(
        "twoway_round_trip_seconds",
        &["kind"],
        "Round trips to clients, as each of their reports tells it",
    ),
    counter(
        "twoway_kernel_dropped_packets_total",
        &[],
        "Packets that the system dropped at the media ports since a worker did not take them in time (Linux; told every 5 s)",
    ),
    gauge(
        "twoway_worker_up",
        &["worker"],
        "1 while a media worker works, 0 once it has ended or does not move",
    ),
    gauge(
        "twoway_worker_peers",
        &["worker"],
        "Publishers and viewers on a media worker",
    ),
    gauge(
        "twoway_worker_mailbox_messages",
        &["worker"],
        "Packets of other workers, and their wishes for keyframes, that wait for a media worker",
    ),
    counter(
        "twoway_worker_dropped_messages_total",
        &["worker"],
        "Those that were dropped since too many waited",
    ),
    gauge(
        "twoway_signalling_inbox_messages",
        &[],
        "Inputs of clients that wait for signalling; with 1024 of them, sockets are not read",
    ),
    gauge(
        "twoway_media_events_waiting",
        &[],
        "Events of media that wait for signalling",
    ),
    gauge(
        "twoway_send_queue_messages",
        &[],
        "Messages that wait to be sent to clients, all WebSockets together",
    ),
    gauge("twoway_send_queue_bytes", &[], "Bytes in them"),
    counter(
        "twoway_refusals_total",
        &["reason"],
        "What was refused or dropped",
    ),
    gauge(
        "twoway_draining",
        &[],
        "1 once the server takes nobody new, since it is about to stop",
    ),
    gauge("twoway_build_info", &["version"], "1, with the version"),
    gauge(
        "twoway_uptime_seconds",
        &[],
        "How long the server has been running",
    ),
    gauge(
        "process_start_time_seconds",
        &[],
        "When it started, since the Unix epoch",
    ),
    counter(
        "process_cpu_seconds_total",
        &[],
        "Processor time of the process, in it and in the system for it (Linux)",
    ),
    gauge(
        "process_resident_memory_bytes",
        &[],
        "Memory that the process occupies (Linux)",
    ),
    gauge(
        "process_virtual_memory_bytes",
        &[],
        "Memory that the process has addresses for (Linux)",
    ),
    gauge("process_threads", &[], "Threads of the process (Linux)"),
    gauge(
        "process_open_fds",
        &[],
        "Files that the process has open, sockets among them (Linux)",
    ),
    gauge(
        "process_max_fds",
        &[],
        "How many it may have open (Linux; ulimit -n)",
    ),
];

/// All of them as a table of a page for people.
#[must_use]
pub fn manual() -> String {
    let mut table =
        String::from("| metric | type | labels | what it is |\n| --- | --- | --- | --- |\n");
    for family in FAMILIES {
        let labels: Vec<_> = family.labels.iter().map(|l| format!("`{l}`")).collect();
        let (name, kind, help) = (family.name, family.kind.name(), family.help);
        let labels = labels.join(", ");
        // Writing to a String does not fail.
        let _ = writeln!(table, "| `{name}` | {kind} | {labels} | {help} |");
    }
    table
}
