//! A WebRTC client for the tests: str0m over a real UDP socket.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::{Codec, FormatParams};
use str0m::media::{Direction, Frequency, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::rtcp::SenderInfo;
use str0m::rtp::{RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

/// Payload types of a client, which differ from client to client.
#[derive(Clone, Copy)]
pub(crate) struct PayloadTypes {
    pub(crate) opus: u8,
    pub(crate) video: u8,
    pub(crate) rtx: u8,
}

/// Longest wait for a datagram before looking at the next client.
const TURN: Duration = Duration::from_millis(1);

pub(crate) struct Client {
    pub(crate) rtc: Rtc,
    socket: UdpSocket,
    local: SocketAddr,
    pending: Option<SdpPendingOffer>,
    pub(crate) types: PayloadTypes,
    pub(crate) audio: Mid,
    pub(crate) video: Mid,
    pub(crate) connected: bool,
    pub(crate) keyframe_requests: usize,
    pub(crate) packets: Vec<RtpPacket>,
    pub(crate) reports: Vec<SenderInfo>,
    /// So many of the next video packets are thrown away.
    pub(crate) lose: usize,
}

impl Client {
    /// A client that sends or receives Opus and `codec`, and its offer.
    pub(crate) fn offer(direction: Direction, codec: Codec, types: PayloadTypes) -> (Self, String) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(TURN)).unwrap();
        let local = socket.local_addr().unwrap();
        let mut rtc = config(codec, types).build(Instant::now());
        rtc.add_local_candidate(Candidate::host(local, Protocol::Udp).unwrap());
        let mut changes = rtc.sdp_api();
        let audio = changes.add_media(MediaKind::Audio, direction, None, None, None);
        let video = changes.add_media(MediaKind::Video, direction, None, None, None);
        let (offer, pending) = changes.apply().unwrap();
        let client = Self {
            rtc,
            socket,
            local,
            pending: Some(pending),
            types,
            audio,
            video,
            connected: false,
            keyframe_requests: 0,
            packets: Vec::new(),
            reports: Vec::new(),
            lose: 0,
        };
        (client, offer.to_sdp_string())
    }

    pub(crate) fn accept(&mut self, answer: &str) {
        let answer = SdpAnswer::from_sdp_string(answer).unwrap();
        let pending = self.pending.take().unwrap();
        self.rtc.sdp_api().accept_answer(pending, answer).unwrap();
    }

    /// Sends a packet captured at `captured`.
    pub(crate) fn write(
        &mut self,
        video: bool,
        sequence: u64,
        time: u32,
        captured: Instant,
        payload: &[u8],
    ) {
        let (mid, pt) = if video {
            (self.video, self.types.video)
        } else {
            (self.audio, self.types.opus)
        };
        let mut api = self.rtc.direct_api();
        let stream = api.stream_tx_by_mid(mid, None).unwrap();
        stream.write_rtp(
            RtpWrite::new(pt.into(), sequence.into(), time, captured, payload)
                .marker(true)
                .nackable(video),
        );
        self.advance();
    }

    /// The received packets of one kind.
    pub(crate) fn of_kind(&self, video: bool) -> impl Iterator<Item = &RtpPacket> {
        let pt = if video {
            self.types.video
        } else {
            self.types.opus
        };
        self.packets
            .iter()
            .filter(move |p| *p.header.payload_type == pt)
    }

    /// Takes what has come, and sends what there is to send.
    pub(crate) fn step(&mut self) {
        let mut buffer = [0; 2_048];
        match self.socket.recv_from(&mut buffer) {
            Ok((length, source)) => self.receive(source, &buffer[..length]),
            Err(error) => assert!(
                matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
                "{error}"
            ),
        }
        self.advance();
    }

    fn receive(&mut self, source: SocketAddr, datagram: &[u8]) {
        if self.lose > 0 && self.is_video(datagram) {
            self.lose -= 1;
            return;
        }
        let receive = Receive::new(Protocol::Udp, source, self.local, datagram).unwrap();
        self.rtc
            .handle_input(Input::Receive(Instant::now(), receive))
            .unwrap();
        self.drain();
    }

    fn is_video(&self, datagram: &[u8]) -> bool {
        (128..192).contains(&datagram[0]) && datagram[1] & 0x7f == self.types.video
    }

    fn advance(&mut self) {
        self.rtc
            .handle_input(Input::Timeout(Instant::now()))
            .unwrap();
        self.drain();
    }

    pub(crate) fn drain(&mut self) {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(_) => return,
                Output::Transmit(t) => {
                    self.socket.send_to(&t.contents, t.destination).unwrap();
                }
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::RtpPacket(packet)) => self.packets.push(packet),
                Output::Event(Event::KeyframeRequest(_)) => self.keyframe_requests += 1,
                Output::Event(Event::SenderFeedback(feedback)) => {
                    self.reports.push(feedback.sender_info);
                }
                Output::Event(_) => {}
            }
        }
    }
}

fn config(codec: Codec, types: PayloadTypes) -> RtcConfig {
    let often = Duration::from_millis(50);
    let mut config = RtcConfig::new()
        .set_rtp_mode(true)
        .set_rtcp_report_interval_audio(often)
        .set_rtcp_report_interval_video(often)
        .clear_codecs();
    let codecs = config.codec_config();
    codecs.add_config(
        types.opus.into(),
        None,
        Codec::Opus,
        Frequency::FORTY_EIGHT_KHZ,
        Some(2),
        FormatParams::parse_line("minptime=10;useinbandfec=1"),
    );
    let format = match codec {
        Codec::H264 => "packetization-mode=1;profile-level-id=42e01f;level-asymmetry-allowed=1",
        _ => "",
    };
    codecs.add_config(
        types.video.into(),
        Some(types.rtx.into()),
        codec,
        Frequency::NINETY_KHZ,
        None,
        FormatParams::parse_line(format),
    );
    config
}
