//! The HTTP session, and what it asks of the network.

use serde_json::json;
use wire::{MediaSessionId, StreamEventType, StreamName};

use super::{STREAM_TIMEOUT, id, media_failed, play, publish, show};
use crate::{
    Address, Error, Event, HttpConfig, HttpRequest, HttpResponse, HttpSession, Input,
    LocalCandidate, MAX_CANDIDATES, MAX_REQUESTS, MAX_STREAMS, Method, Output, Publish, RequestId,
    SessionStatus, StreamUpdate, Time, Token,
};

/// An offer that names ICE in its first section, as browsers' do.
pub(super) const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
    a=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:EsAw\r\n\
    a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n\
    a=ice-ufrag:other\r\na=ice-pwd:other\r\n";

/// An HTTP session with a clock that moves only when told to.
pub(super) struct HttpHarness {
    pub(super) session: HttpSession,
    pub(super) now: Time,
    /// Requests without a response, oldest first.
    pub(super) requests: Vec<HttpRequest>,
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

    pub(super) fn established() -> Self {
        let mut harness = Self::new();
        harness.input(Input::Connect);
        harness
    }

    /// Every output of one input, as text.
    #[track_caller]
    pub(super) fn input(&mut self, input: Input) -> String {
        self.session.handle(input, self.now).unwrap();
        show(&self.drain())
    }

    /// The error of an input, which has no output.
    #[track_caller]
    pub(super) fn refuse(&mut self, input: Input) -> Error {
        let error = self.session.handle(input, self.now).unwrap_err();
        assert_eq!(self.drain(), []);
        error
    }

    /// Answers the oldest request of a method.
    #[track_caller]
    pub(super) fn reply(&mut self, method: Method, response: HttpResponse) -> String {
        let id = self.take(method).id;
        self.input(Input::Response { id, response })
    }

    #[track_caller]
    pub(super) fn reply_status(&mut self, method: Method, status: u16) -> String {
        let response = HttpResponse {
            status,
            ..HttpResponse::default()
        };
        self.reply(method, response)
    }

    #[track_caller]
    pub(super) fn fail(&mut self, method: Method) -> String {
        let id = self.take(method).id;
        let error = "no network".into();
        self.input(Input::RequestFailed { id, error })
    }

    #[track_caller]
    pub(super) fn take(&mut self, method: Method) -> HttpRequest {
        let oldest = self.requests.iter().position(|sent| sent.method == method);
        self.requests.remove(oldest.expect("no such request"))
    }

    /// The last thing told of a stream.
    pub(super) fn last_update(&self) -> &StreamUpdate {
        self.updates.last().expect("nothing was told")
    }

