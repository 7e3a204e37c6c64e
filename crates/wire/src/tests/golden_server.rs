//! The exact text of every message a server sends.

use serde_json::json;

use super::{id, name};
use crate::{
    Availability, Connection, DataEvent, DataStatus, DataStatusEvent, Failure, MuteState,
    ServerMessage, SessionDebug, StreamEvent, StreamEventType, StreamStatus, StreamStatusEvent,
    UserData, VideoRate, info,
};

/// The message is written as `text`, and `text` is read as the message.
#[track_caller]
fn check(message: ServerMessage, text: &str) {
    assert_eq!(message.encode(), text);
    assert_eq!(ServerMessage::decode(text).unwrap(), message);
}

#[test]
fn user_data_echoes_the_connection() {
    check(
        ServerMessage::UserData(UserData {
            auth_token: Some("/1.2.3.4:5/6.7.8.9:8080".into()),
            status: "ESTABLISHED".into(),
            connection: Connection {
                app_key: "defaultApp".into(),
                media_providers: vec!["WebRTC".into()],
                client_version: "2.0".into(),
                client_os_version: "Linux".into(),
                client_browser_version: "two-way".into(),
                custom: Some(json!({"a": null})),
                ..Connection::default()
            },
        }),
        r#"{"message":"getUserData","data":[{"authToken":"/1.2.3.4:5/6.7.8.9:8080","status":"ESTABLISHED","appKey":"defaultApp","mediaProviders":["WebRTC"],"clientVersion":"2.0","clientOSVersion":"Linux","clientBrowserVersion":"two-way","custom":{"a":null},"useWsTunnel":false,"useWsTunnelPacketization2":false,"useBase64BinaryEncoding":false}]}"#,
    );
}

#[test]
fn user_data_has_one_token_though_the_client_sent_another() {
    let message = ServerMessage::UserData(UserData {
        auth_token: Some("new".into()),
        status: "ESTABLISHED".into(),
        connection: Connection {
            auth_token: Some("old".into()),
            ..Connection::default()
        },
    });
    assert_eq!(
        message.encode(),
        r#"{"message":"getUserData","data":[{"authToken":"new","status":"ESTABLISHED","appKey":"","mediaProviders":[],"clientVersion":"","clientOSVersion":"","clientBrowserVersion":"","useWsTunnel":false,"useWsTunnelPacketization2":false,"useBase64BinaryEncoding":false}]}"#,
    );
}

#[test]
fn version() {
    check(
        ServerMessage::Version("5.2.2000-abc".into()),
        r#"{"message":"getVersion","data":["5.2.2000-abc"]}"#,
    );
}

#[test]
fn stream_status() {
    check(
        ServerMessage::StreamStatus(StreamStatusEvent {
            info: Some(info::STREAM_NAME_ALREADY_IN_USE.into()),
            ..StreamStatusEvent::new(id("m1"), StreamStatus::Failed)
        }),
        r#"{"message":"notifyStreamStatusEvent","data":[{"mediaSessionId":"m1","status":"FAILED","info":"Stream name is already in use","published":false,"hasVideo":false,"hasAudio":false,"mediaProvider":"WebRTC","record":false,"width":0,"height":0,"bitrate":0,"minBitrate":0,"maxBitrate":0,"quality":0,"gop":0,"fps":0,"audioBitrate":0}]}"#,
    );
}

#[test]
fn stream_status_with_everything() {
    check(
        ServerMessage::StreamStatus(StreamStatusEvent {
            media_session_id: id("m2"),
            status: StreamStatus::Playing,
            info: Some("why".into()),
            name: Some(name("test")),
            published: false,
            has_video: true,
            has_audio: true,
            media_provider: "WebRTC".into(),
            record: true,
            width: 1280.0,
            height: 720.0,
            bitrate: 1500.0,
            min_bitrate: 300.0,
            max_bitrate: 2000.0,
            quality: 5.0,
            gop: 60.0,
            fps: 29.97,
            audio_bitrate: 64.0,
            create_date: Some(1_790_000_000_000),
            media_type: Some("play".into()),
            transport: Some("TCP".into()),
            cvo_extension: Some(true),
            custom: Some(json!({"token": 7})),
            audio_codec: Some("opus".into()),
            video_codec: Some("H264".into()),
            audio_state: Some(MuteState { muted: true }),
            video_state: Some(MuteState { muted: false }),
        }),
        r#"{"message":"notifyStreamStatusEvent","data":[{"mediaSessionId":"m2","status":"PLAYING","info":"why","name":"test","published":false,"hasVideo":true,"hasAudio":true,"mediaProvider":"WebRTC","record":true,"width":1280,"height":720,"bitrate":1500,"minBitrate":300,"maxBitrate":2000,"quality":5,"gop":60,"fps":29.97,"audioBitrate":64,"createDate":1790000000000,"mediaType":"play","transport":"TCP","cvoExtension":true,"custom":{"token":7},"audioCodec":"opus","videoCodec":"H264","audioState":{"muted":true},"videoState":{"muted":false}}]}"#,
    );
}

