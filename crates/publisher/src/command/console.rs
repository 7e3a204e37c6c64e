//! Standard output and standard error, written to by turns: a status line that
//! is redrawn in place, and lines and logs above it that do not tear it.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use terminal_size::{Width, terminal_size_of};
use tracing_subscriber::fmt::MakeWriter;

use super::status_line::StatusLine;

/// Columns of a terminal that does not tell.
const USUAL_WIDTH: usize = 80;

/// The process's standard output and error.
#[derive(Clone)]
pub(crate) struct Console {
    screen: Arc<Mutex<Screen<io::Stdout>>>,
    logs_share_the_terminal: bool,
    colour: bool,
}

impl Console {
    pub(crate) fn new() -> Self {
        let colour = colour_is_welcome();
        Self {
            screen: Arc::new(Mutex::new(Screen::new(io::stdout(), colour))),
            logs_share_the_terminal: io::stderr().is_terminal(),
            colour,
        }
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
        self.logs_share_the_terminal && self.colour
    }

    /// Writes a line on standard output.
    pub(crate) fn line(&self, text: &str) {
        self.screen().line(text);
    }

    /// Draws the status line anew.
    pub(crate) fn status(&self, status: StatusLine) {
        self.screen().draw(status);
    }

    /// Leaves the status line as it is and goes to the next line.
    pub(crate) fn end_status(&self) {
        self.screen().end();
    }

    fn screen(&self) -> MutexGuard<'_, Screen<io::Stdout>> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        let mut screen = self.0.screen();
        // With stderr gone there is nobody left to tell.
        let write = || drop(io::stderr().write_all(log));
        if self.0.logs_share_the_terminal {
            screen.above(write);
        } else {
            write();
        }
        Ok(log.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A terminal's last line. That the terminal is gone, or a pipe closed, must
/// not end a stream: what cannot be written is dropped.
struct Screen<W> {
    out: W,
    colour: bool,
    status: Option<StatusLine>,
}

impl<W: Write> Screen<W> {
    fn new(out: W, colour: bool) -> Self {
        Self {
            out,
            colour,
            status: None,
        }
    }

    fn line(&mut self, text: &str) {
        let status = self.erase();
        let _ = writeln!(self.out, "{text}");
        self.redraw(status);
    }

    /// Lets `write` write whole lines to the same terminal by another way.
    fn above(&mut self, write: impl FnOnce()) {
        let status = self.erase();
        let _ = self.out.flush();
        write();
        self.redraw(status);
    }

    fn draw(&mut self, status: StatusLine) {
        self.erase();
        self.redraw(Some(status));
    }

    fn end(&mut self) {
        if self.status.take().is_some() {
            let _ = writeln!(self.out);
        }
    }

    /// Blanks are understood by every terminal, codes for erasing are not.
    fn erase(&mut self) -> Option<StatusLine> {
        let status = self.status.take()?;
        let _ = write!(self.out, "\r{:width$}\r", "", width = status.columns());
        Some(status)
    }

    fn redraw(&mut self, status: Option<StatusLine>) {
        if let Some(status) = &status {
            let _ = write!(self.out, "{}", status.painted(self.colour));
        }
        self.status = status;
        let _ = self.out.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(text: &str) -> StatusLine {
        StatusLine::plain(text)
    }

    fn written(screen: Screen<Vec<u8>>) -> String {
        String::from_utf8(screen.out).unwrap()
    }

    #[test]
    fn lines_go_above_the_status_line() {
        let mut screen = Screen::new(Vec::new(), false);
        screen.line("one");
        screen.draw(status("on air"));
        screen.line("two");
        screen.draw(status("off"));
        screen.end();
        screen.line("three");
        assert_eq!(
            written(screen),
            "one\non air\r      \rtwo\non air\r      \roff\nthree\n"
        );
    }

    #[test]
    fn logs_go_above_the_status_line() {
        let mut screen = Screen::new(Vec::new(), false);
        let mut logs = 0;
        screen.above(|| logs += 1);
        screen.draw(status("on air"));
        screen.above(|| logs += 1);
        assert_eq!(logs, 2);
        assert_eq!(written(screen), "on air\r      \ron air");
    }

    #[test]
    fn a_terminal_that_is_gone_is_no_error() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
        let mut screen = Screen::new(Gone, true);
        screen.draw(status("on air"));
        screen.line("one");
        screen.end();
        assert!(screen.status.is_none());
    }
}
