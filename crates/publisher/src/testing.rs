//! The real server's media, without its signalling, for tests.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;
use twoway_server::core::backend::{Command, EndReason, Event, MediaBackend, PeerId, Role, Wishes};
use twoway_server::counters::Counters;
use twoway_server::media::{Config, Forwarder, Transports};

use crate::encode::{VideoConfig, VideoEncoder};
use crate::source::{Captured, EncodedFrame, Source};
use crate::{Size, TestPicture};

pub(crate) struct MediaServer {
    forwarder: Forwarder,
    events: mpsc::UnboundedReceiver<Event>,
    peers: u64,
}

impl MediaServer {
    pub(crate) fn start(transports: Transports) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let config = Config {
            bind: vec![Ipv4Addr::LOCALHOST.into()],
            transports,
            ..Config::default()
        };
        let tell = move |event| drop(sender.send(event));
        let forwarder = Forwarder::start(config, Arc::new(Counters::default()), tell).unwrap();
        Self {
            forwarder,
            events,
            peers: 0,
        }
    }

    /// The server's answer.
    pub(crate) async fn open(
        &mut self,
        role: Role,
        offer: String,
    ) -> (PeerId, Result<String, EndReason>) {
        self.peers += 1;
        let id = PeerId(self.peers);
        self.forwarder.send(Command::Open {
            peer: id,
            role,
            offer,
            wishes: Wishes::default(),
        });
        let answer = self
            .event(|event| match event {
                Event::Answered { peer, answer, .. } if peer == id => Some(Ok(answer)),
                Event::Ended { peer, reason } if peer == id => Some(Err(reason)),
                _ => None,
            })
            .await;
        (id, answer)
    }

    pub(crate) fn close(&mut self, peer: PeerId) {
        self.forwarder.send(Command::Close { peer });
    }

    /// Waits until media flows.
    pub(crate) async fn flowing(&mut self, id: PeerId) {
        let flows = |event| matches!(event, Event::Flowing { peer } if peer == id).then_some(());
        self.event(flows).await;
    }

    async fn event<T>(&mut self, mut pick: impl FnMut(Event) -> Option<T>) -> T {
        loop {
            let event = self.events.recv().await.expect("the server is there");
            if let Some(picked) = pick(event) {
                return picked;
            }
        }
    }
}

/// The test picture, encoded in real time on a thread of its own.
pub(crate) struct Camera(mpsc::Receiver<EncodedFrame>);

impl Camera {
    pub(crate) fn start(size: &str, fps: u32, bitrate_bps: u32) -> Self {
        let size: Size = size.parse().unwrap();
        let (sender, frames) = mpsc::channel(4);
        std::thread::spawn(move || {
            let mut source = TestPicture::new(size, fps);
            let config = VideoConfig {
                size,
                fps,
                bitrate_bps,
                keyframe_interval: std::time::Duration::from_secs(2),
            };
            let mut encoder = VideoEncoder::new(config).unwrap();
            loop {
                if let Captured::Video(frame) = source.next().unwrap()
                    && sender
                        .blocking_send(encoder.encode(&frame, false).unwrap())
                        .is_err()
                {
                    return;
                }
            }
        });
        Self(frames)
    }

    pub(crate) async fn next(&mut self) -> EncodedFrame {
        self.0.recv().await.unwrap()
    }
}

/// A moment before anything a [`Camera`] takes.
pub(crate) fn start() -> Instant {
    Instant::now()
}
