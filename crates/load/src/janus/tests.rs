//! Against a Janus that follows a script, message by message as Janus 1.1.2 was seen to
//! send them.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use super::*;

const SESSION: u64 = 7_167_987_235_545_478;
const HANDLE: u64 = 8_693_638_367_632_015;
const OFFER: &str = "v=0\r\nm=video 9 x 96\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n";

/// One request: what has to be in it, and what Janus sends then. The transaction is put
/// into answers that have one.
type Step = (Value, Vec<Value>);

/// Serves one client by `script`; ends when the client has gone, and fails if it asked
/// for anything else.
async fn scripted(script: Vec<Step>) -> (Client, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("ws://{}/", listener.local_addr().expect("its address"));
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        let mut socket = accept(stream).await;
        for (expected, answers) in script {
            let request = next(&mut socket).await.expect("another request");
            assert_within(&expected, &request);
            for mut answer in answers {
                if answer.get("transaction").is_some() {
                    answer["transaction"] = request["transaction"].clone();
                }
                let text = Message::text(answer.to_string());
                socket.send(text).await.expect("the client listens");
            }
        }
        let further = next(&mut socket).await;
        assert_eq!(further, None, "the client asks for more");
    });
    (Client::new(url), serving)
}

async fn accept(stream: TcpStream) -> WebSocketStream<TcpStream> {
    #[expect(clippy::result_large_err, reason = "the callback's type is not ours")]
    let protocol = |request: &Request, mut response: Response| {
        let protocol = HeaderValue::from_static("janus-protocol");
        let name = "Sec-WebSocket-Protocol";
        assert_eq!(request.headers().get(name), Some(&protocol));
        response.headers_mut().insert(name, protocol);
        Ok(response)
    };
    accept_hdr_async(stream, protocol)
        .await
        .expect("a WebSocket")
}

/// The client's next request; none once it has gone.
async fn next(socket: &mut WebSocketStream<TcpStream>) -> Option<Value> {
    let message = socket.next().await?.ok()?;
    let text = message.into_text().expect("text");
    Some(serde_json::from_str(&text).expect("JSON"))
}

/// Every field of `expected` is in `found`, with the same value.
fn assert_within(expected: &Value, found: &Value) {
    match (expected, found) {
        (Value::Object(expected), Value::Object(fields)) => {
            for (name, value) in expected {
                let field = fields.get(name);
                assert_within(
                    value,
                    field.unwrap_or_else(|| panic!("no {name} in {found}")),
                );
            }
        }
        _ => assert_eq!(expected, found),
    }
}

fn created(id: u64) -> Value {
    json!({"janus": "success", "transaction": "", "data": {"id": id}})
}

fn ack() -> Value {
    json!({"janus": "ack", "session_id": SESSION, "transaction": ""})
}

/// What the video room says at once (`success`) or later (`event`).
fn says(janus: &str, data: &Value) -> Value {
    json!({"janus": janus, "session_id": SESSION, "transaction": "", "sender": HANDLE,
        "plugindata": {"plugin": "janus.plugin.videoroom", "data": data}})
}

fn describes(kind: &str, sdp: &str) -> Value {
    let mut event = says("event", &json!({"videoroom": "event", "configured": "ok"}));
    event["jsep"] = json!({"type": kind, "sdp": sdp});
    event
}

fn message(body: &Value) -> Value {
    json!({"janus": "message", "session_id": SESSION, "handle_id": HANDLE, "body": body})
}

fn begin() -> Vec<Step> {
    let attach = json!({"janus": "attach", "session_id": SESSION,
        "plugin": "janus.plugin.videoroom"});
    vec![
        (json!({"janus": "create"}), vec![created(SESSION)]),
        (attach, vec![created(HANDLE)]),
    ]
}

fn goodbye() -> Step {
    let end = json!({"janus": "destroy", "session_id": SESSION});
    let ended = json!({"janus": "success", "session_id": SESSION, "transaction": ""});
    (end, vec![ended])
}

