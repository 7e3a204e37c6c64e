//! The shortest bench there is, of a development build: every figure is there, and
//! counts agree. How high the figures are is no matter here.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use load::results::{Churn, Join, Load, Outcome, ProcessUse, Report, Scenario};

fn bench(folder: &Path) -> Result<Report> {
    let server = env::var_os("TWOWAY_SERVER").context("TWOWAY_SERVER has to name the server")?;
    let json = folder.join("results.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_twoway-load"));
    command.args(["bench", "--smoke", "--program"]).arg(server);
    command.arg("--json").arg(&json).arg("--output").arg(folder);
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "it failed: {said}");
    serde_json::from_slice(&fs::read(json)?).context("not a result")
}

#[test]
fn a_smoke_run_has_every_figure_and_they_agree() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let report = bench(folder.path())?;
    println!("{report:#?}");
    assert!(report.machine.cores > 0 && report.machine.memory_bytes > 0);
    let [server] = report.servers.as_slice() else {
        panic!("one server was measured: {:?}", report.servers);
    };
    assert_eq!(server.name, "twoway");
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(server.version.as_deref(), Some(version));

    let mut kinds = [0; 4];
    for run in &report.runs {
        assert_eq!(run.server, server.name);
        match (&run.scenario, &run.outcome) {
            (Scenario::FanOut { viewers, .. }, Outcome::Load(load)) => {
                kinds[0] += 1;
                loads_agree(load, 1, *viewers);
            }
            (
                Scenario::Streams {
                    streams,
                    viewers_each,
                    ..
                },
                Outcome::Load(load),
            ) => {
                kinds[1] += 1;
                loads_agree(load, *streams, *viewers_each);
            }
            (Scenario::Join { crowd, .. }, Outcome::Join(join)) => {
                kinds[2] += 1;
                joins_agree(join, *crowd);
            }
            (Scenario::Churn { .. }, Outcome::Churn(churn)) => {
                kinds[3] += 1;
                churn_agrees(churn);
            }
            _ => panic!("{run:?}"),
        }
    }
    assert!(!kinds.contains(&0), "not every kind was run: {kinds:?}");
    page_is_written(folder.path())
}

/// Every packet sent is received or lost, by each viewer of its stream.
fn loads_agree(load: &Load, streams: u32, viewers_each: u32) {
    assert_eq!(load.viewers, streams * viewers_each, "{load:?}");
    assert!(load.seconds > 0.0 && load.sent_packets > 0, "{load:?}");
    let received = &load.received;
    let due = load.sent_packets * u64::from(viewers_each);
    assert_eq!(received.packets + received.lost, due, "{load:?}");
    assert_eq!(received.damaged, 0, "{load:?}");
    let has_viewers = viewers_each > 0;
    assert_eq!(received.frames > 0, has_viewers, "{load:?}");
    let delays = load.delay_us.map_or(0, |delay| delay.count);
    assert_eq!(delays > 0, has_viewers, "{load:?}");
    assert!(load.generator.cpu_seconds > 0.0, "{load:?}");
    use_is_known(load.server.as_ref());
}

fn joins_agree(join: &Join, crowd: u32) {
    assert_eq!(join.failed, 0, "{join:?}");
    // One after the other, as many join as there is time for.
    assert!(join.joined >= crowd.max(1), "{join:?}");
    let phases = [
        join.answered_us,
        join.ice_us,
        join.dtls_us,
        join.first_packet_us,
        join.keyframe_us,
    ];
    let joined = u64::from(join.joined);
    assert!(phases.iter().all(|phase| phase.count == joined), "{join:?}");
    let medians = phases.map(|phase| phase.median);
    assert!(medians[0] > 0.0 && medians.is_sorted(), "{join:?}");
    use_is_known(join.server.as_ref());
}

fn churn_agrees(churn: &Churn) {
    assert!(churn.visits > 0 && churn.failures == 0, "{churn:?}");
    let seconds = churn.resident.iter().map(|(second, _)| *second);
    assert!(seconds.is_sorted(), "{churn:?}");
    let (_, last) = churn.resident.last().expect("memory was looked at");
    assert!(*last > 0, "{churn:?}");
    use_is_known(churn.server.as_ref());
}

fn use_is_known(server: Option<&ProcessUse>) {
    let used = server.expect("the server was started here");
    assert!(
        used.cpu_seconds > 0.0 && used.context_switches > 0,
        "{used:?}"
    );
    assert!(used.idle_bytes > 0 && used.resident_bytes > 0, "{used:?}");
}

fn page_is_written(folder: &Path) -> Result<()> {
    let page = fs::read_to_string(folder.join("PERFORMANCE.md"))?;
    assert!(page.contains("twoway"), "{page}");
    // Every picture it shows is there.
    let pictures = page
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let mut pictures = pictures.filter(|link| link.ends_with(".svg")).peekable();
    assert!(pictures.peek().is_some(), "{page}");
    for picture in pictures {
        assert!(folder.join(picture).is_file(), "{picture} is missing");
    }
    Ok(())
}
