//! Nothing read makes decoding panic, and nothing written is read back differently.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::Value;

use crate::{
    Availability, AvailableRequest, ClientMessage, Connection, DataEvent, DataStatus,
    DataStatusEvent, Failure, MediaSessionId, MuteState, PlayStream, PublishStream, SendData,
    SendStreamEvent, ServerMessage, SessionDebug, SnapshotRequest, StopStream, StreamEvent,
    StreamEventType, StreamName, StreamStatus, StreamStatusEvent, UserData, VideoRate,
};

const CLIENT_NAMES: &[&str] = &[
    "connection",
    "publishStream",
    "playStream",
    "stopStream",
    "unPublishStream",
    "availableStream",
    "snapshot",
    "sendStreamEvent",
    "sendData",
    "DataStatusEvent",
    "ping",
    "pong",
    "connectMediaTransport",
    "pushLogs",
    "call",
];

const SERVER_NAMES: &[&str] = &[
    "getUserData",
    "getVersion",
    "setRemoteSDP",
    "notifyStreamStatusEvent",
    "notifyStreamEvent",
    "availableStream",
    "DataStatusEvent",
    "OnDataEvent",
    "inboundVideoRate",
    "outboundVideoRate",
    "fail",
    "notifySessionDebugEvent",
    "ping",
    "pong",
];

const FIELDS: &[&str] = &[
    "mediaSessionId",
    "name",
    "status",
    "info",
    "sdp",
    "custom",
    "type",
    "payload",
    "id",
    "operationId",
    "mediaProviders",
    "keepAlive",
    "authToken",
    "bitrate",
    "videoRate",
    "createDate",
    "audioState",
    "hasVideo",
];

/// Any JSON but `null`, which is read as missing.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        number().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Numbers as bitrates and sizes are: eighths, so that text is exact.
fn number() -> impl Strategy<Value = f64> {
    any::<i32>().prop_map(|eighths| f64::from(eighths) / 8.0)
}

fn ids() -> impl Strategy<Value = MediaSessionId> {
    any::<String>().prop_map(MediaSessionId::new)
}

fn names() -> impl Strategy<Value = StreamName> {
    any::<String>().prop_map(StreamName::new)
}

fn statuses() -> impl Strategy<Value = StreamStatus> {
    prop_oneof![
        Just(StreamStatus::Publishing),
        Just(StreamStatus::Playing),
        Just(StreamStatus::Failed),
        any::<String>().prop_map(|text| StreamStatus::from_wire(&text)),
    ]
}

fn event_types() -> impl Strategy<Value = StreamEventType> {
    prop_oneof![
        Just(StreamEventType::Data),
        Just(StreamEventType::Resize),
        Just(StreamEventType::Other("unheard of".into())),
    ]
}

fn texts() -> impl Strategy<Value = Option<String>> {
    option::of(any::<String>())
}

prop_compose! {
    fn connections()(
        app_key in any::<String>(),
        media_providers in vec(any::<String>(), 0..4),
        keep_alive in any::<Option<bool>>(),
        (auth_token, custom, sip_login) in (texts(), option::of(json()), texts()),
        client_version in any::<String>(),
        client_os_version in any::<String>(),
        client_browser_version in any::<String>(),
    ) -> Connection {
        Connection {
            app_key, media_providers, keep_alive, auth_token, client_version,
            client_os_version, client_browser_version, custom, sip_login,
        }
    }
}

prop_compose! {
    fn publishes()(
        (media_session_id, name) in (option::of(ids()), option::of(names())),
        (published, has_video, has_audio, record) in any::<(bool, bool, bool, bool)>(),
        (status, media_provider, sdp) in any::<(String, String, String)>(),
        (bitrate, min_bitrate, max_bitrate) in (number(), number(), number()),
        (custom, constraints) in (option::of(json()), option::of(json())),
        (rtmp_url, transport, cvo_extension) in (texts(), texts(), any::<Option<bool>>()),
    ) -> PublishStream {
        PublishStream {
            media_session_id, name, published, has_video, has_audio, status, record,
            media_provider, sdp, custom, bitrate, min_bitrate, max_bitrate, rtmp_url,
            constraints, transport, cvo_extension,
        }
    }
}

