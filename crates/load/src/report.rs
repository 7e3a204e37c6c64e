//! `docs/PERFORMANCE.md` and its plots, from what a bench found.
//!
//! The same [`Report`] always gives the same files.

mod axis;
mod bars;
mod browser;
mod budgets;
mod chart;
mod figures;
mod plots;
mod ratios;
mod sections;
mod text;

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;

use crate::plan::Kind;
use crate::results::{BUSY, LATE_US, Machine, MediaShape, Report, Scenario, ServerInfo};
use crate::whole;
use plots::Plot;
use text::{Table, number};

/// The page's name in its folder.
pub const PAGE: &str = "PERFORMANCE.md";
/// The plots' folder, beside the page.
const PLOTS: &str = "performance";

/// Writes `PERFORMANCE.md` and `performance/*.svg` into a folder, each whole or not at
/// all. Plots for which this report has no figures are left as they are.
///
/// # Errors
/// A plot cannot be drawn, or a file not be written.
pub fn render(report: &Report, folder: &Path) -> Result<()> {
    let plots = plots::all(report)?;
    for plot in &plots {
        whole::write(&folder.join(PLOTS).join(plot.file), plot.svg.as_bytes())?;
    }
    whole::write(&folder.join(PAGE), page(report, &plots).as_bytes())
}

/// Every run's tables as text for a terminal.
pub fn plain(report: &Report) -> String {
    let tables = [
        (Kind::FanOut, sections::fan_out(report)),
        (Kind::Streams, sections::streams(report)),
        (Kind::Join, sections::join(report)),
        (Kind::Churn, sections::churn(report)),
    ];
    let there = tables
        .iter()
        .filter(|(kind, _)| sections::has(report, *kind));
    there.map(|(_, table)| text::aligned(table)).collect()
}

/// The page's text.
fn page(report: &Report, plots: &[Plot]) -> String {
    let mut text = head(report);
    text.push_str(&machine(report));
    text.push_str(READING);
    text.push_str(&media(report));
    text.push_str(&side_by_side(report));
    if let Some(ours) = report.servers.first() {
        text.push_str("## Budgets\n\nWhat ");
        let _ = writeln!(text, "`{}` and the page promise.\n", ours.name);
        text.push_str(&budgets::table(report, &ours.name));
    }
    let picture = |file: &str| {
        let plot = plots.iter().find(|plot| plot.file == file);
        plot.map_or_else(String::new, |plot| {
            format!("![{}]({PLOTS}/{file})\n\n", plot.title)
        })
    };
    if sections::has(report, Kind::FanOut) {
        text.push_str("## One stream, many viewers\n\n");
        for server in &report.servers {
            if let Some(sentence) = ratios::capacity_sentence(report, &server.name) {
                let _ = writeln!(text, "{sentence}\n");
            }
        }
        text.push_str(
            &["cost.svg", "delay.svg", "memory.svg"]
                .map(picture)
                .concat(),
        );
        text.push_str(&sections::fan_out(report));
    }
    if sections::has(report, Kind::Streams) {
        text.push_str("## Many streams\n\n");
        text.push_str(&sections::streams(report));
    }
    if sections::has(report, Kind::Join) {
        text.push_str(JOINING);
        text.push_str(&picture("join.svg"));
        text.push_str(&sections::join(report));
    }
    if sections::has(report, Kind::Churn) {
        text.push_str(CHURNING);
        text.push_str(&picture("churn.svg"));
        text.push_str(&sections::churn(report));
    }
    if let Some(browser) = &report.browser {
        text.push_str("## The page in a browser\n\n");
        text.push_str(&picture("glass-to-glass.svg"));
        text.push_str(&browser::section(browser));
    }
    text.trim_end().to_owned() + "\n"
}

const JOINING: &str = "\
## Joining

From a viewer's wish to its first complete keyframe, each phase from the wish on.

";

const CHURNING: &str = "\
## Coming and going

Viewers come, stay for a while and leave, all the time; at last all leave. A server that
leaks has more at the end than halfway. What stays above what it began with and does not
grow is room that its allocator keeps for the next viewers.

";

/// How to read the figures.
const READING: &str = "\
## How to read it

- **Compare ratios.** Each scenario runs against each server in turn, and the servers
  swap their places each time, so that the machine's moods are shared. Figures alone hold
  for this machine only.
- **Packets, not pictures.** Publishers and viewers are native and encode and decode
  nothing. Each packet says when it was sent and what follows it: every viewer checks
  order, loss and delay by itself, on one clock. ICE, DTLS, SRTP and RTCP are real.
- **A fresh server each time**, unless it ran already, bound to the cores named above,
  with the load generator on others.
