//! A publication played back from the real server's media.

use std::net::{IpAddr, Ipv4Addr};

use twoway_server::core::backend::{PeerId, Role};
use twoway_server::media::Transports;

use super::*;
use crate::encode::profile_level_id;
use crate::options::MediaOptions;
use crate::peer::{Peer, PeerEvent};
use crate::testing::{Camera, MediaServer, Relay};

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A publisher with a monitor, and the server between them.
struct Stage {
    server: MediaServer,
    peer: Peer,
    publisher: PeerId,
    monitor: Monitor,
}

impl Stage {
    async fn set(video: VideoCodec) -> Self {
        let sent = Sent {
            video: Some(video),
            audio: None,
        };
        let start = Instant::now();
        let mut server = MediaServer::start(Transports::Udp);
        let options = MediaOptions::default();
        let (mut peer, offer) = Peer::offer(LOCAL, sent, &options, start).await.unwrap();
        let (publisher, answer) = server.open(Role::Publisher, offer).await;
        peer.accept(&answer.unwrap()).unwrap();
        while peer.next().await.unwrap() != PeerEvent::Connected {}
        Self {
            server,
            peer,
            publisher,
            monitor: Monitor::new(sent, start).unwrap(),
        }
    }

    /// Plays over a link of its own.
    async fn play(&mut self) -> Relay {
        let offer = self.monitor.offer(LOCAL).await.unwrap();
        let source = self.publisher;
        let (_, answer) = self.server.open(Role::Player { source }, offer).await;
        let answer = answer.unwrap();
        let relay = Relay::start(&answer).await;
        self.monitor.accept(&relay.reroute(&answer)).unwrap();
        relay
    }

    fn send(&mut self, frame: EncodedFrame) {
        self.monitor.note_sent(&frame);
        self.peer.send_video(frame).unwrap();
    }

    /// Runs until the statistics are as they should be.
    async fn until(
        &mut self,
        camera: &mut impl Frames,
        done: impl Fn(&MonitorStats) -> bool,
    ) -> MonitorStats {
        loop {
            tokio::select! {
                event = self.peer.next() => { event.unwrap(); }
                error = self.monitor.run() => panic!("{error}"),
                frame = camera.next() => self.send(frame),
            }
            let stats = self.monitor.stats(Instant::now());
            if done(&stats) {
                return stats;
            }
        }
    }
}

/// Where the frames come from.
trait Frames {
    async fn next(&mut self) -> EncodedFrame;
}

impl Frames for Camera {
    async fn next(&mut self) -> EncodedFrame {
        Self::next(self).await
    }
}

/// Frames that look like VP8 (RFC 6386 section 9.1) to whoever does not decode
/// them, each another one.
struct Vp8 {
    count: u32,
    clock: tokio::time::Interval,
}

impl Vp8 {
    fn new(interval: Duration) -> Self {
        let clock = tokio::time::interval(interval);
        Self { count: 0, clock }
    }
}

impl Frames for Vp8 {
    async fn next(&mut self) -> EncodedFrame {
        self.clock.tick().await;
        let keyframe = self.count.is_multiple_of(30);
        let mut data = vec![
            u8::from(!keyframe) | 0x10,
            0,
            0,
            0x9d,
            0x01,
            0x2a,
            64,
            1,
            180,
            0,
        ];
        data.resize(500, 0);
        data.extend(self.count.to_be_bytes());
        self.count += 1;
        EncodedFrame {
            capture_time: Instant::now(),
            keyframe,
            data,
        }
    }
}

fn h264() -> VideoCodec {
    let profile_level_id = profile_level_id("320x180".parse().unwrap(), 30, 300_000);
    VideoCodec::H264 { profile_level_id }
}

