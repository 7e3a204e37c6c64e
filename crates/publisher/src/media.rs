//! One stream's media: its sources and encoders, and the peer connection that
//! carries what they make, while there is one.
//!
//! A task of its own, since it outlives connections:
//!
//! ```text
//! sources wait --first connection up--> pipeline runs --end, failure--> over
//!
//! no connection --Connect--> offering --offer--> offered --ICE, DTLS--> up
//!       ^                        |                  |                    |
//!       +------------------ Close, or a failure ----+--------------------+
//! ```
//!
//! Capturing goes on between two connections while encoding rests: the next
//! connection begins with what is new then, and with a keyframe. RTP timestamps
//! count from the task's start over all of them.

use std::future::pending;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::time::{Duration, Instant};

use session::{Input, Severity};
use tokio::sync::{mpsc, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tracing::{debug, warn};
use wire::MediaSessionId;

use crate::http::local_address_towards;
use crate::peer::{Peer, PeerError, PeerEvent};
use crate::pipeline::{Encoded, Pipeline, PipelineError, Sent};
use crate::{MediaOptions, Sources, Stats};

/// Orders that wait for the task: a connection takes four in its whole life.
const ORDERS: usize = 32;

/// How often the statistics are gathered.
const STATS_PERIOD: Duration = Duration::from_secs(1);

/// Tells the user a sentence.
pub(crate) type Notify = Box<dyn Fn(String) + Send>;

/// One of the two tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Track {
    Audio,
    Video,
}

/// Which tracks are muted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Muted {
    pub(crate) audio: bool,
    pub(crate) video: bool,
}

impl Muted {
    pub(crate) fn set(&mut self, track: Track, muted: bool) {
        match track {
            Track::Audio => self.audio = muted,
            Track::Video => self.video = muted,
        }
    }
}

/// Whose peer connection it is, and who wants to know of it.
#[derive(Debug)]
pub(crate) struct Caller {
    /// The stream in its session.
    pub(crate) id: MediaSessionId,
    /// To the session's driver.
    pub(crate) inputs: mpsc::Sender<Input>,
}

impl Caller {
    fn tell(&self, input: Input) {
        if let Err(error) = self.inputs.try_send(input) {
            debug!(stream = %self.id, %error, "the session does not listen");
        }
    }

    fn failed(&self, error: String, severity: Severity) {
        self.tell(Input::MediaFailed {
            id: self.id.clone(),
            error,
            severity,
        });
    }
}

/// This end's address towards the server.
#[derive(Debug)]
pub(crate) enum Local {
    /// That of the socket.
    Known(IpAddr),
    /// To be found out: of a connection to this URL's host.
    Towards(String),
}

impl Local {
    async fn find(self) -> IpAddr {
        match self {
            Self::Known(address) => address,
            Self::Towards(url) => local_address_towards(&url).await.unwrap_or_else(|error| {
                // The request to the same host says it better.
                debug!(%error, "no way to the server");
                Ipv4Addr::LOCALHOST.into()
            }),
        }
    }
}

/// What a session's driver wants.
#[derive(Debug)]
enum Order {
    /// Make a peer connection and tell its offer.
    Connect(Caller, Local),
    Accept(MediaSessionId, String),
    Close(MediaSessionId),
    OnAir,
}

/// The handle of a stream's media; when the last is dropped, capturing ends.
#[derive(Debug, Clone)]
pub(crate) struct Media {
    orders: mpsc::Sender<Order>,
    muted: watch::Sender<Muted>,
    stats: watch::Receiver<Stats>,
    end: watch::Receiver<Option<Result<(), String>>>,
}

