//! Tests of the HTTP session, in the same way: inputs and responses in, the
//! whole output list out.

mod properties;
mod responses;
mod session;
mod stream;
mod trickle;

use wire::MediaSessionId;

use super::{STREAM_TIMEOUT, id, play, show, start};
use crate::{
    Address, Error, Event, HttpConfig, HttpRequest, HttpResponse, HttpSession, Input,
    LocalCandidate, Method, Output, RequestId, StreamRole, StreamUpdate, Time, Token,
};

/// An offer that names ICE in its first section, as browsers' do.
const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
    a=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:EsAw\r\n\
    a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n\
    a=ice-ufrag:other\r\na=ice-pwd:other\r\n";

/// An HTTP session with a clock that moves only when told to.
pub(super) struct HttpHarness {
    pub(super) session: HttpSession,
    now: Time,
    /// Requests without a response, oldest first.
    requests: Vec<HttpRequest>,
    /// Everything told of streams.
    updates: Vec<StreamUpdate>,
}

impl HttpHarness {
    pub(super) fn new() -> Self {
        Self::with_token(None)
    }

    fn with_token(token: Option<Token>) -> Self {
        let Ok(Address::Http(address)) = Address::parse("https://h") else {
            panic!("https://h is an HTTP address");
        };
        let session = HttpSession::new(HttpConfig {
            address,
            token,
            stream_timeout: STREAM_TIMEOUT,
        });
        Self {
            session,
            now: Time::default(),
            requests: Vec::new(),
            updates: Vec::new(),
        }
    }

    fn established() -> Self {
        let mut harness = Self::new();
        harness.input(Input::Connect);
        harness
    }

    /// Every output of one input, as text.
    #[track_caller]
    fn input(&mut self, input: Input) -> String {
        self.session.handle(input, self.now).unwrap();
        show(&self.drain())
    }

    /// The error of an input, which has no output.
    #[track_caller]
    fn refuse(&mut self, input: Input) -> Error {
        let error = self.session.handle(input, self.now).unwrap_err();
        assert_eq!(self.drain(), []);
        error
    }

    /// Answers the oldest request of a method.
    #[track_caller]
    fn reply(&mut self, method: Method, response: HttpResponse) -> String {
        let id = self.take(method).id;
        self.input(Input::Response { id, response })
    }

    #[track_caller]
    fn reply_status(&mut self, method: Method, status: u16) -> String {
        let response = HttpResponse {
            status,
            ..HttpResponse::default()
        };
        self.reply(method, response)
    }

    #[track_caller]
    fn fail(&mut self, method: Method) -> String {
        let id = self.take(method).id;
        let error = "no network".into();
        self.input(Input::RequestFailed { id, error })
    }

    #[track_caller]
    fn take(&mut self, method: Method) -> HttpRequest {
        let oldest = self.requests.iter().position(|sent| sent.method == method);
        self.requests.remove(oldest.expect("no such request"))
    }

    /// The last thing told of a stream.
    fn last_update(&self) -> &StreamUpdate {
        self.updates.last().expect("nothing was told")
    }

    fn drain(&mut self) -> Vec<Output> {
        let outputs: Vec<_> = core::iter::from_fn(|| self.session.poll_output()).collect();
        for output in &outputs {
            match output {
                Output::Request(request) => self.requests.push(request.clone()),
                Output::Notify(Event::Stream(update)) => self.updates.push(update.clone()),
                Output::OpenSocket
                | Output::Send(_)
                | Output::CloseSocket
                | Output::CreateOffer { .. }
                | Output::IceServers { .. }
                | Output::ApplyAnswer { .. }
                | Output::CloseMedia { .. }
                | Output::Notify(_) => {}
            }
        }
        outputs
    }
}

/// The id of no request, or of the request with this number.
pub(super) fn request_id(number: u64) -> RequestId {
    RequestId(number)
}

fn offer(id: &str) -> Input {
    Input::OfferCreated {
        id: MediaSessionId::new(id),
        sdp: OFFER.into(),
        has_audio: true,
        has_video: true,
    }
}

/// The answer of a server that makes `https://h/r`.
fn created() -> HttpResponse {
    HttpResponse {
        status: 201,
        location: Some("https://h/r".into()),
        etag: Some(r#""tag""#.into()),
        content_type: Some("application/sdp".into()),
        body: "v=0 answer".into(),
        ..HttpResponse::default()
    }
}

fn candidate(text: &str) -> Input {
    Input::LocalCandidate {
        id: id("m"),
        candidate: Some(LocalCandidate {
            candidate: format!("candidate:{text}"),
            mid: Some("0".into()),
            line_index: Some(0),
        }),
    }
}

fn last_candidate() -> Input {
    Input::LocalCandidate {
        id: id("m"),
        candidate: None,
    }
}

fn connected(text: &str) -> Input {
    Input::MediaConnected { id: id(text) }
}

/// A stream whose offer is posted.
fn posted(role: StreamRole) -> HttpHarness {
    let mut harness = HttpHarness::established();
    harness.input(start(role, "m"));
    harness.input(offer("m"));
    harness
}

/// A player with media and no request on its way.
fn playing() -> HttpHarness {
    let mut harness = HttpHarness::established();
    harness.input(play("m"));
    harness.input(offer("m"));
    harness.reply(Method::Post, created());
    harness.input(connected("m"));
    harness
}
