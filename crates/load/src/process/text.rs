//! The texts of `/proc`, read.

use std::time::Duration;

/// User and system time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) user: Duration,
    pub(super) system: Duration,
}

impl Times {
    pub(super) fn total(self) -> Duration {
        self.user + self.system
    }
}

/// The unit in which the kernel tells times.
#[cfg(target_os = "linux")]
pub(super) fn tick() -> Duration {
    let ticks = rustix::param::clock_ticks_per_second();
    Duration::from_secs(1) / u32::try_from(ticks).unwrap_or(u32::MAX).max(1)
}

/// The unit in which the kernel tells times.
#[cfg(not(target_os = "linux"))]
pub(super) fn tick() -> Duration {
    Duration::from_millis(10)
}

/// From `/proc/PID/stat`: its fields 14 and 15.
pub(super) fn times(stat: &str) -> Option<Times> {
    // The program's name stands in brackets before and may hold brackets and spaces.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let mut time = || {
        let ticks: u32 = fields.next()?.parse().ok()?;
        Some(tick() * ticks)
    };
    Some(Times {
        user: time()?,
        system: time()?,
    })
}

/// From `/proc/PID/status`; a process that has ended has none.
pub(super) fn resident_bytes(status: &str) -> Option<u64> {
    let kilobytes = field(status, "VmRSS")?.strip_suffix("kB")?;
    Some(kilobytes.trim_end().parse::<u64>().ok()? * 1024)
}

/// From a thread's `status`.
pub(super) fn switches(status: &str) -> u64 {
    let kinds = ["voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"];
    let counts = kinds.map(|kind| field(status, kind)?.parse::<u64>().ok());
    counts.into_iter().flatten().sum()
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = status.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = fields.find(|(field, _)| *field == name)?;
    Some(value.trim())
}

/// A thread's time on a processor, from its `schedstat`.
pub(super) fn scheduled(schedstat: &str) -> Option<Duration> {
    let nanoseconds = schedstat.split_ascii_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// The inode in what `/proc/PID/fd/N` points to, if that is a socket.
pub(super) fn socket(link: &str) -> Option<u64> {
    let inode = link.strip_prefix("socket:[")?.strip_suffix(']')?;
    inode.parse().ok()
}

/// Inode and dropped datagrams of each socket in `/proc/net/udp` or `udp6`.
pub(super) fn drops(table: &str) -> impl Iterator<Item = (u64, u64)> {
    table.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let inode = fields.nth(9)?.parse().ok()?;
        let drops = fields.nth(2)?.parse().ok()?;
        Some((inode, drops))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let check = |name: &str| {
            let stat = format!(
                "4711 ({name}) S 1 4711 4711 0 -1 4194560 2107 0 0 0 250 75 9 9 20 0 4 0 2417 \
                 10944512 1180 18446744073709551615"
            );
            let expected = Times {
                user: tick() * 250,
                system: tick() * 75,
            };
            assert_eq!(times(&stat), Some(expected));
        };
        check("janus");
        check("a (b) c 1 2 3");
        assert_eq!(times("4711 (janus) S 1 4711"), None);
        assert_eq!(times(""), None);
    }

    #[test]
    fn memory_and_switches_are_found_in_a_status() {
        let status = "Name:\tjanus\nState:\tS (sleeping)\nVmHWM:\t   99999 kB\n\
                      VmRSS:\t   22772 kB\nThreads:\t13\n\
                      voluntary_ctxt_switches:\t31\nnonvoluntary_ctxt_switches:\t11\n";
        assert_eq!(resident_bytes(status), Some(22_772 * 1024));
        assert_eq!(switches(status), 42);
        let ended = "Name:\tjanus\nState:\tZ (zombie)\nThreads:\t1\n";
        assert_eq!(resident_bytes(ended), None);
        assert_eq!(switches(ended), 0);
    }

    #[test]
    fn a_threads_time_is_in_nanoseconds() {
        let time = scheduled("1234567890 41601 17\n");
        assert_eq!(time, Some(Duration::from_nanos(1_234_567_890)));
        assert_eq!(scheduled(""), None);
    }

    #[test]
    fn sockets_are_told_from_other_files() {
        assert_eq!(socket("socket:[3737972]"), Some(3_737_972));
        for other in [
            "pipe:[12]",
            "/dev/null",
            "socket:[",
            "anon_inode:[eventpoll]",
        ] {
            assert_eq!(socket(other), None, "{other}");
        }
    }

    #[test]
    fn drops_are_the_last_column_of_either_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   \
                     uid  timeout inode ref pointer drops            \n \
                     1583: 00000000:9224 00000000:0000 07 00000000:00000000 00:00000000 00000000     \
                     0        0 3737972 2 000000007c79154c 0       \n \
                     1659: 0100007F:D270 00000000:0000 07 00000000:00034500 00:00000000 00000000  \
                     1000        0 3739516 2 000000004db52ad3 812     \n";
        let found: Vec<_> = drops(table).collect();
        assert_eq!(found, [(3_737_972, 0), (3_739_516, 812)]);
        let table = "  sl  local_address                         remote_address                        \
                     st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
                     42: 00000000000000000000000001000000:7919 \
                     00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 \
                     00000000     0        0 77 2 0000000000000000 5\n";
        assert_eq!(drops(table).collect::<Vec<_>>(), [(77, 5)]);
        assert_eq!(drops("").count(), 0);
    }
}
