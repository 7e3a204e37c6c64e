//! The way from media threads to the actor.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::core::backend::Event;
use crate::counters::{Counters, Reason};

/// Rates that wait for the actor; what comes on top is dropped.
const RATES: usize = 4096;

/// What a media backend's events go into. Media threads are never kept
/// waiting: of rates only so many are kept, and all others are few, however a
/// client behaves: steps of a peer's life, what a request is answered with, and
/// what is told now and then only.
#[derive(Debug, Clone)]
pub struct EventSink {
    events: mpsc::UnboundedSender<Event>,
    rates: mpsc::Sender<Event>,
    counters: Arc<Counters>,
}

/// The actor's end.
#[derive(Debug)]
pub(super) struct Events {
    events: mpsc::UnboundedReceiver<Event>,
    rates: mpsc::Receiver<Event>,
}

pub(super) fn channel(counters: Arc<Counters>) -> (EventSink, Events) {
    let (event_sink, events) = mpsc::unbounded_channel();
    let (rate_sink, rates) = mpsc::channel(RATES);
    let sink = EventSink {
        events: event_sink,
        rates: rate_sink,
        counters,
    };
    (sink, Events { events, rates })
}

impl EventSink {
    /// Hands an event to signalling; dropped if that has ended.
    pub fn send(&self, event: Event) {
        if matches!(event, Event::Rate { .. }) {
            if self.rates.try_send(event).is_err() {
                self.counters.count(Reason::SkippedRate);
            }
        } else if self.events.send(event).is_err() {
            tracing::debug!("media event after the end of signalling");
        }
    }
}

impl Events {
    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.events.len() + self.rates.len()
    }

    /// The next event, rates last; `None` once the backend is gone. Cancelled,
    /// it takes nothing.
    pub(super) async fn next(&mut self) -> Option<Event> {
        tokio::select! {
            biased;
            event = self.events.recv() => event,
            Some(rate) = self.rates.recv() => Some(rate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::backend::{PeerId, VideoRate};

    #[tokio::test]
    async fn rates_come_last_and_are_dropped_when_nobody_takes_them() {
        let counters = Arc::new(Counters::default());
        let (sink, mut events) = channel(Arc::clone(&counters));
        let peer = PeerId(1);
        let rate = Event::Rate {
            peer,
            rate: VideoRate::default(),
        };
        for _ in 0..RATES + 3 {
            sink.send(rate.clone());
        }
        assert_eq!(counters.of(Reason::SkippedRate), 3);
        sink.send(Event::Flowing { peer });
        assert_eq!(events.next().await, Some(Event::Flowing { peer }));
        assert_eq!(events.next().await, Some(rate));
    }
}
