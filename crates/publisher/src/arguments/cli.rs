//! The command line's definition: help, completions and man page come from it.

use std::path::PathBuf;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Parser, Subcommand};
use clap_complete::Shell;
use twoway_publisher::Size;

use crate::command::exit::Exit;
use crate::command::wanted::EncodingGiven;

/// Puts a camera, a screen, a media file or a test picture on air.
///
/// Publishes live video and sound to a Two-way Streaming server, a Web Call
/// Server or any WHIP server, and stays on air: a lost connection is made again.
/// Ctrl-C takes leave of the server; a second one does not wait for it.
#[derive(Debug, Parser)]
#[command(
    name = "twoway-publish",
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    subcommand_value_name = "COMMAND",
    subcommand_help_heading = "Commands",
    disable_help_subcommand = true,
    after_help = after_help()
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Other>,

    /// Where to publish, the stream's name in the path: ws://localhost:8080/test,
    /// wss://... likewise; or a WHIP endpoint: https://host/whip/test
    #[arg(required = true)]
    pub(crate) url: Option<String>,

    /// Media file to send, or - for standard input; at most two, one for the
    /// pictures and one for the sound [default: the test picture]
    #[arg(value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) sources: SourceArgs,
    #[command(flatten)]
    pub(crate) encoding: EncodingArgs,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    #[command(flatten)]
    pub(crate) staying: StayingArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// What the command does beside publishing.
#[derive(Debug, Subcommand)]
pub(crate) enum Other {
    /// List cameras with their modes, microphones, displays and windows, as tables or as JSON
    Devices {
        /// JSON instead of tables
        #[arg(long)]
        json: bool,
    },
    /// Print the completions of a shell, for it to read
    Completions {
        /// Whose
        shell: Shell,
    },
    /// Print the manual page, in roff
    Man,
}

/// Where pictures and sound come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sources")]
pub(crate) struct SourceArgs {
    /// Send a camera's pictures: by number, path or part of its name [default: the
    /// first camera]
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "",
          conflicts_with_all = ["screen", "window", "test_picture"])]
    pub(crate) camera: Option<String>,

    /// Send a microphone's sound: by number or part of its name [default: the
    /// system's]
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    pub(crate) microphone: Option<String>,

    /// Send a display's pictures: by its number [default: 0]
    #[arg(long, value_name = "NUMBER", num_args = 0..=1, default_missing_value = "",
          conflicts_with_all = ["window", "test_picture"])]
    pub(crate) screen: Option<String>,

    /// Send a window's pictures: by id, title or part of it
    #[arg(long, value_name = "TITLE", conflicts_with = "test_picture")]
    pub(crate) window: Option<String>,

    /// Send the test picture, and its tone if nothing else brings sound
    #[arg(long)]
    pub(crate) test_picture: bool,

    /// Send no pictures
    #[arg(long, conflicts_with = "no_audio")]
    pub(crate) no_video: bool,

    /// Send no sound
    #[arg(long)]
    pub(crate) no_audio: bool,

    /// Play media files again and again
    #[arg(long = "loop")]
    pub(crate) repeat: bool,
}

/// How it is encoded. What a file brings encoded for WebRTC is sent as it is.
#[derive(Debug, Args)]
#[command(next_help_heading = "Encoding")]
pub(crate) struct EncodingArgs {
    /// The test picture's size and the one wanted of a camera [default: 1280x720];
    /// of all else the largest
    #[arg(long, value_name = "WIDTHxHEIGHT")]
    pub(crate) size: Option<Size>,

    /// Pictures a second, at most [default: 30 of devices and the test picture, all of a file]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=120))]
    pub(crate) fps: Option<u32>,

    /// Video bitrate in kbit/s while the network has no objection
    #[arg(long, value_name = "KBPS", default_value_t = 2000,
          value_parser = clap::value_parser!(u32).range(50..=100_000))]
    pub(crate) bitrate: u32,

    /// Lowest video bitrate in kbit/s, however little the network carries [default: 100]
    #[arg(long, value_name = "KBPS", conflicts_with = "no_adapt",
          value_parser = clap::value_parser!(u32).range(30..=100_000))]
    pub(crate) min_bitrate: Option<u32>,

    /// Video bitrate in kbit/s before the network is known
    #[arg(long, value_name = "KBPS", conflicts_with = "no_adapt",
          value_parser = clap::value_parser!(u32).range(30..=100_000))]
    pub(crate) start_bitrate: Option<u32>,

    /// Longest time between keyframes in seconds; 0 sends only those that viewers need
    #[arg(long, default_value = "4", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) keyframe_interval: Duration,

    /// Keep bitrate, frame rate and size, whatever the network carries
    #[arg(long)]
    pub(crate) no_adapt: bool,

    /// Audio bitrate in kbit/s
    #[arg(long, value_name = "KBPS", default_value_t = 64,
          value_parser = clap::value_parser!(u32).range(6..=510))]
    pub(crate) audio_bitrate: u32,

    /// Send two channels of sound, if the source has them
    #[arg(long)]
    pub(crate) stereo: bool,

    /// Send the sound without forward error correction
    #[arg(long)]
    pub(crate) no_fec: bool,
}