fn join_to_publish() -> Step {
    let join = message(&json!({"request": "join", "ptype": "publisher", "id": 1}));
    let joined = json!({"videoroom": "joined", "id": 1, "publishers": []});
    (join, vec![ack(), says("event", &joined)])
}

fn join_to_play(offer: Value) -> Step {
    let streams = json!([{"feed": 1}]);
    let join = json!({"request": "join", "ptype": "subscriber", "streams": streams});
    (message(&join), vec![ack(), offer])
}

#[tokio::test]
async fn a_publisher_offers_in_a_room_that_ends_with_it() {
    let room = json!({"request": "create", "publishers": 1, "bitrate": 0, "videocodec": "h264"});
    let created = json!({"videoroom": "created", "room": 1, "permanent": false});
    let mut configure = message(&json!({"request": "configure"}));
    configure["jsep"] = json!({"type": "offer", "sdp": "our offer", "trickle": false});
    let end = message(&json!({"request": "destroy"}));
    let destroyed = says("success", &json!({"videoroom": "destroyed", "room": 1}));
    let hangup = json!({"janus": "hangup", "session_id": SESSION, "reason": "Close PC"});
    let mut script = begin();
    script.push((message(&room), vec![says("success", &created)]));
    script.push(join_to_publish());
    script.push((configure, vec![ack(), describes("answer", OFFER)]));
    script.push((end, vec![hangup, destroyed]));
    script.push(goodbye());
    let (client, serving) = scripted(script).await;
    let published = client.publish_offer("s", "our offer").await;
    let (answer, held) = published.expect("Janus agrees");
    assert_eq!(answer, OFFER);
    held.leave().await.expect("Janus agrees");
    serving.await.expect("it went by the script");
}

#[tokio::test]
async fn a_room_that_is_there_is_joined_and_not_ended() {
    let exists = json!({"videoroom": "event", "error_code": 427, "error": "it exists"});
    let mut script = begin();
    let create = message(&json!({"request": "create"}));
    script.push((create, vec![says("success", &exists)]));
    script.push(join_to_publish());
    let configure = message(&json!({"request": "configure"}));
    script.push((configure, vec![ack(), describes("answer", OFFER)]));
    script.push(goodbye());
    let (client, serving) = scripted(script).await;
    let published = client.publish_offer("s", "our offer").await;
    let (_, held) = published.expect("Janus agrees");
    held.leave().await.expect("Janus agrees");
    serving.await.expect("it went by the script");
}

#[tokio::test]
async fn a_viewer_answers() {
    let mut start = message(&json!({"request": "start"}));
    start["jsep"] = json!({"type": "answer", "sdp": "our answer", "trickle": false});
    let started = says("event", &json!({"videoroom": "event", "started": "ok"}));
    let up = json!({"janus": "webrtcup", "session_id": SESSION, "sender": HANDLE});
    let mut script = begin();
    script.push(join_to_play(describes("offer", OFFER)));
    script.push((start, vec![ack(), started, up]));
    script.push(goodbye());
    let (client, serving) = scripted(script).await;
    let offered = client.play_offer("s").await.expect("Janus offers");
    assert_eq!(offered.sdp(), OFFER);
    let held = offered.answer("our answer").await.expect("Janus agrees");
    held.leave().await.expect("Janus agrees");
    serving.await.expect("it went by the script");
}