    pub(super) fn drain(&mut self) -> Vec<Output> {
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

pub(super) fn offer(id: &str) -> Input {
    Input::OfferCreated {
        id: MediaSessionId::new(id),
        sdp: OFFER.into(),
        has_audio: true,
        has_video: true,
    }
}

/// The answer of a server that makes `https://h/r`.
pub(super) fn created() -> HttpResponse {
    HttpResponse {
        status: 201,
        location: Some("https://h/r".into()),
        etag: Some(r#""tag""#.into()),
        content_type: Some("application/sdp".into()),
        body: "v=0 answer".into(),
        ..HttpResponse::default()
    }
}

pub(super) fn candidate(text: &str) -> Input {
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

/// A player with media and no request on its way.
fn playing() -> HttpHarness {
    let mut harness = HttpHarness::established();
    harness.input(play("m"));
    harness.input(offer("m"));
    harness.reply(Method::Post, created());
    harness.input(connected("m"));
    harness
}

#[test]
fn a_session_is_established_at_once_and_only_once() {
    let mut harness = HttpHarness::new();
    assert_eq!(harness.session.status(), SessionStatus::Pending);
    assert_eq!(
        harness.input(Input::Connect),
        "session Connected, session Established"
    );
    assert_eq!(harness.session.status(), SessionStatus::Established);
    assert_eq!(harness.refuse(Input::Connect), Error::AlreadyConnected);
    assert_eq!(harness.input(Input::Disconnect), "session Disconnected");
    assert_eq!(harness.session.status(), SessionStatus::Disconnected);
    assert_eq!(harness.refuse(Input::Connect), Error::AlreadyConnected);
    assert_eq!(harness.input(Input::Disconnect), "");
    let mut unconnected = HttpHarness::new();
    assert_eq!(unconnected.input(Input::Disconnect), "session Disconnected");
}

#[test]
fn streams_need_an_established_session() {
    let mut over = HttpHarness::established();
    over.input(Input::Disconnect);
    for harness in [&mut HttpHarness::new(), &mut over] {
        for input in [publish("m"), play("m"), available()] {
            assert_eq!(harness.refuse(input), Error::NotEstablished);
        }
        assert_eq!(harness.refuse(Input::Stop(id("m"))), Error::NoSuchStream);
    }
}

fn available() -> Input {
    Input::Available {
        id: id("q"),
        name: StreamName::new("test"),
    }
}

#[test]
fn nobody_can_be_asked_whether_a_name_is_live() {
    let mut harness = HttpHarness::established();
    assert_eq!(
        harness.input(available()),
        r#"available q false Some("WHEP cannot tell whether a stream is live: play it to see")"#
    );
}

#[test]
fn what_comes_of_a_socket_is_ignored() {
    let mut harness = playing();
    for input in [
        Input::SocketOpened,
        Input::SocketMessage("{}".into()),
        Input::SocketClosed,
        Input::SocketFailed("reset".into()),
    ] {
        assert_eq!(harness.input(input), "");
    }
    assert_eq!(harness.session.status(), SessionStatus::Established);
}

#[test]
fn a_request_is_complete() {
    let token = Token::new("secret").unwrap();
    let mut harness = HttpHarness::with_token(Some(token.clone()));
    harness.input(Input::Connect);
    harness.input(Input::Publish(Publish {
        id: id("m"),
        name: StreamName::new("two words"),
        custom: Some(json!({})),
    }));
    harness.input(offer("m"));
    let expected = HttpRequest {
        id: request_id(1),
        method: Method::Post,
        url: "https://h/whip/two%20words".into(),
        bearer: Some(token.clone()),
        content_type: Some("application/sdp"),
        if_match: None,
        body: OFFER.into(),
    };
    assert_eq!(harness.requests, [expected]);
    harness.reply(Method::Post, created());
    harness.input(Input::Stop(id("m")));
    let expected = HttpRequest {
        id: request_id(2),
        method: Method::Delete,
        url: "https://h/r".into(),
        bearer: Some(token),
        content_type: None,
        if_match: None,
        body: String::new(),
    };
    assert_eq!(harness.requests, [expected]);
}

#[test]
fn a_token_is_not_shown() {
    let token = Token::new(" secret ").unwrap();
    assert_eq!(token.as_str(), "secret");
    let harness = HttpHarness::with_token(Some(token));
    assert!(!format!("{:?}", harness.session).contains("secret"));
    for bad in [
        "",
        " ",
        "two words",
        "line\nbreak",
        "grün",
        &"x".repeat(4_097),
    ] {
        assert!(Token::new(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn ice_servers_come_before_the_answer() {
    let mut harness = HttpHarness::established();
    harness.input(play("m"));
    harness.input(offer("m"));
    let response = HttpResponse {
        links: vec![r#"<stun:s.example>; rel="ice-server""#.into()],
        ..created()
    };
    assert_eq!(
        harness.reply(Method::Post, response),
        r#"ice servers ["stun:s.example"] m, apply v=0 answer m"#
    );
}

#[test]
fn a_name_that_cannot_be_in_a_url_is_refused() {
    let mut harness = HttpHarness::established();
    let input = Input::Publish(Publish {
        id: id("m"),
        name: StreamName::new(".."),
        custom: None,
    });
    assert!(matches!(harness.refuse(input), Error::BadName(_)));
}

#[test]
fn only_mutes_are_carried() {
    let event = |event_type| Input::SendStreamEvent {
        id: id("m"),
        event_type,
        payload: None,
    };
    let mut harness = HttpHarness::established();
    assert_eq!(
        harness.refuse(event(StreamEventType::Data)),
        Error::NoSuchStream
    );
    harness.input(publish("m"));
    harness.input(offer("m"));
    harness.reply(Method::Post, created());
    assert_eq!(
        harness.refuse(event(StreamEventType::AudioMuted)),
        Error::NotPublishing
    );
    harness.input(connected("m"));
    assert_eq!(harness.input(event(StreamEventType::AudioMuted)), "");
    assert_eq!(harness.refuse(event(StreamEventType::Data)), Error::NoData);
    let mut player = playing();
    assert_eq!(
        player.refuse(event(StreamEventType::AudioMuted)),
        Error::NotPublishing
    );
}

#[test]
fn streams_and_unanswered_requests_are_limited() {
    let mut harness = HttpHarness::established();
    for number in 0..MAX_STREAMS {
        harness.input(play(&number.to_string()));
    }
    assert_eq!(harness.refuse(play("one more")), Error::LimitReached);
    assert_eq!(harness.refuse(play("0")), Error::IdInUse);
    // A server that never answers, and a user who tries again and again.
    let mut harness = HttpHarness::established();
    for _ in 0..MAX_REQUESTS {
        harness.input(publish("m"));
        harness.input(offer("m"));
        harness.input(media_failed("m"));
    }
    assert_eq!(harness.refuse(publish("m")), Error::LimitReached);
    harness.fail(Method::Post);
    harness.input(publish("m"));
}

#[test]
fn a_disconnect_closes_all_media_then_deletes_then_tells() {
    let mut harness = playing();
    harness.input(publish("p"));
    harness.input(offer("p"));
    assert_eq!(
        harness.input(Input::Disconnect),
        "close media m, close media p, > DELETE https://h/r, FAILED, FAILED, session Disconnected"
    );
    assert!(!harness.session.is_finished());
    assert_eq!(harness.reply_status(Method::Delete, 204), "");
    // The server made the second stream in the meantime.
    assert_eq!(
        harness.reply(Method::Post, created()),
        "> DELETE https://h/r"
    );
    assert!(!harness.session.is_finished());
    assert_eq!(harness.reply_status(Method::Delete, 404), "");
    assert!(harness.session.is_finished());
    assert_eq!(harness.session.timeout(), None);
}

#[test]
fn responses_nobody_waits_for_are_dropped() {
    let mut harness = playing();
    for number in [0, 1, 2, u64::MAX] {
        let id = request_id(number);
        let response = created();
        assert_eq!(harness.input(Input::Response { id, response }), "");
        let error = "late".into();
        assert_eq!(harness.input(Input::RequestFailed { id, error }), "");
    }
}

#[test]
fn a_response_is_for_the_stream_that_asked() {
    let mut harness = HttpHarness::established();
    harness.input(play("m"));
    harness.input(offer("m"));
    harness.input(media_failed("m"));
    // Another stream by the same id: the first one's response is not its own.
    harness.input(play("m"));
    harness.input(offer("m"));
    assert_eq!(
        harness.reply(Method::Post, created()),
        "> DELETE https://h/r"
    );
    assert_eq!(harness.reply_status(Method::Delete, 200), "");
    assert_eq!(harness.reply(Method::Post, created()), "apply v=0 answer m");
}

#[test]
fn candidates_wait_for_the_answer_and_go_together() {
    let mut harness = HttpHarness::established();
    harness.input(play("m"));
    assert_eq!(harness.input(candidate("1")), "");
    harness.input(offer("m"));
    assert_eq!(harness.input(candidate("2")), "");
    assert_eq!(
        harness.reply(Method::Post, created()),
        "apply v=0 answer m, > PATCH https://h/r"
    );
    // One request at a time.
    assert_eq!(harness.input(candidate("3")), "");
    assert_eq!(harness.input(last_candidate()), "");
    let first = harness.take(Method::Patch);
    let head = "a=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n\
        a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n";
    assert_eq!(
        first.body,
        format!("{head}a=candidate:1\r\na=candidate:2\r\n")
    );
    assert_eq!(first.content_type, Some("application/trickle-ice-sdpfrag"));
    assert_eq!(first.if_match.as_deref(), Some(r#""tag""#));
    let response = HttpResponse {
        status: 204,
        ..HttpResponse::default()
    };
    let id = first.id;
    assert_eq!(
        harness.input(Input::Response { id, response }),
        "> PATCH https://h/r"
    );
    let second = &harness.requests[0];
    assert_eq!(
        second.body,
        format!("{head}a=candidate:3\r\na=end-of-candidates\r\n")
    );
    assert_eq!(harness.reply_status(Method::Patch, 204), "");
    assert_eq!(harness.input(candidate("too late")), "");
    assert_eq!(harness.input(last_candidate()), "");
}

#[test]
fn a_server_that_refuses_candidates_is_not_asked_again() {
    for refused in [400, 404, 405, 412, 422, 429, 500, 501] {
        let mut harness = playing();
        assert_eq!(harness.input(candidate("1")), "> PATCH https://h/r");
        assert_eq!(harness.reply_status(Method::Patch, refused), "");
        assert_eq!(harness.input(candidate("2")), "", "{refused}");
        assert_eq!(harness.input(last_candidate()), "", "{refused}");
        // 405 and 501 are about the server and not about the stream.
        harness.input(Input::Stop(id("m")));
        harness.reply_status(Method::Delete, 200);
        harness.input(play("m"));
        harness.input(offer("m"));
        harness.input(candidate("3"));
        let expected = match refused {
            405 | 501 => "apply v=0 answer m",
            _ => "apply v=0 answer m, > PATCH https://h/r",
        };
        assert_eq!(
            harness.reply(Method::Post, created()),
            expected,
            "{refused}"
        );
    }
    let mut harness = playing();
    harness.input(candidate("1"));
    assert_eq!(harness.fail(Method::Patch), "");
    assert_eq!(harness.input(candidate("2")), "");
}

#[test]
fn what_is_no_candidate_is_not_sent() {
    let mut harness = playing();
    for text in ["1\r\na=evil:1", &"x".repeat(2_000)] {
        assert_eq!(harness.input(candidate(text)), "", "{text}");
    }
    let other = |candidate: &str, mid: Option<&str>, line_index| Input::LocalCandidate {
        id: id("m"),
        candidate: Some(LocalCandidate {
            candidate: candidate.into(),
            mid: mid.map(str::to_owned),
            line_index,
        }),
    };
    for input in [
        other("nonsense", Some("0"), Some(0)),
        // Bundled sections have no candidates of their own.
        other("candidate:1", Some("1"), Some(1)),
        other("candidate:1", None, Some(1)),
    ] {
        assert_eq!(harness.input(input), "");
    }
    // As the browser writes it, and as SDP does.
    assert_eq!(
        harness.input(other("a=candidate:1", None, None)),
        "> PATCH https://h/r"
    );
    assert!(harness.requests[0].body.ends_with("\r\na=candidate:1\r\n"));
}

#[test]
fn candidates_are_limited() {
    let mut harness = HttpHarness::established();
    harness.input(play("m"));
    harness.input(offer("m"));
    for number in 0..MAX_CANDIDATES + 1 {
        harness.input(candidate(&number.to_string()));
    }
    harness.reply(Method::Post, created());
    let sent = harness.requests[0].body.matches("a=candidate:").count();
    assert_eq!(sent, MAX_CANDIDATES);
}

#[test]
fn an_offer_without_ice_does_not_trickle() {
    for sdp in ["", "offer", "v=0\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"] {
        let mut harness = HttpHarness::established();
        harness.input(play("m"));
        harness.input(candidate("1"));
        harness.input(Input::OfferCreated {
            id: id("m"),
            sdp: sdp.into(),
            has_audio: true,
            has_video: true,
        });
        assert_eq!(
            harness.reply(Method::Post, created()),
            "apply v=0 answer m",
            "{sdp}"
        );
        assert_eq!(harness.input(candidate("2")), "", "{sdp}");
    }
}
