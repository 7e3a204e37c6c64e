//! Which kind of signalling an address asks for, and the requests of WHIP and
//! WHEP.

use session::{
    Address, Event, HttpConfig, HttpRequest, HttpSession, IceServer, Input, Output, Session,
    SessionStatus, Severity, Signalling,
};
use wire::MediaSessionId;

use super::{STREAM_TIMEOUT, SessionNumber, Shell, Update, config, now};
use crate::platform::peer::PeerEvent;
use crate::platform::{http, task};
use crate::state::Target;

/// Sessions kept after their end until their last requests are answered.
const MAX_LINGERING: usize = 8;

/// A session that is over for the user: what its late answers made on the
/// server is still deleted.
pub(super) struct Lingering {
    number: SessionNumber,
    session: Signalling,
}

impl Shell {
    /// A session for the address the user wants.
    pub(super) fn signalling(&self) -> Result<Signalling, String> {
        match Address::parse(&self.wanted.url).map_err(|error| error.to_string())? {
            Address::WebCallServer(_) => Ok(Signalling::WebCallServer(Session::new(config(
                self.wanted.token.clone(),
            )))),
            Address::Http(address) => Ok(Signalling::Http(HttpSession::new(HttpConfig {
                address,
                token: self.wanted.token.clone(),
                stream_timeout: STREAM_TIMEOUT,
            }))),
        }
    }

    /// There is no such connection, now or later.
    pub(super) fn refuse_connection(&mut self, reason: String) {
        self.updates.emit(Update::Session(Event::Session {
            status: SessionStatus::Failed,
            reason: Some(reason),
        }));
        self.lost(Target::Connection, Severity::Fatal);
    }

    pub(super) fn send_request(&self, request: HttpRequest) {
        if let Some(live) = &self.live {
            self.send_request_of(live.number, request);
        }
    }

    /// The request runs to its end, which its time-out bounds, even when the
    /// page no longer waits: it may be the one that ends a stream.
    fn send_request_of(&self, number: SessionNumber, request: HttpRequest) {
        let queue = self.queue.clone();
        task::detach(async move {
            let result = http::exchange(&request).await;
            queue.push(super::Event::Request(number, request.id, result));
        });
    }

    pub(super) fn take_ice_servers(&mut self, id: MediaSessionId, servers: &[IceServer]) {
        let taken = self.peer(&id).map(|peer| peer.set_ice_servers(servers));
        if let Some(Err(error)) = taken {
            // Queued: the session is in the middle of its outputs.
            self.queue
                .push(super::Event::Peer(id, PeerEvent::Failed(error)));
        }
    }

    /// Keeps a session that is over but still waits for answers.
    pub(super) fn keep_lingering(&mut self, number: SessionNumber, session: Signalling) {
        if !session.is_finished() && self.lingering.len() < MAX_LINGERING {
            self.lingering.push(Lingering { number, session });
        }
    }

    /// Gives a session that is over its late answers.
    pub(super) fn linger(&mut self, number: SessionNumber, input: Input) {
        let mut lingering = core::mem::take(&mut self.lingering);
        if let Some(late) = lingering.iter_mut().find(|late| late.number == number) {
            // It refuses nothing that is not the user's.
            let _refused = late.session.handle(input, now());
            while let Some(output) = late.session.poll_output() {
                if let Output::Request(request) = output {
                    self.send_request_of(number, request);
                }
            }
        }
        lingering.retain(|late| !late.session.is_finished());
        self.lingering = lingering;
    }
}