prop_compose! {
    fn plays()(
        publish in publishes(),
        (width, height, quality) in (number(), number(), number()),
    ) -> PlayStream {
        let PublishStream {
            media_session_id, name, published, has_video, has_audio, status, record,
            media_provider, sdp, custom, bitrate, min_bitrate, max_bitrate, rtmp_url: _,
            constraints, transport, cvo_extension,
        } = publish;
        PlayStream {
            media_session_id, name, published, has_video, has_audio, status, record, width,
            height, media_provider, sdp, custom, bitrate, min_bitrate, max_bitrate, quality,
            constraints, transport, cvo_extension,
        }
    }
}

prop_compose! {
    fn stops()(
        (media_session_id, name) in (option::of(ids()), option::of(names())),
        (published, has_video, has_audio, record) in any::<(bool, bool, bool, bool)>(),
        status in any::<String>(),
    ) -> StopStream {
        StopStream { media_session_id, name, published, has_video, has_audio, status, record }
    }
}

prop_compose! {
    fn data_statuses()(
        operation_id in any::<String>(),
        accepted in any::<bool>(),
        info in texts(),
    ) -> DataStatusEvent {
        let status = if accepted { DataStatus::Accepted } else { DataStatus::Failed };
        DataStatusEvent { operation_id, status, info }
    }
}

fn client_messages() -> impl Strategy<Value = ClientMessage> {
    prop_oneof![
        connections().prop_map(ClientMessage::Connection),
        publishes().prop_map(ClientMessage::PublishStream),
        plays().prop_map(ClientMessage::PlayStream),
        stops().prop_map(ClientMessage::StopStream),
        stops().prop_map(ClientMessage::UnPublishStream),
        (option::of(ids()), option::of(names())).prop_map(|(media_session_id, name)| {
            ClientMessage::AvailableStream(AvailableRequest {
                media_session_id,
                name,
            })
        }),
        (option::of(ids()), option::of(names())).prop_map(|(media_session_id, name)| {
            ClientMessage::Snapshot(SnapshotRequest {
                name,
                media_session_id,
            })
        }),
        (option::of(ids()), event_types(), option::of(json())).prop_map(
            |(media_session_id, event_type, payload)| {
                ClientMessage::SendStreamEvent(SendStreamEvent {
                    media_session_id,
                    event_type,
                    payload,
                })
            }
        ),
        (any::<String>(), json()).prop_map(|(operation_id, payload)| {
            ClientMessage::SendData(SendData {
                operation_id,
                payload,
            })
        }),
        data_statuses().prop_map(ClientMessage::DataStatusEvent),
        Just(ClientMessage::Ping),
        Just(ClientMessage::Pong),
        Just(ClientMessage::ConnectMediaTransport),
    ]
}

prop_compose! {
    fn status_events()(
        (media_session_id, status) in (ids(), statuses()),
        (info, media_type, audio_codec, video_codec) in (texts(), texts(), texts(), texts()),
        (name, media_provider) in (option::of(names()), any::<String>()),
        (published, has_video, has_audio, record) in any::<(bool, bool, bool, bool)>(),
        numbers in [number(), number(), number(), number(), number(), number(), number(), number(), number()],
        (create_date, cvo_extension) in any::<(Option<u64>, Option<bool>)>(),
        (transport, custom) in (texts(), option::of(json())),
        (audio, video) in any::<(Option<bool>, Option<bool>)>(),
    ) -> StreamStatusEvent {
        let [width, height, bitrate, min_bitrate, max_bitrate, quality, gop, fps, audio_bitrate] = numbers;
        StreamStatusEvent {
            media_session_id, status, info, name, published, has_video, has_audio,
            media_provider, record, width, height, bitrate, min_bitrate, max_bitrate, quality,
            gop, fps, audio_bitrate, create_date, media_type, transport, cvo_extension, custom,
            audio_codec, video_codec,
            audio_state: audio.map(|muted| MuteState { muted }),
            video_state: video.map(|muted| MuteState { muted }),
        }
    }
}

