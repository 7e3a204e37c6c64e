//! A WebRTC client for the tests, without socket and clock: str0m on the other
//! side. Used over UDP here, and in virtual time by the shard's own tests.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::{Codec, FormatParams};
use str0m::media::{
    Direction, Frequency, KeyframeRequest, MediaKind, Mid, Rid, SenderFeedback, Simulcast,
    SimulcastLayer,
};
use str0m::net::{Protocol, Receive, Transmit};
use str0m::rtp::{Extension, RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig, RtcError};

/// Payload types of a client, which differ from client to client.
#[derive(Clone, Copy)]
pub(crate) struct PayloadTypes {
    pub(crate) opus: u8,
    /// Best first.
    pub(crate) video: &'static [Video],
}

/// A video codec with its payload type and that of its retransmissions, 0 if it
/// has none.
#[derive(Clone, Copy)]
pub(crate) struct Video {
    pub(crate) codec: Codec,
    pub(crate) pt: u8,
    pub(crate) rtx: u8,
}

pub(crate) struct Client {
    pub(crate) rtc: Rtc,
    pub(crate) local: SocketAddr,
    pending: Option<SdpPendingOffer>,
    pub(crate) types: PayloadTypes,
    pub(crate) audio: Mid,
    pub(crate) video: Mid,
    /// When [`Client::handle_timeout`] must be called; `None` once it failed.
    pub(crate) deadline: Option<Instant>,
    pub(crate) error: Option<RtcError>,
    /// To be sent.
    pub(crate) transmits: Vec<Transmit>,
    pub(crate) connected: bool,
    pub(crate) keyframe_requests: usize,
    /// The simulcast layers that they were for.
    pub(crate) keyframe_rids: Vec<Option<Rid>>,
    pub(crate) packets: Vec<RtpPacket>,
    pub(crate) reports: Vec<SenderFeedback>,
}

impl Client {
    /// A client that sends or receives audio and video, sending these simulcast
    /// layers if there are any, and its offer.
    pub(crate) fn offer(
        local: SocketAddr,
        direction: Direction,
        types: PayloadTypes,
        rids: &[&str],
        now: Instant,
    ) -> (Self, String) {
        let rtc = config(types).build(now);
        Self::offer_with(rtc, local, direction, types, rids, now)
    }

    /// The same with an `rtc` of [`config`].
    pub(crate) fn offer_with(
        mut rtc: Rtc,
        local: SocketAddr,
        direction: Direction,
        types: PayloadTypes,
        rids: &[&str],
        now: Instant,
    ) -> (Self, String) {
        let simulcast = (!rids.is_empty()).then(|| {
            let mut simulcast = Simulcast::new();
            for rid in rids {
                simulcast.add_send_layer(SimulcastLayer::new(rid));
            }
            simulcast
        });
        rtc.add_local_candidate(Candidate::host(local, Protocol::Udp).unwrap());
        let mut changes = rtc.sdp_api();
        let audio = changes.add_media(MediaKind::Audio, direction, None, None, None);
        let video = changes.add_media(MediaKind::Video, direction, None, None, simulcast);
        let (offer, pending) = changes.apply().unwrap();
        let client = Self {
            rtc,
            local,
            pending: Some(pending),
            types,
            audio,
            video,
            deadline: Some(now),
            error: None,
            transmits: Vec::new(),
            connected: false,
            keyframe_requests: 0,
            keyframe_rids: Vec::new(),
            packets: Vec::new(),
            reports: Vec::new(),
        };
        (client, without_candidates(&offer.to_sdp_string()))
    }

    pub(crate) fn accept(&mut self, answer: &str) {
        let answer = SdpAnswer::from_sdp_string(answer).unwrap();
        let pending = self.pending.take().unwrap();
        self.rtc.sdp_api().accept_answer(pending, answer).unwrap();
    }

