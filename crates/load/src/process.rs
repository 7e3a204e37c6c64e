//! What a process uses, as Linux tells it in `/proc` (proc(5)): processor time and
//! context switches of all its threads, resident memory, and what its UDP sockets had
//! to drop.
//!
//! Two [`Sample`]s make a difference. Threads and sockets are kept apart in it, so that
//! one that ends or begins between two samples takes nothing from the others.

mod text;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::results::ProcessUse;
use text::Times;

/// A process that can be asked what it has used.
#[derive(Clone, Debug)]
pub struct Process {
    pid: u32,
    folder: PathBuf,
    idle_bytes: u64,
}

/// What a process had used at a moment.
#[derive(Clone, Debug)]
pub struct Sample {
    times: Times,
    resident_bytes: u64,
    /// By thread id.
    threads: HashMap<u32, Thread>,
    /// Dropped datagrams by inode of the socket.
    drops: HashMap<u64, u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Thread {
    /// `None` if the kernel was built without its scheduler's statistics.
    cpu: Option<Duration>,
    switches: u64,
}

impl Process {
    /// The process with this id. What it holds in memory now counts as what it holds
    /// without clients.
    ///
    /// # Errors
    /// There is none, it is another user's, or the system is not Linux.
    pub fn new(pid: u32) -> Result<Self> {
        ensure!(
            cfg!(target_os = "linux"),
            "what a process uses can be measured on Linux only"
        );
        let folder = Path::new("/proc").join(pid.to_string());
        let mut process = Self {
            pid,
            folder,
            idle_bytes: 0,
        };
        process.idle_bytes = process.sample()?.resident_bytes;
        Ok(process)
    }

    /// This process.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn own() -> Result<Self> {
        Self::new(std::process::id())
    }

    /// Its id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// What it has used until now.
    ///
    /// # Errors
    /// It has ended, or is another user's.
    pub fn sample(&self) -> Result<Sample> {
        Ok(Sample {
            times: text::times(&self.read("stat")?).context("/proc tells no times")?,
            resident_bytes: self.resident_bytes()?,
            threads: self.threads()?,
            drops: self.drops()?,
        })
    }

    /// What it holds in memory now.
    ///
    /// # Errors
    /// It has ended.
    pub fn resident_bytes(&self) -> Result<u64> {
        // One that has ended and is not waited for yet tells none.
        text::resident_bytes(&self.read("status")?).with_context(|| self.gone())
    }

    /// What it used from one sample to the next.
    pub fn used(&self, before: &Sample, after: &Sample) -> ProcessUse {
        ProcessUse {
            cpu_seconds: after.cpu_since(before).as_secs_f64(),
            system_seconds: after.system_since(before).as_secs_f64(),
            idle_bytes: self.idle_bytes,
            resident_bytes: after.resident_bytes,
            context_switches: after.switches_since(before),
            dropped_datagrams: after.dropped_since(before),
        }
    }

    fn read(&self, file: &str) -> Result<String> {
        fs::read_to_string(self.folder.join(file)).with_context(|| self.gone())
    }

    fn gone(&self) -> String {
        format!("process {} has ended", self.pid)
    }

    fn threads(&self) -> Result<HashMap<u32, Thread>> {
        let mut threads = HashMap::new();
        for entry in fs::read_dir(self.folder.join("task")).with_context(|| self.gone())? {
            let folder = entry.with_context(|| self.gone())?.path();
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            // A thread may end at any moment.
            let Ok(status) = fs::read_to_string(folder.join("status")) else {
                continue;
            };
            let cpu = fs::read_to_string(folder.join("schedstat")).ok();
            let thread = Thread {
                cpu: cpu.as_deref().and_then(text::scheduled),
                switches: text::switches(&status),
            };
            threads.insert(name.parse()?, thread);
        }
        Ok(threads)
    }

    /// What the sockets of this process have dropped. The tables have those of the
    /// whole network namespace.
    fn drops(&self) -> Result<HashMap<u64, u64>> {
        let own = self.sockets()?;
        let mut drops = HashMap::new();
        for table in ["net/udp", "net/udp6"] {
            // A kernel without IPv6 has no table for it.
            let Ok(table) = fs::read_to_string(self.folder.join(table)) else {
                continue;
            };
            drops.extend(text::drops(&table).filter(|(inode, _)| own.contains(inode)));
        }
        Ok(drops)
    }

