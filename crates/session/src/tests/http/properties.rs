//! Every input in every state, in any order: what always holds of an HTTP
//! session's outputs.

use std::collections::{BTreeMap, BTreeSet};

use core::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use wire::{MediaSessionId, StreamEventType, StreamName, StreamStatus};

use super::{HttpHarness, OFFER, candidate, created, request_id};
use crate::tests::{STREAM_TIMEOUT, id, media_failed, play, publish};
use crate::{Event, HttpResponse, Input, LocalCandidate, Method, Output, RequestId, SessionStatus};

/// One thing that happens, after some time.
#[derive(Debug, Clone)]
enum Step {
    Input(Input),
    /// One of the requests on their way is answered; `None` if it fails.
    Reply(prop::sample::Index, Option<HttpResponse>),
    /// Time passes to the session's own timeout, if it has one.
    Wait,
}

fn ids() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("m"), Just("n"), Just("o")]
}

/// Mostly answers that are some use, and any other.
fn responses() -> impl Strategy<Value = HttpResponse> {
    let status = prop_oneof![
        Just(200),
        Just(204),
        Just(404),
        Just(405),
        Just(503),
        0..1_000u16
    ];
    let any_response = (
        status,
        prop::option::of(prop_oneof![Just("https://h/r".to_owned()), any::<String>()]),
        prop::option::of(any::<String>()),
        vec(any::<String>(), 0..3),
        prop::option::of(prop_oneof![
            Just("application/sdp".to_owned()),
            Just("application/problem+json".to_owned()),
            Just("text/plain".to_owned()),
            any::<String>(),
        ]),
        prop::option::of(any::<String>()),
        prop_oneof![Just("v=0".to_owned()), any::<String>()],
    )
        .prop_map(
            |(status, location, etag, links, content_type, retry_after, body)| HttpResponse {
                status,
                location,
                etag,
                links,
                content_type,
                retry_after,
                body,
            },
        );
    prop_oneof![2 => Just(created()), 1 => any_response]
}

fn offers() -> impl Strategy<Value = String> {
    prop_oneof![8 => Just(OFFER.to_owned()), 1 => any::<String>()]
}

fn candidates() -> impl Strategy<Value = Input> {
    let any_candidate =
        (any::<String>(), prop::option::of(any::<String>())).prop_map(|(candidate, mid)| {
            LocalCandidate {
                candidate,
                mid,
                line_index: None,
            }
        });
    prop_oneof![
        4 => Just(candidate("1 1 udp 1 192.0.2.1 1 typ host")),
        1 => (ids(), prop::option::of(any_candidate)).prop_map(|(id, candidate)| {
            Input::LocalCandidate { id: MediaSessionId::new(id), candidate }
        }),
    ]
}

fn inputs() -> impl Strategy<Value = Input> {
    prop_oneof![
        6 => ids().prop_map(publish),
        6 => ids().prop_map(play),
        6 => ids().prop_map(|text| Input::Stop(id(text))),
        12 => (ids(), offers()).prop_map(|(text, sdp)| Input::OfferCreated {
            id: id(text),
            sdp,
            has_audio: true,
            has_video: true,
        }),
        10 => ids().prop_map(|text| Input::MediaConnected { id: id(text) }),
        2 => ids().prop_map(media_failed),
        6 => candidates(),
        1 => ids().prop_map(|text| Input::Available {
            id: id(text),
            name: StreamName::new("test"),
        }),
        1 => ids().prop_map(|text| Input::SendStreamEvent {
            id: id(text),
            event_type: StreamEventType::Data,
            payload: None,
        }),
        // Of no request, or of one that has its response.
        2 => (0..20u64, responses()).prop_map(|(number, response)| Input::Response {
            id: request_id(number + 10_000),
            response,
        }),
        1 => any::<String>().prop_map(Input::SocketMessage),
        1 => Just(Input::SocketClosed),
        1 => Just(Input::Timeout),
        1 => Just(Input::Connect),
        1 => Just(Input::Disconnect),
    ]
}