    /// Sends a packet captured at `captured`; of video with this payload type,
    /// of audio without.
    pub(crate) fn write(
        &mut self,
        video: Option<u8>,
        (sequence, time): (u64, u32),
        captured: Instant,
        payload: &[u8],
        now: Instant,
    ) {
        let (mid, pt) = match video {
            Some(pt) => (self.video, pt),
            None => (self.audio, self.types.opus),
        };
        let mut api = self.rtc.direct_api();
        let stream = api.stream_tx_by_mid(mid, None).unwrap();
        stream.write_rtp(
            RtpWrite::new(pt.into(), sequence.into(), time, captured, payload)
                .marker(true)
                .nackable(video.is_some()),
        );
        self.handle_timeout(now);
    }

    /// The received packets of one kind.
    pub(crate) fn of_kind(&self, video: bool) -> impl Iterator<Item = &RtpPacket> {
        self.packets
            .iter()
            .filter(move |p| (*p.header.payload_type != self.types.opus) == video)
    }

    /// The numbers of the received packets of one kind, in order.
    pub(crate) fn numbers(&self, video: bool) -> Vec<u64> {
        let mut numbers: Vec<_> = self.of_kind(video).map(|p| *p.seq_no).collect();
        numbers.sort_unstable();
        numbers
    }

    pub(crate) fn handle_datagram(&mut self, source: SocketAddr, datagram: &[u8], now: Instant) {
        self.handle_packet(Protocol::Udp, source, datagram, now);
    }

    pub(crate) fn handle_packet(
        &mut self,
        protocol: Protocol,
        source: SocketAddr,
        packet: &[u8],
        now: Instant,
    ) {
        let receive = Receive::new(protocol, source, self.local, packet).unwrap();
        self.handle(Input::Receive(now, receive));
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.handle(Input::Timeout(now));
    }

    /// Says goodbye.
    pub(crate) fn close(&mut self) {
        self.rtc.close().unwrap();
        self.drain().unwrap();
    }

    fn handle(&mut self, input: Input<'_>) {
        if self.error.is_some() {
            return;
        }
        if let Err(error) = self.rtc.handle_input(input).and_then(|()| self.drain()) {
            self.error = Some(error);
            self.deadline = None;
        }
    }

    fn drain(&mut self) -> Result<(), RtcError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => {
                    self.deadline = Some(at);
                    return Ok(());
                }
                Output::Transmit(transmit) => self.transmits.push(transmit),
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::RtpPacket(packet)) => self.packets.push(packet),
                Output::Event(Event::KeyframeRequest(KeyframeRequest { rid, .. })) => {
                    self.keyframe_requests += 1;
                    self.keyframe_rids.push(rid);
                }
                Output::Event(Event::SenderFeedback(report)) => self.reports.push(report),
                Output::Event(_) => {}
            }
        }
    }
}

/// Fails if a number is missing or there twice.
pub(crate) fn assert_contiguous(numbers: &[u64]) {
    let holes: Vec<_> = numbers.windows(2).filter(|w| w[1] != w[0] + 1).collect();
    assert!(holes.is_empty(), "holes or repeats: {holes:?}");
}

/// What a client takes and reports, with these payload types.
pub(crate) fn config(types: PayloadTypes) -> RtcConfig {
    let often = Duration::from_millis(50);
    let mut config = RtcConfig::new()
        .set_rtp_mode(true)
        .set_extension(12, Extension::PlayoutDelay)
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
    for video in types.video {
        let format = match video.codec {
            Codec::H264 => "packetization-mode=1;profile-level-id=42e01f;level-asymmetry-allowed=1",
            _ => "",
        };
        codecs.add_config(
            video.pt.into(),
            (video.rtx != 0).then(|| video.rtx.into()),
            video.codec,
            Frequency::NINETY_KHZ,
            None,
            FormatParams::parse_line(format),
        );
    }
    config
}

/// The offer as signalling clients send it: before they have gathered, and there
/// is no other way to tell candidates later.
fn without_candidates(offer: &str) -> String {
    let lines = offer.split_inclusive('\n');
    lines
        .filter(|line| !line.starts_with("a=candidate"))
        .collect()
}
