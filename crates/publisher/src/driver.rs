//! The loop that joins session, socket and peer connection.
//!
//! It follows the iOS Streamer: connect, publish once ESTABLISHED, and whatever
//! ends the stream ends the session. Unlike that app it unpublishes before it
//! disconnects.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use session::{
    Config, Event, Input, Output, Publish, Session, SessionStatus, Severity, StreamUpdate, Time,
};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::sleep_until;
use tracing::{debug, warn};
use wire::{MediaSessionId, StreamStatus, info};

use crate::encode::VideoConfig;
use crate::peer::Peer;
use crate::publisher::{Error, Options, Stop};
use crate::socket::Socket;
use crate::source::Source;

/// For the TCP connection, the upgrade and the server's welcome.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// From the offer to PUBLISHING, ICE and DTLS included; and for the server's
/// last word after a stop.
const STREAM_TIMEOUT: Duration = Duration::from_secs(15);

/// Ten pings of the server missed, as the original clients count.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(50);

pub(crate) struct Driver {
    session: Session,
    /// Session time zero.
    origin: Instant,
    options: Options,
    socket: Socket,
    id: MediaSessionId,
    /// Until the offer is made.
    source: Option<Box<dyn Source>>,
    peer: Option<Peer>,
    stops: Receiver<Stop>,
    events: Sender<Event>,
    stop_asked: bool,
    /// How the publication ends, once that is known.
    outcome: Option<Result<(), Error>>,
    over: bool,
}

impl Driver {
    pub(crate) fn new(
        options: Options,
        source: Box<dyn Source>,
        stops: Receiver<Stop>,
        events: Sender<Event>,
    ) -> Self {
        Self {
            session: Session::new(session_config()),
            origin: Instant::now(),
            options,
            socket: Socket::None,
            id: fresh_id(),
            source: Some(source),
            peer: None,
            stops,
            events,
            stop_asked: false,
            outcome: None,
            over: false,
        }
    }

    /// Publishes until the session is over.
    pub(crate) async fn run(mut self) -> Result<(), Error> {
        self.handle(Input::Connect);
        loop {
            self.obey().await;
            if self.over {
                return self.outcome.unwrap_or(Ok(()));
            }
            let input = self.wait().await;
            self.handle(input);
        }
    }

    fn handle(&mut self, input: Input) {
        let now = Time::new(self.origin.elapsed());
        if let Err(error) = self.session.handle(input, now) {
            debug!(%error, "the session refuses");
        }
    }

