//! A server that is told to stop while it has streams.

use twoway_server::counters::Reason;
use wire::{
    ClientMessage, Connection, MediaSessionId, PublishStream, ServerMessage, StopStream, StreamName,
};

use crate::client::{Client, config, play, soon, start};
use crate::command::Server;
use crate::web::{get, request};

/// An offer that media answers; nothing ever comes of it.
const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
    a=group:BUNDLE 0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n\
    a=ice-ufrag:abcd\r\na=ice-pwd:passwordpasswordpassword\r\n\
    a=fingerprint:sha-256 AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:\
    AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB\r\n\
    a=setup:actpass\r\na=mid:0\r\na=sendonly\r\na=rtcp-mux\r\n\
    a=rtpmap:111 opus/48000/2\r\n";

pub(crate) fn publish(id: &str, name: &str) -> ClientMessage {
    ClientMessage::PublishStream(PublishStream {
        media_session_id: Some(MediaSessionId::new(id)),
        name: Some(StreamName::new(name)),
        sdp: OFFER.into(),
        ..PublishStream::default()
    })
}

pub(crate) fn unpublish(id: &str) -> ClientMessage {
    ClientMessage::UnPublishStream(StopStream {
        media_session_id: Some(MediaSessionId::new(id)),
        published: true,
        ..StopStream::default()
    })
}

#[tokio::test]
async fn streams_go_on_and_nobody_new_is_let_in() {
    let server = start(config()).await;
    let addr = server.addr();
    let mut publisher = Client::publishing(addr, "live").await;
    let mut viewer = Client::connect(addr).await;
    viewer.send(&play("v", "live")).await;
    assert_eq!(viewer.status().await, "v PLAYING");
    assert_eq!(get(addr, "/readyz").await.status, 200);

    let meanwhile = async {
        assert_eq!(get(addr, "/readyz").await.status, 503);
        assert_eq!(get(addr, "/healthz").await.status, 200);
        let mut late = Client::open(addr, "/").await;
        let hello = ClientMessage::Connection(Connection::default());
        late.send(&hello).await;
        assert_eq!(late.close_code().await, 1013);
        let kind = [("Content-Type", "application/sdp")];
        let whep = request(addr, "POST", "/whep/live", &kind, b"flows").await;
        assert_eq!(whep.status, 503, "{}", whep.text());
        assert!(whep.text().contains("the server is being restarted"));
        whep.expect("retry-after");
        assert_eq!(server.counters().of(Reason::Draining), 2);

        viewer.assert_untouched("live").await;
        publisher.send(&unpublish("p")).await;
        assert_eq!(publisher.status().await, "p UNPUBLISHED Stopped by user");
    };
    soon(async { tokio::join!(server.drain(), meanwhile) }).await;
    assert_eq!(viewer.status().await, "v FAILED Stopped by publisher stop");
    server.shutdown().await;
}

/// A server that gives its streams ten minutes, and the publisher of one.
async fn publishing() -> (Server, Client) {
    let server = Server::start("[running]\ndrain-seconds = 600\n");
    let mut client = Client::connect(server.addr).await;
    client.send(&publish("p", "live")).await;
    answered(&mut client).await;
    (server, client)
}

/// Waits until the offer is answered.
pub(crate) async fn answered(client: &mut Client) {
    while !matches!(client.next().await, ServerMessage::RemoteSdp { .. }) {}
}

async fn wait_for_drain(server: &Server) {
    soon(async { while get(server.addr, "/readyz").await.status != 503 {} }).await;
}

#[tokio::test]
async fn a_server_told_to_stop_ends_with_its_last_stream() {
    let (server, mut client) = publishing().await;
    server.signal("-TERM");
    wait_for_drain(&server).await;
    let mut late = Client::open(server.addr, "/").await;
    let hello = ClientMessage::Connection(Connection::default());
    late.send(&hello).await;
    assert_eq!(late.close_code().await, 1013);
    client.send(&unpublish("p")).await;
    assert_eq!(client.status().await, "p UNPUBLISHED Stopped by user");
    assert_eq!(client.close_code().await, 1001);
    assert_eq!(server.end().await, Some(0));
}

#[tokio::test]
async fn a_server_told_to_stop_twice_ends_at_once() {
    for second in ["-TERM", "-INT"] {
        let (server, mut client) = publishing().await;
        server.signal("-TERM");
        wait_for_drain(&server).await;
        server.signal(second);
        let told = "p FAILED Stopped by session disconnect";
        assert_eq!(client.status().await, told);
        assert_eq!(client.close_code().await, 1001);
        assert_eq!(server.end().await, Some(0));
    }
}

#[tokio::test]
async fn a_server_without_streams_ends_at_once() {
    let server = Server::start("[running]\ndrain-seconds = 600\n");
    let mut idle = Client::connect(server.addr).await;
    server.signal("-TERM");
    assert_eq!(idle.close_code().await, 1001);
    assert_eq!(server.end().await, Some(0));
}
