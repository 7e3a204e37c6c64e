//! `twoway-load run`: one scenario against one server.

use std::env;

use anyhow::{Result, ensure};
use load::report;
use load::results::{Machine, Outcome, Report, Run};
use load::scenario::Timing;

use super::measure::Rig;
use super::progress::{self, Screen};
use super::{Exit, bench, told};
use crate::arguments;

/// Runs it, and prints a table or JSON on standard output.
pub(super) async fn run(args: &arguments::Run) -> Result<Exit> {
    let with_own = args.servers.server.is_empty() && args.servers.against.is_empty();
    let began = bench::now();
    let rig = Rig::new(&args.servers, with_own)?;
    ensure!(
        rig.servers.len() == 1,
        "a run is against one server: name one only"
    );
    let server = &rig.servers[0];
    let scenario = args.scenario();
    let timing = Timing {
        settle: args.settle,
        measure: args.seconds,
        ..Timing::default()
    };
    let screen = std::cell::RefCell::new(Screen::new());
    let what = format!("{}, {}", progress::what(&scenario), server.name());
    let heard = |stage| {
        let text = format!("{what}: {}", progress::stage(stage));
        screen.borrow_mut().status(&text);
    };
    let (info, outcome) = tokio::select! {
        done = rig.measure(server, &scenario, &timing, &heard) => done,
        _ = tokio::signal::ctrl_c() => return Ok(Exit::Interrupted),
    };
    drop(screen);
    match outcome {
        Outcome::Failed(why) => anyhow::bail!("{what}: {why}"),
        Outcome::Unjoined(unjoined) => anyhow::bail!("{what}: {unjoined}"),
        Outcome::Load(_) | Outcome::Join(_) | Outcome::Churn(_) => {}
    }
    let report = Report {
        began,
        command: told::command(env::args()),
        quick: false,
        machine: Machine::this_one(),
        servers: vec![info.unwrap_or_else(|| bench::unknown(server.name()))],
        runs: vec![Run {
            server: server.name().to_owned(),
            round: 0,
            scenario,
            outcome,
        }],
        browser: None,
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", report::plain(&report));
    }
    Ok(Exit::Done)
}
