//! With scripts in place of the programs: `cargo xtask bench` starts the true ones.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::*;

/// A program that is a script of the shell.
struct Script(TempDir);

impl Script {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // A file that this process writes may still be open for writing in a child that
        // another test starts just now, and could not be run.
        let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > program && chmod +x program";
        let mut shell = Command::new("sh");
        shell.args(["-c", write, "sh", text]).current_dir(&folder);
        assert!(shell.status().expect("sh starts").success());
        Self(folder)
    }

    fn own(&self, cores: Vec<usize>) -> Server {
        Server::Own {
            program: self.0.path().join("program"),
            cores,
        }
    }

    fn janus(&self) -> Server {
        Server::Janus {
            program: self.0.path().join("program"),
            cores: Vec::new(),
        }
    }

    /// What the script has written beside itself.
    fn written(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).expect("it has written that")
    }
}

/// As `twoway-server` begins, telling how it was called.
const SERVER: &str = r#"echo "$@" > "${0%/*}/arguments"
grep Cpus_allowed_list /proc/self/status > "${0%/*}/cores"
echo "Two-way Streaming server 9.8.7"
echo "a note" >&2
echo "ready: http://127.0.0.1:12345/"
exec sleep 600"#;

#[tokio::test]
async fn our_server_tells_when_it_is_up_and_ends_with_its_owner() {
    let core = *crate::cores::available()
        .expect("Linux tells")
        .last()
        .expect("a core");
    let script = Script::new(SERVER);
    let started = script.own(vec![core]).start().await.expect("it comes up");
    let url = "ws://127.0.0.1:12345/".to_owned();
    assert_eq!(started.address, Address::WebCallServer(url));
    assert_eq!(started.info.version.as_deref(), Some("9.8.7"));
    assert_eq!(started.info.cores, [core]);
    let allowed = script.written("cores");
    assert_eq!(allowed.trim(), format!("Cpus_allowed_list:\t{core}"));
    let arguments = script.written("arguments");
    assert!(arguments.contains("--port 0") && arguments.contains("--workers 1"));

    let pid = started.process.as_ref().expect("it is known").pid();
    let running = || Path::new("/proc").join(pid.to_string()).exists();
    assert!(running());
    drop(started);
    assert!(!running());
}

#[tokio::test]
async fn a_server_that_ends_at_once_tells_why() {
    let script = Script::new("echo 'error: port 0 is in use' >&2; exit 1");
    let error = script.own(Vec::new()).start().await.expect_err("it ends");
    assert_eq!(
        error.to_string(),
        "twoway-server ended at once: error: port 0 is in use"
    );
    let error = script.janus().start().await.expect_err("it ends");
    assert_eq!(
        error.to_string(),
        "Janus ended at once: error: port 0 is in use"
    );
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let server = Server::Own {
        program: "no/such/program".into(),
        cores: Vec::new(),
    };
    let error = server.start().await.expect_err("it is not there");
    assert_eq!(error.to_string(), "cannot start no/such/program");
}

#[tokio::test]
async fn a_running_server_is_known_by_what_was_given() {
    let address = Address::Http("http://127.0.0.1:9/".to_owned());
    let server = |pid| Server::Running {
        name: "other".to_owned(),
        address: address.clone(),
        pid,
    };
    let own = std::process::id();
    let started = server(Some(own)).start().await.expect("this process runs");
    assert_eq!(started.info.name, "other");
    assert_eq!(started.process.map(|process| process.pid()), Some(own));
    let unknown = server(None).start().await.expect("nothing to look at");
    assert!(unknown.process.is_none());
    let error = server(Some(u32::MAX)).start().await.expect_err("none");
    assert_eq!(error.to_string(), "process 4294967295 has ended");
}
