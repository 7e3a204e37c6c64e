//! A configuration that changes while the server runs.

use std::fmt::Write as _;

use crate::certificates::{Files, Pair};
use crate::client::{Client, soon};
use crate::command::Server;
use crate::drain::{answered, publish, unpublish};
use crate::secure::{connect, shown};

const DONE: &str = "the configuration was read again";
const REFUSED: &str = "the configuration stays as it was";

#[tokio::test]
async fn what_can_change_does_and_what_cannot_is_named() {
    let server = Server::start("[limits]\nmax-name = 100\n");
    let mut before = Client::connect(server.addr).await;
    before.send(&publish("b", "before")).await;
    answered(&mut before).await;

    server.reconfigure(
        "port = 1\n[limits]\nmax-name = 5\nmax-streams = 64\n\
         [access]\nanonymous = [\"play *\"]\n",
    );
    let log = server.wait_for_log(DONE);
    let named = |line: &&String| line.contains("restart the server for that");
    let named: Vec<_> = log.iter().filter(named).collect();
    let [name] = named.as_slice() else {
        panic!("the option outweighs the port, the streams are the default: {named:#?}");
    };
    assert!(name.contains("limits.max-name has changed"), "{name}");

    let mut after = Client::connect(server.addr).await;
    after.send(&publish("a", "after")).await;
    let status = after.status().await;
    assert!(status.starts_with("a FAILED"), "{status}");
    // What was there before is untouched.
    before.send(&unpublish("b")).await;
    assert_eq!(before.status().await, "b UNPUBLISHED Stopped by user");
}

#[tokio::test]
async fn a_wrong_configuration_changes_nothing_and_is_told() {
    let server = Server::start("");
    server.reconfigure("[access]\nanonymous = [\"play *\"]\n[limits]\nmax-nam = 5\n");
    let log = server.wait_for_log(REFUSED);
    let line = log.last().unwrap();
    assert!(
        line.contains("server.toml:4: there is no setting limits.max-nam"),
        "{line}"
    );
    std::fs::remove_file(server.file()).unwrap();
    server.signal("-HUP");
    let log = server.wait_for_log(REFUSED);
    let line = log.last().unwrap();
    assert!(line.contains("cannot read the configuration"), "{line}");

    let mut client = Client::connect(server.addr).await;
    client.send(&publish("p", "live")).await;
    answered(&mut client).await;
}

#[tokio::test]
async fn another_certificate_may_be_named_and_open_connections_are_left_alone() {
    let [first, second, third] = [Pair::new(), Pair::new(), Pair::new()];
    let files = [&first, &second].map(Files::of);
    let mismatch = Files::with(&second.certificate, &third.key.serialize_pem());
    let server = Server::start(&settings(&files[0]));
    let addr = server.tls.unwrap();
    let mut viewer = Client::over(connect(addr).await).await;
    viewer.establish().await;

    server.reconfigure(&settings(&mismatch));
    let log = server.wait_for_log(REFUSED);
    let line = log.last().unwrap();
    assert!(
        line.contains("is not that of the first certificate"),
        "{line}"
    );
    assert_eq!(shown(&connect(addr).await).as_ref(), first.der);

    server.reconfigure(&settings(&files[1]));
    server.wait_for_log(DONE);
    assert_eq!(shown(&connect(addr).await).as_ref(), second.der);
    // Files named anew are looked after as well.
    files[1].replace(&third);
    soon(async { while shown(&connect(addr).await).as_ref() != third.der {} }).await;
    viewer.send(&publish("p", "live")).await;
    viewer.send(&unpublish("p")).await;
    assert_eq!(viewer.status().await, "p UNPUBLISHED Stopped by user");
}

fn settings(files: &Files) -> String {
    let mut settings = String::from("[tls]\n");
    for (name, path) in [("tls-cert", files.certificate()), ("tls-key", files.key())] {
        writeln!(settings, "{name} = {:?}", path.display().to_string()).unwrap();
    }
    settings
}