impl Media {
    /// Starts the task. The sources wait for the first connection.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(crate) fn start(sources: Sources, options: &MediaOptions, notify: Notify) -> Self {
        let (orders, order_receiver) = mpsc::channel(ORDERS);
        let (muted, muted_receiver) = watch::channel(Muted::default());
        let (stats_sender, stats) = watch::channel(Stats::default());
        let (end_sender, end) = watch::channel(None);
        let mut ticks = interval(STATS_PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let task = Task {
            sent: Sent::of(sources.format(), options),
            options: options.clone(),
            start: Instant::now(),
            feed: Feed::Waiting(sources),
            connection: None,
            on_air: None,
            orders: order_receiver,
            muted: muted_receiver,
            notify,
            stats: stats_sender,
            end: end_sender,
            ticks,
        };
        tokio::spawn(task.run());
        Self {
            orders,
            muted,
            stats,
            end,
        }
    }

    /// Makes a peer connection in place of the one before. The caller is told
    /// [`Input::OfferCreated`], then [`Input::MediaConnected`], or
    /// [`Input::MediaFailed`], and [`Input::Stop`] when the sources have ended.
    pub(crate) fn connect(&self, caller: Caller, local: Local) {
        self.order(Order::Connect(caller, local));
    }

    /// Gives the connection the server's answer.
    pub(crate) fn accept(&self, id: MediaSessionId, sdp: String) {
        self.order(Order::Accept(id, sdp));
    }

    /// Ends the connection, if it is still that stream's.
    pub(crate) fn close(&self, id: MediaSessionId) {
        self.order(Order::Close(id));
    }

    /// The stream is PUBLISHING.
    pub(crate) fn on_air(&self) {
        self.order(Order::OnAir);
    }

    fn order(&self, order: Order) {
        if let Err(error) = self.orders.try_send(order) {
            warn!(%error, "a stream's media is stuck or gone");
        }
    }

    /// Mutes or unmutes a track, whether connected or not.
    pub(crate) fn mute(&self, track: Track, muted: bool) {
        self.muted.send_modify(|state| state.set(track, muted));
    }

    pub(crate) fn muted(&self) -> Muted {
        *self.muted.borrow()
    }

    /// The numbers, renewed once a second.
    pub(crate) fn stats(&self) -> watch::Receiver<Stats> {
        self.stats.clone()
    }

    /// How capturing ended, if it has; an error is a sentence.
    pub(crate) fn end(&self) -> Option<Result<(), String>> {
        self.end.borrow().clone()
    }

    /// Waits until capturing has ended.
    pub(crate) async fn ended(&mut self) -> Result<(), String> {
        match self.end.wait_for(Option::is_some).await {
            Ok(end) => end.clone().unwrap_or(Ok(())),
            Err(_) => Err("the stream's task ended".to_owned()),
        }
    }
}

/// The connection and its offer.
type Offer = Result<(Box<Peer>, String), PeerError>;

type Opening = Pin<Box<dyn Future<Output = Offer> + Send>>;

/// A peer connection, or what will be one.
struct Connection {
    caller: Caller,
    stage: Stage,
}

enum Stage {
    Offering(Opening),
    Offered(Box<Peer>),
    Up(Box<Peer>),
}

enum Feed {
    Waiting(Sources),
    Running(Box<Pipeline>),
    Over,
}

/// Everything that can happen to a stream's media.
enum Happening {
    Order(Order),
    /// Nobody holds a handle any more.
    LetGo,
    Offer(Offer),
    Peer(Result<PeerEvent, PeerError>),
    Encoded(Result<Encoded, PipelineError>),
    Muted,
    Tick,
}

struct Task {
    sent: Sent,
    options: MediaOptions,
    /// RTP time zero.
    start: Instant,
    feed: Feed,
    connection: Option<Connection>,
    /// Since the first PUBLISHING.
    on_air: Option<Instant>,
    orders: mpsc::Receiver<Order>,
    muted: watch::Receiver<Muted>,
    notify: Notify,
    stats: watch::Sender<Stats>,
    end: watch::Sender<Option<Result<(), String>>>,
    ticks: Interval,
}

impl Task {
    async fn run(mut self) {
        loop {
            match self.next().await {
                Happening::Order(order) => self.obey(order),
                Happening::LetGo => return,
                Happening::Offer(offer) => self.handle_offer(offer),
                Happening::Peer(Ok(event)) => self.handle_peer(event),
                Happening::Peer(Err(error)) => self.fail(&error.to_string(), Severity::Passing),
                Happening::Encoded(encoded) => self.handle_encoded(encoded),
                Happening::Muted => self.apply_muted(),
                Happening::Tick => self.gather_stats(),
            }
        }
    }

