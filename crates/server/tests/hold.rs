//! The command with `--hold-seconds`: a viewer goes on with whoever publishes the
//! name next, from the option to the packets.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "clippy exempts test functions, but not what they share"
)]

#[path = "media/client.rs"]
mod client;
#[path = "media/udp.rs"]
mod udp;
#[path = "support/http.rs"]
mod web;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use client::{PayloadTypes, Video, assert_contiguous};
use str0m::format::Codec;
use str0m::media::Direction;
use udp::UdpClient;

/// How long a condition may take to come true before the test has failed.
const PATIENCE: Duration = Duration::from_secs(60);

const H264: Video = Video {
    codec: Codec::H264,
    pt: 102,
    rtx: 103,
};
const VP8: Video = Video {
    codec: Codec::Vp8,
    pt: 96,
    rtx: 97,
};
const H264_ONLY: PayloadTypes = PayloadTypes {
    opus: 111,
    video: &[H264],
};
const VP8_ONLY: PayloadTypes = PayloadTypes {
    opus: 111,
    video: &[VP8],
};
const BOTH: PayloadTypes = PayloadTypes {
    opus: 111,
    video: &[H264, VP8],
};

/// Packets that a viewer must have got before it counts as playing.
const ENOUGH: usize = 50;

const SOUND: &[u8] = &[0xfc, 1, 2, 3];

/// What looks like a keyframe, or like another frame.
fn frame(codec: Video, keyframe: bool) -> &'static [u8] {
    match (codec.codec, keyframe) {
        (Codec::H264, true) => &[0x67, 0x42, 0xe0, 0x1f],
        (Codec::H264, false) => &[0x41, 0x9a, 1, 2],
        (_, true) => &[0x10, 0x00, 1, 2],
        (_, false) => &[0x10, 0x01, 1, 2],
    }
}

/// The running command, killed if a test fails.
struct Server {
    child: Child,
    addr: SocketAddr,
}

impl Server {
    fn start(options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_twoway-server"))
            .args(["--bind", "127.0.0.1", "--port", "0", "--media-port", "0"])
            .args(["--workers", "2"])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.find_map(|line| {
            let line = line.unwrap();
            let url = line.strip_prefix("ready: http://")?;
            Some(url.trim_end_matches('/').parse().unwrap())
        });
        let addr = ready.expect("ready");
        Self { child, addr }
    }

    async fn post(&self, path: &str, offer: &str) -> web::Response {
        let headers = [("Content-Type", "application/sdp")];
        web::request(self.addr, "POST", path, &headers, offer.as_bytes()).await
    }

    async fn delete(&self, resource: &str) {
        let reply = web::request(self.addr, "DELETE", resource, &[], &[]).await;
        assert_eq!(reply.status, 200);
    }

    /// What an offer to play the name is answered with.
    async fn play_status(&self) -> u16 {
        let (_, offer) = UdpClient::offer(Direction::RecvOnly, BOTH);
        self.post("/whep/live", &offer).await.status
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client with its resource.
struct Peer {
    client: UdpClient,
    resource: String,
}

impl Peer {
    async fn open(server: &Server, path: &str, direction: Direction, types: PayloadTypes) -> Self {
        let (mut client, offer) = UdpClient::offer(direction, types);
        let start = Instant::now();
        loop {
            let reply = server.post(path, &offer).await;
            if reply.status == 201 {
                client.client.accept(reply.text());
                let resource = reply.expect("location").into();
                return Self { client, resource };
            }
            // The one before has not been missed yet.
            assert_eq!(reply.status, 409, "{}", reply.text());
            assert!(start.elapsed() < PATIENCE, "the name is never free");
        }
    }

    /// How many of the video packets that came last are of a codec.
    fn latest(&self, codec: Video) -> usize {
        let packets: Vec<_> = self.client.client.of_kind(true).collect();
        let latest = packets.iter().rev();
        latest
            .take_while(|packet| *packet.header.payload_type == codec.pt)
            .count()
    }
}

/// A publisher with where it is in its numbers.
struct Publisher {
    peer: Peer,
    codec: Video,
    sent: u64,
    answered: usize,
}

impl Publisher {
    async fn open(server: &Server, types: PayloadTypes) -> Self {
        Self {
            peer: Peer::open(server, "/whip/live", Direction::SendOnly, types).await,
            codec: types.video[0],
            sent: 0,
            answered: 0,
        }
    }

    fn step(&mut self) {
        let publisher = &mut self.peer.client;
        publisher.step();
        let client = &mut publisher.client;
        if !client.connected {
            return;
        }
        let now = Instant::now();
        let payload = frame(self.codec, client.keyframe_requests > self.answered);
        self.answered = client.keyframe_requests;
        let (number, time) = (self.sent, self.sent as u32);
        let video = (number, time.wrapping_mul(3_000));
        client.write(Some(self.codec.pt), video, now, payload, now);
        client.write(None, (number, time.wrapping_mul(960)), now, SOUND, now);
        publisher.send();
        self.sent += 1;
    }

    /// Sends until enough of it is the latest that the viewer has.
    fn feed(&mut self, viewer: &mut Peer) {
        let start = Instant::now();
        while viewer.latest(self.codec) < ENOUGH {
            assert!(start.elapsed() < PATIENCE, "the viewer does not get it");
            self.step();
            // It is sent both packets, and a report now and then.
            for _ in 0..4 {
                viewer.client.step();
            }
        }
    }

    /// Sends until the server knows.
    async fn until_it_plays(&mut self, server: &Server) {
        let start = Instant::now();
        while server.play_status().await != 201 {
            assert!(start.elapsed() < PATIENCE, "the stream is never ready");
            self.step();
        }
    }
}

#[tokio::test]
async fn a_viewer_goes_on_with_the_next_publisher() {
    let server = Server::start(&["--hold-seconds", "600"]);
    let mut publisher = Publisher::open(&server, H264_ONLY).await;
    publisher.until_it_plays(&server).await;
    let mut viewer = Peer::open(&server, "/whep/live", Direction::RecvOnly, BOTH).await;
    publisher.feed(&mut viewer);
    for (types, says_goodbye) in [(VP8_ONLY, false), (H264_ONLY, true)] {
        if says_goodbye {
            publisher.peer.client.client.close();
            publisher.peer.client.send();
        } else {
            server.delete(&publisher.peer.resource).await;
            let status = server.play_status().await;
            assert!(status != 201 && status != 404, "not ready: {status}");
        }
        publisher = Publisher::open(&server, types).await;
        publisher.feed(&mut viewer);
    }
    let client = &viewer.client.client;
    let mut types: Vec<_> = client
        .of_kind(true)
        .map(|p| *p.header.payload_type)
        .collect();
    types.dedup();
    assert_eq!(types, [H264.pt, VP8.pt, H264.pt]);
    for video in [true, false] {
        let mut ssrcs: Vec<_> = client.of_kind(video).map(|p| p.header.ssrc).collect();
        ssrcs.dedup();
        assert_eq!(ssrcs.len(), 1);
        assert_contiguous(&client.numbers(video));
    }
}

#[tokio::test]
async fn without_the_option_a_name_is_gone_with_its_publisher() {
    let server = Server::start(&[]);
    let mut publisher = Publisher::open(&server, H264_ONLY).await;
    publisher.until_it_plays(&server).await;
    server.delete(&publisher.peer.resource).await;
    assert_eq!(server.play_status().await, 404);
}
