//! Shell completions and the manual page, made of the command line's definition.

use std::io;

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::exit::Exit;
use crate::arguments::{ENVIRONMENT, definition};

const NAME: &str = "twoway-publish";

const SYNOPSIS: &str = "twoway-publish [OPTIONS] URL [INPUT]...\ntwoway-publish COMMAND [OPTIONS]";

/// What a user may try, and what it does.
const EXAMPLES: [(&str, &str); 6] = [
    (
        "twoway-publish ws://localhost:8080/test",
        "the test picture, by the name test",
    ),
    (
        "twoway-publish wss://example.org/desk --camera --microphone",
        "the first camera and the system's microphone",
    ),
    (
        "twoway-publish wss://example.org/talk --screen --microphone --monitor",
        "the screen with sound, measured as it comes back",
    ),
    (
        "twoway-publish https://example.org/whip/film film.mp4 --loop --token-file token",
        "a film, again and again, over WHIP",
    ),
    (
        "ffmpeg -i film.mov -f yuv4mpegpipe - | twoway-publish ws://localhost:8080/test -",
        "whatever ffmpeg decodes",
    ),
    (
        "twoway-publish ws://localhost:8080/test --json --duration 60 | jq .event",
        "a minute of the test picture, told to a machine",
    ),
];

/// A shell's completions.
pub(crate) fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut definition(), NAME, &mut script);
    script
}

/// The manual page, in roff.
///
/// # Errors
/// None is known: it is written to memory.
pub(crate) fn page() -> io::Result<Vec<u8>> {
    let mut definition = definition().override_usage(SYNOPSIS);
    definition.build();
    let commands: Vec<(String, String)> = definition.get_subcommands().map(command).collect();
    let man = Man::new(definition);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    section(&mut page, "COMMANDS", commands)?;
    let codes = Exit::table().map(|(code, meaning)| (code.to_string(), meaning));
    section(&mut page, "EXIT STATUS", codes)?;
    section(&mut page, "ENVIRONMENT", ENVIRONMENT)?;
    section(&mut page, "EXAMPLES", EXAMPLES)?;
    man.render_version_section(&mut page)?;
    Ok(page)
}

/// How a subcommand is called, and what it does. It has no page of its own.
fn command(command: &Command) -> (String, String) {
    let mut call = command.get_name().to_owned();
    for argument in command
        .get_arguments()
        .filter(|argument| argument.get_id() != "help")
    {
        call += &match argument.get_long() {
            Some(long) => format!(" [--{long}]"),
            None => format!(" {}", argument.get_id().as_str().to_uppercase()),
        };
    }
    let does = command.get_about().map(ToString::to_string);
    (call, does.unwrap_or_default())
}

/// A section of tagged paragraphs.
fn section<T: Into<String>, U: Into<String>>(
    page: &mut Vec<u8>,
    title: &str,
    entries: impl IntoIterator<Item = (T, U)>,
) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", [title]);
    for (tag, text) in entries {
        roff.control("TP", []);
        roff.text([bold(tag)]);
        roff.text([roman(text)]);
    }
    roff.to_writer(page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, ValueEnum};

    #[test]
    fn the_page_has_all_sections_and_every_option() {
        let page = String::from_utf8(page().unwrap()).unwrap();
        let sections = [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "SOURCES",
            "ENCODING",
            "TARGET",
        ];
        let own = ["COMMANDS", "\"EXIT STATUS\"", "ENVIRONMENT", "EXAMPLES"];
        for section in sections.iter().chain(&own) {
            assert!(page.contains(&format!(".SH {section}\n")), "{section}");
        }
        for option in definition().get_arguments().filter_map(Arg::get_long) {
            let escaped = option.replace('-', "\\-");
            assert!(page.contains(&format!("\\-\\-{escaped}")), "{option}");
        }
    }

    #[test]
    fn the_documentation_has_every_option_and_exit_code() {
        const GUIDE: &str = include_str!("../../../../docs/PUBLISHER.md");
        for option in definition().get_arguments().filter_map(Arg::get_long) {
            assert!(GUIDE.contains(&format!("--{option}")), "{option}");
        }
        for command in definition().get_subcommands().map(Command::get_name) {
            let call = format!("twoway-publish {command}");
            assert!(GUIDE.contains(&call), "{command}");
        }
        for (code, meaning) in Exit::table() {
            let row = format!("| {code} | {meaning} |\n");
            assert!(GUIDE.contains(&row), "{row}");
        }
    }

    #[test]
    fn completions_know_every_option() {
        for shell in Shell::value_variants() {
            let script = String::from_utf8(completions(*shell)).unwrap();
            for word in ["keyframe-interval", "devices", "completions"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }
}