fn steps() -> impl Strategy<Value = Vec<(Duration, Step)>> {
    let step = prop_oneof![
        30 => inputs().prop_map(Step::Input),
        20 => (any::<prop::sample::Index>(), prop::option::weighted(0.9, responses()))
            .prop_map(|(which, response)| Step::Reply(which, response)),
        1 => Just(Step::Wait),
    ];
    vec(
        ((0..2_000_u64).prop_map(Duration::from_millis), step),
        0..80,
    )
}

/// What the outputs so far say about one live stream.
#[derive(Debug, Default)]
struct Seen {
    posted: bool,
    applied: bool,
    active: bool,
    media_closed: bool,
    stop_wanted: bool,
}

/// Watches every output and knows what may not come next.
#[derive(Debug, Default)]
struct Watch {
    live: BTreeMap<MediaSessionId, Seen>,
    /// The requests so far.
    sent: BTreeSet<RequestId>,
    /// POSTs that made something, less the DELETEs.
    resources: i64,
    over: bool,
}

impl Watch {
    /// An input was taken: it may have made something that may now speak.
    fn begin(&mut self, input: &Input) {
        let started = match input {
            Input::Publish(publish) => &publish.id,
            Input::Play(play) => &play.id,
            Input::Stop(id) => {
                self.stream(id).stop_wanted = true;
                return;
            }
            Input::Connect
            | Input::Disconnect
            | Input::Available { .. }
            | Input::SendStreamEvent { .. }
            | Input::SocketOpened
            | Input::SocketMessage(_)
            | Input::SocketClosed
            | Input::SocketFailed(_)
            | Input::OfferCreated { .. }
            | Input::MediaFailed { .. }
            | Input::MediaConnected { .. }
            | Input::LocalCandidate { .. }
            | Input::Response { .. }
            | Input::RequestFailed { .. }
            | Input::Timeout => return,
        };
        let before = self.live.insert(started.clone(), Seen::default());
        assert!(before.is_none(), "{started} is live twice");
    }

    fn stream(&mut self, id: &MediaSessionId) -> &mut Seen {
        self.live.get_mut(id).expect("an output for a dead stream")
    }

    fn see(&mut self, output: &Output) {
        match output {
            Output::Request(request) => {
                assert!(self.sent.insert(request.id), "a request twice");
                match request.method {
                    Method::Post => assert!(!self.over),
                    Method::Patch => assert!(!self.over && request.body.ends_with("\r\n")),
                    Method::Delete => self.resources -= 1,
                }
                return;
            }
            Output::OpenSocket | Output::Send(_) | Output::CloseSocket => {
                panic!("not of this session: {output:?}")
            }
            Output::CreateOffer { .. }
            | Output::IceServers { .. }
            | Output::ApplyAnswer { .. }
            | Output::CloseMedia { .. }
            | Output::Notify(_) => {}
        }
        assert!(!self.over, "{output:?} after the session's end");
        match output {
            Output::CreateOffer { id, .. } => assert!(!self.stream(id).posted),
            Output::IceServers { id, servers } => {
                assert!(!servers.is_empty() && !self.stream(id).applied);
            }
            Output::ApplyAnswer { id, .. } => {
                let seen = self.stream(id);
                assert!(!seen.applied && !seen.media_closed);
                seen.applied = true;
            }
            Output::CloseMedia { id } => {
                let seen = self.stream(id);
                assert!(!seen.media_closed, "media of {id} closed twice");
                seen.media_closed = true;
            }
            Output::Notify(event) => self.see_event(event),
            Output::Request(_) | Output::OpenSocket | Output::Send(_) | Output::CloseSocket => {}
        }
    }

