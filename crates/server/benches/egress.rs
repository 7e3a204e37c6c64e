//! What a packet costs on its way from a publisher to its viewers.
//!
//! `cargo bench --package twoway-server --bench egress`

#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "a benchmark: a panic is a failed one"
)]

#[path = "../tests/media/client.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is shared with the tests")]
mod client;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use client::{Client, PayloadTypes, Video};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rustix::time::{ClockId, clock_gettime};
use str0m::format::Codec;
use str0m::media::Direction;
use twoway_server::media::Config;
use twoway_server::media::bench::Bench;

const TYPES: PayloadTypes = PayloadTypes {
    opus: 111,
    video: &[Video {
        codec: Codec::H264,
        pt: 102,
        rtx: 103,
    }],
};

/// 1.5 Mbit/s at 25 frames a second.
const PACKETS: usize = 6;
const BYTES: usize = 1_200;
const ONE: &[&str] = &[];
const TWO: &[&str] = &["a", "b"];
const HOUR: Duration = Duration::from_secs(3_600);
const FRAME: Duration = Duration::from_millis(40);

/// A worker with a publisher and viewers, and the clients.
struct Rig {
    bench: Bench,
    clients: Vec<Client>,
    now: Instant,
}

impl Rig {
    /// With a publisher of one layer, or of two, which viewers give transport-wide
    /// feedback for.
    fn new(viewers: usize, layers: &'static [&'static str], sockets: bool) -> Self {
        let config = Config {
            // Nobody ends, whatever clients do not do here.
            rtp_timeout: HOUR,
            ice_grace: HOUR,
            ..Config::default()
        };
        let address = SocketAddr::from(([127, 0, 0, 1], 5_000));
        let mut bench = Bench::new(config.clone(), address);
        if sockets {
            bench.use_sockets(&config);
        }
        let mut rig = Self {
            bench,
            clients: Vec::new(),
            now: Instant::now(),
        };
        rig.open(rig.client_address(0), Direction::SendOnly, layers);
        rig.run_for(Duration::from_secs(1));
        rig.frame(true);
        for index in 1..=viewers {
            rig.open(rig.client_address(index), Direction::RecvOnly, &[]);
            rig.run_for(Duration::from_millis(10));
        }
        rig.run_for(Duration::from_secs(1));
        assert!(rig.clients.iter().all(|client| client.connected));
        rig.frame(true);
        rig
    }

    fn client_address(&self, index: usize) -> SocketAddr {
        SocketAddr::from((
            [127, 0, 1 + (index >> 8) as u8, (index & 0xff) as u8],
            6_000,
        ))
    }

    fn open(&mut self, local: SocketAddr, direction: Direction, rids: &[&str]) {
        let (mut client, offer) = Client::offer(local, direction, TYPES, rids, self.now);
        let answer = if direction == Direction::SendOnly {
            self.bench.publish(offer, self.now)
        } else {
            self.bench.play(offer, self.now)
        };
        client.accept(&answer);
        self.clients.push(client);
    }

    /// Lets the clients keep their connections; media is not theirs.
    fn run_for(&mut self, span: Duration) {
        let until = self.now + span;
        while self.now < until {
            self.now += Duration::from_millis(5);
            self.exchange();
        }
    }

    fn exchange(&mut self) {
        let now = self.now;
        self.bench.handle_timeout(now);
        loop {
            for transmit in self.bench.take_transmits(now) {
                if (128..192).contains(&transmit.contents[0]) {
                    continue;
                }
                let mut clients = self.clients.iter_mut();
                let client = clients.find(|c| c.local == transmit.destination).unwrap();
                client.handle_datagram(transmit.source, &transmit.contents, now);
            }
            let mut came = false;
            for client in &mut self.clients {
                if client.deadline.is_some_and(|at| at <= now) {
                    client.handle_timeout(now);
                }
                for transmit in client.transmits.drain(..) {
                    came = true;
                    self.bench
                        .handle_datagram(client.local, &transmit.contents, now);
                }
            }
            if !came {
                return;
            }
        }
    }

    fn frame(&mut self, keyframe: bool) -> usize {
        self.bench.frame(PACKETS, BYTES, keyframe, self.now)
    }

    /// The processor time that so many frames take, without what else is due
    /// between them: on a busy machine it is what can be compared.
    fn measure(&mut self, frames: u64) -> Duration {
        let mut took = Duration::ZERO;
        for _ in 0..frames {
            let start = processor_time();
            let sent = self.frame(false);
            took += processor_time() - start;
            assert_eq!(sent, PACKETS * (self.clients.len() - 1));
            self.now += FRAME;
            self.exchange();
        }
        took
    }
}

/// That of this thread so far.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn fan_out(c: &mut Criterion) {
    for (name, layers, sockets) in [
        ("packets", ONE, false),
        ("feedback", TWO, false),
        ("sockets", ONE, true),
    ] {
        let mut group = c.benchmark_group(format!("fan-out/{name}"));
        group.sample_size(10);
        group.measurement_time(Duration::from_secs(2));
        group.warm_up_time(Duration::from_secs(1));
        for viewers in [1, 10, 100, 1_000] {
            let mut rig = Rig::new(viewers, layers, sockets);
            group.throughput(Throughput::Elements((viewers * PACKETS) as u64));
            group.bench_function(BenchmarkId::from_parameter(viewers), |b| {
                b.iter_custom(|frames| rig.measure(frames));
            });
        }
        group.finish();
    }
}

/// The memory of the process, in KiB.
fn memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let mut words = line.unwrap().split_whitespace();
    words.nth(1).unwrap().parse().unwrap()
}

/// What a viewer takes of memory: the clients are gone once they are connected.
fn memory(_: &mut Criterion) {
    for (name, layers) in [("one layer", ONE), ("feedback", TWO)] {
        let mut rig = Rig::new(50, layers, false);
        rig.clients.truncate(1);
        let before = memory_kib();
        const VIEWERS: usize = 500;
        for index in 0..VIEWERS {
            rig.open(rig.client_address(51 + index), Direction::RecvOnly, &[]);
            rig.run_for(Duration::from_millis(100));
            assert!(rig.clients[1].connected);
            rig.clients.truncate(1);
        }
        for _ in 0..100 {
            rig.frame(false);
            rig.now += FRAME;
        }
        let each = (memory_kib() - before) as f64 / VIEWERS as f64;
        println!("memory/{name}: {each:.0} KiB a viewer");
    }
}

criterion_group!(benches, memory, fan_out);
criterion_main!(benches);
