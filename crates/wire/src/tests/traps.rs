//! The protocol's interop traps that the wire alone can fall into, by number.

use serde_json::{Value, json};

use super::{client, id, server};
use crate::{
    Availability, ClientMessage, Connection, DataEvent, DataStatus, DataStatusEvent, Failure,
    ServerMessage, SessionDebug, StreamEvent, StreamEventType, StreamStatus, StreamStatusEvent,
    UserData, VideoRate,
};

/// One of every message a server sends, as poor in content as the types allow.
fn poorest_server_messages() -> Vec<ServerMessage> {
    vec![
        ServerMessage::UserData(UserData::default()),
        ServerMessage::Version(String::new()),
        ServerMessage::RemoteSdp {
            media_session_id: id(""),
            sdp: String::new(),
        },
        ServerMessage::StreamStatus(StreamStatusEvent::new(id(""), StreamStatus::Pending)),
        ServerMessage::StreamEvent(event(StreamEventType::Resize)),
        ServerMessage::Available(Availability {
            id: id(""),
            available: false,
            info: None,
        }),
        ServerMessage::DataStatus(DataStatusEvent {
            operation_id: String::new(),
            status: DataStatus::Accepted,
            info: None,
        }),
        ServerMessage::Data(DataEvent::default()),
        ServerMessage::InboundVideoRate(VideoRate::new(id(""), 0.0)),
        ServerMessage::OutboundVideoRate(VideoRate::new(id(""), 0.0)),
        ServerMessage::Fail(Failure::default()),
        ServerMessage::SessionDebug(SessionDebug::default()),
        ServerMessage::Ping,
        ServerMessage::Pong,
        ServerMessage::Unknown {
            message: String::new(),
        },
    ]
}

fn event(event_type: StreamEventType) -> StreamEvent {
    StreamEvent {
        media_session_id: id("m2"),
        event_type,
        payload: None,
    }
}

/// The first argument of a message as the client's JavaScript sees it.
fn argument(message: &ServerMessage) -> Value {
    let mut envelope: Value = serde_json::from_str(&message.encode()).unwrap();
    envelope["data"][0].take()
}

#[test]
fn trap_1_every_message_has_a_data_array() {
    for message in poorest_server_messages() {
        let envelope: Value = serde_json::from_str(&message.encode()).unwrap();
        assert!(envelope["data"].is_array(), "{message:?}");
    }
}

