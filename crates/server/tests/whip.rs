//! WHIP and WHEP with WebRTC clients, against the forwarder and beside Web Call
//! Server signalling: whatever publishes, everything plays.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "clippy exempts test functions, but not what they share"
)]

#[path = "media/client.rs"]
mod client;
#[path = "media/restart.rs"]
mod restart;
#[path = "media/udp.rs"]
mod udp;
#[path = "support/http.rs"]
mod web;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use client::{PayloadTypes, Video, assert_contiguous};
use futures_util::{SinkExt, StreamExt};
use restart::Restart;
use str0m::format::Codec;
use str0m::media::Direction;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use twoway_server::media;
use twoway_server::net::{self, Running};
use udp::UdpClient;
use wire::{
    ClientMessage, Connection, MediaSessionId, PlayStream, PublishStream, ServerMessage, StreamName,
};

/// How long a condition may take to come true before the test has failed.
const PATIENCE: Duration = Duration::from_secs(60);

const TYPES: PayloadTypes = PayloadTypes {
    opus: 111,
    video: &[Video {
        codec: Codec::H264,
        pt: 102,
        rtx: 103,
    }],
};
const VP8_TYPES: PayloadTypes = PayloadTypes {
    opus: 111,
    video: &[Video {
        codec: Codec::Vp8,
        pt: 96,
        rtx: 97,
    }],
};

/// An H.264 parameter set and a slice, as far as the forwarder looks.
const KEYFRAME: &[u8] = &[0x67, 0x42, 0xe0, 0x1f, 1, 2, 3, 4];
const DELTA: &[u8] = &[0x41, 0x9a, 1, 2, 3, 4];
const SOUND: &[u8] = &[0xfc, 1, 2, 3];

/// What a viewer must have got before it counts as playing.
const ENOUGH: usize = 50;

struct World {
    server: Running,
    publisher: Option<UdpClient>,
    viewers: Vec<UdpClient>,
    sent: u64,
    answered: usize,
}

impl World {
    async fn start() -> Self {
        let config = net::Config::new(SocketAddr::from(([127, 0, 0, 1], 0)));
        let media = media::Config {
            workers: NonZeroUsize::new(2).unwrap(),
            bind: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
            ..media::Config::default()
        };
        let (server, _) = net::serve(config, media).await.unwrap();
        Self {
            server,
            publisher: None,
            viewers: Vec::new(),
            sent: 0,
            answered: 0,
        }
    }

    /// Publishes over WHIP; the resource.
    async fn whip(&mut self, name: &str) -> String {
        let (mut client, offer) = UdpClient::offer(Direction::SendOnly, TYPES);
        let (location, answer) = self.post(&format!("/whip/{name}"), &offer).await;
        client.client.accept(&answer);
        self.publisher = Some(client);
        self.until("a connected publisher", |world| {
            let publisher = world.publisher.as_ref().unwrap();
            publisher.client.connected && world.sent > 10
        });
        location
    }

    /// Plays over WHEP once the stream can be played; the resource.
    async fn whep(&mut self, name: &str) -> String {
        let path = format!("/whep/{name}");
        let (mut client, offer) = UdpClient::offer(Direction::RecvOnly, TYPES);
        let (location, answer) = self.post(&path, &offer).await;
        client.client.accept(&answer);
        self.viewers.push(client);
        location
    }

    /// Posts an offer until the stream is ready for it; location and answer.
    async fn post(&mut self, path: &str, offer: &str) -> (String, String) {
        let headers = [("Content-Type", "application/sdp")];
        let start = Instant::now();
        loop {
            assert!(start.elapsed() < PATIENCE, "{path} is never ready");
            let addr = self.server.addr();
            let reply = web::request(addr, "POST", path, &headers, offer.as_bytes()).await;
            if reply.status == 409 {
                self.step();
                continue;
            }
            assert_eq!(reply.status, 201, "{}", reply.text());
            return (reply.expect("location").into(), reply.text().into());
        }
    }

