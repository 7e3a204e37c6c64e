//! What outlives a connection, against the real server's media.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::mpsc as steps;
use std::time::{Duration, Instant};

use session::Input;
use twoway_server::core::backend::Role;
use twoway_server::media::Transports;

use super::*;
use crate::source::{Captured, EncodedFrame, Format, Source, SourceError, VideoCodec, VideoFormat};
use crate::testing::{MediaServer, Relay};

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Delivers keyframes captured when the test says, and ends with it.
struct Script(steps::Receiver<Instant>);

impl Source for Script {
    fn format(&self) -> Format {
        Format {
            video: Some(VideoFormat::Encoded(VideoCodec::Vp8)),
            audio: None,
        }
    }

    fn next(&mut self) -> Result<Captured, SourceError> {
        Ok(match self.0.recv_timeout(Duration::from_millis(20)) {
            Ok(capture_time) => Captured::EncodedVideo(EncodedFrame {
                capture_time,
                keyframe: true,
                data: vec![0; 100],
            }),
            Err(steps::RecvTimeoutError::Timeout) => Captured::Nothing,
            Err(steps::RecvTimeoutError::Disconnected) => Captured::End,
        })
    }
}

fn start() -> (Media, steps::Sender<Instant>) {
    let (sender, script) = steps::channel();
    let options = MediaOptions::default();
    let media = Media::start(Sources::one(Script(script)), &options, Box::new(drop));
    (media, sender)
}

/// A connection that is up.
struct Up {
    id: MediaSessionId,
    inputs: mpsc::Receiver<Input>,
    relay: Relay,
}

async fn connect(media: &Media, server: &mut MediaServer, id: &str) -> Up {
    let id = MediaSessionId::new(id);
    let (sender, mut inputs) = mpsc::channel(8);
    let caller = Caller {
        id: id.clone(),
        inputs: sender,
    };
    media.connect(caller, Local::Known(LOCAL));
    let Some(Input::OfferCreated { sdp, .. }) = inputs.recv().await else {
        panic!("an offer comes first");
    };
    let (_, answer) = server.open(Role::Publisher, sdp).await;
    let answer = answer.unwrap();
    let relay = Relay::start(&answer).await;
    media.accept(id.clone(), relay.reroute(&answer));
    let connected = inputs.recv().await;
    assert!(
        matches!(connected, Some(Input::MediaConnected { .. })),
        "{connected:?}"
    );
    Up { id, inputs, relay }
}

#[tokio::test]
async fn rtp_time_goes_on_over_a_new_connection() {
    let mut server = MediaServer::start(Transports::Udp);
    let (media, frames) = start();
    let captured = Instant::now();
    let first = connect(&media, &mut server, "first").await;
    frames.send(captured).unwrap();
    let before = first.relay.rtp_time().await;
    media.close(first.id);

    let second = connect(&media, &mut server, "second").await;
    let later = Duration::from_millis(100);
    frames.send(captured + later).unwrap();
    let after = second.relay.rtp_time().await;
    // RFC 7741 section 4.1: a clock of 90 kHz.
    assert_eq!(after.wrapping_sub(before), 9_000);
}

#[tokio::test]
async fn sources_that_end_between_two_connections_stop_the_next() {
    let mut server = MediaServer::start(Transports::Udp);
    let (mut media, frames) = start();
    let first = connect(&media, &mut server, "first").await;
    media.close(first.id);
    drop(frames);
    assert_eq!(media.ended().await, Ok(()));

    let Up { id, mut inputs, .. } = connect(&media, &mut server, "second").await;
    // After that there is nothing more to come.
    drop(media);
    let told = inputs.recv().await;
    assert!(
        matches!(&told, Some(Input::Stop(stopped)) if *stopped == id),
        "{told:?}"
    );
}