#[test]
fn trap_1_messages_without_data_are_read_all_the_same() {
    assert_eq!(client(r#"{"message":"ping"}"#), ClientMessage::Ping);
    assert_eq!(server(r#"{"message":"ping"}"#), ServerMessage::Ping);
    assert_eq!(server(r#"{"message":"pong"}"#), ServerMessage::Pong);
    assert_eq!(
        server(r#"{"message":"getUserData"}"#),
        ServerMessage::UserData(UserData::default())
    );
}

#[test]
fn trap_3_availability_is_a_word() {
    for (available, word) in [(true, "true"), (false, "false")] {
        let message = ServerMessage::Available(Availability {
            id: id("m3"),
            available,
            info: None,
        });
        assert_eq!(argument(&message), json!({"id": "m3", "status": word}));
    }
}

#[test]
fn trap_3_only_the_word_true_means_available() {
    for (status, expected) in [
        (r#""true""#, true),
        (r#""false""#, false),
        ("true", false),
        ("1", false),
        ("null", false),
        (r#"["true"]"#, false),
    ] {
        let text =
            format!(r#"{{"message":"availableStream","data":[{{"id":"m3","status":{status}}}]}}"#);
        let ServerMessage::Available(reply) = server(&text) else {
            panic!("not a reply: {text}");
        };
        assert_eq!(reply.available, expected, "{text}");
    }
}

#[test]
fn trap_4_a_reply_without_status_is_a_no() {
    assert_eq!(
        server(r#"{"message":"availableStream","data":[{"id":"m3"}]}"#),
        ServerMessage::Available(Availability {
            id: id("m3"),
            available: false,
            info: None
        })
    );
}

#[test]
fn trap_5_a_status_event_has_no_member_called_available() {
    let event = StreamStatusEvent::new(id("m1"), StreamStatus::Publishing);
    let argument = argument(&ServerMessage::StreamStatus(event));
    assert_eq!(argument.get("available"), None);
    assert_eq!(argument["status"], "PUBLISHING");
}

#[test]
fn trap_6_messages_for_stream_handlers_have_a_status() {
    for message in poorest_server_messages() {
        let handled_as_status = matches!(
            message,
            ServerMessage::StreamStatus(_) | ServerMessage::Fail(_) | ServerMessage::Available(_)
        );
        if handled_as_status {
            assert!(argument(&message)["status"].is_string(), "{message:?}");
        }
    }
}

#[test]
fn trap_7_a_stream_event_has_a_type_and_a_payload_to_look_into() {
    for (event_type, word) in [
        (StreamEventType::Resize, "resize"),
        (StreamEventType::NotEnoughBandwidth, "notEnoughBandwidth"),
        (StreamEventType::SnapshotFailed, "snapshotFailed"),
    ] {
        for payload in [None, Some(Value::Null)] {
            let message = ServerMessage::StreamEvent(StreamEvent {
                payload,
                ..event(event_type.clone())
            });
            assert_eq!(
                argument(&message),
                json!({"mediaSessionId": "m2", "type": word, "payload": {}})
            );
        }
    }
}

#[test]
fn trap_9_the_answer_has_a_third_element() {
    let message = ServerMessage::RemoteSdp {
        media_session_id: id("m1"),
        sdp: "v=0".into(),
    };
    assert_eq!(
        message.encode(),
        r#"{"message":"setRemoteSDP","data":["m1","v=0",true]}"#
    );
}

#[test]
fn trap_9_the_answer_is_read_with_two_elements_or_more() {
    for data in [r#"["m1","v=0"]"#, r#"["m1","v=0",true,{},1]"#] {
        let text = format!(r#"{{"message":"setRemoteSDP","data":{data}}}"#);
        assert_eq!(
            server(&text),
            ServerMessage::RemoteSdp {
                media_session_id: id("m1"),
                sdp: "v=0".into()
            }
        );
    }
}

#[test]
fn trap_22_unknown_messages_and_fields_are_taken() {
    assert_eq!(
        client(r#"{"message":"registerFax","data":[{"a":1}]}"#),
        ClientMessage::Unknown {
            message: "registerFax".into()
        }
    );
    assert_eq!(
        client(
            r#"{"message":"connection","data":[{"appKey":"defaultApp","clientInfo":{"brands":[{"x":[]}]},"useWsTunnel":false,"msePacketizationVersion":2,"sipLogin":"1001","status":"NEW"}]}"#
        ),
        ClientMessage::Connection(Connection {
            app_key: "defaultApp".into(),
            sip_login: Some("1001".into()),
            ..Connection::default()
        })
    );
    for name in [
        "pushLogs",
        "submitBugReport",
        "webRTCMetricsClientDescription",
        "webRTCMetricsBatch",
    ] {
        let text = format!(r#"{{"message":"{name}","data":[{{"logs":"x"}}]}}"#);
        assert_eq!(
            client(&text),
            ClientMessage::Diagnostics {
                message: name.into()
            }
        );
    }
}

#[test]
fn trap_23_numbers_may_be_strings() {
    let ClientMessage::PlayStream(play) = client(
        r#"{"message":"playStream","data":[{"mediaSessionId":7,"width":"640","height":" 480 ","bitrate":"","minBitrate":null,"maxBitrate":"NaN","quality":"1e999"}]}"#,
    ) else {
        panic!("not a play request");
    };
    assert_eq!(play.media_session_id, Some(id("7")));
    assert_eq!((play.width, play.height), (640.0, 480.0));
    assert_eq!((play.bitrate, play.min_bitrate), (0.0, 0.0));
    assert_eq!((play.max_bitrate, play.quality), (0.0, 0.0));
}

#[test]
fn traps_24_and_25_flags_and_status_of_requests_may_be_anything() {
    for fields in [
        r#""hasVideo":true,"hasAudio":1,"status":"PENDING""#,
        r#""hasVideo":"true","hasAudio":"1","status":"NEW""#,
        r#""hasVideo":2,"hasAudio":true,"status":"no such status""#,
        r#""hasVideo":true,"hasAudio":true,"status":null"#,
        r#""hasVideo":true,"hasAudio":true,"status":{}"#,
    ] {
        let text = format!(r#"{{"message":"playStream","data":[{{{fields}}}]}}"#);
        let ClientMessage::PlayStream(play) = client(&text) else {
            panic!("not a play request: {text}");
        };
        assert!(play.has_video && play.has_audio, "{text}");
    }
}

#[test]
fn trap_26_a_pong_is_a_pong_whatever_it_carries() {
    for data in [
        "",
        r#","data":[]"#,
        r#","data":[null]"#,
        r#","data":5"#,
        r#","data":[[{}],1]"#,
    ] {
        let text = format!(r#"{{"message":"pong"{data}}}"#);
        assert_eq!(client(&text), ClientMessage::Pong, "{text}");
        assert_eq!(server(&text), ServerMessage::Pong, "{text}");
    }
}

#[test]
fn trap_29_user_data_does_not_turn_metrics_on() {
    let argument = argument(&ServerMessage::UserData(UserData::default()));
    assert_eq!(argument.get("webRTCMetricsServerDescription"), None);
    assert!(argument.is_object());
}

#[test]
fn trap_31_a_data_status_is_one_of_two_words() {
    for (status, word) in [
        (DataStatus::Accepted, "ACCEPTED"),
        (DataStatus::Failed, "FAILED"),
    ] {
        assert_eq!(status.as_str(), word);
    }
    let text = r#"{"message":"DataStatusEvent","data":[{"operationId":"1","status":"SENT"}]}"#;
    assert!(ServerMessage::decode(text).is_err());
}
