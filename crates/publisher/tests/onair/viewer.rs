//! A viewer who looks at nothing but what the signalling says.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use session::{Config, Event, Input, Output, Play, Session, SessionStatus, Time};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Rtc};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Duration, sleep_until};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use twoway_publisher::{StreamName, StreamStatus};
use wire::{MediaSessionId, StreamEventType};

const TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct Viewer {
    session: Session,
    origin: Instant,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    rtc: Rtc,
    pending: Option<SdpPendingOffer>,
    media: UdpSocket,
}

impl Viewer {
    /// Connects and plays.
    pub(crate) async fn play(server: SocketAddr, name: &str) -> Self {
        let (socket, _) = connect_async(format!("ws://{server}/")).await.unwrap();
        let config = Config {
            app_key: "defaultApp".to_owned(),
            client_os_version: String::new(),
            client_browser_version: String::new(),
            custom: None,
            token: None,
            connect_timeout: TIMEOUT,
            stream_timeout: TIMEOUT,
            silence_timeout: TIMEOUT,
        };
        let mut viewer = Self {
            session: Session::new(config),
            origin: Instant::now(),
            socket,
            rtc: Rtc::new(Instant::now()),
            pending: None,
            media: UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap(),
        };
        viewer.handle(Input::Connect);
        viewer.handle(Input::SocketOpened);
        viewer.until(is_established).await;
        viewer.handle(Input::Play(Play {
            id: MediaSessionId::from_random(1),
            name: StreamName::new(name),
            custom: None,
        }));
        viewer
    }

    /// Waits for PLAYING; whether sound and pictures are muted.
    pub(crate) async fn playing(&mut self) -> Option<(bool, bool)> {
        self.until(|event| {
            let Event::Stream(update) = event else {
                return None;
            };
            (update.status == StreamStatus::Playing).then_some(update.muted)
        })
        .await
    }

    /// The next thing the stream's viewers are told; its picture's size is none.
    pub(crate) async fn told(&mut self) -> (StreamEventType, Value) {
        self.until(|event| {
            let Event::StreamEvent {
                event_type,
                payload,
                ..
            } = event
            else {
                return None;
            };
            (event_type != StreamEventType::Resize).then_some((event_type, payload))
        })
        .await
    }

    async fn until<T>(&mut self, is: impl Fn(Event) -> Option<T>) -> T {
        loop {
            while let Some(output) = self.session.poll_output() {
                if let Some(event) = self.obey(output).await
                    && let Some(found) = is(event)
                {
                    return found;
                }
            }
            self.run().await;
        }
    }

    fn handle(&mut self, input: Input) {
        let now = Time::new(self.origin.elapsed());
        self.session.handle(input, now).unwrap();
    }

    async fn obey(&mut self, output: Output) -> Option<Event> {
        match output {
            Output::Send(text) => self.socket.send(Message::text(text)).await.unwrap(),
            Output::CreateOffer { id, .. } => self.offer(id),
            Output::ApplyAnswer { sdp, .. } => {
                let answer = SdpAnswer::from_sdp_string(&sdp).unwrap();
                let pending = self.pending.take().unwrap();
                self.rtc.sdp_api().accept_answer(pending, answer).unwrap();
            }
            Output::Notify(event) => return Some(event),
            Output::OpenSocket
            | Output::CloseSocket
            | Output::Request(_)
            | Output::IceServers { .. }
            | Output::CloseMedia { .. } => {}
        }
        None
    }

    fn offer(&mut self, id: MediaSessionId) {
        let address = self.media.local_addr().unwrap();
        let candidate = Candidate::host(address, "udp").unwrap();
        self.rtc.add_local_candidate(candidate);
        let mut changes = self.rtc.sdp_api();
        for kind in [MediaKind::Audio, MediaKind::Video] {
            changes.add_media(kind, Direction::RecvOnly, None, None, None);
        }
        let (offer, pending) = changes.apply().unwrap();
        self.pending = Some(pending);
        self.handle(Input::OfferCreated {
            id,
            sdp: offer.to_sdp_string(),
            has_audio: true,
            has_video: true,
        });
    }

    /// Sends what is to be sent, then waits for something to come.
    async fn run(&mut self) {
        let timeout = loop {
            match self.rtc.poll_output().unwrap() {
                str0m::Output::Timeout(at) => break at,
                str0m::Output::Transmit(transmit) => {
                    let (datagram, to) = (&transmit.contents, transmit.destination);
                    // What is not sent is lost, as on any network.
                    let _ = self.media.send_to(datagram, to).await;
                }
                str0m::Output::Event(_) => {}
            }
        };
        let mut datagram = [0; 2_000];
        tokio::select! {
            message = self.socket.next() => {
                let message = message.expect("the server keeps the socket open").unwrap();
                if let Message::Text(text) = message {
                    self.handle(Input::SocketMessage(text.to_string()));
                }
            }
            received = self.media.recv_from(&mut datagram) => {
                let Ok((length, source)) = received else { return };
                let here = self.media.local_addr().unwrap();
                let receive = Receive::new(Protocol::Udp, source, here, &datagram[..length]);
                let input = str0m::Input::Receive(Instant::now(), receive.unwrap());
                self.rtc.handle_input(input).unwrap();
            }
            () = sleep_until(timeout.into()) => {
                self.rtc.handle_input(str0m::Input::Timeout(Instant::now())).unwrap();
            }
        }
    }
}

fn is_established(event: Event) -> Option<()> {
    let established = SessionStatus::Established;
    matches!(event, Event::Session { status, .. } if status == established).then_some(())
}
