//! The monitor of a stream and who wants to know of its connection.

use std::future::pending;
use std::net::IpAddr;
use std::time::Instant;

use session::Severity;
use wire::MediaSessionId;

use super::Caller;
use crate::MonitorStats;
use crate::link::PeerError;
use crate::monitor::Monitor;
use crate::pipeline::Sent;
use crate::source::EncodedFrame;

/// A monitor, from the first wish for one on: what it has measured stays when
/// its connection ends.
#[derive(Default)]
pub(super) struct Playback {
    monitor: Option<Monitor>,
    /// While there is a connection, or the offer of one.
    caller: Option<Caller>,
    told_up: bool,
}

impl Playback {
    /// Makes a connection in place of the one before.
    pub(super) async fn connect(
        &mut self,
        caller: Caller,
        local: IpAddr,
        sent: Sent,
        start: Instant,
    ) {
        self.told_up = false;
        match self.offer(local, sent, start).await {
            Ok(sdp) => {
                caller.offered(sdp, sent);
                self.caller = Some(caller);
            }
            Err(error) => caller.failed(error, Severity::Passing),
        }
    }

    async fn offer(&mut self, local: IpAddr, sent: Sent, start: Instant) -> Result<String, String> {
        self.close();
        let monitor = match self.monitor.take() {
            Some(monitor) => monitor,
            None => Monitor::new(sent, start).map_err(|error| error.to_string())?,
        };
        let monitor = self.monitor.insert(monitor);
        monitor
            .offer(local)
            .await
            .map_err(|error| error.to_string())
    }

    pub(super) fn is_of(&self, id: &MediaSessionId) -> bool {
        self.caller.as_ref().is_some_and(|caller| caller.id == *id)
    }

    pub(super) fn accept(&mut self, sdp: &str) {
        let accepted = self.monitor.as_mut().map(|monitor| monitor.accept(sdp));
        if let Some(Err(error)) = accepted {
            self.fail(&error);
        }
    }

    /// The connection is over, or cannot be.
    pub(super) fn fail(&mut self, error: &PeerError) {
        if let Some(caller) = &self.caller {
            caller.failed(error.to_string(), Severity::Passing);
        }
        self.close();
    }

    pub(super) fn close(&mut self) {
        self.caller = None;
        if let Some(monitor) = &mut self.monitor {
            monitor.close();
        }
    }

    /// Plays until the connection is over, and says why; for ever while there
    /// is none. Cancelled, it loses nothing.
    pub(super) async fn run(&mut self) -> PeerError {
        match &mut self.monitor {
            Some(monitor) => monitor.run().await,
            None => pending().await,
        }
    }

    pub(super) fn note_sent(&mut self, frame: &EncodedFrame) {
        if let Some(monitor) = &mut self.monitor {
            monitor.note_sent(frame);
        }
    }

    /// What was measured; tells the caller of the connection, too.
    pub(super) fn stats(&mut self, now: Instant) -> Option<MonitorStats> {
        let monitor = self.monitor.as_mut()?;
        if let Some(caller) = self.caller.as_ref().filter(|_| monitor.is_up())
            && !std::mem::replace(&mut self.told_up, true)
        {
            caller.connected();
        }
        Some(monitor.stats(now))
    }
}
