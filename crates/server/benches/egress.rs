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
#[path = "../tests/media/rig.rs"]
#[allow(unreachable_pub, reason = "it is shared with the tests")]
mod rig;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rig::{FRAME, ONE, PACKETS, Rig, TWO};
use rustix::time::{ClockId, clock_gettime};
use str0m::media::Direction;

/// The processor time that so many frames take, without what else is due between
/// them: on a busy machine it is what can be compared.
fn measure(rig: &mut Rig, frames: u64) -> Duration {
    let mut took = Duration::ZERO;
    for _ in 0..frames {
        let start = processor_time();
        let sent = rig.frame(false);
        took += processor_time() - start;
        assert_eq!(sent, PACKETS * (rig.clients.len() - 1));
        rig.now += FRAME;
        rig.exchange();
    }
    took
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
                b.iter_custom(|frames| measure(&mut rig, frames));
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
