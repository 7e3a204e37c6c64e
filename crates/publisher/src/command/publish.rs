//! Publishes until somebody, the input or the server ends it.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use twoway_publisher::{Error, Event, Publisher, PublisherEvent, Stats, StreamStatus};

use super::exit::Outcome;
use super::report::Report;
use super::signals::Signals;
use super::stats_file::StatsFile;
use super::wanted::Opened;
use crate::arguments::Arguments;

/// How often statistics are shown and written.
const TICK: Duration = Duration::from_secs(1);

/// A publication under way.
pub(crate) struct Publication {
    publisher: Publisher,
    report: Report,
    stats_file: Option<StatsFile>,
    /// The last time.
    file_failed: bool,
    /// From the first PUBLISHING on.
    duration: Option<Duration>,
    /// When that is over.
    end: Option<Instant>,
}

impl Publication {
    /// Starts publishing.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(crate) fn start(
        arguments: Arguments,
        opened: Opened,
        mut report: Report,
        stats_file: Option<StatsFile>,
    ) -> Self {
        for notice in opened.notices {
            report.notice(notice, &Stats::default());
        }
        Self {
            publisher: Publisher::connect(arguments.options, opened.sources),
            report,
            stats_file,
            file_failed: false,
            duration: arguments.duration,
            end: None,
        }
    }

    /// Publishes to the end, and tells how it came.
    pub(crate) async fn run(mut self) -> Result<(), Error> {
        let failed = |error: io::Error| Error::Media(error.to_string());
        let mut signals = Signals::new().map_err(failed)?;
        let mut ticks = interval_at(Instant::now() + TICK, TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let duration_over = async {
                match self.end {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = self.publisher.event() => match event {
                    Some(event) => self.handle_event(&event),
                    None => break,
                },
                () = signals.next() => self.stop(),
                () = duration_over => {
                    self.end = None;
                    self.stop();
                }
                _ = ticks.tick() => self.handle_tick(),
            }
        }
        self.finish().await
    }

    fn handle_event(&mut self, event: &PublisherEvent) {
        if is_on_air(event)
            && let Some(duration) = self.duration.take()
        {
            self.end = Some(Instant::now() + duration);
        }
        self.report.event(event, &self.publisher.stats());
    }

    fn handle_tick(&mut self) {
        let stats = self.publisher.stats();
        self.report.tick(&stats);
        self.write(&stats);
    }

    /// The first stop takes its leave of the server, the second does not wait.
    fn stop(&mut self) {
        self.publisher.stop();
        self.report.stopping(&self.publisher.stats());
    }

    async fn finish(self) -> Result<(), Error> {
        let Self {
            publisher,
            mut report,
            stats_file,
            ..
        } = self;
        let stats = publisher.stats();
        let result = publisher.wait().await;
        let outcome = Outcome::from(&result);
        if let Some(file) = stats_file
            && let Err(sentence) = file.write(&stats, Some(&outcome))
        {
            report.notice(sentence, &stats);
        }
        report.end(&stats, &outcome);
        result
    }

    /// Statistics that cannot be written do not end the stream. That is told
    /// when it begins, not each second.
    fn write(&mut self, stats: &Stats) {
        let Some(file) = &self.stats_file else {
            return;
        };
        let result = file.write(stats, None);
        let failed_before = std::mem::replace(&mut self.file_failed, result.is_err());
        if let Err(sentence) = result
            && !failed_before
        {
            self.report.notice(sentence, stats);
        }
    }
}

fn is_on_air(event: &PublisherEvent) -> bool {
    matches!(event, PublisherEvent::Signalling(Event::Stream(update)) if update.status == StreamStatus::Publishing)
}