    /// Inodes of its sockets of every kind.
    fn sockets(&self) -> Result<Vec<u64>> {
        let pid = self.pid;
        let files = fs::read_dir(self.folder.join("fd")).map_err(|error| {
            if error.kind() == io::ErrorKind::PermissionDenied {
                let advice = "run this as the same user, or as root";
                anyhow::anyhow!("process {pid} is another user's: {advice}")
            } else {
                anyhow::anyhow!(self.gone())
            }
        })?;
        // A file may be closed at any moment.
        let links = files.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
        Ok(links
            .filter_map(|link| text::socket(&link.to_string_lossy()))
            .collect())
    }
}

impl Sample {
    /// What it holds in memory.
    pub fn resident_bytes(&self) -> u64 {
        self.resident_bytes
    }

    /// User and system time of all threads since `before`.
    ///
    /// The kernel tells a process's time in ticks of 10 ms, those of its ended threads
    /// included, and a running thread's in nanoseconds: the threads' sum is taken where
    /// the two agree.
    pub fn cpu_since(&self, before: &Self) -> Duration {
        let ticks = self.times.total().saturating_sub(before.times.total());
        let exact = self.threads_since(before).map(|(cpu, _)| cpu).sum();
        // Both ends are cut off to a tick, of user and of system time.
        if ticks.abs_diff(exact) <= 2 * text::tick() {
            exact
        } else {
            ticks
        }
    }

    /// The part of it in the kernel, in ticks of 10 ms.
    pub fn system_since(&self, before: &Self) -> Duration {
        self.times.system.saturating_sub(before.times.system)
    }

    /// Processor time since `before` of the thread that used most.
    pub fn busiest_thread_since(&self, before: &Self) -> Duration {
        let threads = self.threads_since(before);
        threads.map(|(cpu, _)| cpu).max().unwrap_or_default()
    }

    /// Voluntary and involuntary context switches since `before`, without those of
    /// threads that have ended.
    pub fn switches_since(&self, before: &Self) -> u64 {
        self.threads_since(before)
            .map(|(_, switches)| switches)
            .sum()
    }

    /// Datagrams since `before` that came for its UDP sockets and had no place.
    pub fn dropped_since(&self, before: &Self) -> u64 {
        let dropped = self.drops.iter().map(|(inode, drops)| {
            let earlier = before.drops.get(inode).copied().unwrap_or_default();
            drops.saturating_sub(earlier)
        });
        dropped.sum()
    }

    /// Processor time and context switches of each thread that there is.
    fn threads_since(&self, before: &Self) -> impl Iterator<Item = (Duration, u64)> {
        self.threads.iter().map(|(id, now)| {
            let earlier = before.threads.get(id).copied().unwrap_or_default();
            let cpu = now.cpu.unwrap_or_default();
            (
                cpu.saturating_sub(earlier.cpu.unwrap_or_default()),
                now.switches.saturating_sub(earlier.switches),
            )
        })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::UdpSocket;
    use std::process::Command;
    use std::thread;

    use super::*;

    #[test]
    fn this_process_is_seen_at_work() {
        let process = Process::own().expect("it runs");
        let before = process.sample().expect("it runs");
        let mut after = before.clone();
        while after.busiest_thread_since(&before) < Duration::from_millis(30) {
            std::hint::black_box(vec![1_u8; 1 << 16]);
            thread::yield_now();
            after = process.sample().expect("it runs");
        }
        let used = process.used(&before, &after);
        assert!(used.cpu_seconds > 0.0, "{used:?}");
        assert!(used.idle_bytes > 0, "{used:?}");
        assert!(used.resident_bytes > 1 << 20, "{used:?}");
    }

    #[test]
    fn what_a_full_socket_drops_is_counted() {
        let process = Process::own().expect("it runs");
        let deaf = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let before = process.sample().expect("it runs");
        let sender = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let to = deaf.local_addr().expect("its address");
        let datagrams = 10_000;
        for _ in 0..datagrams {
            // The loopback delivers before this returns.
            sender.send_to(&[0; 1_200], to).expect("it is sent");
        }
        let after = process.sample().expect("it runs");
        let dropped = after.dropped_since(&before);
        assert!((1..datagrams).contains(&dropped), "{dropped} dropped");
    }

    #[test]
    fn a_process_that_has_ended_is_told() {
        let mut child = Command::new("true").spawn().expect("it starts");
        child.wait().expect("it ends");
        let error = Process::new(child.id()).expect_err("it has ended");
        assert_eq!(
            error.to_string(),
            format!("process {} has ended", child.id())
        );
    }
}