#[tokio::test]
async fn frames_come_back_and_their_delay_is_known() {
    let mut stage = Stage::set(h264()).await;
    let mut camera = Camera::start("320x180", 30, 300_000);
    let _link = stage.play().await;
    let stats = stage.until(&mut camera, |stats| stats.frames > 30).await;
    assert!(stats.delay.unwrap() > Duration::ZERO);
    assert!(stats.max_delay >= stats.delay);
    assert_eq!((stats.frames_lost, stats.packets_lost), (0, 0));
    assert_eq!(stats.freezes, 0);
}

#[tokio::test]
async fn capture_times_agree_with_the_strip() {
    let mut stage = Stage::set(h264()).await;
    let mut camera = Camera::start("320x180", 30, 300_000);
    let _link = stage.play().await;
    let mut agreed = 0;
    while agreed < 20 {
        // As `Monitor::run`, but looking at each picture.
        let (player, decoder) = (&mut stage.monitor.player, &mut stage.monitor.decoder);
        let (player, decoder) = (player.as_mut().unwrap(), decoder.as_mut().unwrap());
        tokio::select! {
            event = stage.peer.next() => { event.unwrap(); }
            came = player.next() => stage.monitor.handle(&came.unwrap()),
            decoded = decoder.next() => {
                let Decoded::Picture { returned, strip, .. } = decoded else { continue };
                let Some(known) = returned.captured else { continue };
                let told = stage.monitor.clock.at(strip.unwrap());
                let apart = known.max(told).duration_since(known.min(told));
                assert!(apart <= STRIP_ERROR, "{apart:?}");
                agreed += 1;
            }
            frame = camera.next() => stage.send(frame),
        }
    }
}

#[tokio::test]
async fn what_the_way_back_loses_is_counted() {
    let mut stage = Stage::set(h264()).await;
    let mut camera = Camera::start("320x180", 30, 300_000);
    let link = stage.play().await;
    stage.until(&mut camera, |stats| stats.frames > 10).await;
    // Too much for retransmissions to make up for it all.
    link.drop_down_each(2);
    let lost = stage
        .until(&mut camera, |stats| {
            stats.packets_lost > 0 && stats.frames_lost > 0
        })
        .await;
    link.drop_down_each(0);
    let frames = lost.frames + 20;
    let stats = stage
        .until(&mut camera, |stats| stats.frames > frames)
        .await;
    assert!(stats.frames_lost >= lost.frames_lost);
}

#[tokio::test]
async fn what_is_not_decoded_is_measured_as_it_arrives() {
    let mut stage = Stage::set(VideoCodec::Vp8).await;
    let mut frames = Vp8::new(Duration::from_millis(20));
    let _link = stage.play().await;
    let stats = stage.until(&mut frames, |stats| stats.frames > 40).await;
    assert!(stats.delay.is_some());
    assert_eq!((stats.frames_lost, stats.freezes), (0, 0));
}

#[tokio::test]
async fn a_pause_of_the_sender_is_neither_loss_nor_freeze() {
    let mut stage = Stage::set(VideoCodec::Vp8).await;
    let _link = stage.play().await;
    let mut frames = Vp8::new(Duration::from_millis(20));
    stage.until(&mut frames, |stats| stats.frames > 35).await;
    // As muted pictures come.
    let mut rare = Vp8::new(Duration::from_millis(500));
    rare.count = 1_000_000;
    let before = stage.monitor.frames;
    let stats = stage
        .until(&mut rare, |stats| stats.frames > before + 3)
        .await;
    assert_eq!((stats.frames_lost, stats.freezes), (0, 0));
}

#[tokio::test]
async fn what_was_measured_outlives_the_connection() {
    let mut stage = Stage::set(VideoCodec::Vp8).await;
    let mut frames = Vp8::new(Duration::from_millis(20));
    let link = stage.play().await;
    stage.until(&mut frames, |stats| stats.frames > 10).await;
    stage.monitor.close();
    drop(link);
    let _link = stage.play().await;
    let stats = stage.until(&mut frames, |stats| stats.frames > 40).await;
    assert_eq!((stats.frames_lost, stats.freezes), (0, 0));
}
