//! Standard output and standard error: a status line that is redrawn in place,
//! and lines and logs above it that do not tear it.
//!
//! Nobody who has something to say waits for it to be written: the task that
//! hears of signals does not, and the threads of media that log do not either.
//! A pipe that nobody reads, or a terminal stopped by Ctrl-S, holds up only the
//! thread that writes to it. What has no room meanwhile is left out and counted.

mod outlet;
mod screen;

use std::io::{self, IsTerminal, Write};
use std::time::Duration;
use std::{env, thread};

use terminal_size::{Width, terminal_size_of};
use tracing_subscriber::fmt::MakeWriter;

use super::status_line::StatusLine;
use outlet::{Outlet, Piece, Work};
use screen::Screen;

/// Columns of a terminal that does not tell.
const USUAL_WIDTH: usize = 80;

/// How long the command's end waits for what is still to be written, on either
/// of the two.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Why lines are left out of standard output.
const NOT_READ: &str = "standard output was not read";

/// The process's standard output and error.
#[derive(Clone)]
pub(crate) struct Console {
    out: Outlet,
    /// `None` if both are on one terminal, where pieces have their one order.
    errors: Option<Outlet>,
    colour: bool,
}

impl Console {
    /// Starts the threads that write. They end with the process.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub(crate) fn start() -> io::Result<Self> {
        let colour = colour_is_welcome();
        let (stdout, stderr) = (io::stdout(), io::stderr());
        if stdout.is_terminal() && stderr.is_terminal() {
            let terminal = Outlet::default();
            let screen = Screen::new(stdout, stderr, colour);
            write_to(screen, &terminal, &terminal, "the terminal was stopped")?;
            return Ok(Self {
                out: terminal,
                errors: None,
                colour,
            });
        }
        let (out, errors) = (Outlet::default(), Outlet::default());
        let screen = Screen::new(stdout, io::sink(), colour);
        write_to(screen, &out, &errors, NOT_READ)?;
        let screen = Screen::new(io::sink(), stderr, false);
        write_to(screen, &errors, &errors, "standard error was not read")?;
        Ok(Self {
            out,
            errors: Some(errors),
            colour,
        })
    }

    /// Whether a line can be redrawn in place.
    pub(crate) fn is_live() -> bool {
        let dumb = env::var_os("TERM").is_some_and(|kind| kind == "dumb");
        io::stdout().is_terminal() && !dumb
    }

    /// Columns that a status line may take without wrapping.
    pub(crate) fn width() -> usize {
        let width = terminal_size_of(io::stdout()).map(|(Width(width), _)| usize::from(width));
        // Some terminals wrap as soon as the last column is written.
        width.filter(|width| *width > 0).unwrap_or(USUAL_WIDTH) - 1
    }

    /// Whether logs may be coloured.
    pub(crate) fn colours_logs(&self) -> bool {
        self.errors.is_none() && self.colour
    }

    /// Writes a line on standard output.
    pub(crate) fn line(&self, text: String) {
        self.out.push(Piece::Line(text));
    }

    /// The same of one that is left out if many wait to be written.
    pub(crate) fn passing_line(&self, text: String) {
        self.out.push(Piece::Passing(text));
    }

    /// Draws the status line anew.
    pub(crate) fn status(&self, status: StatusLine) {
        self.out.push(Piece::Status(status));
    }

    /// Leaves the status line as it is and goes to the next line.
    pub(crate) fn end_status(&self) {
        self.out.push(Piece::EndOfStatus);
    }

    /// Waits until all is written, then for a last line on standard error; but
    /// not for ever.
    pub(crate) fn finish(&self, last: Option<String>) {
        let left_out = self.out.finish(LAST_WORDS);
        let stuck = left_out > 0;
        if stuck && self.errors.is_none() {
            // A terminal that is still stopped shows a last line to nobody.
            return;
        }
        if stuck {
            self.errors().push(told_left_out(NOT_READ, left_out));
        }
        if let Some(last) = last {
            self.errors().push(Piece::Error(last));
        }
        self.errors().finish(LAST_WORDS);
    }

    fn errors(&self) -> &Outlet {
        self.errors.as_ref().unwrap_or(&self.out)
    }
}

/// Writes what comes to an outlet, on a thread of its own; `errors` is told what
/// had no room, and `why`.
fn write_to<O, E>(
    mut screen: Screen<O, E>,
    outlet: &Outlet,
    errors: &Outlet,
    why: &'static str,
) -> io::Result<()>
where
    O: Write + Send + 'static,
    E: Write + Send + 'static,
{
    let (outlet, errors) = (outlet.clone(), errors.clone());
    let write = move || {
        loop {
            match outlet.work() {
                Work::Write(piece) => screen.write(piece),
                Work::TellLeftOut(count) => errors.push(told_left_out(why, count)),
            }
        }
    };
    let thread = thread::Builder::new().name("console".to_owned());
    thread.spawn(write).map(drop)
}

fn told_left_out(why: &str, count: usize) -> Piece {
    Piece::Error(format!("twoway-publish: {why}, lines left out: {count}"))
}

/// As <https://no-color.org> asks. Old consoles of Windows show the codes.
fn colour_is_welcome() -> bool {
    let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let understood = cfg!(not(windows)) || env::var_os("WT_SESSION").is_some();
    !refused && understood && Console::is_live()
}

impl<'a> MakeWriter<'a> for Console {
    type Writer = LogWriter<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        LogWriter(self)
    }
}

/// Writes log lines on standard error, each in one piece.
pub(crate) struct LogWriter<'a>(&'a Console);

impl Write for LogWriter<'_> {
    fn write(&mut self, log: &[u8]) -> io::Result<usize> {
        self.0.errors().push(Piece::Log(log.to_vec()));
        Ok(log.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
