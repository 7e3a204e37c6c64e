//! A terminal's last line, or the lines of whatever else output goes to.

use std::io::Write;

use super::outlet::Piece;
use crate::command::status_line::StatusLine;

/// Where pieces are written. That a terminal is gone, or a pipe closed, must not
/// end a stream: what cannot be written is dropped.
pub(super) struct Screen<O, E> {
    out: O,
    errors: E,
    colour: bool,
    status: Option<StatusLine>,
}

impl<O: Write, E: Write> Screen<O, E> {
    /// `errors` may write to the same terminal as `out`.
    pub(super) fn new(out: O, errors: E, colour: bool) -> Self {
        Self {
            out,
            errors,
            colour,
            status: None,
        }
    }

    pub(super) fn write(&mut self, piece: Piece) {
        match piece {
            Piece::Line(text) | Piece::Passing(text) => self.line(&text),
            Piece::Status(status) => self.draw(status),
            Piece::EndOfStatus => self.end(),
            Piece::Log(lines) => self.above(&lines),
            Piece::Error(text) => self.above(format!("{text}\n").as_bytes()),
        }
    }

    fn line(&mut self, text: &str) {
        let status = self.erase();
        let _ = writeln!(self.out, "{text}");
        self.redraw(status);
    }

    /// Writes whole lines to the same terminal by another way.
    fn above(&mut self, lines: &[u8]) {
        let status = self.erase();
        let _ = self.out.flush();
        let _ = self.errors.write_all(lines);
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
    use std::io;

    use super::*;

    fn line(text: &str) -> Piece {
        Piece::Line(text.to_owned())
    }

    fn status(text: &str) -> Piece {
        Piece::Status(StatusLine::plain(text))
    }

    fn check(pieces: Vec<Piece>, out: &str, errors: &str) {
        let mut screen = Screen::new(Vec::new(), Vec::new(), false);
        for piece in pieces {
            screen.write(piece);
        }
        let text = |bytes| String::from_utf8(bytes).unwrap();
        assert_eq!(text(screen.out), out);
        assert_eq!(text(screen.errors), errors);
    }

    #[test]
    fn lines_go_above_the_status_line() {
        check(
            vec![
                line("one"),
                status("on air"),
                Piece::Passing("two".to_owned()),
                status("off"),
                Piece::EndOfStatus,
                line("three"),
            ],
            "one\non air\r      \rtwo\non air\r      \roff\nthree\n",
            "",
        );
    }

    #[test]
    fn logs_go_above_the_status_line() {
        let log = Piece::Log(b"log\n".to_vec());
        let error = Piece::Error("that was it".to_owned());
        check(
            vec![log, status("on air"), error],
            "on air\r      \ron air",
            "log\nthat was it\n",
        );
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
        let mut screen = Screen::new(Gone, Gone, true);
        screen.write(status("on air"));
        screen.write(line("one"));
        screen.write(Piece::Log(b"log\n".to_vec()));
        screen.write(Piece::EndOfStatus);
        assert!(screen.status.is_none());
    }
}
