//! What the system allows the server.

use std::fs;

use super::Finding;
use crate::settings::Gathered;
use crate::{media, net};

/// Where Linux says how large a socket's buffers may be (socket(7)).
const BUFFER_LIMITS: [&str; 2] = ["net.core.rmem_max", "net.core.wmem_max"];

/// Open files, and the buffers of sockets.
pub(super) fn findings(
    gathered: &Gathered,
    config: &net::Config,
    media: &media::Config,
) -> Vec<Finding> {
    let asked = |name: &str| {
        let values = gathered.values(name);
        values.first()?.parse::<u64>().ok()
    };
    let wanted = Wanted {
        connections: asked("max-connections").unwrap_or_default(),
        media: if media.transports.tcp() {
            let workers = media.workers.get() as u64;
            asked("max-media-tcp").unwrap_or_default() * workers
        } else {
            0
        },
    };
    let mut findings = Vec::new();
    if let Ok(allowed) = rlimit::increase_nofile_limit(u64::MAX) {
        findings.push(open_files(allowed, &wanted, config.core.limits.connections));
    }
    if media.transports.udp() {
        let limits = BUFFER_LIMITS.iter();
        findings.extend(limits.filter_map(|name| {
            let limit = kernel_setting(name)?;
            Some(buffer(name, limit, media.socket_buffer))
        }));
    }
    findings
}

/// Connections that the settings ask for.
struct Wanted {
    connections: u64,
    media: u64,
}

impl Wanted {
    /// The settings give half of the files to each kind.
    fn files(&self) -> u64 {
        let other = crate::settings::OTHER_FILES as u64;
        2 * (self.connections + other).max(self.media)
    }
}

fn open_files(allowed: u64, wanted: &Wanted, connections: usize) -> Finding {
    let what = "open files";
    let files = wanted.files();
    if files <= allowed {
        return Finding::ok(what, format!("this user may have {allowed} open"));
    }
    let text = format!(
        "this user may have {allowed} open and {files} are needed for all connections that the \
         settings allow: only {connections} clients get in; raise it with LimitNOFILE= in the \
         unit, or ulimit -n"
    );
    Finding::warning(what, text)
}

/// A number from the kernel; `None` where there is no such thing.
fn kernel_setting(name: &str) -> Option<usize> {
    let path = format!("/proc/sys/{}", name.replace('.', "/"));
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn buffer(name: &str, limit: usize, asked: usize) -> Finding {
    if limit >= asked {
        return Finding::ok(name, format!("{limit} bytes are enough"));
    }
    let text = format!(
        "{limit} bytes are few for many viewers, whose packets come in bursts: sysctl -w \
         {name}={asked}"
    );
    Finding::warning(name, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn half_of_the_files_must_do_for_each_kind_of_connection() {
        let wanted = |connections, media| Wanted { connections, media };
        let level = |allowed, wanted: &Wanted| open_files(allowed, wanted, 400).level;
        assert_eq!(level(1_024, &wanted(448, 0)), Level::Ok);
        assert_eq!(level(1_024, &wanted(449, 0)), Level::Warning);
        assert_eq!(level(1_024, &wanted(0, 512)), Level::Ok);
        assert_eq!(level(1_024, &wanted(0, 513)), Level::Warning);
        let finding = open_files(1_024, &wanted(12_000, 0), 448);
        assert!(finding.text.contains("24128"), "{finding:?}");
        assert!(finding.text.contains("only 448 clients"), "{finding:?}");
    }

    #[test]
    fn buffers_are_as_large_as_the_kernel_allows() {
        let name = BUFFER_LIMITS[0];
        assert_eq!(buffer(name, 4 << 20, 4 << 20).level, Level::Ok);
        let few = buffer(name, 212_992, 4 << 20);
        assert_eq!(few.level, Level::Warning);
        assert!(few.text.contains("net.core.rmem_max=4194304"), "{few:?}");
    }
}