prop_compose! {
    fn video_rates()(
        media_session_id in ids(),
        video_rate in number(),
        (fps, nack, pli) in (option::of(number()), option::of(number()), option::of(number())),
        (lost_packets, width, height) in
            (option::of(number()), option::of(number()), option::of(number())),
    ) -> VideoRate {
        VideoRate { media_session_id, video_rate, fps, nack, pli, lost_packets, width, height }
    }
}

prop_compose! {
    fn user_data()(
        (auth_token, status) in (texts(), any::<String>()),
        connection in connections(),
    ) -> UserData {
        // The echo has no token of its own on the wire, and nothing of SIP.
        let connection = Connection { auth_token: None, sip_login: None, ..connection };
        UserData { auth_token, status, connection }
    }
}

fn server_messages() -> impl Strategy<Value = ServerMessage> {
    prop_oneof![
        user_data().prop_map(ServerMessage::UserData),
        any::<String>().prop_map(ServerMessage::Version),
        (ids(), any::<String>()).prop_map(|(media_session_id, sdp)| ServerMessage::RemoteSdp {
            media_session_id,
            sdp
        }),
        status_events().prop_map(ServerMessage::StreamStatus),
        (ids(), event_types(), json()).prop_map(|(media_session_id, event_type, payload)| {
            ServerMessage::StreamEvent(StreamEvent {
                media_session_id,
                event_type,
                payload: Some(payload),
            })
        }),
        (ids(), any::<bool>(), texts()).prop_map(|(id, available, info)| {
            ServerMessage::Available(Availability {
                id,
                available,
                info,
            })
        }),
        data_statuses().prop_map(ServerMessage::DataStatus),
        (any::<String>(), json()).prop_map(|(operation_id, payload)| {
            ServerMessage::Data(DataEvent {
                operation_id,
                payload,
            })
        }),
        video_rates().prop_map(ServerMessage::InboundVideoRate),
        video_rates().prop_map(ServerMessage::OutboundVideoRate),
        (any::<String>(), texts(), any::<String>(), texts()).prop_map(
            |(api_method, id, status, info)| {
                ServerMessage::Fail(Failure {
                    api_method,
                    id,
                    status,
                    info,
                })
            }
        ),
        (any::<String>(), texts())
            .prop_map(|(status, file)| ServerMessage::SessionDebug(SessionDebug { status, file })),
        Just(ServerMessage::Ping),
        Just(ServerMessage::Pong),
    ]
}

/// Envelopes of known names and fields with values of any type.
fn near_misses() -> impl Strategy<Value = String> {
    let names = [CLIENT_NAMES, SERVER_NAMES].concat();
    let value = || prop_oneof![json(), Just(Value::Null)];
    let object = btree_map(proptest::sample::select(FIELDS), value(), 0..12)
        .prop_map(|members| serde_json::to_value(members).unwrap());
    let data = prop_oneof![
        vec(object, 0..3).prop_map(Value::from),
        vec(value(), 0..4).prop_map(Value::from),
        value(),
    ];
    (proptest::sample::select(names), data).prop_map(|(message, data)| {
        serde_json::json!({ "message": message, "data": data }).to_string()
    })
}

proptest! {
    #[test]
    fn client_messages_survive_the_wire(message in client_messages()) {
        prop_assert_eq!(ClientMessage::decode(&message.encode()).unwrap(), message);
    }

    #[test]
    fn server_messages_survive_the_wire(message in server_messages()) {
        prop_assert_eq!(ServerMessage::decode(&message.encode()).unwrap(), message);
    }

    #[test]
    fn text_never_panics(text in any::<String>()) {
        let _ = ClientMessage::decode(&text);
        let _ = ServerMessage::decode(&text);
    }

    /// What is understood at all is understood the same way when said again.
    #[test]
    fn what_is_read_is_written_and_read_again_alike(text in near_misses()) {
        if let Ok(message) = ClientMessage::decode(&text) {
            prop_assert_eq!(ClientMessage::decode(&message.encode()).unwrap(), message);
        }
        if let Ok(message) = ServerMessage::decode(&text) {
            let said = message.encode();
            let again = ServerMessage::decode(&said).unwrap();
            prop_assert_eq!(again.encode(), said);
        }
    }
}