- **Viewers come before it is measured**, sixteen at a time, and the next ones when these
  have a picture and as much time again has passed: a server that is slow to take viewers
  in is given more time. How fast it is at that is told under *Joining*.
- **Several rounds** give the median of each figure and the sum of each count; *most* is
  the highest of all.
- **Processor time** and **memory** are the server's, of all its threads, as the operating
  system says. *Of a core* is how much of one core it used, *ms/s* milliseconds of
  processor time a second; *each* is for one viewer, or one publisher where there are no
  viewers; *a packet* is for each packet that a viewer got, and *Gbit/s a core* is what
  viewers got for a second of processor time; *switches* are from one thread to another;
  memory counts from before the first client came.
- **Delay** is from the moment a publisher sends a frame to the moment a packet of it is
  in a viewer's socket, by the kernel's stamp on it.
- **Drops** are datagrams that came for a socket that was full, as the operating system
  counts them. A server's drops are its own matter: they show that it fell behind. A
  single drop of the generator makes it the limit of that run.
";

fn head(report: &Report) -> String {
    let mut text = String::from("# Performance\n\n");
    let Report { began, command, .. } = report;
    let _ = writeln!(
        text,
        "Measured on {began} UTC, and written by the command itself:\n\n```sh\n{command}\n```\n"
    );
    if report.quick {
        text.push_str("**This was the short run: its figures are rough.**\n\n");
    }
    text
}

fn machine(report: &Report) -> String {
    let Machine {
        processor,
        cores,
        memory_bytes,
        system,
    } = &report.machine;
    let gib = number(*memory_bytes as f64 / 1_073_741_824.0);
    let mut table = Table::new(&["machine", ""], 2);
    table.row(["processor".to_owned(), processor.clone()]);
    table.row(["cores".to_owned(), cores.to_string()]);
    table.row(["memory".to_owned(), format!("{gib} GiB")]);
    table.row(["system".to_owned(), system.clone()]);
    let mut text = table.finish();
    let mut table = Table::new(&["server", "version", "bound to core number"], 3);
    for ServerInfo {
        name,
        version,
        cores,
    } in &report.servers
    {
        let cores: Vec<_> = cores.iter().map(usize::to_string).collect();
        let cores = match cores.join(", ") {
            all if all.is_empty() => "all".to_owned(),
            some => some,
        };
        let version = version.clone().unwrap_or_else(|| "–".to_owned());
        table.row([name.clone(), version, cores]);
    }
    text.push_str(&table.finish());
    text
}

/// What was sent, and what is late.
fn media(report: &Report) -> String {
    let mut text = format!(
        "- A frame is **late** if its last packet comes more than {} ms after the frame was \
         sent,\n  one and a half frames at 30 a second, and **lost** if it is never complete. \
         All packets\n  of a frame are sent at once: a keyframe to 1,000 viewers is a burst of \
         1,000 times its\n  packets, which a server has to be done with in that time. The limit \
         is the same for\n  every server.\n\
         - **The capacity** is the highest number of viewers with no frame late or lost. A run \
         that\n  was not clean is repeated before it counts. Where the load generator was the \
         limit, no\n  capacity is told.\n\
         - **Generator** is how much of a core the load generator's busiest thread used. \
         Over\n  {} %, or where it sent a frame more than {} ms behind its time, it counts \
         as the\n  limit.\n",
        LATE_US / 1_000,
        BUSY * 100.0,
        LATE_US / 1_000,
    );
    let mut shapes: Vec<MediaShape> = Vec::new();
    for run in &report.runs {
        let (Scenario::FanOut { media, .. }
        | Scenario::Streams { media, .. }
        | Scenario::Join { media, .. }
        | Scenario::Churn { media, .. }) = run.scenario;
        if !shapes.contains(&media) {
            shapes.push(media);
        }
    }
    for shape in shapes {
        let sound = if shape.audio { ", with sound" } else { "" };
        let _ = writeln!(
            text,
            "- **Each stream**: {} Mbit/s at {} frames a second{sound}, a keyframe every {}\n  \
             frames or when one is asked for, {} times as large as other frames.",
            number(shape.bitrate_bps as f64 / 1e6),
            shape.frame_rate,
            shape.keyframe_interval,
            shape.keyframe_factor,
        );
    }
    text.push('\n');
    text
}

fn side_by_side(report: &Report) -> String {
    let Some((ours, others)) = report.servers.split_first() else {
        return String::new();
    };
    let mut text = String::new();
    for other in others {
        let _ = writeln!(text, "## {} and {}\n", ours.name, other.name);
        text.push_str(&ratios::table(report, &ours.name, &other.name));
    }
    text
}

#[cfg(test)]
mod tests;
