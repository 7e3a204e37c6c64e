//! The requests of a session: who waits for which response.

use wire::MediaSessionId;

use super::message::{HttpRequest, Method, RequestId, Token};
use super::refusal::SDP;
use super::trickle::SDP_FRAGMENT;
use crate::Output;
use crate::outbox::Outbox;

/// Where streams put what they want done.
#[derive(Debug)]
pub(super) struct Requests {
    token: Option<Token>,
    last: u64,
    /// The requests without a response: a few at a time.
    waiting: Vec<Waiting>,
    pub(super) out: Outbox,
}

/// A request on its way.
#[derive(Debug)]
pub(super) struct Waiting {
    id: RequestId,
    pub(super) method: Method,
    /// The stream it was sent for. It may be over.
    pub(super) stream: MediaSessionId,
}

impl Requests {
    pub(super) fn new(token: Option<Token>) -> Self {
        Self {
            token,
            last: 0,
            waiting: Vec::new(),
            out: Outbox::default(),
        }
    }

    /// Posts an offer.
    pub(super) fn post(
        &mut self,
        stream: &MediaSessionId,
        url: String,
        offer: String,
    ) -> RequestId {
        self.send(stream, Method::Post, url, |request| {
            request.content_type = Some(SDP);
            request.body = offer;
        })
    }

    /// Sends candidates.
    pub(super) fn patch(
        &mut self,
        stream: &MediaSessionId,
        url: String,
        etag: Option<String>,
        fragment: String,
    ) -> RequestId {
        self.send(stream, Method::Patch, url, |request| {
            request.content_type = Some(SDP_FRAGMENT);
            request.if_match = etag;
            request.body = fragment;
        })
    }

    /// Ends what a POST made. Without an entity tag: whatever became of it.
    pub(super) fn delete(&mut self, stream: &MediaSessionId, url: String) -> RequestId {
        self.send(stream, Method::Delete, url, |_| {})
    }

    /// Takes a request whose response came; `None` if there is none of this id.
    pub(super) fn settle(&mut self, id: RequestId) -> Option<Waiting> {
        let index = self.waiting.iter().position(|waiting| waiting.id == id)?;
        Some(self.waiting.swap_remove(index))
    }

    /// How many requests have no response yet.
    pub(super) fn outstanding(&self) -> usize {
        self.waiting.len()
    }

    fn send(
        &mut self,
        stream: &MediaSessionId,
        method: Method,
        url: String,
        complete: impl FnOnce(&mut HttpRequest),
    ) -> RequestId {
        self.last += 1;
        let id = RequestId(self.last);
        let mut request = HttpRequest {
            id,
            method,
            url,
            bearer: self.token.clone(),
            content_type: None,
            if_match: None,
            body: String::new(),
        };
        complete(&mut request);
        let stream = stream.clone();
        self.waiting.push(Waiting { id, method, stream });
        self.out.push(Output::Request(request));
        id
    }
}
