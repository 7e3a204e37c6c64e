//! What is read from sloppy, old and hostile peers.

use serde_json::{Value, json};

use super::{client, id, name, server};
use crate::{
    AvailableRequest, ClientMessage, Connection, DecodeError, PublishStream, SendData,
    ServerMessage, SnapshotRequest, StopStream, UserData,
};

#[test]
fn text_that_is_no_envelope_is_an_error() {
    for text in [
        "",
        "hello",
        "{",
        "null",
        "5",
        "[]",
        r#"["ping",[null]]"#,
        "{}",
        r#"{"data":[null]}"#,
        r#"{"message":null}"#,
        r#"{"message":5,"data":[]}"#,
        r#"{"message":"ping","data":[null]} trailing"#,
        r#"{"message":"ping","data":[1e999]}"#,
    ] {
        let error = ClientMessage::decode(text).unwrap_err();
        assert!(matches!(error, DecodeError::Envelope(_)), "{text}: {error}");
    }
}

#[test]
fn a_request_without_an_argument_is_read_so_that_its_sender_can_be_told() {
    for data in ["", r#","data":[]"#, r#","data":[null]"#, r#","data":null"#] {
        let read = |name: &str| client(&format!(r#"{{"message":"{name}"{data}}}"#));
        assert_eq!(
            read("publishStream"),
            ClientMessage::PublishStream(PublishStream::default())
        );
        assert_eq!(
            read("stopStream"),
            ClientMessage::StopStream(StopStream::default())
        );
        assert_eq!(
            read("availableStream"),
            ClientMessage::AvailableStream(AvailableRequest::default())
        );
        assert_eq!(
            read("snapshot"),
            ClientMessage::Snapshot(SnapshotRequest::default())
        );
        assert_eq!(
            read("connection"),
            ClientMessage::Connection(Connection::default())
        );
        assert_eq!(
            read("sendData"),
            ClientMessage::SendData(SendData::default())
        );
    }
}

#[test]
fn an_argument_that_is_no_object_is_an_error_that_names_the_message() {
    for argument in ["5", "true", r#""m1""#, r#"["m1","test",true]"#] {
        let text = format!(r#"{{"message":"publishStream","data":[{argument}]}}"#);
        let error = ClientMessage::decode(&text).unwrap_err();
        assert_eq!(
            error.to_string(),
            "bad argument of publishStream: not an object",
            "{text}"
        );
    }
}

#[test]
fn messages_that_mean_nothing_without_a_field_are_errors() {
    for text in [
        r#"{"message":"sendStreamEvent","data":[null]}"#,
        r#"{"message":"sendStreamEvent","data":[{"mediaSessionId":"m1","type":null}]}"#,
        r#"{"message":"DataStatusEvent","data":[{"operationId":"o1"}]}"#,
    ] {
        assert!(ClientMessage::decode(text).is_err(), "{text}");
    }
    for text in [
        r#"{"message":"notifyStreamStatusEvent","data":[{"mediaSessionId":"m1"}]}"#,
        r#"{"message":"notifyStreamStatusEvent","data":[{"status":"FAILED"}]}"#,
        r#"{"message":"notifyStreamEvent","data":[{"mediaSessionId":"m1"}]}"#,
        r#"{"message":"setRemoteSDP","data":["m1"]}"#,
        r#"{"message":"setRemoteSDP","data":["m1",null,true]}"#,
        r#"{"message":"setRemoteSDP"}"#,
        r#"{"message":"availableStream","data":[null]}"#,
        r#"{"message":"inboundVideoRate","data":[{"videoRate":1}]}"#,
    ] {
        assert!(ServerMessage::decode(text).is_err(), "{text}");
    }
}

#[test]
fn further_arguments_and_members_are_ignored() {
    assert_eq!(
        client(r#"{"v":1,"message":"snapshot","data":[{"name":"test","x":{}},{"name":"other"}]}"#),
        ClientMessage::Snapshot(SnapshotRequest {
            name: Some(name("test")),
            media_session_id: None,
        })
    );
}

#[test]
fn fields_of_a_wrong_type_count_as_missing() {
    assert_eq!(
        client(
            r#"{"message":"connection","data":[{"appKey":7,"mediaProviders":["WebRTC",null,{}],"keepAlive":"yes","authToken":{},"clientVersion":null,"clientOSVersion":[],"clientBrowserVersion":false}]}"#
        ),
        ClientMessage::Connection(Connection {
            app_key: "7".into(),
            media_providers: vec!["WebRTC".into()],
            keep_alive: Some(false),
            ..Connection::default()
        })
    );
    assert_eq!(
        client(
            r#"{"message":"publishStream","data":[{"mediaSessionId":{},"name":null,"published":[],"sdp":5,"bitrate":{},"transport":true,"rtmpUrl":null}]}"#
        ),
        ClientMessage::PublishStream(PublishStream {
            sdp: "5".into(),
            ..PublishStream::default()
        })
    );
}

#[test]
fn a_stream_object_of_a_mobile_client_is_taken() {
    assert_eq!(
        client(
            r#"{"message":"unPublishStream","data":[{"mediaSessionId":"m1","remoteMediaElementId":null,"published":true,"hasVideo":true,"hasAudio":true,"status":"NEW","info":null,"recordName":null,"width":0,"height":0,"bitrate":0,"quality":0,"mediaProvider":"WebRTC","sdp":"v=0","name":"test","record":false,"custom":null}]}"#
        ),
        ClientMessage::UnPublishStream(StopStream {
            media_session_id: Some(id("m1")),
            name: Some(name("test")),
            published: true,
            has_video: true,
            has_audio: true,
            status: "NEW".into(),
            record: false,
        })
    );
}

#[test]
fn custom_is_any_json_and_comes_back_unchanged() {
    for custom in [
        json!("text"),
        json!(0),
        json!([]),
        json!({"deep": [[[[{"er": null}]]]]}),
        json!(false),
        json!(18_446_744_073_709_551_615_u64),
    ] {
        let text = format!(r#"{{"message":"connection","data":[{{"custom":{custom}}}]}}"#);
        let ClientMessage::Connection(connection) = client(&text) else {
            panic!("not a connection: {text}");
        };
        assert_eq!(connection.custom.as_ref(), Some(&custom));
        let echo = ServerMessage::UserData(UserData {
            connection,
            ..UserData::default()
        });
        let echo: Value = serde_json::from_str(&echo.encode()).unwrap();
        assert_eq!(echo["data"][0]["custom"], custom);
    }
}

#[test]
fn nesting_without_end_is_an_error_and_no_overflow() {
    let deep = "[".repeat(100_000);
    for text in [
        deep.clone(),
        format!(r#"{{"message":"sendData","data":[{{"payload":{deep}"#),
        format!(
            r#"{{"message":"ping","data":{deep}{}}}"#,
            "]".repeat(100_000)
        ),
    ] {
        assert!(ClientMessage::decode(&text).is_err());
        assert!(ServerMessage::decode(&text).is_err());
    }
}

#[test]
fn a_key_that_comes_twice_counts_once_with_its_last_value() {
    assert_eq!(
        client(r#"{"message":"ping","message":"snapshot","data":[{"name":"a","name":"b"}]}"#),
        ClientMessage::Snapshot(SnapshotRequest {
            name: Some(name("b")),
            media_session_id: None,
        })
    );
}

#[test]
fn a_version_is_text_or_nothing() {
    for (data, version) in [
        (r#"["5.2.1"]"#, "5.2.1"),
        ("[5]", "5"),
        ("[null]", ""),
        ("[]", ""),
    ] {
        let text = format!(r#"{{"message":"getVersion","data":{data}}}"#);
        assert_eq!(server(&text), ServerMessage::Version(version.into()));
    }
}
