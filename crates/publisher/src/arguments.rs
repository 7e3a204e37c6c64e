//! The command line.

use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;
use twoway_publisher::{Options, Size, Target};

/// Publishes a test picture with sound to a Two-way Streaming server.
///
/// Prints each status as it comes. Ctrl-C unpublishes, then disconnects.
/// Exit codes: 0 stopped as asked, 1 connection failed or lost, 2 bad arguments,
/// 3 refused or ended by the server, 4 media failed.
#[derive(Debug, Parser)]
#[command(name = "twoway-publish", version, verbatim_doc_comment)]
struct Cli {
    /// Where to publish, the stream's name in its path: ws://localhost:8080/test
    url: String,

    /// The stream's name, instead of the URL's path
    #[arg(long)]
    name: Option<String>,

    /// The picture's size in pixels
    #[arg(long, default_value = "1280x720", value_name = "WIDTHxHEIGHT")]
    size: Size,

    /// Pictures a second
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=120))]
    fps: u32,

    /// Video bitrate in kbit/s
    #[arg(long, default_value_t = 2000, value_name = "KBPS",
          value_parser = clap::value_parser!(u32).range(50..=100_000))]
    bitrate: u32,

    /// Longest time between keyframes in seconds; 0 sends only those that viewers need
    #[arg(long, default_value = "4", value_name = "SECONDS", value_parser = seconds)]
    keyframe_interval: Duration,

    /// Stop after this many seconds of publishing
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    duration: Option<Duration>,
}

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) options: Options,
    pub(crate) size: Size,
    pub(crate) fps: u32,
    /// Counted from PUBLISHING.
    pub(crate) duration: Option<Duration>,
}

/// Reads the command line. `None` if it asked for help or the version, which
/// is printed; an error is one sentence.
pub(crate) fn read() -> Result<Option<Arguments>, String> {
    match Cli::try_parse() {
        Ok(cli) => arguments(cli).map(Some),
        Err(error) => {
            let asked = [ErrorKind::DisplayHelp, ErrorKind::DisplayVersion];
            if !asked.contains(&error.kind()) {
                return Err(sentence(&error));
            }
            // With stdout gone there is nobody left to tell.
            let _ = error.print();
            Ok(None)
        }
    }
}

fn arguments(cli: Cli) -> Result<Arguments, String> {
    let target = Target::parse(&cli.url, cli.name.as_deref());
    let target = target.map_err(|error| error.to_string())?;
    let mut options = Options::new(target.server, target.name);
    options.media.video.max_bitrate_bps = cli.bitrate * 1000;
    options.media.video.keyframe_interval = cli.keyframe_interval;
    options.retry.give_up_after = Some(Duration::ZERO);
    Ok(Arguments {
        options,
        size: cli.size,
        fps: cli.fps,
        duration: cli.duration,
    })
}

/// The first paragraph of clap's message, on one line.
fn sentence(error: &clap::Error) -> String {
    let message = error.to_string();
    let paragraph = message.split("\n\n").next().unwrap_or_default();
    let paragraph = paragraph.trim_start_matches("error: ");
    let words: Vec<&str> = paragraph.split_whitespace().collect();
    words.join(" ")
}

/// Reads seconds, with a fraction if need be, up to a year.
fn seconds(text: &str) -> Result<Duration, String> {
    const MOST: f64 = 366.0 * 86_400.0;
    text.parse()
        .ok()
        .filter(|seconds| (0.0..=MOST).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "not a number of seconds".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        let words = std::iter::once("twoway-publish").chain(line.split(' '));
        Cli::try_parse_from(words)
            .map_err(|error| sentence(&error))
            .and_then(arguments)
    }

    #[test]
    fn defaults_are_those_of_the_help() {
        let parsed = parse("ws://localhost:8080/test").unwrap();
        let target = Target::parse("ws://localhost:8080/test", None).unwrap();
        let mut expected = Options::new(target.server, target.name);
        expected.retry.give_up_after = Some(Duration::ZERO);
        assert_eq!(parsed.options, expected);
        assert_eq!(parsed.size.to_string(), "1280x720");
        assert_eq!((parsed.fps, parsed.duration), (30, None));
    }

    #[test]
    fn every_option_is_taken() {
        let parsed = parse(
            "ws://h:1/path --name cam --size 640x360 --fps 15 --bitrate 500 \
             --keyframe-interval 0 --duration 2.5",
        );
        let parsed = parsed.unwrap();
        assert_eq!(parsed.options.name.as_str(), "cam");
        assert_eq!(parsed.options.media.video.max_bitrate_bps, 500_000);
        assert_eq!(parsed.options.media.video.keyframe_interval, Duration::ZERO);
        assert_eq!(parsed.size.to_string(), "640x360");
        assert_eq!(parsed.fps, 15);
        assert_eq!(parsed.duration, Some(Duration::from_millis(2500)));
    }

    #[test]
    fn bad_arguments_get_one_clear_sentence() {
        let check = |line: &str, expected: &str| {
            let error = parse(line).unwrap_err();
            assert!(error.contains(expected), "{line}: {error}");
            assert!(!error.contains('\n'), "{line}: {error}");
        };
        check("rtmp://h:1/test", "must begin with ws://");
        check("ws://h:1/", "has no name");
        check("ws://h:1/test --name ", "has no name");
        check("ws://h:1/test --size 1281x720", "both even");
        check("ws://h:1/test --fps 0", "--fps");
        check("ws://h:1/test --bitrate fast", "--bitrate");
        check("ws://h:1/test --duration=-1", "not a number of seconds");
        check("ws://h:1/test --duration NaN", "not a number of seconds");
        check("ws://h:1/test --colour", "--colour");
        check("--fps 30", "<URL>");
    }
}
