//! A server with real media, clients of it, and its metrics.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::Instant;

use futures_util::SinkExt;
use str0m::format::Codec;
use str0m::media::{Direction, KeyframeRequestKind};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use twoway_server::media;
use twoway_server::net::{self, Running};
use wire::{ClientMessage, Connection};

use crate::check_patience;
use crate::client::{PayloadTypes, Video};
use crate::grammar::Scrape;
use crate::udp::UdpClient;
use crate::web;

pub(crate) const TYPES: PayloadTypes = PayloadTypes {
    opus: 111,
    video: &[Video {
        codec: Codec::H264,
        pt: 102,
        rtx: 103,
    }],
};

/// An H.264 parameter set and a slice, as far as the forwarder looks.
const KEYFRAME: &[u8] = &[0x67, 0x42, 0xe0, 0x1f, 1, 2, 3, 4];
const DELTA: &[u8] = &[0x41, 0x9a, 1, 2, 3, 4];
const SOUND: &[u8] = &[0xfc, 1, 2, 3];

/// Scrapes that must agree before nothing is under way any more.
const STILL: usize = 5;

pub(crate) struct World {
    server: Running,
    publisher: Option<UdpClient>,
    viewers: Vec<UdpClient>,
    /// The number of the next packet, and how many frames and keyframes were sent.
    number: u64,
    frames: usize,
    pub(crate) keyframes: usize,
    answered: usize,
}

pub(crate) fn config() -> net::Config {
    net::Config::new(SocketAddr::from(([127, 0, 0, 1], 0)))
}

pub(crate) fn media_config(workers: usize) -> media::Config {
    media::Config {
        workers: NonZeroUsize::new(workers).unwrap(),
        bind: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
        ..media::Config::default()
    }
}

impl World {
    pub(crate) async fn start(config: net::Config) -> Self {
        let (server, _) = net::serve(config, media_config(2)).await.unwrap();
        Self {
            server,
            publisher: None,
            viewers: Vec::new(),
            number: 0,
            frames: 0,
            keyframes: 0,
            answered: 0,
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// Opens a session of Web Call Server signalling.
    pub(crate) async fn connect(&self) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
        let (mut socket, _) = connect_async(format!("ws://{}/", self.addr()))
            .await
            .unwrap();
        let connection = ClientMessage::Connection(Connection::default());
        socket
            .send(Message::text(connection.encode()))
            .await
            .unwrap();
        socket
    }

    /// Publishes over WHIP, but sends nothing; the resource.
    pub(crate) async fn publish(&mut self, name: &str) -> String {
        let (client, resource) = self
            .offer(&format!("/whip/{name}"), Direction::SendOnly)
            .await;
        self.publisher = Some(client);
        self.until("a publisher", |world| {
            world
                .publisher
                .iter()
                .all(|publisher| publisher.client.connected)
        });
        resource
    }

    /// Plays over WHEP until the first picture; the resource.
    pub(crate) async fn play(&mut self, name: &str) -> String {
        let (client, resource) = self
            .offer(&format!("/whep/{name}"), Direction::RecvOnly)
            .await;
        self.viewers.push(client);
        self.until("a picture", |world| {
            let viewer = world.viewers.last().unwrap();
            viewer.client.of_kind(true).next().is_some()
        });
        resource
    }

    async fn offer(&mut self, path: &str, direction: Direction) -> (UdpClient, String) {
        let (mut client, offer) = UdpClient::offer(direction, TYPES);
        let headers = [("Content-Type", "application/sdp")];
        let start = Instant::now();
        loop {
            check_patience(start, path);
            let reply = web::request(self.addr(), "POST", path, &headers, offer.as_bytes()).await;
            if reply.status == 409 {
                self.step();
                continue;
            }
            assert_eq!(reply.status, 201, "{}", reply.text());
            client.client.accept(reply.text());
            return (client, reply.expect("location").to_owned());
        }
    }

    pub(crate) async fn delete(&self, resource: &str) -> u16 {
        web::request(self.addr(), "DELETE", resource, &[], &[])
            .await
            .status
    }

    /// The publisher sends so many frames, a packet of video and one of audio each.
    pub(crate) fn frames(&mut self, count: usize) {
        for _ in 0..count {
            self.send_frame();
            self.step();
        }
    }

    /// Leaves out so many numbers of video.
    pub(crate) fn skip(&mut self, count: u64) {
        self.number += count;
    }

    fn send_frame(&mut self) {
        let publisher = self.publisher.as_mut().unwrap();
        let now = Instant::now();
        let asked = publisher.client.keyframe_requests;
        let is_keyframe = asked > self.answered || self.frames == 0;
        self.answered = asked;
        self.keyframes += usize::from(is_keyframe);
        let payload = if is_keyframe { KEYFRAME } else { DELTA };
        let time = self.frames as u32;
        let video = (self.number, time.wrapping_mul(3_000));
        let pt = TYPES.video[0].pt;
        publisher.client.write(Some(pt), video, now, payload, now);
        let audio = (self.frames as u64, time.wrapping_mul(960));
        publisher.client.write(None, audio, now, SOUND, now);
        publisher.send();
        self.number += 1;
        self.frames += 1;
    }

    /// A viewer asks for a keyframe.
    pub(crate) fn want_keyframe(&mut self, viewer: usize) {
        let client = &mut self.viewers[viewer].client;
        let ssrc = client.of_kind(true).next().unwrap().header.ssrc;
        let mut api = client.rtc.direct_api();
        let stream = api.stream_rx(&ssrc).unwrap();
        stream.request_keyframe(KeyframeRequestKind::Pli);
        self.viewers[viewer].step();
    }

    /// How many packets came to viewers.
    pub(crate) fn received(&self, video: bool) -> usize {
        let viewers = self.viewers.iter();
        viewers
            .map(|viewer| viewer.client.of_kind(video).count())
            .sum()
    }

    fn step(&mut self) {
        for client in self.publisher.iter_mut().chain(&mut self.viewers) {
            client.step();
        }
    }

    fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let start = Instant::now();
        while !done(self) {
            check_patience(start, what);
            self.step();
        }
    }

    pub(crate) async fn metrics(&self) -> Scrape {
        let reply = web::get(self.addr(), "/metrics").await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        Scrape::parse(reply.text())
    }

    /// Lets everything run until a metric is what it should be.
    pub(crate) async fn until_metric(&mut self, metric: &str, expected: f64) {
        let start = Instant::now();
        loop {
            let value = self.metrics().await.of(metric);
            if value == expected {
                return;
            }
            check_patience(start, &format!("{metric} {expected} (it is {value})"));
            self.step();
        }
    }

    /// The metrics once nothing is under way to viewers any more.
    pub(crate) async fn settled(&mut self) -> Scrape {
        let start = Instant::now();
        let (mut same, mut before) = (0, None);
        loop {
            check_patience(start, "quiet");
            self.step();
            let metrics = self.metrics().await;
            let forwarded = ["video", "audio"].map(|kind| {
                metrics.of(&format!(
                    "twoway_rtp_forwarded_packets_total{{kind=\"{kind}\"}}"
                ))
            });
            let now = (forwarded, self.received(true), self.received(false));
            same = if before == Some(now) { same + 1 } else { 0 };
            before = Some(now);
            if same == STILL {
                return metrics;
            }
        }
    }
}
