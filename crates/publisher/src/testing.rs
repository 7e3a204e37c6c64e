//! The real server's media, without its signalling, for tests.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use twoway_server::core::backend::{Command, EndReason, Event, MediaBackend, PeerId, Role, Wishes};
use twoway_server::counters::Counters;
use twoway_server::media::{Config, Forwarder, Transports};

use crate::encode::{VideoConfig, VideoEncoder};
use crate::source::{Captured, EncodedFrame, Source, VideoCodec};
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
        let answer = self.event(|event| {
            if let Event::Answered { peer, answer, .. } = event {
                return (peer == id).then_some(Ok(answer));
            }
            if let Event::Ended { peer, reason } = event {
                return (peer == id).then_some(Err(reason));
            }
            None
        });
        (id, answer.await)
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
                keyframe_interval: Duration::from_secs(2),
            };
            let mut encoder = VideoEncoder::new(config).unwrap();
            loop {
                if let Captured::Video(frame) = source.next().unwrap()
                    && let Some(frame) = encoder.encode(&frame, false).unwrap()
                    && sender.blocking_send(frame).is_err()
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

/// A link between a peer and the server's media: by default as good as none.
pub(crate) struct Relay {
    address: SocketAddr,
    server: SocketAddr,
    quality: Arc<Quality>,
    rtp_time: watch::Receiver<Option<u32>>,
    task: JoinHandle<()>,
}

/// How good the link is; zero: unlimited, or never.
#[derive(Debug, Default)]
pub(crate) struct Quality {
    /// Bits per second from the peer to the server.
    up_bps: AtomicU64,
    /// Each so many-th packet to the peer is lost.
    drop_down_each: AtomicU64,
    /// Nothing passes.
    cut: AtomicBool,
}

/// A packet that would wait for longer is lost.
const QUEUE: Duration = Duration::from_millis(300);

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Relay {
    /// A link to the first UDP candidate of an answer.
    pub(crate) async fn start(answer: &str) -> Self {
        let candidate = answer.lines().find(is_udp).unwrap();
        let words: Vec<_> = candidate.split(' ').collect();
        let server = format!("{}:{}", words[4], words[5]).parse().unwrap();
        let near = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let far = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        far.connect(server).await.unwrap();
        let address = near.local_addr().unwrap();
        let quality = Arc::new(Quality::default());
        let (sender, rtp_time) = watch::channel(None);
        let task = tokio::spawn(pass(near, far, Arc::clone(&quality), sender));
        Self {
            address,
            server,
            quality,
            rtp_time,
            task,
        }
    }

    /// The answer with the link's address in the place of the server's for UDP.
    pub(crate) fn reroute(&self, answer: &str) -> String {
        let place = |at: SocketAddr| format!(" {} {} ", at.ip(), at.port());
        let (from, to) = (place(self.server), place(self.address));
        let reroute = |line: &str| {
            if is_udp(&line) {
                line.replace(&from, &to)
            } else {
                line.to_owned()
            }
        };
        answer.split_inclusive('\n').map(reroute).collect()
    }

    /// The RTP timestamp of the last picture that the peer sent whole, once there
    /// is one.
    pub(crate) async fn rtp_time(&self) -> u32 {
        let mut rtp_time = self.rtp_time.clone();
        let seen = rtp_time.wait_for(Option::is_some).await.unwrap();
        seen.unwrap()
    }

    pub(crate) fn squeeze(&self, up_bps: u64) {
        self.quality.up_bps.store(up_bps, Ordering::Relaxed);
    }

    pub(crate) fn drop_down_each(&self, each: u64) {
        self.quality.drop_down_each.store(each, Ordering::Relaxed);
    }

    pub(crate) fn cut(&self) {
        self.quality.cut.store(true, Ordering::Relaxed);
    }
}

fn is_udp(line: &&str) -> bool {
    line.starts_with("a=candidate:") && line.contains(" udp ")
}

/// The timestamp (RFC 3550 section 5.1), which SRTP leaves legible, of a packet
/// of RTP that ends a picture.
fn end_of_picture(datagram: &[u8]) -> Option<u32> {
    // RFC 5761 section 4 tells RTCP apart, RFC 7983 section 7 all else.
    let is_rtp = (128..192).contains(datagram.first()?) && !(192..224).contains(datagram.get(1)?);
    let is_marked = datagram.get(1)? & 0x80 != 0;
    let timestamp = datagram.get(4..8)?.try_into().ok()?;
    (is_rtp && is_marked).then_some(u32::from_be_bytes(timestamp))
}

async fn pass(
    near: UdpSocket,
    far: UdpSocket,
    quality: Arc<Quality>,
    rtp_time: watch::Sender<Option<u32>>,
) {
    let mut peer = None;
    let (mut up, mut down) = ([0; 2_000], [0; 2_000]);
    let mut count = 0_u64;
    let mut waiting: VecDeque<(Instant, Vec<u8>)> = VecDeque::new();
    let mut free_at = Instant::now();
    loop {
        let due = waiting.front().map(|(at, _)| *at);
        let leave = async {
            match due {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let is_cut = quality.cut.load(Ordering::Relaxed);
        tokio::select! {
            received = near.recv_from(&mut up) => {
                let (length, from) = received.unwrap();
                peer = Some(from);
                if let Some(timestamp) = end_of_picture(&up[..length]) {
                    rtp_time.send_replace(Some(timestamp));
                }
                let now = Instant::now();
                free_at = free_at.max(now);
                if is_cut || free_at - now > QUEUE {
                    continue;
                }
                let bps = quality.up_bps.load(Ordering::Relaxed);
                if bps > 0 {
                    free_at += Duration::from_secs_f64(length as f64 * 8.0 / bps as f64);
                }
                waiting.push_back((free_at, up[..length].to_vec()));
            }
            () = leave => {
                let (_, datagram) = waiting.pop_front().unwrap();
                let _ = far.send(&datagram).await;
            }
            received = far.recv(&mut down) => {
                let length = received.unwrap();
                let each = quality.drop_down_each.load(Ordering::Relaxed);
                // Handshakes are spared.
                let is_media = (128..192).contains(&down[0]);
                count += u64::from(is_media);
                let lost = is_media && each > 0 && count.is_multiple_of(each);
                if let Some(peer) = peer && !lost && !is_cut {
                    let _ = near.send_to(&down[..length], peer).await;
                }
            }
        }
    }
}

/// Frames as a file that ffmpeg reads, and what its name ends with.
pub(crate) fn stored<'a>(
    codec: VideoCodec,
    frames: impl IntoIterator<Item = &'a [u8]>,
) -> (&'static str, Vec<u8>) {
    let code = match codec {
        VideoCodec::H264 { .. } => {
            let frames: Vec<_> = frames.into_iter().collect();
            return ("h264", frames.concat());
        }
        VideoCodec::Vp8 => b"VP80",
        VideoCodec::Vp9 { .. } => b"VP90",
        VideoCodec::Av1 => b"AV01",
    };
    // A temporal delimiter, which files have and RTP has not.
    let delimiter: &[u8] = match codec {
        VideoCodec::Av1 => &[0x12, 0],
        VideoCodec::H264 { .. } | VideoCodec::Vp8 | VideoCodec::Vp9 { .. } => &[],
    };
    let mut content = b"DKIF\0\0\x20\0".to_vec();
    content.extend(code);
    content.extend(b"\x40\x01\xb4\0\x1e\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0");
    for (number, frame) in (0_u64..).zip(frames) {
        let length = delimiter.len() + frame.len();
        content.extend((length as u32).to_le_bytes());
        content.extend(number.to_le_bytes());
        content.extend(delimiter);
        content.extend(frame);
    }
    ("ivf", content)
}
