//! What the command line asks for.

mod cli;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};
use clap_complete::Shell;
use serde_json::Value;
use twoway_publisher::device::ScreenTarget;
use twoway_publisher::{
    AudioOptions, Input, MediaOptions, Options, RetryOptions, Server, SessionOptions, Target,
    TlsOptions, Token, Track, VideoOptions, token_from_file,
};

use crate::command::report::Form;
use crate::command::wanted::{EncodingGiven, Pictures, Wanted};
pub(crate) use cli::ENVIRONMENT;
use cli::{Cli, EncodingArgs, OutputArgs, SourceArgs, StayingArgs, TargetArgs};

/// Names standard input.
const STANDARD_INPUT: &str = "-";

/// The variable that may have the token.
const TOKEN_VARIABLE: &str = ENVIRONMENT[0].0;

/// The options that may, but need not, have a value.
const WITH_OPTIONAL_VALUE: [&str; 3] = ["--camera", "--microphone", "--screen"];

/// What the command shall do.
#[derive(Debug)]
pub(crate) enum Asked {
    Publish(Box<Arguments>),
    Devices {
        json: bool,
    },
    Completions(Shell),
    Man,
    /// Help or the version, which this is.
    Help(clap::Error),
}

/// What to publish, and how.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) options: Options,
    pub(crate) wanted: Wanted,
    /// Counted from the first PUBLISHING.
    pub(crate) duration: Option<Duration>,
    pub(crate) form: Form,
    pub(crate) stats_file: Option<PathBuf>,
}

/// The definition, for completions and the man page.
pub(crate) fn definition() -> clap::Command {
    Cli::command()
}

/// Reads a command line, the program's name in front.
///
/// # Errors
/// It makes no sense; the text is one sentence.
pub(crate) fn read(
    line: impl IntoIterator<Item = OsString>,
    token_variable: impl FnOnce(&str) -> Option<OsString>,
) -> Result<Asked, String> {
    let matches = definition().try_get_matches_from(without_urls_as_values(line));
    let parsed = matches.and_then(|matches| {
        let cli = Cli::from_arg_matches(&matches)?;
        Ok((cli, cli::encoding_given(&matches)))
    });
    let (cli, given) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            let asked = [ErrorKind::DisplayHelp, ErrorKind::DisplayVersion];
            return if asked.contains(&error.kind()) {
                Ok(Asked::Help(error))
            } else {
                Err(sentence(&error))
            };
        }
    };
    match cli.command {
        Some(cli::Other::Devices { json }) => Ok(Asked::Devices { json }),
        Some(cli::Other::Completions { shell }) => Ok(Asked::Completions(shell)),
        Some(cli::Other::Man) => Ok(Asked::Man),
        None => {
            let token = token_variable(TOKEN_VARIABLE);
            arguments(cli, given, token).map(|arguments| Asked::Publish(Box::new(arguments)))
        }
    }
}

/// Keeps `--camera ws://host/name` from taking the URL for the camera's name.
fn without_urls_as_values(line: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = line.into_iter().collect();
    let is_url = |word: &OsStr| word.to_string_lossy().contains("://");
    for at in 1..words.len() {
        let may_take_it = WITH_OPTIONAL_VALUE
            .iter()
            .any(|name| words[at - 1] == **name);
        if may_take_it && is_url(&words[at]) {
            words[at - 1].push("=");
        }
    }
    words
}

fn arguments(
    cli: Cli,
    given: EncodingGiven,
    token_variable: Option<OsString>,
) -> Result<Arguments, String> {
    // clap has seen to it that there is one.
    let url = cli.url.unwrap_or_default();
    let target = Target::parse(&url, cli.target.name.as_deref()).map_err(|e| e.to_string())?;
    let StayingArgs {
        give_up_after,
        duration,
        monitor,
    } = cli.staying;
    let wanted = wanted(&cli.sources, &cli.inputs, &cli.encoding, given)?;
    let options = Options {
        media: media(&cli.encoding)?,
        session: session(cli.target, target.server, token_variable)?,
        name: target.name,
        retry: RetryOptions {
            give_up_after,
            ..RetryOptions::default()
        },
        monitor,
    };
    let OutputArgs {
        json,
        quiet,
        stats_file,
    } = cli.output;
    let form = match (json, quiet) {
        (true, _) => Form::Json,
        (false, true) => Form::Quiet,
        (false, false) => Form::Lines,
    };
    Ok(Arguments {
        options,
        wanted,
        duration,
        form,
        stats_file,
    })
}

fn media(args: &EncodingArgs) -> Result<MediaOptions, String> {
    const BITS: u32 = 1000;
    let defaults = VideoOptions::default();
    let max = args.bitrate * BITS;
    let min = match args.min_bitrate {
        Some(min) if min > args.bitrate => {
            return Err("--min-bitrate is above --bitrate".to_owned());
        }
        Some(min) => min * BITS,
        None => defaults.min_bitrate_bps.min(max),
    };
    let start = args.start_bitrate.map(|start| start * BITS);
    if start.is_some_and(|start| start > max) {
        return Err("--start-bitrate is above --bitrate".to_owned());
    }
    if start.is_some_and(|start| start < min) {
        let lowest = min / BITS;
        return Err(format!(
            "--start-bitrate is below --min-bitrate, which is {lowest}"
        ));
    }
    Ok(MediaOptions {
        video: VideoOptions {
            max_size: args.size,
            max_fps: args.fps,
            max_bitrate_bps: max,
            min_bitrate_bps: min,
            start_bitrate_bps: start,
            keyframe_interval: args.keyframe_interval,
            adapt: !args.no_adapt,
        },
        audio: AudioOptions {
            bitrate_bps: args.audio_bitrate * BITS,
            stereo: args.stereo,
            fec: !args.no_fec,
        },
    })
}

