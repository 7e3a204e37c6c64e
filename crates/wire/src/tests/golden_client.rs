//! The exact text of every message a client sends, in the original order of fields.

use serde_json::json;

use super::{id, name};
use crate::{
    AvailableRequest, ClientMessage, Connection, DataStatus, DataStatusEvent, PlayStream,
    PublishStream, SendData, SendStreamEvent, SessionDebugRequest, SnapshotRequest, StopStream,
    StreamEventType,
};

/// The message is written as `text`, and `text` is read as the message.
#[track_caller]
fn check(message: ClientMessage, text: &str) {
    assert_eq!(message.encode(), text);
    assert_eq!(ClientMessage::decode(text).unwrap(), message);
}

#[test]
fn connection() {
    check(
        ClientMessage::Connection(Connection {
            app_key: "defaultApp".into(),
            media_providers: vec!["WebRTC".into()],
            client_version: "2.0".into(),
            client_os_version: "Linux".into(),
            client_browser_version: "two-way".into(),
            ..Connection::default()
        }),
        r#"{"message":"connection","data":[{"appKey":"defaultApp","mediaProviders":["WebRTC"],"clientVersion":"2.0","clientOSVersion":"Linux","clientBrowserVersion":"two-way"}]}"#,
    );
}

#[test]
fn connection_with_everything() {
    check(
        ClientMessage::Connection(Connection {
            app_key: "roomApp".into(),
            media_providers: vec!["WebRTC".into(), "MSE".into()],
            keep_alive: Some(true),
            auth_token: Some("/10.0.0.2:50066/10.0.0.1:8443".into()),
            client_version: "2.0".into(),
            client_os_version: "5.0 (X11)".into(),
            client_browser_version: "Mozilla/5.0".into(),
            custom: Some(json!({"login": "bob", "token": [1, 2]})),
            sip_login: Some("1001".into()),
        }),
        r#"{"message":"connection","data":[{"appKey":"roomApp","mediaProviders":["WebRTC","MSE"],"keepAlive":true,"authToken":"/10.0.0.2:50066/10.0.0.1:8443","clientVersion":"2.0","clientOSVersion":"5.0 (X11)","clientBrowserVersion":"Mozilla/5.0","custom":{"login":"bob","token":[1,2]},"sipLogin":"1001"}]}"#,
    );
}

#[test]
fn publish_stream() {
    check(
        ClientMessage::PublishStream(PublishStream {
            media_session_id: Some(id("m1")),
            name: Some(name("test")),
            published: true,
            has_video: true,
            has_audio: true,
            status: "PENDING".into(),
            media_provider: "WebRTC".into(),
            sdp: "v=0\r\n".into(),
            ..PublishStream::default()
        }),
        r#"{"message":"publishStream","data":[{"mediaSessionId":"m1","name":"test","published":true,"hasVideo":true,"hasAudio":true,"status":"PENDING","record":false,"mediaProvider":"WebRTC","sdp":"v=0\r\n","bitrate":0,"minBitrate":0,"maxBitrate":0}]}"#,
    );
}

#[test]
fn publish_stream_with_everything() {
    check(
        ClientMessage::PublishStream(PublishStream {
            media_session_id: Some(id("m1")),
            name: Some(name("caf\u{e9} \"1\"")),
            published: true,
            has_video: true,
            has_audio: false,
            status: "PENDING".into(),
            record: true,
            media_provider: "WebRTC".into(),
            sdp: "v=0\r\n".into(),
            custom: Some(json!("token")),
            bitrate: 1500.0,
            min_bitrate: 300.5,
            max_bitrate: 2000.0,
            rtmp_url: Some("rtmp://host/live".into()),
            constraints: Some(json!({"video": {"width": 640}})),
            transport: Some("TCP".into()),
            cvo_extension: Some(true),
        }),
        r#"{"message":"publishStream","data":[{"mediaSessionId":"m1","name":"café \"1\"","published":true,"hasVideo":true,"hasAudio":false,"status":"PENDING","record":true,"mediaProvider":"WebRTC","sdp":"v=0\r\n","custom":"token","bitrate":1500,"minBitrate":300.5,"maxBitrate":2000,"rtmpUrl":"rtmp://host/live","constraints":{"video":{"width":640}},"transport":"TCP","cvoExtension":true}]}"#,
    );
}

#[test]
fn play_stream() {
    check(
        ClientMessage::PlayStream(PlayStream {
            media_session_id: Some(id("m2")),
            name: Some(name("test")),
            has_video: true,
            has_audio: true,
            status: "PENDING".into(),
            media_provider: "WebRTC".into(),
            sdp: "v=0\r\n".into(),
            ..PlayStream::default()
        }),
        r#"{"message":"playStream","data":[{"mediaSessionId":"m2","name":"test","published":false,"hasVideo":true,"hasAudio":true,"status":"PENDING","record":false,"width":0,"height":0,"mediaProvider":"WebRTC","sdp":"v=0\r\n","bitrate":0,"minBitrate":0,"maxBitrate":0,"quality":0}]}"#,
    );
}

