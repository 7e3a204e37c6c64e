//! Which cores threads and programs run on, so that a server and what loads it do not
//! share one and figures are per core.

use anyhow::Result;

/// The cores this thread may run on.
///
/// # Errors
/// The system is not Linux, or does not tell.
#[cfg(target_os = "linux")]
pub fn available() -> Result<Vec<usize>> {
    use anyhow::Context;
    use rustix::thread::{CpuSet, sched_getaffinity};
    let set = sched_getaffinity(None).context("cannot tell which cores there are")?;
    Ok((0..CpuSet::MAX_CPU)
        .filter(|core| set.is_set(*core))
        .collect())
}

/// Binds this thread, and what it starts from now on, to `cores`; an empty list leaves
/// it as it is.
///
/// # Errors
/// The system is not Linux, or there is no such core.
#[cfg(target_os = "linux")]
pub fn bind(cores: &[usize]) -> Result<()> {
    use anyhow::{Context, ensure};
    use rustix::thread::{CpuSet, sched_setaffinity};
    if cores.is_empty() {
        return Ok(());
    }
    let mut set = CpuSet::new();
    for &core in cores {
        ensure!(core < CpuSet::MAX_CPU, "there is no core {core}");
        set.set(core);
    }
    sched_setaffinity(None, &set)
        .with_context(|| format!("cannot run on {}: is there no such core", list(cores)))
}

/// The cores this thread may run on.
///
/// # Errors
/// The system is not Linux, or does not tell.
#[cfg(not(target_os = "linux"))]
pub fn available() -> Result<Vec<usize>> {
    anyhow::bail!("which cores there are can be told on Linux only")
}

/// Binds this thread, and what it starts from now on, to `cores`; an empty list leaves
/// it as it is.
///
/// # Errors
/// The system is not Linux, or there is no such core.
#[cfg(not(target_os = "linux"))]
pub fn bind(cores: &[usize]) -> Result<()> {
    anyhow::ensure!(cores.is_empty(), "cores can be chosen on Linux only");
    Ok(())
}

#[cfg(target_os = "linux")]
fn list(cores: &[usize]) -> String {
    let numbers: Vec<_> = cores.iter().map(ToString::to_string).collect();
    let word = if cores.len() == 1 { "core" } else { "cores" };
    format!("{word} {}", numbers.join(", "))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_bound_thread_hands_its_cores_on() {
        let one = *available().expect("Linux tells").last().expect("a core");
        // A thread of its own: the others go on where they like.
        let bound = thread::spawn(move || {
            bind(&[one]).expect("it is there");
            bind(&[]).expect("nothing to do");
            thread::spawn(available).join().expect("it ends")
        });
        let inherited = bound.join().expect("it ends").expect("Linux tells");
        assert_eq!(inherited, [one]);
    }

    #[test]
    fn a_core_that_is_not_there_is_named() {
        let refused = thread::spawn(|| bind(&[1_023]).map_err(|error| error.to_string()));
        let error = refused.join().expect("it ends").expect_err("no such core");
        assert!(error.contains("core 1023"), "{error}");
        let error = bind(&[100_000]).expect_err("no such core").to_string();
        assert_eq!(error, "there is no core 100000");
    }
}