fn session(
    args: TargetArgs,
    server: Server,
    token_variable: Option<OsString>,
) -> Result<SessionOptions, String> {
    let token = token(
        args.token.as_deref(),
        args.token_file.as_deref(),
        token_variable,
    )?;
    let over_http = matches!(server, Server::Http(_));
    let foreign = [
        ("--app-key", args.app_key.is_some()),
        ("--custom", args.custom.is_some()),
    ];
    if let Some((option, _)) = foreign.iter().find(|(_, given)| over_http && *given) {
        return Err(format!(
            "{option} is for a Web Call Server: it cannot be used with an http:// or https:// URL"
        ));
    }
    let mut options = SessionOptions::new(server);
    options.token = token;
    options.tls = TlsOptions {
        ca_files: args.ca_file,
        insecure: args.insecure,
    };
    options.tls.check().map_err(|error| error.to_string())?;
    if let Some(app_key) = args.app_key {
        options.app_key = app_key;
    }
    options.custom = args.custom.as_deref().map(json).transpose()?;
    Ok(options)
}

/// The token from wherever it is given. No sentence here shows it.
fn token(
    option: Option<&str>,
    file: Option<&Path>,
    variable: Option<OsString>,
) -> Result<Option<Token>, String> {
    let checked = |source: &str, text: Option<&str>| match text {
        Some(text) => Token::new(text).map_err(|error| format!("{source}: {error}")),
        None => Err(format!("{source}: an access token is plain text")),
    };
    match (option, file, variable) {
        (Some(text), _, _) => checked("--token", Some(text)).map(Some),
        (None, Some(path), _) => token_from_file(path).map(Some).map_err(|e| e.to_string()),
        (None, None, Some(text)) if !text.is_empty() => {
            checked(TOKEN_VARIABLE, text.to_str()).map(Some)
        }
        (None, None, Some(_) | None) => Ok(None),
    }
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("--custom is not JSON: {error}"))
}

fn wanted(
    args: &SourceArgs,
    inputs: &[PathBuf],
    encoding: &EncodingArgs,
    given: EncodingGiven,
) -> Result<Wanted, String> {
    let inputs = inputs.iter().map(|path| input(path)).collect();
    let wanted = Wanted {
        pictures: pictures(args)?,
        microphone: args.microphone.as_deref().map(named),
        inputs,
        repeat: args.repeat,
        only: match (args.no_video, args.no_audio) {
            (true, _) => Some(Track::Audio),
            (false, true) => Some(Track::Video),
            (false, false) => None,
        },
        size: encoding.size,
        fps: encoding.fps,
        stereo: encoding.stereo,
        given,
    };
    check_inputs(&wanted)?;
    Ok(wanted)
}

fn check_inputs(wanted: &Wanted) -> Result<(), String> {
    let from_pipe = |input: &&Input| matches!(input, Input::StandardInput);
    let from_pipe = wanted.inputs.iter().filter(from_pipe).count();
    let problem = if wanted.inputs.len() > 2 {
        "more than two inputs: one may bring the pictures, another the sound"
    } else if from_pipe > 1 {
        "standard input (-) cannot be read twice"
    } else if wanted.repeat && wanted.inputs.is_empty() {
        "--loop has no media file to repeat"
    } else if wanted.repeat && from_pipe > 0 {
        "--loop cannot be used with standard input (-), which is read only once"
    } else {
        return Ok(());
    };
    Err(problem.to_owned())
}

fn pictures(args: &SourceArgs) -> Result<Option<Pictures>, String> {
    // At most one of them, says clap.
    Ok(if let Some(name) = &args.camera {
        Some(Pictures::Camera(named(name)))
    } else if let Some(number) = &args.screen {
        Some(Pictures::Screen(ScreenTarget::Display(display(number)?)))
    } else if let Some(title) = &args.window {
        Some(Pictures::Screen(ScreenTarget::Window(title.clone())))
    } else {
        args.test_picture.then_some(Pictures::Test)
    })
}

fn display(number: &str) -> Result<usize, String> {
    if number.is_empty() {
        return Ok(0);
    }
    number.parse().map_err(|_| {
        format!(
            "--screen wants a display's number, as twoway-publish devices lists them, not {number}"
        )
    })
}

/// The device's name; none is given as an empty one.
fn named(name: &str) -> Option<String> {
    Some(name)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
}

fn input(path: &Path) -> Input {
    if path == Path::new(STANDARD_INPUT) {
        Input::StandardInput
    } else {
        Input::File(path.to_path_buf())
    }
}

/// The first paragraph of clap's message, on one line.
fn sentence(error: &clap::Error) -> String {
    let message = error.to_string();
    let paragraph = message.split("\n\n").next().unwrap_or_default();
    let paragraph = paragraph.trim_start_matches("error: ");
    let words: Vec<&str> = paragraph.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests;