    async fn next(&mut self) -> Happening {
        let connection = async {
            match &mut self.connection {
                Some(connection) => connection.next().await,
                None => pending().await,
            }
        };
        let encoded = async {
            match &mut self.feed {
                Feed::Running(pipeline) => pipeline.next().await,
                Feed::Waiting(_) | Feed::Over => pending().await,
            }
        };
        tokio::select! {
            order = self.orders.recv() => order.map_or(Happening::LetGo, Happening::Order),
            happening = connection => happening,
            encoded = encoded => Happening::Encoded(encoded),
            Ok(()) = self.muted.changed() => Happening::Muted,
            _ = self.ticks.tick() => Happening::Tick,
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Connect(caller, local) => self.connect(caller, local),
            Order::Accept(id, sdp) => self.accept(&id, &sdp),
            Order::Close(id) if self.is_connected_as(&id) => self.disconnect(),
            Order::Close(_) => {}
            Order::OnAir => self.note_on_air(),
        }
    }

    fn connect(&mut self, caller: Caller, local: Local) {
        self.disconnect();
        let (sent, start, options) = (self.sent, self.start, self.options.clone());
        let opening = async move {
            let local = local.find().await;
            let (peer, sdp) = Peer::offer(local, sent, &options, start).await?;
            Ok((Box::new(peer), sdp))
        };
        self.connection = Some(Connection {
            caller,
            stage: Stage::Offering(Box::pin(opening)),
        });
    }

    fn handle_offer(&mut self, offer: Offer) {
        let Some(connection) = &mut self.connection else {
            return;
        };
        match offer {
            Ok((mut peer, sdp)) => {
                peer.count_from(&self.stats.borrow().network);
                connection.stage = Stage::Offered(peer);
                connection.caller.tell(Input::OfferCreated {
                    id: connection.caller.id.clone(),
                    sdp,
                    has_audio: self.sent.audio.is_some(),
                    has_video: self.sent.video.is_some(),
                });
            }
            // A machine without a network has one again later.
            Err(error) => self.fail(&error.to_string(), Severity::Passing),
        }
    }

    fn accept(&mut self, id: &MediaSessionId, sdp: &str) {
        if !self.is_connected_as(id) {
            return;
        }
        let accepted = match self.peer() {
            Some(peer) => peer.accept(sdp),
            None => return,
        };
        if let Err(error) = accepted {
            self.fail(&error.to_string(), Severity::Fatal);
        }
    }

    fn handle_peer(&mut self, event: PeerEvent) {
        match event {
            PeerEvent::Connected => self.handle_connected(),
            PeerEvent::KeyframeRequested => {
                if let Feed::Running(pipeline) = &self.feed {
                    pipeline.controls().request_keyframe();
                }
            }
            PeerEvent::Bandwidth(bps) => {
                if let Feed::Running(pipeline) = &self.feed {
                    pipeline.controls().set_bandwidth(Some(bps));
                }
            }
            PeerEvent::Notice(text) => (self.notify)(text),
        }
    }

    fn handle_connected(&mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        if let Stage::Offered(peer) = connection.stage {
            connection.stage = Stage::Up(peer);
        }
        let id = connection.caller.id.clone();
        connection.caller.tell(Input::MediaConnected { id });
        self.connection = Some(connection);
        match std::mem::replace(&mut self.feed, Feed::Over) {
            Feed::Waiting(sources) => self.start_pipeline(sources),
            Feed::Running(mut pipeline) => {
                pipeline.resume();
                self.feed = Feed::Running(pipeline);
            }
            Feed::Over => {}
        }
    }

    fn start_pipeline(&mut self, sources: Sources) {
        match Pipeline::start(sources, &self.options) {
            Ok(pipeline) => {
                self.feed = Feed::Running(Box::new(pipeline));
                self.apply_muted();
            }
            Err(error) => self.end(Err(format!("cannot start capturing: {error}"))),
        }
    }

