//! A publisher's connection to the real server's media.

use std::net::{IpAddr, Ipv4Addr};

use twoway_server::core::backend::{PeerId, Role};
use twoway_server::media::Transports;

use super::*;
use crate::encode::profile_level_id;
use crate::source::VideoCodec;
use crate::testing::{Camera, MediaServer, Relay};

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn h264() -> Option<VideoCodec> {
    let profile_level_id = profile_level_id("320x180".parse().unwrap(), 30, 300_000);
    Some(VideoCodec::H264 { profile_level_id })
}

async fn offer(sent: Sent) -> (Peer, String) {
    Peer::offer(LOCAL, sent, &MediaOptions::default(), Instant::now())
        .await
        .unwrap()
}

async fn publish(server: &mut MediaServer, sent: Sent) -> (Peer, PeerId) {
    let (mut peer, offer) = offer(sent).await;
    let (id, answer) = server.open(Role::Publisher, offer).await;
    peer.accept(&answer.unwrap()).unwrap();
    while peer.next().await.unwrap() != PeerEvent::Connected {}
    (peer, id)
}

async fn check_flows(transports: Transports) {
    let mut server = MediaServer::start(transports);
    let video = h264();
    let (mut peer, id) = publish(&mut server, Sent { video, audio: None }).await;
    let mut camera = Camera::start("320x180", 30, 300_000);
    let flowing = server.flowing(id);
    tokio::pin!(flowing);
    loop {
        tokio::select! {
            event = peer.next() => { event.unwrap(); }
            frame = camera.next() => peer.send_video(frame).unwrap(),
            () = &mut flowing => break,
        }
    }
}

#[tokio::test]
async fn media_flows_over_udp() {
    check_flows(Transports::Udp).await;
}

#[tokio::test]
async fn media_flows_over_tcp_where_there_is_no_udp() {
    check_flows(Transports::Tcp).await;
}

/// What comes of an offer to a server that has not heard of the codecs `unheard`.
async fn accept(sent: Sent, unheard: &[&str]) -> Result<Peer, PeerError> {
    let mut server = MediaServer::start(Transports::Udp);
    let (mut peer, offer) = offer(sent).await;
    let unheard_of = |offer: String, codec| offer.replace(&format!(" {codec}/"), " unheard/");
    let heard = unheard.iter().fold(offer, unheard_of);
    let (_, answer) = server.open(Role::Publisher, heard).await;
    peer.accept(&answer.unwrap()).map(|()| peer)
}

#[tokio::test]
async fn a_declined_track_is_left_out_and_told() {
    let both = Sent {
        video: h264(),
        audio: Some(1),
    };
    let mut peer = accept(both, &["H264"]).await.unwrap();
    let notice = "the server does not take H264: only sound is sent";
    assert_eq!(
        peer.next().await.unwrap(),
        PeerEvent::Notice(notice.to_owned())
    );
    assert_eq!(peer.video_pt(), None);
    assert!(peer.audio_pt().is_some());

    let mut peer = accept(both, &["opus"]).await.unwrap();
    let notice = "the server does not take Opus: only pictures are sent";
    assert_eq!(
        peer.next().await.unwrap(),
        PeerEvent::Notice(notice.to_owned())
    );
    assert!(peer.video_pt().is_some());
    assert_eq!(peer.audio_pt(), None);
}