    /// Waits for the next thing to happen.
    async fn wait(&mut self) -> Input {
        let timeout = self
            .session
            .timeout()
            .map(|at| self.origin + at.since_origin());
        let timeout = async {
            match timeout {
                Some(at) => sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let peer = async {
            match &mut self.peer {
                Some(peer) => peer.run().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            stop = self.stops.recv() => self.stop(stop),
            input = self.socket.next() => input,
            error = peer => Input::MediaFailed {
                id: self.id.clone(),
                error: error.to_string(),
                severity: Severity::Passing,
            },
            () = timeout => Input::Timeout,
        }
    }

    /// The first stop unpublishes; the second, or an application that has let
    /// go of its publisher, does not wait for the server any more.
    fn stop(&mut self, stop: Option<Stop>) -> Input {
        let again = self.stop_asked || stop.is_none();
        self.stop_asked = true;
        let unpublish = !again && self.session.status() == SessionStatus::Established;
        if unpublish {
            Input::Stop(self.id.clone())
        } else {
            Input::Disconnect
        }
    }

    /// Does what the session wants done.
    async fn obey(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::OpenSocket => self.socket = Socket::open(&self.options.server),
                Output::Send(text) => {
                    if let Some(failure) = self.socket.send(text).await {
                        self.handle(failure);
                    }
                }
                Output::CloseSocket => self.socket.close().await,
                Output::CreateOffer { id, .. } => {
                    let input = self.create_offer(id).await;
                    self.handle(input);
                }
                Output::ApplyAnswer { id, sdp } => self.apply_answer(id, &sdp),
                Output::CloseMedia { .. } => self.peer = None,
                Output::Request(_) | Output::IceServers { .. } => {}
                Output::Notify(event) => self.notify(event),
            }
        }
    }

    async fn create_offer(&mut self, id: MediaSessionId) -> Input {
        let local = self.socket.local_address();
        let local = local.unwrap_or(IpAddr::from(Ipv4Addr::LOCALHOST));
        let Some(source) = self.source.take() else {
            let error = "the source is already used".to_owned();
            return Input::MediaFailed {
                id,
                error,
                severity: Severity::Fatal,
            };
        };
        let config = VideoConfig {
            format: source.format(),
            bitrate_bps: self.options.bitrate_bps,
            keyframe_interval: self.options.keyframe_interval,
        };
        match Peer::offer(local, source, config).await {
            Ok((peer, sdp)) => {
                self.peer = Some(peer);
                Input::OfferCreated {
                    id,
                    sdp,
                    has_audio: true,
                    has_video: true,
                }
            }
            Err(error) => Input::MediaFailed {
                id,
                error: error.to_string(),
                severity: Severity::Fatal,
            },
        }
    }

    fn apply_answer(&mut self, id: MediaSessionId, sdp: &str) {
        let Some(peer) = &mut self.peer else {
            return;
        };
        if let Err(error) = peer.accept(sdp) {
            self.handle(Input::MediaFailed {
                id,
                error: error.to_string(),
                severity: Severity::Fatal,
            });
        }
    }

    /// Tells the application, and takes the next step of the call flow.
    fn notify(&mut self, event: Event) {
        if self.events.try_send(event.clone()).is_err() {
            warn!("the application does not read its events: one is lost");
        }
        match event {
            Event::Session { status, reason } => self.handle_session(status, reason),
            Event::Stream(update) => self.handle_stream(update),
            Event::StreamEvent { .. }
            | Event::Available { .. }
            | Event::Warning(_)
            | Event::AppData(_)
            | Event::VideoRate { .. } => {}
        }
    }

    fn handle_session(&mut self, status: SessionStatus, reason: Option<String>) {
        match status {
            SessionStatus::Pending | SessionStatus::Connected => {}
            SessionStatus::Established => self.handle(Input::Publish(Publish {
                id: self.id.clone(),
                name: self.options.name.clone(),
                custom: None,
            })),
            SessionStatus::Disconnected => {
                let closed = || Error::Connection("the server closed the connection".to_owned());
                self.end(closed);
                self.over = true;
            }
            SessionStatus::Failed => {
                self.end(|| Error::Connection(reason.unwrap_or_else(|| "it failed".to_owned())));
                self.over = true;
            }
        }
    }

    fn handle_stream(&mut self, update: StreamUpdate) {
        if !update.status.is_terminal() {
            return;
        }
        // Without a reason the session is lost, and tells why itself.
        if let Some(why) = update.info {
            let detail = update.error;
            self.end(|| ended(&update.status, why, detail));
        }
        self.handle(Input::Disconnect);
    }

    /// The first end counts. One that was asked for is a good one.
    fn end(&mut self, error: impl FnOnce() -> Error) {
        let asked = self.stop_asked;
        self.outcome
            .get_or_insert_with(|| if asked { Ok(()) } else { Err(error()) });
    }
}

/// Tells failures of media from refusals.
fn ended(status: &StreamStatus, why: String, detail: Option<String>) -> Error {
    let media = [
        info::FAILED_BY_ICE_ERROR,
        info::FAILED_BY_ICE_TIMEOUT,
        info::FAILED_BY_KEEP_ALIVE,
        info::FAILED_BY_DTLS_FINGERPRINT_ERROR,
        info::FAILED_BY_DTLS_ERROR,
        info::FAILED_BY_RTP_ACTIVITY,
    ];
    if why == info::LOCAL_ERROR {
        Error::Media(detail.unwrap_or(why))
    } else if *status == StreamStatus::Failed && media.contains(&why.as_str()) {
        Error::Media(why)
    } else {
        Error::Refused(why)
    }
}

fn session_config() -> Config {
    Config {
        app_key: "defaultApp".to_owned(),
        client_os_version: std::env::consts::OS.to_owned(),
        client_browser_version: concat!("twoway-publish/", env!("CARGO_PKG_VERSION")).to_owned(),
        custom: None,
        connect_timeout: CONNECT_TIMEOUT,
        stream_timeout: STREAM_TIMEOUT,
        silence_timeout: SILENCE_TIMEOUT,
    }
}

/// An id nobody else has: it must be unique, not secret, so the standard
/// library's hash keys are random enough.
fn fresh_id() -> MediaSessionId {
    let random = || u128::from(RandomState::new().build_hasher().finish());
    MediaSessionId::from_random(random() << 64 | random())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ() {
        assert_ne!(fresh_id(), fresh_id());
    }

    #[test]
    fn endings_are_told_apart() {
        let check = |status, why: &str, detail: Option<&str>, expected| {
            let error = ended(&status, why.to_owned(), detail.map(str::to_owned));
            assert_eq!(error, expected, "{why}");
        };
        let failed = StreamStatus::Failed;
        let taken = info::STREAM_NAME_ALREADY_IN_USE;
        check(
            failed.clone(),
            taken,
            None,
            Error::Refused(taken.to_owned()),
        );
        let ice = info::FAILED_BY_ICE_TIMEOUT;
        check(failed.clone(), ice, None, Error::Media(ice.to_owned()));
        let local = info::LOCAL_ERROR;
        check(
            failed,
            local,
            Some("no socket"),
            Error::Media("no socket".to_owned()),
        );
        let user = info::STOPPED_BY_USER;
        check(
            StreamStatus::Unpublished,
            user,
            None,
            Error::Refused(user.to_owned()),
        );
    }
}