    /// Restarts the ICE of a viewer, of which `answer` is the server's answer.
    async fn restart(&mut self, viewer: usize, resource: &str, answer: &str) {
        let addr = self.server.addr();
        let client = &mut self.viewers[viewer].client;
        let restart = Restart::begin(client);
        let headers = [
            ("Content-Type", "application/trickle-ice-sdpfrag"),
            ("If-Match", "*"),
        ];
        let body = restart.fragment.as_bytes();
        let reply = web::request(addr, "PATCH", resource, &headers, body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        restart.finish(client, answer, reply.text());
    }

    /// Plays over WHEP where UDP is blocked.
    async fn whep_over_tcp(&mut self, name: &str) {
        let (mut client, offer) = UdpClient::offer(Direction::RecvOnly, TYPES);
        let (_, answer) = self.post(&format!("/whep/{name}"), &offer).await;
        client.client.accept(&answer);
        client.use_tcp(&answer);
        self.viewers.push(client);
    }

    async fn delete(&self, resource: &str) -> u16 {
        let addr = self.server.addr();
        let reply = web::request(addr, "DELETE", resource, &[], &[]).await;
        reply.status
    }

    /// Lets everything run until `done`, while the publisher sends.
    fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let start = Instant::now();
        while !done(self) {
            assert!(start.elapsed() < PATIENCE, "{what} never came");
            self.step();
        }
    }

    fn step(&mut self) {
        self.send_frame();
        for client in self.publisher.iter_mut().chain(&mut self.viewers) {
            client.step();
        }
    }

    fn send_frame(&mut self) {
        let Some(publisher) = &mut self.publisher else {
            return;
        };
        if !publisher.client.connected {
            return;
        }
        let now = Instant::now();
        let asked = publisher.client.keyframe_requests;
        let payload = if asked > self.answered || self.sent == 0 {
            KEYFRAME
        } else {
            DELTA
        };
        self.answered = asked;
        let (number, time) = (self.sent, self.sent as u32);
        let video = (number, time.wrapping_mul(3_000));
        publisher
            .client
            .write(Some(TYPES.video[0].pt), video, now, payload, now);
        let audio = (number, time.wrapping_mul(960));
        publisher.client.write(None, audio, now, SOUND, now);
        publisher.send();
        self.sent += 1;
    }

    /// Every viewer sees and hears the stream, without a hole.
    fn until_everybody_plays(&mut self) {
        self.until("the stream at every viewer", |world| {
            world.viewers.iter().all(|viewer| {
                let enough = |video| viewer.client.of_kind(video).count() >= ENOUGH;
                enough(true) && enough(false)
            })
        });
        for viewer in &self.viewers {
            let first = viewer.client.of_kind(true).next().unwrap();
            assert_eq!(first.payload[0], KEYFRAME[0], "starts with a keyframe");
            assert_contiguous(&viewer.client.numbers(true));
        }
    }
}

