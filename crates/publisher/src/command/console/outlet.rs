//! What waits to be written. Whoever reads slowly, or not at all, holds up the
//! one thread that writes, and nobody who has something to say.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::command::status_line::StatusLine;

/// Passing lines that may wait: statistics of a minute.
const PASSING_LIMIT: usize = 64;

/// Pieces that may wait before logs are left out.
const LOG_LIMIT: usize = 1_024;

/// Pieces that may wait before all else is left out, too: nobody reads.
const LIMIT: usize = 2_048;

/// Something to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// A line on standard output.
    Line(String),
    /// One that may be missed, since the next tells more.
    Passing(String),
    /// The status line, drawn anew.
    Status(StatusLine),
    /// Leaves the status line as it is and goes to the next line.
    EndOfStatus,
    /// Whole lines of the log, on standard error.
    Log(Vec<u8>),
    /// A line on standard error.
    Error(String),
}

impl Piece {
    /// How many may wait before this one is left out.
    fn limit(&self) -> usize {
        match self {
            Self::Passing(_) | Self::Status(_) => PASSING_LIMIT,
            Self::Log(_) => LOG_LIMIT,
            Self::Line(_) | Self::EndOfStatus | Self::Error(_) => LIMIT,
        }
    }
}

/// What the writing thread has to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Work {
    Write(Piece),
    /// All is written that waited. So many pieces had no room since the last
    /// time.
    TellLeftOut(usize),
}

/// A bounded queue of pieces, in the order in which they are to be written.
#[derive(Debug, Default)]
struct Queue {
    pieces: VecDeque<Piece>,
    /// The thread has taken work, and not come back for more.
    busy: bool,
    left_out: usize,
}

impl Queue {
    fn push(&mut self, piece: Piece) {
        if let (Piece::Status(_), Some(last @ Piece::Status(_))) = (&piece, self.pieces.back_mut())
        {
            *last = piece;
        } else if self.pieces.len() < piece.limit() {
            self.pieces.push_back(piece);
        } else if !matches!(piece, Piece::Status(_)) {
            self.left_out += 1;
        }
    }

    fn work(&mut self) -> Option<Work> {
        let work = match self.pieces.pop_front() {
            Some(piece) => Some(Work::Write(piece)),
            None if self.left_out > 0 => {
                Some(Work::TellLeftOut(std::mem::take(&mut self.left_out)))
            }
            None => None,
        };
        self.busy = work.is_some();
        work
    }

    fn is_done(&self) -> bool {
        !self.busy && self.pieces.is_empty() && self.left_out == 0
    }

    /// Lets go what is not written yet: how many pieces that are.
    fn give_up(&mut self) -> usize {
        let waiting = self.pieces.drain(..).count() + usize::from(self.busy);
        waiting + std::mem::take(&mut self.left_out)
    }
}

/// A queue and its two ends.
#[derive(Debug, Clone, Default)]
pub(super) struct Outlet(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// There is work, or it is done.
    changed: Condvar,
}

impl Outlet {
    /// Has a piece written as soon as may be. Never waits.
    pub(super) fn push(&self, piece: Piece) {
        self.queue().push(piece);
        self.0.changed.notify_all();
    }

    /// Waits for work, with that of before done.
    pub(super) fn work(&self) -> Work {
        let mut queue = self.queue();
        loop {
            if let Some(work) = queue.work() {
                return work;
            }
            self.0.changed.notify_all();
            let waited = self.0.changed.wait(queue);
            queue = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until all is written, but not longer than `limit`: how many pieces
    /// are not written by then, and are given up.
    pub(super) fn finish(&self, limit: Duration) -> usize {
        let waited = self
            .0
            .changed
            .wait_timeout_while(self.queue(), limit, |queue| !queue.is_done());
        let (mut queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        queue.give_up()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::*;

    fn line(text: &str) -> Piece {
        Piece::Line(text.to_owned())
    }

    fn status(text: &str) -> Piece {
        Piece::Status(StatusLine::plain(text))
    }

    fn queue(pieces: impl IntoIterator<Item = Piece>) -> Queue {
        let mut queue = Queue::default();
        for piece in pieces {
            queue.push(piece);
        }
        queue
    }

    fn all_work(mut queue: Queue) -> Vec<Work> {
        iter::from_fn(|| queue.work()).collect()
    }

    #[test]
    fn pieces_come_out_in_their_order() {
        let pieces = [line("one"), status("on air"), Piece::EndOfStatus];
        let expected = pieces.clone().map(Work::Write);
        assert_eq!(all_work(queue(pieces)), expected);
    }

    #[test]
    fn a_status_line_takes_the_place_of_one_that_is_not_drawn_yet() {
        let pieces = [status("a"), line("one"), status("b"), status("c")];
        let expected = [status("a"), line("one"), status("c")].map(Work::Write);
        assert_eq!(all_work(queue(pieces)), expected);
    }

    /// That of more pieces than `limit` the first ones are kept, that there is
    /// room for `more` beside them, and what is told of the rest.
    fn check(piece: Piece, limit: usize, more: Option<Piece>, left_out: Option<usize>) {
        let pieces = iter::repeat_n(piece, limit + 3).chain(more.clone());
        let work = all_work(queue(pieces));
        let kept = work.iter().filter(|work| matches!(work, Work::Write(_)));
        assert_eq!(kept.count(), limit + usize::from(more.is_some()));
        let told = left_out.map(Work::TellLeftOut);
        assert_eq!(work.last().filter(|_| told.is_some()), told.as_ref());
    }

    #[test]
    fn what_may_be_missed_leaves_room_for_what_may_not() {
        let passing = Piece::Passing("{}".to_owned());
        check(passing, PASSING_LIMIT, Some(line("one")), Some(3));
        let log = Piece::Log(b"log".to_vec());
        let error = Piece::Error("that was it".to_owned());
        check(log, LOG_LIMIT, Some(error), Some(3));
        check(line("one"), LIMIT, None, Some(3));
    }

    #[test]
    fn a_status_line_without_room_is_missed_by_nobody() {
        let lines = iter::repeat_n(line("one"), PASSING_LIMIT);
        let mut queue = queue(lines.chain([status("on air")]));
        for _ in 0..PASSING_LIMIT {
            assert_eq!(queue.work(), Some(Work::Write(line("one"))));
        }
        assert_eq!(queue.work(), None);
        assert!(queue.is_done());
    }

    #[test]
    fn what_is_given_up_is_counted() {
        let mut queue = queue(iter::repeat_n(line("one"), LIMIT + 1));
        assert!(queue.work().is_some() && !queue.is_done());
        // The one that is being written, those that wait, the one left out.
        assert_eq!(queue.give_up(), 1 + (LIMIT - 1) + 1);
    }

    #[test]
    fn the_end_waits_for_a_writer_but_not_for_ever() {
        let outlet = Outlet::default();
        outlet.push(line("one"));
        assert_eq!(outlet.finish(Duration::ZERO), 1);
        outlet.push(line("two"));
        let writer = outlet.clone();
        // Ends with the test's process.
        std::thread::spawn(move || {
            loop {
                writer.work();
            }
        });
        assert_eq!(outlet.finish(Duration::MAX), 0);
    }
}
