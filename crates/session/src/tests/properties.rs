//! Every input in every state, in any order: what always holds of the outputs.

use core::time::Duration;
use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use wire::{
    Availability, ClientMessage, DataEvent, Failure, MediaSessionId, ServerMessage, StreamEvent,
    StreamEventType, StreamName, StreamStatus, StreamStatusEvent, UserData, VideoRate,
};

use super::{Harness, answer, media_failed, offer_created, play, publish};
use crate::{Event, Input, Output, SessionStatus};

/// One thing that happens, after some time.
#[derive(Debug, Clone)]
enum Step {
    Input(Input),
    /// Time passes to the session's own timeout, if it has one.
    Wait,
}

fn ids() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("a"), Just("b"), Just("c")]
}

fn statuses() -> impl Strategy<Value = StreamStatus> {
    prop_oneof![
        3 => Just(StreamStatus::Publishing),
        3 => Just(StreamStatus::Playing),
        1 => Just(StreamStatus::Pending),
        1 => Just(StreamStatus::Unpublished),
        1 => Just(StreamStatus::Stopped),
        1 => Just(StreamStatus::Failed),
        1 => Just(StreamStatus::Paused),
        1 => Just(StreamStatus::NotEnoughBandwidth),
        1 => Just(StreamStatus::Other("SOMETHING".into())),
    ]
}

fn messages() -> impl Strategy<Value = ServerMessage> {
    let id = || ids().prop_map(MediaSessionId::new);
    prop_oneof![
        3 => Just(ServerMessage::UserData(UserData::default())),
        6 => ids().prop_map(answer),
        8 => (id(), statuses()).prop_map(|(id, status)| {
            ServerMessage::StreamStatus(StreamStatusEvent::new(id, status))
        }),
        1 => id().prop_map(|media_session_id| ServerMessage::StreamEvent(StreamEvent {
            media_session_id,
            event_type: StreamEventType::Data,
            payload: None,
        })),
        1 => (id(),any::<bool>()).prop_map(|(id, available)| {
            ServerMessage::Available(Availability { id, available, info: None })
        }),
        1 => id().prop_map(|id| ServerMessage::InboundVideoRate(VideoRate::new(id, 1.0))),
        1 => id().prop_map(|id| ServerMessage::OutboundVideoRate(VideoRate::new(id, 1.0))),
        1 => (id(),statuses()).prop_map(|(id, status)| ServerMessage::Fail(Failure {
            api_method: "StreamStatusEvent".into(),
            id: Some(id.to_string()),
            status: status.as_str().to_owned(),
            info: None,
        })),
        1 => Just(ServerMessage::Data(DataEvent::default())),
        1 => Just(ServerMessage::Ping),
        1 => Just(ServerMessage::Pong),
    ]
}

fn inputs() -> impl Strategy<Value = Input> {
    prop_oneof![
        6 => ids().prop_map(publish),
        6 => ids().prop_map(play),
        6 => ids().prop_map(|id| Input::Stop(MediaSessionId::new(id))),
        10 => ids().prop_map(offer_created),
        2 => ids().prop_map(media_failed),
        30 => messages().prop_map(|message| Input::SocketMessage(message.encode())),
        3 => ids().prop_map(|id| Input::Available {
            id: MediaSessionId::new(id),
            name: StreamName::new("test"),
        }),
        3 => ids().prop_map(|id| Input::SendStreamEvent {
            id: MediaSessionId::new(id),
            event_type: StreamEventType::AudioMuted,
            payload: None,
        }),
        1 => any::<String>().prop_map(Input::SocketMessage),
        1 => Just(Input::Timeout),
        1 => Just(Input::Connect),
        1 => Just(Input::SocketOpened),
        1 => prop_oneof![
            Just(Input::Disconnect),
            Just(Input::SocketClosed),
            Just(Input::SocketFailed("reset".into())),
        ],
    ]
}

