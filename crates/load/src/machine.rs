//! What the bench runs on, from what the operating system says: the processor, its
//! cores, the memory and the system, and nothing by which the machine could be known.

use std::fs;
use std::thread;

use crate::results::Machine;

impl Machine {
    /// This machine. Memory that the system does not tell is 0.
    pub fn this_one() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        Self::from_texts(
            &read("/proc/cpuinfo"),
            &read("/proc/meminfo"),
            &read("/etc/os-release"),
            &read("/proc/sys/kernel/osrelease"),
        )
    }

    fn from_texts(cpuinfo: &str, meminfo: &str, os_release: &str, kernel: &str) -> Self {
        // Arm's processors have no such line: their architecture must do.
        let processor = value_of(cpuinfo, "model name", ':')
            .map_or_else(|| std::env::consts::ARCH.to_owned(), one_spaced);
        Self {
            processor,
            cores: thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: memory(meminfo).unwrap_or(0),
            system: system(os_release, kernel),
        }
    }
}

/// Of the first line `key SEPARATOR value`, without quotes.
fn value_of<'a>(text: &'a str, key: &str, separator: char) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(separator)?;
        (found.trim() == key).then(|| value.trim().trim_matches('"'))
    })
}

fn one_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `MemTotal:   24684096 kB`, where kB is KiB.
fn memory(meminfo: &str) -> Option<u64> {
    let (kib, _) = value_of(meminfo, "MemTotal", ':')?.split_once(' ')?;
    kib.parse::<u64>().ok()?.checked_mul(1_024)
}

fn system(os_release: &str, kernel: &str) -> String {
    let name = value_of(os_release, "PRETTY_NAME", '=').unwrap_or(std::env::consts::OS);
    match kernel_version(kernel) {
        "" => name.to_owned(),
        version => format!("{name}, Linux {version}"),
    }
}

/// The numbers in front: what follows names whoever built it.
fn kernel_version(kernel: &str) -> &str {
    let is_version = |c: char| c.is_ascii_digit() || c == '.';
    let end = kernel.find(|c| !is_version(c)).unwrap_or(kernel.len());
    &kernel[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_linux_tells() {
        let machine = Machine::from_texts(
            "processor\t: 0\nmodel name\t: AMD  EPYC 9R14\nprocessor\t: 1\nmodel name\t: other\n",
            "MemTotal:       24684096 kB\nMemFree:         5322476 kB\n",
            "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
            "6.1.44-somebody-7\n",
        );
        assert_eq!(machine.processor, "AMD EPYC 9R14");
        assert_eq!(machine.memory_bytes, 24_684_096 * 1_024);
        assert_eq!(
            machine.system,
            "Debian GNU/Linux 12 (bookworm), Linux 6.1.44"
        );
        assert!(machine.cores > 0);
    }

    #[test]
    fn a_system_that_tells_nothing_is_no_failure() {
        let machine = Machine::from_texts("", "", "", "");
        assert_eq!(machine.processor, std::env::consts::ARCH);
        assert_eq!(machine.memory_bytes, 0);
        assert_eq!(machine.system, std::env::consts::OS);
    }
}
