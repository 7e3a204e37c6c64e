//! The task of one stream's media.

use std::future::pending;
use std::time::{Duration, Instant};

use session::{Input, Severity};
use tokio::time::{Interval, MissedTickBehavior, interval};
use wire::MediaSessionId;

use super::connection::{Connection, Event, Offer};
use super::playback::Playback;
use super::{Caller, Hold, Local, Notify, Order};
use crate::peer::{PeerError, PeerEvent};
use crate::pipeline::{Encoded, Pipeline, PipelineError, Sent};
use crate::{MediaOptions, Sources};

/// How often the statistics are gathered.
const STATS_PERIOD: Duration = Duration::from_secs(1);

pub(super) struct Task {
    sent: Sent,
    options: MediaOptions,
    /// RTP time zero.
    start: Instant,
    feed: Feed,
    connection: Option<Connection>,
    playback: Playback,
    /// Since the first PUBLISHING.
    on_air: Option<Instant>,
    notify: Notify,
    hold: Hold,
    ticks: Interval,
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
    Connection(Event),
    Encoded(Result<Encoded, PipelineError>),
    PlaybackOver(PeerError),
    Muted,
    Tick,
}

impl Task {
    pub(super) fn new(
        sources: Sources,
        options: &MediaOptions,
        notify: Notify,
        hold: Hold,
    ) -> Self {
        let mut ticks = interval(STATS_PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            sent: Sent::of(sources.format(), options),
            options: options.clone(),
            start: Instant::now(),
            feed: Feed::Waiting(sources),
            connection: None,
            playback: Playback::default(),
            on_air: None,
            notify,
            hold,
            ticks,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            match self.next().await {
                Happening::Order(order) => self.obey(order).await,
                Happening::LetGo => return,
                Happening::Connection(Event::Offer(offer)) => self.handle_offer(offer),
                Happening::Connection(Event::Peer(Ok(event))) => self.handle_peer(event),
                Happening::Connection(Event::Peer(Err(error))) => {
                    self.fail(&error.to_string(), Severity::Passing);
                }
                Happening::Encoded(encoded) => self.handle_encoded(encoded),
                Happening::PlaybackOver(error) => self.playback.fail(&error),
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
            order = self.hold.orders.recv() => order.map_or(Happening::LetGo, Happening::Order),
            event = connection => Happening::Connection(event),
            encoded = encoded => Happening::Encoded(encoded),
            error = self.playback.run() => Happening::PlaybackOver(error),
            Ok(()) = self.hold.muted.changed() => Happening::Muted,
            _ = self.ticks.tick() => Happening::Tick,
        }
    }

    async fn obey(&mut self, order: Order) {
        match order {
            Order::Connect(caller, local) => self.connect(caller, local),
            Order::Monitor(caller) => self.monitor(caller).await,
            Order::Accept(id, sdp) if self.playback.is_of(&id) => self.playback.accept(&sdp),
            Order::Accept(id, sdp) if self.is_connected_as(&id) => self.accept(&sdp),
            Order::Close(id) if self.playback.is_of(&id) => self.playback.close(),
            Order::Close(id) if self.is_connected_as(&id) => self.disconnect(),
            Order::Accept(..) | Order::Close(_) => {}
            Order::OnAir => self.note_on_air(),
        }
    }

    fn connect(&mut self, caller: Caller, local: Local) {
        self.disconnect();
        let connection = Connection::open(caller, local, self.sent, &self.options, self.start);
        self.connection = Some(connection);
    }

    async fn monitor(&mut self, caller: Caller) {
        let connection = self.connection.as_ref();
        match connection.and_then(Connection::local_address) {
            Some(local) => {
                let connecting = self.playback.connect(caller, local, self.sent, self.start);
                connecting.await;
            }
            None => caller.failed("the stream is off air".to_owned(), Severity::Passing),
        }
    }

    fn handle_offer(&mut self, offer: Result<Offer, PeerError>) {
        let Some(connection) = &mut self.connection else {
            return;
        };
        match offer {
            Ok(offer) => {
                let sdp = connection.take(offer);
                if let Some(peer) = connection.peer() {
                    peer.count_from(&self.hold.stats.borrow().network);
                }
                connection.caller.offered(sdp, self.sent);
            }
            // A machine without a network has one again later.
            Err(error) => self.fail(&error.to_string(), Severity::Passing),
        }
    }

    fn accept(&mut self, sdp: &str) {
        let peer = self.connection.as_mut().and_then(Connection::peer);
        if let Some(Err(error)) = peer.map(|peer| peer.accept(sdp)) {
            self.fail(&error.to_string(), Severity::Fatal);
        }
    }

    fn handle_peer(&mut self, event: PeerEvent) {
        match (event, &self.feed) {
            (PeerEvent::Connected, _) => self.handle_connected(),
            (PeerEvent::KeyframeRequested, Feed::Running(pipeline)) => {
                pipeline.controls().request_keyframe();
            }
            (PeerEvent::Bandwidth(bps), Feed::Running(pipeline)) => {
                pipeline.controls().set_bandwidth(Some(bps));
            }
            (PeerEvent::KeyframeRequested | PeerEvent::Bandwidth(_), _) => {}
            (PeerEvent::Notice(text), _) => (self.notify)(text),
        }
    }

    fn handle_connected(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        connection.caller.connected();
        self.connection = Some(connection.set_up());
        match std::mem::replace(&mut self.feed, Feed::Over) {
            Feed::Waiting(sources) => self.start_pipeline(sources),
            Feed::Running(mut pipeline) => {
                pipeline.resume();
                self.feed = Feed::Running(pipeline);
            }
            Feed::Over => self.tell_end(),
        }
    }

    /// The sources ended while there was nobody to tell.
    fn tell_end(&mut self) {
        let end = self.hold.end.borrow().clone();
        if let Some(end) = end {
            self.end(end);
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
        let Some(peer) = self.connection.as_mut().and_then(Connection::peer_up) else {
            return;
        };
        let sent = match media {
            Encoded::Video(frame) => {
                self.playback.note_sent(&frame);
                peer.send_video(frame)
            }
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
        self.hold.end.send_replace(Some(end));
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

    fn apply_muted(&mut self) {
        let muted = *self.hold.muted.borrow_and_update();
        if let Feed::Running(pipeline) = &self.feed {
            pipeline.controls().mute(muted.audio, muted.video);
        }
    }

    fn note_on_air(&mut self) {
        if self.on_air.is_some() {
            self.hold.stats.send_modify(|stats| stats.reconnects += 1);
        } else {
            self.on_air = Some(Instant::now());
        }
    }

    /// Renews what there is news of; what is over keeps its last numbers.
    fn gather_stats(&mut self) {
        let now = Instant::now();
        let on_air = self.on_air.map(|since| now.duration_since(since));
        let monitor = self.playback.stats(now);
        let media = match &mut self.feed {
            Feed::Running(pipeline) => Some(pipeline.stats(now)),
            Feed::Waiting(_) | Feed::Over => None,
        };
        self.hold.stats.send_modify(|stats| {
            stats.on_air = on_air.unwrap_or_default();
            stats.monitor = monitor;
            if let Some((video, audio)) = media {
                (stats.video, stats.audio) = (video, audio);
            }
        });
        self.gather_network();
    }

    fn gather_network(&mut self) {
        let peer = self.connection.as_mut().and_then(Connection::peer);
        let Some(network) = peer.map(|peer| peer.stats()) else {
            return;
        };
        if let Feed::Running(pipeline) = &self.feed {
            let loss = network.loss.unwrap_or_default();
            pipeline.controls().set_expected_loss(loss);
        }
        self.hold.stats.send_modify(|stats| stats.network = network);
    }
}
