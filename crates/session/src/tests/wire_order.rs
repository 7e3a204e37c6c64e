//! What a session writes on the wire, word for word, over one whole life.

use wire::{ServerMessage, StreamName, StreamStatus, UserData};

use super::{Harness, answer, id, play, publish};
use crate::{Input, Output};

impl Harness {
    /// The frames sent because of an input.
    fn sent(&mut self, input: Input) -> Vec<String> {
        self.session.handle(input, self.now).unwrap();
        let sent = |output| match output {
            Output::Send(text) => Some(text),
            Output::OpenSocket
            | Output::CloseSocket
            | Output::CreateOffer { .. }
            | Output::Request(_)
            | Output::IceServers { .. }
            | Output::ApplyAnswer { .. }
            | Output::CloseMedia { .. }
            | Output::Notify(_) => None,
        };
        self.drain().into_iter().filter_map(sent).collect()
    }
}

fn offer(text: &str) -> Input {
    Input::OfferCreated {
        id: id(text),
        sdp: "v=0\r\n".into(),
        has_audio: false,
        has_video: true,
    }
}

#[test]
fn the_connection() {
    let mut harness = Harness::new();
    assert_eq!(harness.sent(Input::Connect), [""; 0]);
    assert_eq!(
        harness.sent(Input::SocketOpened),
        [
            r#"{"message":"connection","data":[{"appKey":"defaultApp","mediaProviders":["WebRTC"],"clientVersion":"2.0","clientOSVersion":"Linux","clientBrowserVersion":"two-way"}]}"#
        ]
    );
    let user_data = ServerMessage::UserData(UserData::default()).encode();
    assert_eq!(harness.sent(Input::SocketMessage(user_data)), [""; 0]);
    let ping = ServerMessage::Ping.encode();
    assert_eq!(
        harness.sent(Input::SocketMessage(ping)),
        [r#"{"message":"pong","data":[null]}"#]
    );
}

#[test]
fn a_publisher() {
    let mut harness = Harness::established();
    harness.input(publish("m"));
    assert_eq!(
        harness.sent(offer("m")),
        [
            r#"{"message":"publishStream","data":[{"mediaSessionId":"m","name":"test","published":true,"hasVideo":true,"hasAudio":false,"status":"PENDING","record":false,"mediaProvider":"WebRTC","sdp":"v=0\r\n","bitrate":0,"minBitrate":0,"maxBitrate":0}]}"#
        ]
    );
    harness.say(answer("m"));
    harness.say_status(StreamStatus::Publishing, None);
    assert_eq!(
        harness.sent(Input::Stop(id("m"))),
        [
            r#"{"message":"unPublishStream","data":[{"mediaSessionId":"m","name":"test","published":true,"hasVideo":true,"hasAudio":true,"status":"PUBLISHING","record":false}]}"#
        ]
    );
}

#[test]
fn a_player() {
    let mut harness = Harness::established();
    harness.input(play("m"));
    assert_eq!(
        harness.sent(offer("m")),
        [
            r#"{"message":"playStream","data":[{"mediaSessionId":"m","name":"test","published":false,"hasVideo":true,"hasAudio":true,"status":"PENDING","record":false,"width":0,"height":0,"mediaProvider":"WebRTC","sdp":"v=0\r\n","bitrate":0,"minBitrate":0,"maxBitrate":0,"quality":0}]}"#
        ]
    );
    harness.say(answer("m"));
    harness.say_status(StreamStatus::Playing, None);
    assert_eq!(
        harness.sent(Input::Stop(id("m"))),
        [
            r#"{"message":"stopStream","data":[{"mediaSessionId":"m","name":"test","published":false,"hasVideo":true,"hasAudio":true,"status":"PLAYING","record":false}]}"#
        ]
    );
}

#[test]
fn a_question() {
    let mut harness = Harness::established();
    let question = Input::Available {
        id: id("a"),
        name: StreamName::new("test"),
    };
    assert_eq!(
        harness.sent(question),
        [r#"{"message":"availableStream","data":[{"mediaSessionId":"a","name":"test"}]}"#]
    );
}
