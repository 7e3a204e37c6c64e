//! `twoway-load bench`: a plan from its first step to its last, or to Ctrl-C.

use std::cell::Cell;
use std::env;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use load::plan::{Depth, Plan, Step};
use load::report;
use load::results::{Machine, Outcome, Report, Run, ServerInfo};
use load::scenario::Stage;
use load::whole;
use time::OffsetDateTime;
use tokio::time::interval;

use super::measure::Rig;
use super::progress::{self, Screen};
use super::{Exit, told};
use crate::arguments::Bench;

/// Runs it all and writes results after each step.
pub(super) async fn run(bench: &Bench) -> Result<Exit> {
    let mut report = begun(bench);
    let rig = Rig::new(&bench.servers, !bench.no_own)?;
    report.servers = rig
        .servers
        .iter()
        .map(|server| unknown(server.name()))
        .collect();
    let mut plan = Plan::new(
        bench.depth().course(),
        bench.media(),
        rig.servers.len(),
        bench.kinds(),
    );
    let mut screen = Screen::new();
    screen.line(&format!("about {}", progress::about(plan.left())));
    let exit = tokio::select! {
        done = all(&rig, &mut plan, &mut report, bench, &mut screen) => done.map(|()| Exit::Done)?,
        _ = tokio::signal::ctrl_c() => Exit::Interrupted,
    };
    drop(screen);
    write(&report, bench)?;
    if let Some(folder) = &bench.output {
        report::render(&report, folder)?;
    }
    let is_measured = |run: &Run| !matches!(run.outcome, Outcome::Unjoined(_) | Outcome::Failed(_));
    ensure!(
        exit == Exit::Interrupted || report.runs.iter().any(is_measured),
        "nothing could be measured; the first reason is: {}",
        report
            .runs
            .first()
            .map_or_else(String::new, |run| progress::summary(&run.outcome))
    );
    Ok(exit)
}

/// Every step of the plan.
async fn all(
    rig: &Rig,
    plan: &mut Plan,
    report: &mut Report,
    bench: &Bench,
    screen: &mut Screen,
) -> Result<()> {
    while let Some(step) = plan.next_step() {
        let start = Instant::now();
        let (info, outcome) = measure(rig, plan, &step, screen).await;
        plan.saw(&step, &outcome, start.elapsed());
        let server = &mut report.servers[step.server];
        if let Some(info) = info {
            *server = info;
        }
        let title = progress::title(&step, &server.name);
        screen.line(&format!("{title}: {}", progress::summary(&outcome)));
        report.runs.push(Run {
            server: server.name.clone(),
            round: step.round,
            scenario: step.scenario,
            outcome,
        });
        write(report, bench)?;
    }
    Ok(())
}

/// One step, with its progress on the screen.
async fn measure(
    rig: &Rig,
    plan: &Plan,
    step: &Step,
    screen: &mut Screen,
) -> (Option<ServerInfo>, Outcome) {
    let server = &rig.servers[step.server];
    let title = progress::title(step, server.name());
    let left = plan.left();
    if screen.is_plain() {
        screen.line(&format!("{title} ... ({} left)", progress::about(left)));
    }
    let stage = Cell::new(None);
    let heard = |now: Stage| stage.set(Some(now));
    let mut measured = pin!(rig.measure(server, &step.scenario, &step.timing, &heard));
    let start = Instant::now();
    let mut redraw = interval(Duration::from_millis(500));
    loop {
        tokio::select! {
            done = &mut measured => return done,
            _ = redraw.tick() => {
                let now = stage.get().map_or_else(|| "starting".to_owned(), progress::stage);
                let left = progress::about(left.saturating_sub(start.elapsed()));
                screen.status(&format!("{title}: {now} ({left} left)"));
            }
        }
    }
}

/// A report of nothing yet.
fn begun(bench: &Bench) -> Report {
    Report {
        began: now(),
        command: bench
            .told_as
            .clone()
            .unwrap_or_else(|| told::command(env::args())),
        quick: bench.depth() != Depth::Full,
        machine: Machine::this_one(),
        servers: Vec::new(),
        runs: Vec::new(),
        browser: None,
    }
}

/// A server before it has said anything of itself.
pub(super) fn unknown(name: &str) -> ServerInfo {
    ServerInfo {
        name: name.to_owned(),
        version: None,
        cores: Vec::new(),
    }
}

/// UTC, as `2026-01-31 12:00`.
pub(super) fn now() -> String {
    let now = OffsetDateTime::now_utc();
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}",
        now.year(),
        u8::from(now.month()),
        now.day(),
        now.hour(),
        now.minute()
    )
}

fn write(report: &Report, bench: &Bench) -> Result<()> {
    let mut json = serde_json::to_vec_pretty(report)?;
    json.push(b'\n');
    whole::write(&bench.json, &json)
}
