//! What the process takes of the machine, as Linux tells it (`proc(5)`).

use std::fs;

use super::text::Samples;

/// Ticks of a second in which Linux tells processor time: `USER_HZ`, which is the same
/// on every machine that this runs on.
const TICKS: f64 = 100.0;

/// See the module.
#[derive(Debug, PartialEq)]
pub(super) struct Process {
    cpu_seconds: f64,
    resident_bytes: u64,
    virtual_bytes: u64,
    threads: u64,
    open_files: u64,
    /// `None`: any number.
    most_files: Option<u64>,
}

impl Process {
    /// Of this process; `None` where there is no such thing.
    pub(super) fn read() -> Option<Self> {
        let own = |name| fs::read_to_string(format!("/proc/self/{name}")).ok();
        let status = own("status")?;
        // One of them is what it is read with.
        let files = fs::read_dir("/proc/self/fd").ok()?.count();
        Some(Self {
            cpu_seconds: cpu_seconds(&own("stat")?)?,
            resident_bytes: field(&status, "VmRSS:")? * 1_024,
            virtual_bytes: field(&status, "VmSize:")? * 1_024,
            threads: field(&status, "Threads:")?,
            open_files: files.saturating_sub(1) as u64,
            most_files: field(&own("limits")?, "Max open files"),
        })
    }

    pub(super) fn add(&self, samples: &mut Samples) {
        samples.put_seconds("process_cpu_seconds_total", "", self.cpu_seconds);
        samples.put("process_resident_memory_bytes", "", self.resident_bytes);
        samples.put("process_virtual_memory_bytes", "", self.virtual_bytes);
        samples.put("process_threads", "", self.threads);
        samples.put("process_open_fds", "", self.open_files);
        if let Some(most) = self.most_files {
            samples.put("process_max_fds", "", most);
        }
    }
}

/// The first number behind a name that a line starts with.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// User and system time. The second field is the program's name in parentheses, which
/// may have spaces and parentheses in it.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split_whitespace().skip(11);
    let mut time = || times.next()?.parse::<f64>().ok();
    Some((time()? + time()?) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_tells_is_read() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194304 900 0 0 0 250 50 3 4 20 0 9 0 100 5 6";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(cpu_seconds("7 (a) S 1"), None);
        let status = "Name:\tx\nVmSize:\t  2048 kB\nThreads:\t9\n";
        assert_eq!(field(status, "VmSize:"), Some(2_048));
        assert_eq!(field(status, "VmRSS:"), None);
        let limits = "Max open files            1024                 4096                 files\n";
        assert_eq!(field(limits, "Max open files"), Some(1_024));
        assert_eq!(
            field(
                "Max open files  unlimited  unlimited  files",
                "Max open files"
            ),
            None
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_told() {
        let process = Process::read().unwrap();
        assert!(process.resident_bytes > 0 && process.virtual_bytes > process.resident_bytes);
        assert!(process.threads > 0 && process.open_files > 0);
    }
}