#[tokio::test]
async fn where_everything_is_declined_the_error_names_the_codecs() {
    let check = async |video, audio, expected: &str| {
        let (mut peer, offer) = offer(Sent { video, audio }).await;
        let mut answer = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n".to_owned();
        // RFC 8829 section 5.3.1.
        for line in offer
            .lines()
            .filter(|line| line.starts_with("m=") || line.starts_with("a=mid:"))
        {
            answer.push_str(&line.replace(" 9 ", " 0 "));
            answer.push_str(if line.starts_with("m=") {
                "\r\n"
            } else {
                "\r\na=inactive\r\n"
            });
        }
        let error = peer.accept(&answer).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    check(h264(), Some(1), "the server does not take H264 or Opus").await;
    check(Some(VideoCodec::Vp8), None, "the server does not take VP8").await;
}

#[tokio::test]
async fn every_codec_is_offered_with_its_parameters_and_taken() {
    let check = async |video, audio, lines: &[&str]| {
        let mut server = MediaServer::start(Transports::Udp);
        let (mut peer, offer) = offer(Sent { video, audio }).await;
        for line in lines {
            assert!(offer.contains(line), "{line}\n{offer}");
        }
        let (_, answer) = server.open(Role::Publisher, offer).await;
        peer.accept(&answer.unwrap()).unwrap();
        assert_eq!(peer.video_pt().is_some(), video.is_some());
        assert_eq!(peer.audio_pt().is_some(), audio.is_some());
        // Nothing was declined.
        assert!(peer.events.is_empty());
    };
    let h264 =
        "a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n";
    check(
        self::h264(),
        None,
        &["H264/90000", h264, "a=fmtp:109 apt=108"],
    )
    .await;
    let rtx = "a=rtpmap:109 rtx/90000\r\na=fmtp:109 apt=108\r\n";
    check(Some(VideoCodec::Vp8), None, &["VP8/90000", rtx]).await;
    let vp9 = |profile| Some(VideoCodec::Vp9 { profile });
    check(vp9(0), None, &["VP9/90000", "a=fmtp:108 profile-id=0", rtx]).await;
    check(vp9(2), None, &["VP9/90000", "a=fmtp:108 profile-id=2", rtx]).await;
    check(Some(VideoCodec::Av1), None, &["AV1/90000", rtx]).await;
    check(
        None,
        Some(1),
        &["a=fmtp:111 minptime=10;useinbandfec=1\r\n"],
    )
    .await;
    let stereo = "a=fmtp:111 minptime=10;stereo=1;sprop-stereo=1;useinbandfec=1\r\n";
    check(None, Some(2), &[stereo]).await;
}

#[tokio::test]
async fn the_connection_is_measured() {
    let mut server = MediaServer::start(Transports::Udp);
    let video = h264();
    let (mut peer, _) = publish(&mut server, Sent { video, audio: None }).await;
    peer.count_from(&NetworkStats {
        bytes_sent: 1_000_000,
        nacks: 7,
        ..NetworkStats::default()
    });
    let mut camera = Camera::start("320x180", 30, 300_000);
    let mut told = None;
    loop {
        tokio::select! {
            event = peer.next() => if let PeerEvent::Bandwidth(bps) = event.unwrap() {
                told = Some(bps);
            },
            frame = camera.next() => peer.send_video(frame).unwrap(),
        }
        let stats = peer.stats();
        let known = stats.round_trip.is_some() && stats.loss.is_some();
        if let (Some(local), Some(remote), Some(_)) = (&stats.local, &stats.remote, told)
            && known
        {
            assert!(local.starts_with("127.0.0.1:") && remote.starts_with("127.0.0.1:"));
            assert!(stats.estimate_bps.is_some());
            assert!(stats.bytes_sent > 1_000_000 && stats.nacks >= 7);
            break;
        }
    }
}

/// A publisher of something the server need not look into, over a link.
async fn publish_over_link(server: &mut MediaServer) -> (Peer, Relay) {
    let video = Some(VideoCodec::Vp8);
    let (mut peer, offer) = offer(Sent { video, audio: None }).await;
    let (_, answer) = server.open(Role::Publisher, offer).await;
    let answer = answer.unwrap();
    let relay = Relay::start(&answer).await;
    peer.accept(&relay.reroute(&answer)).unwrap();
    (peer, relay)
}

/// Sends as much as the network is said to carry, up to 2 Mbit/s, until that is
/// `enough`.
async fn send_until(peer: &mut Peer, bps: &mut u64, enough: impl Fn(u64) -> bool) {
    const FPS: u32 = 30;
    let mut frames = tokio::time::interval(Duration::from_secs(1) / FPS);
    while !enough(*bps) {
        tokio::select! {
            event = peer.next() => if let PeerEvent::Bandwidth(told) = event.unwrap() {
                *bps = told;
            },
            _ = frames.tick() => {
                let bytes = (*bps).min(2_000_000) * 9 / 10 / 8 / u64::from(FPS);
                let frame = EncodedFrame {
                    capture_time: Instant::now(),
                    keyframe: true,
                    data: vec![0; bytes as usize],
                };
                peer.send_video(frame).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn the_estimate_follows_a_link_that_is_squeezed_and_let_go() {
    let mut server = MediaServer::start(Transports::Udp);
    let (mut peer, relay) = publish_over_link(&mut server).await;
    let mut bps = 1_000_000;
    send_until(&mut peer, &mut bps, |bps| bps > 2_000_000).await;
    relay.squeeze(300_000);
    send_until(&mut peer, &mut bps, |bps| bps < 350_000).await;
    relay.squeeze(0);
    send_until(&mut peer, &mut bps, |bps| bps > 1_500_000).await;
}

/// How a connection ends.
async fn end(peer: &mut Peer) -> PeerError {
    loop {
        if let Err(error) = peer.next().await {
            return error;
        }
    }
}

#[tokio::test]
async fn a_link_that_is_cut_is_a_lost_connection() {
    let mut server = MediaServer::start(Transports::Udp);
    let (mut peer, relay) = publish_over_link(&mut server).await;
    while peer.next().await.unwrap() != PeerEvent::Connected {}
    relay.cut();
    assert!(matches!(end(&mut peer).await, PeerError::Lost));
}

#[tokio::test]
async fn a_link_that_was_never_there_is_told_apart() {
    let mut server = MediaServer::start(Transports::Udp);
    let (mut peer, relay) = publish_over_link(&mut server).await;
    relay.cut();
    assert!(matches!(end(&mut peer).await, PeerError::Unreachable));
}

#[tokio::test]
async fn where_udp_does_not_get_through_tcp_does() {
    let mut server = MediaServer::start(Transports::Both);
    let (mut peer, relay) = publish_over_link(&mut server).await;
    relay.cut();
    while peer.next().await.unwrap() != PeerEvent::Connected {}
}
