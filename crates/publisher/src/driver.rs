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
use tokio::sync::watch;
use tokio::time::sleep_until;
use tracing::{debug, warn};
use wire::{MediaSessionId, StreamStatus, info};

use crate::peer::{Peer, PeerError, PeerEvent};
use crate::pipeline::{Encoded, Pipeline, PipelineError, Sent};
use crate::publisher::{Error, Options, PublisherEvent, Wish};
use crate::socket::Socket;
use crate::{Server, Sources, Stats};

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
    sent: Sent,
    /// Until capturing begins.
    sources: Option<Sources>,
    /// From then on, over all connections.
    pipeline: Option<Pipeline>,
    peer: Option<Peer>,
    wishes: Receiver<Wish>,
    events: Sender<PublisherEvent>,
    /// Written once a second, and at the end.
    _stats: watch::Sender<Stats>,
    stop_asked: bool,
    /// How the publication ends, once that is known.
    outcome: Option<Result<(), Error>>,
    over: bool,
}

impl Driver {
    pub(crate) fn new(
        options: Options,
        sources: Sources,
        wishes: Receiver<Wish>,
        events: Sender<PublisherEvent>,
        stats: watch::Sender<Stats>,
    ) -> Self {
        Self {
            session: Session::new(session_config()),
            origin: Instant::now(),
            sent: Sent::of(sources.format(), &options.media),
            options,
            socket: Socket::None,
            id: fresh_id(),
            sources: Some(sources),
            pipeline: None,
            peer: None,
            wishes,
            events,
            _stats: stats,
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
            if let Some(input) = self.wait().await {
                self.handle(input);
            }
        }
    }

    fn handle(&mut self, input: Input) {
        let now = Time::new(self.origin.elapsed());
        if let Err(error) = self.session.handle(input, now) {
            debug!(%error, "the session refuses");
        }
    }

    /// Waits for the next thing to happen; what the session should know of it.
    async fn wait(&mut self) -> Option<Input> {
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
                Some(peer) => peer.next().await,
                None => std::future::pending().await,
            }
        };
        let encoded = async {
            match &mut self.pipeline {
                Some(pipeline) => pipeline.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            wish = self.wishes.recv() => self.handle_wish(wish),
            input = self.socket.next() => Some(input),
            event = peer => self.handle_peer(event),
            encoded = encoded => self.handle_encoded(encoded),
            () = timeout => Some(Input::Timeout),
        }
    }

    fn handle_wish(&mut self, wish: Option<Wish>) -> Option<Input> {
        match wish {
            Some(Wish::Mute { .. } | Wish::SendData(_)) => None,
            Some(Wish::Stop) => Some(self.stop(false)),
            None => Some(self.stop(true)),
        }
    }

    fn handle_peer(&mut self, event: Result<PeerEvent, PeerError>) -> Option<Input> {
        match event {
            Ok(PeerEvent::Connected) => {
                let sources = self.sources.take()?;
                match Pipeline::start(sources, &self.options.media) {
                    Ok(pipeline) => {
                        self.pipeline = Some(pipeline);
                        None
                    }
                    Err(error) => Some(self.media_failed(&error, Severity::Fatal)),
                }
            }
            Ok(PeerEvent::KeyframeRequested) => {
                if let Some(pipeline) = &self.pipeline {
                    pipeline.controls().request_keyframe();
                }
                None
            }
            Ok(PeerEvent::Bandwidth(bps)) => {
                if let Some(pipeline) = &self.pipeline {
                    pipeline.controls().set_bandwidth(Some(bps));
                }
                None
            }
            Err(error) => Some(self.media_failed(&error, Severity::Passing)),
        }
    }

    fn handle_encoded(&mut self, encoded: Result<Encoded, PipelineError>) -> Option<Input> {
        let sent = match (encoded, &mut self.peer) {
            (Ok(Encoded::Video(frame)), Some(peer)) => peer.send_video(frame),
            (Ok(Encoded::Audio(packet)), Some(peer)) => peer.send_audio(packet),
            (Ok(Encoded::Video(_) | Encoded::Audio(_)), None) => Ok(()),
            (Ok(Encoded::Notice(text)), _) => {
                self.tell(PublisherEvent::Notice(text));
                Ok(())
            }
            (Ok(Encoded::End), _) => {
                self.pipeline = None;
                return Some(self.stop(false));
            }
            (Err(error), _) => return Some(self.media_failed(&error, Severity::Fatal)),
        };
        let error = sent.err()?;
        Some(self.media_failed(&error, Severity::Passing))
    }

    fn media_failed(&self, error: &dyn std::error::Error, severity: Severity) -> Input {
        Input::MediaFailed {
            id: self.id.clone(),
            error: error.to_string(),
            severity,
        }
    }

    /// The first stop unpublishes; the second, or an application that has let
    /// go of its publisher, does not wait for the server any more.
    fn stop(&mut self, at_once: bool) -> Input {
        let again = self.stop_asked || at_once;
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
                Output::OpenSocket => match &self.options.session.server {
                    Server::WebCallServer(url) => {
                        let session = &self.options.session;
                        self.socket = Socket::open(url, session.token.as_ref(), &session.tls);
                    }
                    Server::Http(_) => {
                        let error = "WHIP is not spoken yet".to_owned();
                        self.handle(Input::SocketFailed(error));
                    }
                },
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
        match Peer::offer(local, self.sent, self.origin).await {
            Ok((peer, sdp)) => {
                self.peer = Some(peer);
                Input::OfferCreated {
                    id,
                    sdp,
                    has_audio: self.sent.audio.is_some(),
                    has_video: self.sent.video.is_some(),
                }
            }
            Err(error) => self.media_failed(&error, Severity::Fatal),
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
        self.tell(PublisherEvent::Signalling(event.clone()));
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

    fn tell(&self, event: PublisherEvent) {
        if self.events.try_send(event).is_err() {
            warn!("the application does not read its events: one is lost");
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
