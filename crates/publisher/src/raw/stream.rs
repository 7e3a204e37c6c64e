//! A source fed by a thread that reads.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::pace::{Pace, Span, Timing};
use crate::source::{AudioChunk, Captured, Format, Source, SourceError, VideoFrame};

/// Pictures or pieces of sound read ahead: the next one is ready when this one
/// is taken, and a writer that is faster waits.
const READ_AHEAD: usize = 1;

/// How long [`Source::next`] waits.
const MAX_WAIT: Duration = Duration::from_millis(500);

/// Reads an input, and may block as long as it likes.
pub(super) trait Read: Send + 'static {
    fn format(&self) -> Format;

    /// What comes next; `None` at the end.
    fn read(&mut self) -> Result<Option<Unit>, Trouble>;
}

/// One thing read, and its place in the media.
pub(super) struct Unit {
    pub(super) span: Span,
    pub(super) content: Content,
}

pub(super) enum Content {
    Picture(std::sync::Arc<crate::Picture>),
    Sound(Vec<i16>),
}

/// What keeps an input from going on; sentences.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It breaks off. There may be more: reading goes on.
    Broken(String),
    /// It cannot be read.
    Failed(String),
}

type Message = Result<(Unit, Instant), Trouble>;

/// The source.
pub(super) struct Stream<R> {
    format: Format,
    /// Until the thread begins: nothing is read before somebody wants it, so
    /// that what comes first is as fresh as can be.
    reader: Option<R>,
    units: Option<Receiver<Message>>,
    pace: Pace,
    /// Read, but not due yet.
    early: Option<(Unit, Timing)>,
}

impl<R: Read> Stream<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            format: reader.format(),
            reader: Some(reader),
            units: None,
            pace: Pace::default(),
            early: None,
        }
    }

    /// Starts the thread. It ends with the input, or when the source is gone and
    /// the read it is in returns.
    fn start(&mut self) -> Result<(), SourceError> {
        let Some(reader) = self.reader.take() else {
            return Ok(());
        };
        let (sender, units) = sync_channel(READ_AHEAD);
        self.units = Some(units);
        let named = thread::Builder::new().name("read".to_owned());
        let spawned = named.spawn(move || read_all(reader, &sender));
        spawned
            .map(drop)
            .map_err(|error| SourceError(format!("cannot start a thread: {error}")))
    }

    fn receive(&mut self) -> Result<Option<Captured>, SourceError> {
        let Some(units) = &self.units else {
            return Ok(Some(Captured::End));
        };
        match units.recv_timeout(MAX_WAIT) {
            Ok(Ok((unit, arrival))) => {
                let timing = self.pace.time(unit.span, arrival);
                self.early = Some((unit, timing));
                Ok(None)
            }
            Ok(Err(Trouble::Broken(notice))) => Ok(Some(Captured::Notice(notice))),
            Ok(Err(Trouble::Failed(error))) => Err(SourceError(error)),
            Err(RecvTimeoutError::Timeout) => Ok(Some(Captured::Nothing)),
            Err(RecvTimeoutError::Disconnected) => Ok(Some(Captured::End)),
        }
    }
}

impl<R: Read> Source for Stream<R> {
    fn format(&self) -> Format {
        self.format
    }

    fn next(&mut self) -> Result<Captured, SourceError> {
        self.start()?;
        if self.early.is_none()
            && let Some(captured) = self.receive()?
        {
            return Ok(captured);
        }
        let Some((unit, timing)) = self.early.take() else {
            return Ok(Captured::Nothing);
        };
        let wait = timing.due.saturating_duration_since(Instant::now());
        thread::sleep(wait.min(MAX_WAIT));
        if wait > MAX_WAIT {
            self.early = Some((unit, timing));
            return Ok(Captured::Nothing);
        }
        Ok(capture(unit, timing.capture_time))
    }
}

fn capture(unit: Unit, capture_time: Instant) -> Captured {
    match unit.content {
        Content::Picture(picture) => Captured::Video(VideoFrame {
            capture_time,
            picture,
        }),
        Content::Sound(samples) => Captured::Audio(AudioChunk {
            capture_time,
            samples,
        }),
    }
}