/// Where it goes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub(crate) struct TargetArgs {
    /// The stream's name, instead of the URL's path
    #[arg(long)]
    pub(crate) name: Option<String>,

    /// Token that the server asks for; others can see it in the list of processes,
    /// so --token-file or the environment variable TWOWAY_TOKEN are better
    // Never parsed by clap, whose errors would show it. It may begin with "-".
    #[arg(
        long,
        value_name = "TOKEN",
        allow_hyphen_values = true,
        conflicts_with = "token_file"
    )]
    pub(crate) token: Option<String>,

    /// File that has the token in it
    #[arg(long, value_name = "PATH")]
    pub(crate) token_file: Option<PathBuf>,

    /// File of certificates (PEM) to trust beside the system's; may be given
    /// several times
    #[arg(long, value_name = "PATH")]
    pub(crate) ca_file: Vec<PathBuf>,

    /// Trust any certificate: for tests only
    #[arg(long, conflicts_with = "ca_file")]
    pub(crate) insecure: bool,

    /// Application at the Web Call Server [default: defaultApp]
    #[arg(long, value_name = "KEY")]
    pub(crate) app_key: Option<String>,

    /// Data for the application at the Web Call Server
    #[arg(long, value_name = "JSON")]
    pub(crate) custom: Option<String>,
}

/// For how long.
#[derive(Debug, Args)]
#[command(next_help_heading = "Staying on air")]
pub(crate) struct StayingArgs {
    /// Give up after this many seconds off air; 0 ends at the first loss or failure
    /// [default: never, but a first refusal for good ends at once]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) give_up_after: Option<Duration>,

    /// Stop after this many seconds, from first on air
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) duration: Option<Duration>,

    /// Play the stream back and tell its delay, loss and freezes
    #[arg(long)]
    pub(crate) monitor: bool,
}

/// What is told.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Print events, and statistics once a second, as JSON, one object a line
    #[arg(long, conflicts_with = "quiet")]
    pub(crate) json: bool,

    /// Print nothing but errors
    #[arg(long, short)]
    pub(crate) quiet: bool,

    /// File to keep the latest statistics in, and how it ended, as JSON
    #[arg(long, value_name = "PATH")]
    pub(crate) stats_file: Option<PathBuf>,
}

/// The options for encoding pictures, and those for encoding sound. Pictures that
/// are sent as they are keep bitrate, rate and size, as `--no-adapt` wants.
const VIDEO_ENCODING: [&str; 6] = [
    "--size",
    "--fps",
    "--bitrate",
    "--min-bitrate",
    "--start-bitrate",
    "--keyframe-interval",
];
const AUDIO_ENCODING: [&str; 3] = ["--audio-bitrate", "--stereo", "--no-fec"];

/// Which of them are on the command line, default values or not.
pub(crate) fn encoding_given(matches: &ArgMatches) -> EncodingGiven {
    let is_given = |option: &&str| {
        // So clap has named them, after the members above.
        let id = option.trim_start_matches('-').replace('-', "_");
        matches.value_source(&id) == Some(ValueSource::CommandLine)
    };
    EncodingGiven {
        video: VIDEO_ENCODING.into_iter().filter(is_given).collect(),
        audio: AUDIO_ENCODING.into_iter().filter(is_given).collect(),
    }
}

fn after_help() -> String {
    let codes: String = Exit::table()
        .map(|(code, meaning)| format!("  {code}  {meaning}\n"))
        .collect();
    let environment: String = ENVIRONMENT
        .map(|(variable, meaning)| format!("  {variable:<13} {meaning}\n"))
        .concat();
    format!("Exit codes:\n{codes}\nEnvironment:\n{environment}")
}

/// The variables that are read, and what for.
pub(crate) const ENVIRONMENT: [(&str, &str); 3] = [
    (
        "TWOWAY_TOKEN",
        "the token, if neither --token nor --token-file is given",
    ),
    ("NO_COLOR", "if set, nothing is coloured"),
    (
        "RUST_LOG",
        "what is logged on standard error, such as debug; warn if not set",
    ),
];

/// Reads seconds, with a fraction if need be, up to a year.
fn seconds(text: &str) -> Result<Duration, String> {
    const MOST: f64 = 366.0 * 86_400.0;
    text.parse()
        .ok()
        .filter(|seconds| (0.0..=MOST).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "not a number of seconds".to_owned())
}
