//! The command line's definition.

mod address;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use load::plan::{Depth, Kind, USUAL_MEDIA};
use load::results::{MediaShape, Scenario};

pub(crate) use address::ServerAddress;

/// Measures media servers: how many viewers they carry, at what cost and delay.
///
/// Publishers and viewers are native and made of packets: nothing is encoded or decoded.
/// A server that is started here has a core of its own, and the load generator the
/// others.
#[derive(Debug, Parser)]
#[command(
    name = "twoway-load",
    version,
    max_term_width = 100,
    after_help = "Exit codes:\n  0    measured\n  1    could not be measured or written\n  \
                  2    bad arguments\n  130  interrupted: what there was is written\n\n\
                  Environment:\n  TWOWAY_TOKEN  the token, if --token-file is not given\n  \
                  NO_COLOR      if set, progress is told in plain lines\n  \
                  RUST_LOG      what is logged on standard error, such as debug; error if not set"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) task: Task,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Run all scenarios against one or more servers, turn about; about half an hour
    /// against two
    Bench(Bench),
    /// Run one scenario against one server
    Run(Run),
    /// Write PERFORMANCE.md and its plots from results
    Report(Report),
}

/// Options of `bench`.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Run the short course, in three minutes against two servers: the figures are rough
    #[arg(long, conflicts_with = "smoke")]
    quick: bool,
    /// Run the shortest course, a few viewers for seconds: shows only that it works
    #[arg(long)]
    smoke: bool,
    /// Kinds of scenarios to run, separated by commas [default: all]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "KIND")]
    only: Vec<Kind>,
    /// Leave this project's own server out
    #[arg(long)]
    pub(crate) no_own: bool,
    #[command(flatten)]
    pub(crate) servers: ServerArgs,
    #[command(flatten)]
    media: MediaArgs,
    /// File for the results, as JSON; written after each run
    #[arg(long, value_name = "PATH", default_value = "twoway-load.json")]
    pub(crate) json: PathBuf,
    /// Folder for PERFORMANCE.md and its plots [default: none is written]
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Command that the report names as the one to repeat it [default: this one]
    #[arg(long, value_name = "COMMAND")]
    pub(crate) told_as: Option<String>,
}

/// Options of `run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// What to do to the server
    #[arg(value_enum)]
    scenario: Kind,
    /// Viewers: of the stream, of each stream, within a second (1: one after the
    /// other), or at a time
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    viewers: u32,
    /// Streams, where there are many
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    streams: u32,
    /// Seconds to measure
    #[arg(long, default_value = "10", value_parser = seconds)]
    pub(crate) seconds: Duration,
    /// Seconds to wait before, once everybody is there
    #[arg(long, default_value = "2", value_parser = seconds)]
    pub(crate) settle: Duration,
    #[command(flatten)]
    pub(crate) servers: ServerArgs,
    #[command(flatten)]
    media: MediaArgs,
    /// Print the results as JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `report`.
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// Results of benches, as JSON, and what was measured in a browser
    #[arg(required = true, value_name = "RESULTS")]
    pub(crate) results: Vec<PathBuf>,
    /// Folder for PERFORMANCE.md and performance/*.svg
    #[arg(long, value_name = "DIR", default_value = "docs")]
    pub(crate) output: PathBuf,
}

/// Which servers.
#[derive(Debug, Args)]
#[command(next_help_heading = "Servers")]
pub(crate) struct ServerArgs {
    /// This project's server [default: twoway-server beside this program]
    #[arg(long, value_name = "PATH")]
    pub(crate) program: Option<PathBuf>,
    /// Another server to start here
    #[arg(long, value_enum, value_name = "SERVER", value_delimiter = ',')]
    pub(crate) against: Vec<Other>,
    /// Janus' program
    #[arg(long, value_name = "PATH", default_value = "janus")]
    pub(crate) janus: PathBuf,
    /// Server that runs already, and its process where that is on this machine: ws://
    /// and wss:// speak Web Call Server's signalling, http:// and https:// WHIP and
    /// WHEP at /whip/NAME and /whep/NAME, janus+ws:// Janus' API; may be given several
    /// times
    #[arg(long, value_name = "NAME=URL[,pid=N]")]
    pub(crate) server: Vec<ServerAddress>,
    /// File with the bearer token that WHIP and WHEP servers ask for
    #[arg(long, value_name = "PATH")]
    pub(crate) token_file: Option<PathBuf>,
    /// Cores of a server that is started here, separated by commas [default: the last]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) server_cores: Vec<usize>,
    /// Cores of the load generator [default: those that are not the server's]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) generator_cores: Vec<usize>,
}

/// A server that can be started here beside this project's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Other {
    /// Janus, its video room.
    Janus,
}