fn steps() -> impl Strategy<Value = Vec<(Duration, Step)>> {
    let step = prop_oneof![
        30 => inputs().prop_map(Step::Input),
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
    requested: bool,
    applied: bool,
    media_closed: bool,
    stop_wanted: bool,
}

/// Watches every output and knows what may not come next.
#[derive(Debug, Default)]
struct Watch {
    live: BTreeMap<MediaSessionId, Seen>,
    asked: BTreeMap<MediaSessionId, ()>,
    socket_open: bool,
    over: bool,
    greeted: bool,
}

impl Watch {
    /// An input was taken: it may have made something that may now speak.
    fn begin(&mut self, input: &Input) {
        match input {
            Input::Publish(publish) => {
                let before = self.live.insert(publish.id.clone(), Seen::default());
                assert!(before.is_none(), "{} is live twice", publish.id);
            }
            Input::Play(play) => {
                let before = self.live.insert(play.id.clone(), Seen::default());
                assert!(before.is_none(), "{} is live twice", play.id);
            }
            Input::Available { id, .. } => {
                self.asked.insert(id.clone(), ());
            }
            Input::Stop(id) => self.stream(id).stop_wanted = true,
            Input::Connect
            | Input::Disconnect
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
            | Input::Timeout => {}
        }
    }

    fn stream(&mut self, id: &MediaSessionId) -> &mut Seen {
        self.live.get_mut(id).expect("an output for a dead stream")
    }

    fn see(&mut self, output: &Output) {
        assert!(!self.over, "{output:?} after the session's end");
        match output {
            Output::OpenSocket => {
                assert!(!self.socket_open);
                self.socket_open = true;
            }
            Output::CloseSocket => {
                assert!(self.socket_open);
                self.socket_open = false;
            }
            Output::Send(text) => self.see_message(&ClientMessage::decode(text).unwrap()),
            Output::CreateOffer { id, .. } => {
                self.stream(id);
            }
            Output::ApplyAnswer { id, .. } => {
                let seen = self.stream(id);
                assert!(seen.requested && !seen.applied && !seen.media_closed);
                seen.applied = true;
            }
            Output::CloseMedia { id } => {
                let seen = self.stream(id);
                assert!(!seen.media_closed, "media of {id} closed twice");
                seen.media_closed = true;
            }
            Output::Request(_) | Output::IceServers { .. } => {
                panic!("not of this session: {output:?}")
            }
            Output::Notify(event) => self.see_event(event),
        }
    }

    fn see_message(&mut self, message: &ClientMessage) {
        assert!(self.socket_open, "{message:?} without a socket");
        assert_eq!(
            !self.greeted,
            matches!(message, ClientMessage::Connection(_)),
            "`connection` comes first and once"
        );
        self.greeted = true;
        let requested = match message {
            ClientMessage::PublishStream(request) => request.media_session_id.as_ref(),
            ClientMessage::PlayStream(request) => request.media_session_id.as_ref(),
            ClientMessage::StopStream(stop) | ClientMessage::UnPublishStream(stop) => {
                let id = stop.media_session_id.as_ref().unwrap();
                let seen = self.stream(id);
                assert!(seen.requested && !seen.media_closed, "stop of {id}");
                return;
            }
            ClientMessage::SendStreamEvent(event) => {
                let id = event.media_session_id.as_ref().unwrap();
                assert!(self.stream(id).requested);
                return;
            }
            ClientMessage::Connection(_)
            | ClientMessage::AvailableStream(_)
            | ClientMessage::Pong => return,
            ClientMessage::Snapshot(_)
            | ClientMessage::SendData(_)
            | ClientMessage::DataStatusEvent(_)
            | ClientMessage::Ping
            | ClientMessage::ConnectMediaTransport
            | ClientMessage::SessionDebug(_)
            | ClientMessage::PauseStream(_)
            | ClientMessage::Diagnostics { .. }
            | ClientMessage::Call { .. }
            | ClientMessage::Unknown { .. } => panic!("a session never sends {message:?}"),
        };
        let seen = self.stream(requested.unwrap());
        assert!(!seen.requested && !seen.media_closed);
        seen.requested = true;
    }

    fn see_event(&mut self, event: &Event) {
        match event {
            Event::Session { status, .. } => match status {
                SessionStatus::Disconnected | SessionStatus::Failed => self.over = true,
                SessionStatus::Connected | SessionStatus::Established => {}
                SessionStatus::Pending => panic!("PENDING is told"),
            },
            Event::Stream(update) if update.status.is_terminal() => {
                let seen = self.live.remove(&update.id).expect("a stream ended twice");
                assert!(seen.media_closed, "{} leaves its media open", update.id);
            }
            Event::Stream(update) => {
                let seen = self.stream(&update.id);
                assert!(!seen.media_closed);
                assert!(
                    !seen.stop_wanted || update.status == StreamStatus::Pending,
                    "{} goes on though it was stopped",
                    update.id
                );
            }
            Event::StreamEvent { id, .. } | Event::VideoRate { id, .. } => {
                assert!(!self.stream(id).media_closed);
            }
            Event::Available { id, .. } => {
                self.asked.remove(id).expect("a question answered twice");
            }
            Event::Warning(_) | Event::AppData(_) => {}
        }
    }
}

fn run(harness: &mut Harness, watch: &mut Watch, input: Input) {
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

proptest! {
    #[test]
    fn whatever_happens_outputs_make_sense(connected in any::<bool>(), steps in steps()) {
        let mut harness = Harness::new();
        let mut watch = Watch::default();
        if connected {
            run(&mut harness, &mut watch, Input::Connect);
            run(&mut harness, &mut watch, Input::SocketOpened);
            let user_data = ServerMessage::UserData(UserData::default()).encode();
            run(&mut harness, &mut watch, Input::SocketMessage(user_data));
        }
        for (pause, step) in steps {
            harness.pass(pause);
            match step {
                Step::Input(input) => run(&mut harness, &mut watch, input),
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
        prop_assert!(!watch.socket_open, "the socket is left open");
        prop_assert!(watch.live.is_empty(), "streams without an end: {:?}", watch.live);
        prop_assert_eq!(harness.session.timeout(), None);
    }

    /// With a server that never says a word about it, every stream still ends,
    /// once the user wants it to, on timeouts alone.
    #[test]
    fn a_stopped_stream_ends_without_the_server(steps in steps()) {
        let mut harness = Harness::established();
        let mut watch = Watch {
            socket_open: true,
            greeted: true,
            ..Watch::default()
        };
        for (_, step) in steps {
            if let Step::Input(input) = step {
                run(&mut harness, &mut watch, input);
            }
        }
        let live: Vec<_> = watch.live.keys().cloned().collect();
        for id in live {
            run(&mut harness, &mut watch, Input::Stop(id));
        }
        harness.pass(super::STREAM_TIMEOUT);
        let ping = ServerMessage::Ping.encode();
        run(&mut harness, &mut watch, Input::SocketMessage(ping));
        run(&mut harness, &mut watch, Input::Timeout);
        prop_assert!(watch.live.is_empty(), "streams without an end: {:?}", watch.live);
    }
}
