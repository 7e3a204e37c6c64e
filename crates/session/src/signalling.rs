//! One field for a driver that speaks either kind of signalling.

use crate::{Error, HttpSession, Input, Output, Session, SessionStatus, Severity, Time};

/// A session of either kind; the methods are those of both.
#[derive(Debug)]
pub enum Signalling {
    /// Over a Web Call Server's socket.
    WebCallServer(Session),
    /// Over WHIP and WHEP.
    Http(HttpSession),
}

impl Signalling {
    /// See [`Session::handle`] and [`HttpSession::handle`].
    ///
    /// # Errors
    /// The application asked for what the state does not allow.
    pub fn handle(&mut self, input: Input, now: Time) -> Result<(), Error> {
        match self {
            Self::WebCallServer(session) => session.handle(input, now),
            Self::Http(session) => session.handle(input, now),
        }
    }

    /// The next thing to do; `None` when all is done.
    pub fn poll_output(&mut self) -> Option<Output> {
        match self {
            Self::WebCallServer(session) => session.poll_output(),
            Self::Http(session) => session.poll_output(),
        }
    }

    /// When [`Input::Timeout`] is due; `None` while nothing is waited for.
    pub fn timeout(&self) -> Option<Time> {
        match self {
            Self::WebCallServer(session) => session.timeout(),
            Self::Http(session) => session.timeout(),
        }
    }

    /// The session's status.
    pub fn status(&self) -> SessionStatus {
        match self {
            Self::WebCallServer(session) => session.status(),
            Self::Http(session) => session.status(),
        }
    }

    /// See [`Session::severity`]; over HTTP a session never fails.
    pub fn severity(&self) -> Severity {
        match self {
            Self::WebCallServer(session) => session.severity(),
            Self::Http(_) => Severity::Passing,
        }
    }

    /// The session is over and nothing more will come of it: it can be dropped
    /// without leaving anything behind on the server.
    pub fn is_finished(&self) -> bool {
        match self {
            Self::WebCallServer(session) => session.status().is_terminal(),
            Self::Http(session) => session.is_finished(),
        }
    }
}
