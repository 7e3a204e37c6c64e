//! Whether the clock can be trusted, by which certificates and tokens end.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::Finding;

/// What systemd's own client leaves once it has set the clock (systemd-timesyncd(8)).
const SYNCHRONIZED: &str = "/run/systemd/timesync/synchronized";

/// How long `timedatectl` may take.
const PATIENCE: Duration = Duration::from_secs(2);

const WHAT: &str = "clock";

/// How the clock is.
pub(super) fn findings(now: SystemTime) -> Vec<Finding> {
    vec![judge(now, written(), is_synchronised())]
}

fn judge(now: SystemTime, written: Option<SystemTime>, synchronised: Option<bool>) -> Finding {
    if written.is_some_and(|written| now < written) {
        let text = "is behind the day on which this program was written to disk: set it, or \
                    certificates and tokens are taken for what they are not";
        return Finding::wrong(WHAT, text);
    }
    match synchronised {
        Some(true) => Finding::ok(WHAT, "is synchronised"),
        Some(false) => {
            let text = "is not synchronised, so tokens and certificates may end early or late: \
                        timedatectl set-ntp true";
            Finding::warning(WHAT, text)
        }
        None => Finding::ok(
            WHAT,
            "is plausible; whether it is synchronised is not known here",
        ),
    }
}

/// When this program came to where it is, which is not before it was built.
fn written() -> Option<SystemTime> {
    let program = env::current_exe().ok()?;
    fs::metadata(program).ok()?.modified().ok()
}

/// Whether somebody keeps the clock right; `None` if nobody can say.
fn is_synchronised() -> Option<bool> {
    if Path::new(SYNCHRONIZED).exists() {
        return Some(true);
    }
    let mut command = Command::new("timedatectl");
    command.args(["show", "--property=NTPSynchronized", "--value"]);
    understood(&output(command, PATIENCE)?)
}

fn understood(answer: &str) -> Option<bool> {
    match answer.trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// What a command says; `None` if it cannot, or takes longer than `patience`.
fn output(mut command: Command, patience: Duration) -> Option<String> {
    let command = command.stdin(Stdio::null()).stderr(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).spawn().ok()?;
    let until = Instant::now() + patience;
    while child.try_wait().ok()?.is_none() {
        if Instant::now() >= until {
            // It may have ended in between.
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn a_clock_is_judged_by_the_program_and_by_who_keeps_it() {
        let now = SystemTime::now();
        let earlier = Some(now - Duration::from_secs(1));
        let later = Some(now + Duration::from_secs(1));
        assert_eq!(judge(now, earlier, Some(true)).level, Level::Ok);
        assert_eq!(judge(now, earlier, None).level, Level::Ok);
        assert_eq!(judge(now, None, Some(false)).level, Level::Warning);
        assert_eq!(judge(now, later, Some(true)).level, Level::Wrong);
    }

    #[test]
    fn only_a_clear_answer_is_one() {
        assert_eq!(understood("yes\n"), Some(true));
        assert_eq!(understood("no\n"), Some(false));
        assert_eq!(understood(""), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_hangs_is_left() {
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        };
        let patience = Duration::from_secs(60);
        assert_eq!(
            output(shell("echo yes"), patience).as_deref(),
            Some("yes\n")
        );
        assert_eq!(output(shell("exit 1"), patience), None);
        assert_eq!(output(shell("exec sleep 600"), Duration::ZERO), None);
        assert_eq!(output(Command::new("/no/such/program"), patience), None);
    }
}