#[test]
fn play_stream_with_everything() {
    check(
        ClientMessage::PlayStream(PlayStream {
            media_session_id: Some(id("m2")),
            name: Some(name("test")),
            published: false,
            has_video: true,
            has_audio: true,
            status: "PENDING".into(),
            record: false,
            width: 640.0,
            height: 480.0,
            media_provider: "WebRTC".into(),
            sdp: "v=0\r\n".into(),
            custom: Some(json!({"aclAuth": "key"})),
            bitrate: 500.0,
            min_bitrate: 100.0,
            max_bitrate: 800.0,
            quality: 50.0,
            constraints: Some(json!({"audio": true})),
            transport: Some("UDP".into()),
            cvo_extension: Some(false),
        }),
        r#"{"message":"playStream","data":[{"mediaSessionId":"m2","name":"test","published":false,"hasVideo":true,"hasAudio":true,"status":"PENDING","record":false,"width":640,"height":480,"mediaProvider":"WebRTC","sdp":"v=0\r\n","custom":{"aclAuth":"key"},"bitrate":500,"minBitrate":100,"maxBitrate":800,"quality":50,"constraints":{"audio":true},"transport":"UDP","cvoExtension":false}]}"#,
    );
}

#[test]
fn stops() {
    let stop = StopStream {
        media_session_id: Some(id("m2")),
        name: Some(name("test")),
        published: false,
        has_video: true,
        has_audio: true,
        status: "PLAYING".into(),
        record: false,
    };
    check(
        ClientMessage::StopStream(stop.clone()),
        r#"{"message":"stopStream","data":[{"mediaSessionId":"m2","name":"test","published":false,"hasVideo":true,"hasAudio":true,"status":"PLAYING","record":false}]}"#,
    );
    let stop = StopStream {
        media_session_id: Some(id("m1")),
        published: true,
        status: "PUBLISHING".into(),
        ..stop
    };
    check(
        ClientMessage::UnPublishStream(stop),
        r#"{"message":"unPublishStream","data":[{"mediaSessionId":"m1","name":"test","published":true,"hasVideo":true,"hasAudio":true,"status":"PUBLISHING","record":false}]}"#,
    );
}

#[test]
fn available_stream_and_snapshot() {
    check(
        ClientMessage::AvailableStream(AvailableRequest {
            media_session_id: Some(id("m3")),
            name: Some(name("test")),
        }),
        r#"{"message":"availableStream","data":[{"mediaSessionId":"m3","name":"test"}]}"#,
    );
    check(
        ClientMessage::Snapshot(SnapshotRequest {
            name: Some(name("test")),
            media_session_id: Some(id("m4")),
        }),
        r#"{"message":"snapshot","data":[{"name":"test","mediaSessionId":"m4"}]}"#,
    );
}

#[test]
fn send_stream_event() {
    check(
        ClientMessage::SendStreamEvent(SendStreamEvent {
            media_session_id: Some(id("m1")),
            event_type: StreamEventType::AudioMuted,
            payload: None,
        }),
        r#"{"message":"sendStreamEvent","data":[{"mediaSessionId":"m1","type":"audioMuted"}]}"#,
    );
    check(
        ClientMessage::SendStreamEvent(SendStreamEvent {
            media_session_id: Some(id("m1")),
            event_type: StreamEventType::Data,
            payload: Some(json!({"count": 23})),
        }),
        r#"{"message":"sendStreamEvent","data":[{"mediaSessionId":"m1","type":"data","payload":{"count":23}}]}"#,
    );
}

#[test]
fn session_data() {
    check(
        ClientMessage::SendData(SendData {
            operation_id: "o1".into(),
            payload: json!(["any", "thing"]),
        }),
        r#"{"message":"sendData","data":[{"operationId":"o1","payload":["any","thing"]}]}"#,
    );
    check(
        ClientMessage::DataStatusEvent(DataStatusEvent {
            operation_id: "o1".into(),
            status: DataStatus::Accepted,
            info: None,
        }),
        r#"{"message":"DataStatusEvent","data":[{"operationId":"o1","status":"ACCEPTED"}]}"#,
    );
}

#[test]
fn session_debug() {
    check(
        ClientMessage::SessionDebug(SessionDebugRequest {
            command: "start".into(),
        }),
        r#"{"message":"sessionDebug","data":[{"command":"start"}]}"#,
    );
}

#[test]
fn messages_without_an_argument() {
    check(ClientMessage::Ping, r#"{"message":"ping","data":[null]}"#);
    check(ClientMessage::Pong, r#"{"message":"pong","data":[null]}"#);
    check(
        ClientMessage::ConnectMediaTransport,
        r#"{"message":"connectMediaTransport","data":[null]}"#,
    );
    check(
        ClientMessage::Diagnostics {
            message: "pushLogs".into(),
        },
        r#"{"message":"pushLogs","data":[null]}"#,
    );
    check(
        ClientMessage::Call {
            message: "hangup".into(),
        },
        r#"{"message":"hangup","data":[null]}"#,
    );
    check(
        ClientMessage::Unknown {
            message: "somethingNew".into(),
        },
        r#"{"message":"somethingNew","data":[null]}"#,
    );
}