#[test]
fn statuses_are_spelled_alike_everywhere() {
    for (status, text) in [
        (StreamStatus::New, "NEW"),
        (StreamStatus::Pending, "PENDING"),
        (StreamStatus::Publishing, "PUBLISHING"),
        (StreamStatus::Playing, "PLAYING"),
        (StreamStatus::Unpublished, "UNPUBLISHED"),
        (StreamStatus::Stopped, "STOPPED"),
        (StreamStatus::Failed, "FAILED"),
        (StreamStatus::Paused, "PAUSED"),
        (StreamStatus::PlaybackProblem, "PLAYBACK_PROBLEM"),
        (StreamStatus::Resize, "RESIZE"),
        (StreamStatus::SnapshotComplete, "SNAPSHOT_COMPLETE"),
        (StreamStatus::NotEnoughBandwidth, "NOT_ENOUGH_BANDWIDTH"),
        (StreamStatus::StreamEvent, "STREAM_EVENT"),
        (StreamStatus::Other("SOMETHING".into()), "SOMETHING"),
    ] {
        assert_eq!(status.as_str(), text);
        assert_eq!(StreamStatus::from_wire(text), status);
    }
}

#[test]
fn stream_event() {
    check(
        ServerMessage::StreamEvent(StreamEvent {
            media_session_id: id("m2"),
            event_type: StreamEventType::VideoUnmuted,
            payload: Some(json!({"streamName": "test"})),
        }),
        r#"{"message":"notifyStreamEvent","data":[{"mediaSessionId":"m2","type":"videoUnmuted","payload":{"streamName":"test"}}]}"#,
    );
}

#[test]
fn event_types_are_spelled_as_in_the_protocol() {
    for (event_type, text) in [
        (StreamEventType::Data, "data"),
        (StreamEventType::AudioMuted, "audioMuted"),
        (StreamEventType::AudioUnmuted, "audioUnmuted"),
        (StreamEventType::VideoMuted, "videoMuted"),
        (StreamEventType::VideoUnmuted, "videoUnmuted"),
        (StreamEventType::Resize, "resize"),
        (StreamEventType::NotEnoughBandwidth, "notEnoughBandwidth"),
        (StreamEventType::SnapshotCompleted, "snapshotCompleted"),
        (StreamEventType::SnapshotFailed, "snapshotFailed"),
        (StreamEventType::Other("new".into()), "new"),
    ] {
        assert_eq!(event_type.as_str(), text);
        assert_eq!(StreamEventType::from_wire(text), event_type);
    }
}

#[test]
fn data_messages() {
    check(
        ServerMessage::DataStatus(DataStatusEvent {
            operation_id: "o1".into(),
            status: DataStatus::Failed,
            info: Some("no application".into()),
        }),
        r#"{"message":"DataStatusEvent","data":[{"operationId":"o1","status":"FAILED","info":"no application"}]}"#,
    );
    check(
        ServerMessage::Data(DataEvent {
            operation_id: "o2".into(),
            payload: json!({"x": 1}),
        }),
        r#"{"message":"OnDataEvent","data":[{"operationId":"o2","payload":{"x":1}}]}"#,
    );
}

#[test]
fn video_rates() {
    check(
        ServerMessage::InboundVideoRate(VideoRate::new(id("m1"), 1_500_000.0)),
        r#"{"message":"inboundVideoRate","data":[{"mediaSessionId":"m1","videoRate":1500000}]}"#,
    );
    check(
        ServerMessage::OutboundVideoRate(VideoRate {
            fps: Some(30.0),
            nack: Some(1.0),
            pli: Some(2.0),
            lost_packets: Some(3.0),
            width: Some(1280.0),
            height: Some(720.0),
            ..VideoRate::new(id("m2"), 0.0)
        }),
        r#"{"message":"outboundVideoRate","data":[{"mediaSessionId":"m2","videoRate":0,"fps":30,"nack":1,"pli":2,"lostPackets":3,"width":1280,"height":720}]}"#,
    );
}

#[test]
fn fail() {
    check(
        ServerMessage::Fail(Failure {
            api_method: "publishStream".into(),
            id: Some("m1".into()),
            status: "FAILED".into(),
            info: Some("too many streams".into()),
        }),
        r#"{"message":"fail","data":[{"apiMethod":"publishStream","id":"m1","status":"FAILED","info":"too many streams"}]}"#,
    );
}

#[test]
fn session_debug() {
    check(
        ServerMessage::SessionDebug(SessionDebug {
            status: "STOPPED".into(),
            file: Some("logs/1.zip".into()),
        }),
        r#"{"message":"notifySessionDebugEvent","data":[{"status":"STOPPED","file":"logs/1.zip"}]}"#,
    );
}

#[test]
fn remote_sdp_and_availability() {
    check(
        ServerMessage::RemoteSdp {
            media_session_id: id("m1"),
            sdp: "v=0\r\n".into(),
        },
        r#"{"message":"setRemoteSDP","data":["m1","v=0\r\n",true]}"#,
    );
    check(
        ServerMessage::Available(Availability {
            id: id("m3"),
            available: false,
            info: Some(info::STREAM_NOT_FOUND.into()),
        }),
        r#"{"message":"availableStream","data":[{"id":"m3","status":"false","info":"Stream not found"}]}"#,
    );
}

#[test]
fn messages_without_an_argument() {
    check(ServerMessage::Ping, r#"{"message":"ping","data":[null]}"#);
    check(ServerMessage::Pong, r#"{"message":"pong","data":[null]}"#);
    check(
        ServerMessage::Unknown {
            message: "registered".into(),
        },
        r#"{"message":"registered","data":[null]}"#,
    );
}