#[tokio::test]
async fn candidates_that_come_one_by_one_are_waited_for() {
    let trickle = |candidate: Value| {
        json!({"janus": "trickle", "session_id": SESSION, "sender": HANDLE,
            "candidate": candidate})
    };
    let mut script = begin();
    // One comes before the offer, one after it.
    let (join, mut answers) = join_to_play(describes("offer", "v=0\r\nm=video 9 x 96\r\n"));
    let first = json!({"sdpMid": "0", "sdpMLineIndex": 0, "candidate": "candidate:1 a"});
    answers.insert(1, trickle(first));
    let second = json!({"sdpMid": "0", "sdpMLineIndex": 0, "candidate": "candidate:2 b"});
    answers.push(trickle(second));
    answers.push(trickle(json!({"completed": true})));
    script.push((join, answers));
    let (client, serving) = scripted(script).await;
    let offered = client.play_offer("s").await.expect("Janus offers");
    let whole = "v=0\r\nm=video 9 x 96\r\n\
                 a=candidate:1 a\r\na=candidate:2 b\r\na=end-of-candidates\r\n";
    assert_eq!(offered.sdp(), whole);
    drop(offered);
    serving.await.expect("it went by the script");
}

#[tokio::test]
async fn a_refusal_is_told_with_its_number_and_reason() {
    let nothing = json!({"videoroom": "event", "error_code": 428, "error": "No such feed (1)"});
    let mut script = begin();
    script.push(join_to_play(says("event", &nothing)));
    let (client, serving) = scripted(script).await;
    let error = client.play_offer("s").await.expect_err("nobody publishes");
    assert_eq!(
        error.to_string(),
        "Janus refuses to play: No such feed (1) (error 428)"
    );
    serving.await.expect("it went by the script");

    let error = json!({"code": 403, "reason": "Unauthorized request"});
    let refused = json!({"janus": "error", "transaction": "", "error": error});
    let (client, serving) = scripted(vec![(json!({"janus": "create"}), vec![refused])]).await;
    let error = client.play_offer("s").await.expect_err("it refuses");
    assert_eq!(
        error.to_string(),
        "Janus refuses to open a session: Unauthorized request (error 403)"
    );
    serving.await.expect("it went by the script");
}

#[tokio::test]
async fn a_lost_connection_is_told() {
    // The script ends before the viewer has its offer.
    let (client, serving) = scripted(Vec::new()).await;
    let playing = client.play_offer("s");
    let (played, served) = tokio::join!(playing, serving);
    assert!(served.is_err(), "the server has gone");
    let error = played.expect_err("there is no server").to_string();
    assert!(error.starts_with("Janus ended the session: "), "{error}");
}

#[tokio::test]
async fn a_session_that_janus_ends_is_lost() {
    let mut script = begin();
    script.push(join_to_play(describes("offer", OFFER)));
    let started = says("event", &json!({"videoroom": "event", "started": "ok"}));
    let timeout = json!({"janus": "timeout", "session_id": SESSION});
    let start = message(&json!({"request": "start"}));
    script.push((start, vec![ack(), started, timeout]));
    let (client, serving) = scripted(script).await;
    let offered = client.play_offer("s").await.expect("Janus offers");
    let held = offered.answer("our answer").await.expect("Janus agrees");
    serving.await.expect("the client has gone by itself");
    assert!(held.is_lost());
    let error = held.leave().await.expect_err("it has ended");
    assert_eq!(
        error.to_string(),
        "Janus ended the session: the session timed out"
    );
}

#[tokio::test]
async fn janus_tells_what_it_is_and_where_media_goes() {
    let info = json!({"janus": "server_info", "transaction": "", "version": 1_102,
        "version_string": "1.1.2", "local-ip": "192.0.2.2", "ice-lite": true});
    let (client, serving) = scripted(vec![(json!({"janus": "info"}), vec![info])]).await;
    let expected = About {
        version: "1.1.2".to_owned(),
        media_ip: "192.0.2.2".parse().ok(),
    };
    assert_eq!(client.about().await.expect("it tells"), expected);
    serving.await.expect("it went by the script");
}

#[tokio::test]
async fn an_address_without_janus_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("ws://{}/", listener.local_addr().expect("its address"));
    drop(listener);
    let error = Client::new(&url)
        .about()
        .await
        .expect_err("nobody is there");
    let expected = format!("cannot connect to Janus at {url}: ");
    assert!(error.to_string().starts_with(&expected), "{error}");
}