/// What is sent.
#[derive(Debug, Args)]
#[command(next_help_heading = "Media")]
struct MediaArgs {
    /// Video bitrate of each stream in kbit/s
    #[arg(long, value_name = "KBPS", default_value_t = USUAL_MEDIA.bitrate_bps / 1_000,
          value_parser = clap::value_parser!(u64).range(50..=100_000))]
    bitrate: u64,
    /// Frames a second
    #[arg(long, default_value_t = USUAL_MEDIA.frame_rate,
          value_parser = clap::value_parser!(u32).range(1..=120))]
    fps: u32,
    /// Frames from one keyframe to the next
    #[arg(long, value_name = "FRAMES", default_value_t = USUAL_MEDIA.keyframe_interval,
          value_parser = clap::value_parser!(u32).range(1..))]
    keyframe_interval: u32,
    /// Send sound, too
    #[arg(long)]
    audio: bool,
}

impl Bench {
    /// How thorough it is.
    pub(crate) fn depth(&self) -> Depth {
        match (self.quick, self.smoke) {
            (_, true) => Depth::Smoke,
            (true, false) => Depth::Quick,
            (false, false) => Depth::Full,
        }
    }

    /// Which kinds of scenarios run.
    pub(crate) fn kinds(&self) -> &[Kind] {
        if self.only.is_empty() {
            &Kind::ALL
        } else {
            &self.only
        }
    }

    /// What is sent.
    pub(crate) fn media(&self) -> MediaShape {
        self.media.shape()
    }
}

impl Run {
    /// What to do to the server.
    pub(crate) fn scenario(&self) -> Scenario {
        let media = self.media.shape();
        let viewers = self.viewers;
        match self.scenario {
            Kind::FanOut => Scenario::FanOut { viewers, media },
            Kind::Streams => Scenario::Streams {
                streams: self.streams,
                viewers_each: viewers,
                media,
            },
            Kind::Join => Scenario::Join {
                crowd: viewers.max(1),
                media,
            },
            Kind::Churn => Scenario::Churn { viewers, media },
        }
    }
}

impl MediaArgs {
    fn shape(&self) -> MediaShape {
        MediaShape {
            bitrate_bps: self.bitrate * 1_000,
            frame_rate: self.fps,
            keyframe_interval: self.keyframe_interval,
            audio: self.audio,
            ..USUAL_MEDIA
        }
    }
}

/// Reads seconds, with a fraction if need be, up to a day.
fn seconds(text: &str) -> Result<Duration, String> {
    const MOST: f64 = 86_400.0;
    text.parse()
        .ok()
        .filter(|seconds| (0.1..=MOST).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "not a number of seconds from 0.1 to 86400".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn bench(arguments: &str) -> Bench {
        let all = ["twoway-load", "bench"].into_iter();
        let cli = Cli::try_parse_from(all.chain(arguments.split_whitespace()));
        match cli.expect("they are right").task {
            Task::Bench(bench) => bench,
            Task::Run(_) | Task::Report(_) => panic!("it is a bench"),
        }
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_bench_is_all_of_it_unless_less_is_asked_for() {
        let all = bench("");
        assert_eq!((all.depth(), all.kinds()), (Depth::Full, &Kind::ALL[..]));
        assert_eq!(all.media(), USUAL_MEDIA);
        let some = bench("--quick --only join,fan-out --against janus --server-cores 0,2");
        assert_eq!(some.depth(), Depth::Quick);
        assert_eq!(some.kinds(), [Kind::Join, Kind::FanOut]);
        assert_eq!(some.servers.against, [Other::Janus]);
        assert_eq!(some.servers.server_cores, [0, 2]);
        assert_eq!(bench("--smoke --bitrate 800").media().bitrate_bps, 800_000);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "bench --quick --smoke",
            "bench --only nothing",
            "run",
            "run fan-out --seconds 0",
            "run fan-out --bitrate 1",
            "run fan-out --server x=ftp://host",
            "report",
        ] {
            let all = ["twoway-load"].into_iter().chain(line.split_whitespace());
            assert!(Cli::try_parse_from(all).is_err(), "{line} was taken");
        }
    }

    #[test]
    fn a_scenario_is_put_together_from_its_options() {
        let line = "twoway-load run streams --streams 3 --viewers 0 --fps 25 --audio";
        let cli = Cli::try_parse_from(line.split_whitespace()).expect("it is right");
        let Task::Run(run) = cli.task else {
            panic!("it is a run");
        };
        let media = MediaShape {
            frame_rate: 25,
            audio: true,
            ..USUAL_MEDIA
        };
        let expected = Scenario::Streams {
            streams: 3,
            viewers_each: 0,
            media,
        };
        assert_eq!(run.scenario(), expected);
    }
}