    fn handle_encoded(&mut self, encoded: Result<Encoded, PipelineError>) {
        match encoded {
            Ok(Encoded::Notice(text)) => (self.notify)(text),
            Ok(Encoded::End) => self.end(Ok(())),
            Ok(media @ (Encoded::Video(_) | Encoded::Audio(_))) => self.send(media),
            Err(error) => self.end(Err(error.to_string())),
        }
    }

    /// A pipeline that rests gives nothing to send; what slips through while
    /// nobody can be sent to is thrown away.
    fn send(&mut self, media: Encoded) {
        let Some(Connection {
            stage: Stage::Up(peer),
            ..
        }) = &mut self.connection
        else {
            return;
        };
        let sent = match media {
            Encoded::Video(frame) => peer.send_video(frame),
            Encoded::Audio(packet) => peer.send_audio(packet),
            Encoded::Notice(_) | Encoded::End => Ok(()),
        };
        if let Err(error) = sent {
            self.fail(&error.to_string(), Severity::Passing);
        }
    }

    /// Capturing is over, and with it the stream.
    fn end(&mut self, end: Result<(), String>) {
        self.gather_stats();
        self.feed = Feed::Over;
        if let Some(Connection { caller, .. }) = &self.connection {
            match &end {
                Ok(()) => caller.tell(Input::Stop(caller.id.clone())),
                Err(error) => caller.failed(error.clone(), Severity::Fatal),
            }
        }
        self.end.send_replace(Some(end));
    }

    /// The connection is over, or cannot be.
    fn fail(&mut self, error: &str, severity: Severity) {
        if let Some(Connection { caller, .. }) = &self.connection {
            caller.failed(error.to_owned(), severity);
        }
        self.disconnect();
    }

    fn disconnect(&mut self) {
        self.gather_network();
        self.connection = None;
        if let Feed::Running(pipeline) = &mut self.feed {
            pipeline.pause();
            pipeline.controls().set_bandwidth(None);
        }
    }

    fn is_connected_as(&self, id: &MediaSessionId) -> bool {
        let connection = self.connection.as_ref();
        connection.is_some_and(|connection| connection.caller.id == *id)
    }

    fn peer(&mut self) -> Option<&mut Peer> {
        match &mut self.connection.as_mut()?.stage {
            Stage::Offering(_) => None,
            Stage::Offered(peer) | Stage::Up(peer) => Some(peer),
        }
    }

    fn apply_muted(&mut self) {
        let muted = *self.muted.borrow_and_update();
        if let Feed::Running(pipeline) = &self.feed {
            pipeline.controls().mute(muted.audio, muted.video);
        }
    }

    fn note_on_air(&mut self) {
        if self.on_air.is_some() {
            self.stats.send_modify(|stats| stats.reconnects += 1);
        } else {
            self.on_air = Some(Instant::now());
        }
    }

    /// Renews what there is news of; what is over keeps its last numbers.
    fn gather_stats(&mut self) {
        let on_air = self.on_air.map(|since| since.elapsed());
        let media = match &mut self.feed {
            Feed::Running(pipeline) => Some(pipeline.stats(Instant::now())),
            Feed::Waiting(_) | Feed::Over => None,
        };
        self.stats.send_modify(|stats| {
            stats.on_air = on_air.unwrap_or_default();
            if let Some((video, audio)) = media {
                (stats.video, stats.audio) = (video, audio);
            }
        });
        self.gather_network();
    }

    fn gather_network(&mut self) {
        if let Some(peer) = self.peer() {
            let network = peer.stats();
            self.stats.send_modify(|stats| stats.network = network);
        }
    }
}

impl Connection {
    async fn next(&mut self) -> Happening {
        match &mut self.stage {
            Stage::Offering(opening) => Happening::Offer(opening.await),
            Stage::Offered(peer) | Stage::Up(peer) => Happening::Peer(peer.next().await),
        }
    }
}