    fn see_event(&mut self, event: &Event) {
        match event {
            Event::Session { status, .. } => match status {
                SessionStatus::Disconnected => self.over = true,
                SessionStatus::Connected | SessionStatus::Established => {}
                SessionStatus::Pending | SessionStatus::Failed => panic!("{status:?} is told"),
            },
            Event::Stream(update) if update.status.is_terminal() => {
                let seen = self.live.remove(&update.id).expect("a stream ended twice");
                assert!(seen.media_closed, "{} leaves its media open", update.id);
                assert!(
                    seen.stop_wanted || update.status == StreamStatus::Failed,
                    "{} stops without being asked to",
                    update.id
                );
            }
            Event::Stream(update) => {
                let seen = self.stream(&update.id);
                assert!(!seen.media_closed && !seen.stop_wanted && !seen.active);
                seen.active = update.status != StreamStatus::Pending;
                assert_eq!(seen.active, seen.applied, "{update:?}");
            }
            Event::Available {
                available, info, ..
            } => assert!(!available && info.is_some()),
            Event::StreamEvent { .. }
            | Event::VideoRate { .. }
            | Event::Warning(_)
            | Event::AppData(_) => panic!("{event:?} cannot be known"),
        }
    }
}

fn run(harness: &mut HttpHarness, watch: &mut Watch, input: Input) {
    let taken = harness.session.handle(input.clone(), harness.now).is_ok();
    if taken {
        watch.begin(&input);
    }
    let outputs = harness.drain();
    assert!(taken || outputs.is_empty(), "{input:?}: refused, but acted");
    for output in &outputs {
        watch.see(output);
    }
    if input == Input::Timeout {
        let next = harness.session.timeout();
        assert!(next.is_none_or(|next| harness.now < next), "busy loop");
    }
}

fn reply(
    harness: &mut HttpHarness,
    watch: &mut Watch,
    which: usize,
    response: Option<HttpResponse>,
) {
    let request = harness.requests.remove(which);
    let id = request.id;
    let input = match response {
        Some(response) => {
            let location = response.location.as_deref().unwrap_or_default();
            let made = (200..300).contains(&response.status) && location.starts_with("http");
            if request.method == Method::Post && made {
                watch.resources += 1;
            }
            Input::Response { id, response }
        }
        None => Input::RequestFailed {
            id,
            error: "reset".into(),
        },
    };
    run(harness, watch, input);
}

proptest! {
    #[test]
    fn whatever_happens_outputs_make_sense(connected in any::<bool>(), steps in steps()) {
        let mut harness = HttpHarness::new();
        let mut watch = Watch::default();
        if connected {
            run(&mut harness, &mut watch, Input::Connect);
        }
        for (pause, step) in steps {
            harness.now = harness.now + pause;
            match step {
                Step::Input(input) => run(&mut harness, &mut watch, input),
                Step::Reply(which, response) => {
                    if !harness.requests.is_empty() {
                        let which = which.index(harness.requests.len());
                        reply(&mut harness, &mut watch, which, response);
                    }
                }
                Step::Wait => {
                    if let Some(timeout) = harness.session.timeout() {
                        harness.now = harness.now.max(timeout);
                        run(&mut harness, &mut watch, Input::Timeout);
                    }
                }
            }
        }
        run(&mut harness, &mut watch, Input::Disconnect);
        prop_assert!(watch.over, "the session's end was not told");
        prop_assert!(watch.live.is_empty(), "streams without an end: {:?}", watch.live);
        prop_assert_eq!(harness.session.timeout(), None);
        while !harness.requests.is_empty() {
            prop_assert!(!harness.session.is_finished());
            reply(&mut harness, &mut watch, 0, Some(created()));
        }
        prop_assert!(harness.session.is_finished(), "requests are waited for that nobody sent");
        prop_assert_eq!(watch.resources, 0, "something is left on the server");
    }

    /// With a server that never answers, every stream still ends, once the user
    /// wants it to, on timeouts alone.
    #[test]
    fn a_stopped_stream_ends_without_the_server(steps in steps()) {
        let mut harness = HttpHarness::established();
        let mut watch = Watch::default();
        for (_, step) in steps {
            if let Step::Input(input) = step {
                run(&mut harness, &mut watch, input);
            }
        }
        let live: Vec<_> = watch.live.keys().cloned().collect();
        for id in live {
            run(&mut harness, &mut watch, Input::Stop(id));
        }
        harness.now = harness.now + STREAM_TIMEOUT;
        run(&mut harness, &mut watch, Input::Timeout);
        prop_assert!(watch.live.is_empty(), "streams without an end: {:?}", watch.live);
    }
}