/// Reads up to the end, or until nobody listens.
fn read_all(mut reader: impl Read, units: &SyncSender<Message>) {
    loop {
        let message = match reader.read() {
            Ok(Some(unit)) => Ok((unit, Instant::now())),
            Ok(None) => return,
            Err(trouble) => Err(trouble),
        };
        let failed = matches!(message, Err(Trouble::Failed(_)));
        if units.send(message).is_err() || failed {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;
    use crate::source::AudioFormat;

    /// Reads what the test sends, and blocks while it sends nothing.
    struct Script {
        steps: Receiver<Result<Span, Trouble>>,
        /// Told what is read.
        read: Sender<()>,
    }

    impl Read for Script {
        fn format(&self) -> Format {
            Format {
                video: None,
                audio: Some(AudioFormat::Raw {
                    rate: 48_000,
                    channels: 1,
                }),
            }
        }

        fn read(&mut self) -> Result<Option<Unit>, Trouble> {
            let step = self.steps.recv();
            // The test need not listen.
            let _ = self.read.send(());
            match step {
                Ok(Ok(span)) => Ok(Some(Unit {
                    span,
                    content: Content::Sound(Vec::new()),
                })),
                Ok(Err(trouble)) => Err(trouble),
                Err(_) => Ok(None),
            }
        }
    }

    type Steps = Sender<Result<Span, Trouble>>;

    fn stream() -> (Stream<Script>, Steps, Receiver<()>) {
        let (steps, script) = channel();
        let (read, reads) = channel();
        let script = Script {
            steps: script,
            read,
        };
        (Stream::new(script), steps, reads)
    }

    fn piece(number: u32) -> Result<Span, Trouble> {
        let start = f64::from(number) / 100.0;
        Ok(Span {
            start,
            end: start + 0.01,
        })
    }

    #[test]
    fn a_reader_that_blocks_does_not_block_the_source() {
        let (mut stream, steps, _reads) = stream();
        assert!(matches!(stream.next(), Ok(Captured::Nothing)));
        steps.send(piece(0)).unwrap();
        assert!(matches!(stream.next(), Ok(Captured::Audio(_))));
        assert!(matches!(stream.next(), Ok(Captured::Nothing)));
        drop(steps);
        assert!(matches!(stream.next(), Ok(Captured::End)));
        assert!(matches!(stream.next(), Ok(Captured::End)));
    }

    #[test]
    fn nothing_is_read_before_it_is_wanted_and_little_ahead() {
        let (mut stream, steps, reads) = stream();
        for number in 0..100 {
            steps.send(piece(number)).unwrap();
        }
        assert!(reads.try_recv().is_err());
        assert!(matches!(stream.next(), Ok(Captured::Audio(_))));
        // The one taken, those waiting, and the one the thread holds.
        let most = 1 + READ_AHEAD + 1;
        for _ in 0..most {
            reads.recv().unwrap();
        }
        assert!(reads.try_recv().is_err());
    }

    #[test]
    fn times_follow_each_other_by_what_is_between_them() {
        let (mut stream, steps, _reads) = stream();
        let mut times = Vec::new();
        for number in 0..20 {
            steps.send(piece(number)).unwrap();
        }
        drop(steps);
        while let Captured::Audio(chunk) = stream.next().unwrap() {
            times.push(chunk.capture_time);
        }
        assert_eq!(times.len(), 20);
        assert!(times.is_sorted());
    }

    #[test]
    fn what_breaks_off_is_a_notice_and_what_fails_an_error() {
        let (mut stream, steps, _reads) = stream();
        let told = "breaks off".to_owned();
        steps.send(Err(Trouble::Broken(told.clone()))).unwrap();
        steps.send(piece(0)).unwrap();
        let failed = "is gone".to_owned();
        steps.send(Err(Trouble::Failed(failed.clone()))).unwrap();
        assert!(matches!(stream.next(), Ok(Captured::Notice(text)) if text == told));
        assert!(matches!(stream.next(), Ok(Captured::Audio(_))));
        assert_eq!(stream.next().unwrap_err(), SourceError(failed));
        assert!(matches!(stream.next(), Ok(Captured::End)));
    }
}