/// A client of Web Call Server signalling.
struct Session(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Session {
    async fn open(addr: SocketAddr) -> Self {
        let (socket, _) = connect_async(format!("ws://{addr}/")).await.unwrap();
        let mut session = Self(socket);
        let connection = ClientMessage::Connection(Connection::default());
        session.send(&connection).await;
        session
    }

    async fn send(&mut self, message: &ClientMessage) {
        self.0.send(Message::text(message.encode())).await.unwrap();
    }

    /// The first message that `pick` wants.
    async fn next<T>(&mut self, pick: impl Fn(ServerMessage) -> Option<T>) -> T {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.0.next()).await;
            let frame = next.expect("a message in time").expect("open").unwrap();
            if let Message::Text(text) = frame
                && let Some(picked) = pick(ServerMessage::decode(&text).unwrap())
            {
                return picked;
            }
        }
    }

    async fn answer(&mut self) -> String {
        self.next(|message| match message {
            ServerMessage::RemoteSdp { sdp, .. } => Some(sdp),
            _ => None,
        })
        .await
    }

    async fn status(&mut self) -> String {
        self.next(|message| match message {
            ServerMessage::StreamStatus(event) => Some(event.status.as_str().to_owned()),
            _ => None,
        })
        .await
    }

    async fn publish(&mut self, name: &str) -> UdpClient {
        let (mut client, sdp) = UdpClient::offer(Direction::SendOnly, TYPES);
        let request = ClientMessage::PublishStream(PublishStream {
            media_session_id: Some(MediaSessionId::new("p")),
            name: Some(StreamName::new(name)),
            has_audio: true,
            has_video: true,
            sdp,
            ..PublishStream::default()
        });
        self.send(&request).await;
        client.client.accept(&self.answer().await);
        client
    }

    async fn play(&mut self, name: &str) -> UdpClient {
        let (mut client, sdp) = UdpClient::offer(Direction::RecvOnly, TYPES);
        let request = ClientMessage::PlayStream(PlayStream {
            media_session_id: Some(MediaSessionId::new("v")),
            name: Some(StreamName::new(name)),
            sdp,
            ..PlayStream::default()
        });
        self.send(&request).await;
        client.client.accept(&self.answer().await);
        client
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn published_over_whip_and_played_both_ways() {
    let mut world = World::start().await;
    let publisher = world.whip("live").await;
    let viewer = world.whep("live").await;
    let mut session = Session::open(world.server.addr()).await;
    let player = session.play("live").await;
    world.viewers.push(player);
    world.until_everybody_plays();
    assert_eq!(session.status().await, "PLAYING");
    // One viewer leaves, the other one stays.
    assert_eq!(world.delete(&viewer).await, 200);
    world.until("the end of a viewer", |world| {
        !world.viewers[0].client.rtc.is_alive()
    });
    assert_eq!(world.delete(&viewer).await, 404);
    world.viewers.remove(0);
    let before = world.viewers[0].client.packets.len();
    world.until("more of the stream", |world| {
        world.viewers[0].client.packets.len() > before + ENOUGH
    });
    // The publisher leaves, and with it the stream.
    assert_eq!(world.delete(&publisher).await, 200);
    assert_eq!(session.status().await, "FAILED");
    assert_eq!(world.delete(&publisher).await, 404);
    world.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ice_restarts_while_the_stream_plays() {
    let mut world = World::start().await;
    world.whip("live").await;
    let (mut client, offer) = UdpClient::offer(Direction::RecvOnly, TYPES);
    let (resource, answer) = world.post("/whep/live", &offer).await;
    client.client.accept(&answer);
    world.viewers.push(client);
    world.until_everybody_plays();
    for _ in 0..2 {
        world.restart(0, &resource, &answer).await;
        let before = world.viewers[0].client.packets.len();
        world.until("more of the stream", |world| {
            world.viewers[0].client.packets.len() > before + ENOUGH
        });
    }
    assert_contiguous(&world.viewers[0].client.numbers(true));
    assert_eq!(world.delete(&resource).await, 200);
    world.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn published_and_played_over_web_socket() {
    let mut world = World::start().await;
    let mut publishing = Session::open(world.server.addr()).await;
    world.publisher = Some(publishing.publish("live").await);
    world.until("media", |world| world.sent > 10);
    assert_eq!(publishing.status().await, "PUBLISHING");
    let mut playing = Session::open(world.server.addr()).await;
    world.viewers.push(playing.play("live").await);
    world.until_everybody_plays();
    assert_eq!(playing.status().await, "PLAYING");
    drop(publishing);
    assert_eq!(playing.status().await, "FAILED");
    world.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn published_over_web_socket_and_played_over_whep() {
    let mut world = World::start().await;
    let mut session = Session::open(world.server.addr()).await;
    world.publisher = Some(session.publish("live").await);
    world.until("media", |world| world.sent > 10);
    assert_eq!(session.status().await, "PUBLISHING");
    let viewer = world.whep("live").await;
    world.until_everybody_plays();
    // The session's end is the viewer's end.
    drop(session);
    world.until("the end of the viewer", |world| {
        !world.viewers[0].client.rtc.is_alive()
    });
    assert_eq!(world.delete(&viewer).await, 404);
    world.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn played_over_whep_where_udp_is_blocked() {
    let mut world = World::start().await;
    world.whip("live").await;
    world.whep_over_tcp("live").await;
    world.until_everybody_plays();
    world.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_ends_with_the_goodbye_of_its_client() {
    let mut world = World::start().await;
    let resource = world.whip("live").await;
    let mut publisher = world.publisher.take().unwrap();
    publisher.client.close();
    publisher.send();
    // The name is free again, and the resource gone.
    let (_, offer) = UdpClient::offer(Direction::SendOnly, TYPES);
    world.post("/whip/live", &offer).await;
    assert_eq!(world.delete(&resource).await, 404);
    world.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_player_that_cannot_take_the_codec_is_told() {
    let mut world = World::start().await;
    let resource = world.whip("live").await;
    let (_, offer) = UdpClient::offer(Direction::RecvOnly, VP8_TYPES);
    let headers = [("Content-Type", "application/sdp")];
    let addr = world.server.addr();
    let start = Instant::now();
    let reply = loop {
        assert!(start.elapsed() < PATIENCE, "the stream is never ready");
        world.step();
        let reply = web::request(addr, "POST", "/whep/live", &headers, offer.as_bytes()).await;
        if reply.status != 409 {
            break reply;
        }
    };
    assert_eq!(reply.status, 422, "{}", reply.text());
    assert_eq!(world.delete(&resource).await, 200);
    world.server.shutdown().await;
}
