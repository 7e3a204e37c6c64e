//! One session, its streams and their peer connections.

use session::{Input, Severity, Signalling, StreamRole};
use wire::MediaSessionId;
use yew::Callback;

use super::{Event, Remote, SessionNumber, Shell, Update};
use crate::platform::peer::{Peer, PeerError, PeerEvent};
use crate::platform::socket::Socket;
use crate::platform::timer::Timer;
use crate::platform::warm_up::WarmUp;

/// One session and what it owns.
pub(super) struct Live {
    pub(super) number: SessionNumber,
    pub(super) session: Signalling,
    pub(super) socket: Option<Box<dyn Socket>>,
    pub(super) timer: Option<Timer>,
    /// Until the first stream, which does not wait for it.
    pub(super) warm_up: Option<WarmUp>,
    pub(super) publisher: Option<Leg>,
    pub(super) player: Option<Leg>,
}

/// One stream of the session.
pub(super) struct Leg {
    pub(super) id: MediaSessionId,
    pub(super) peer: Option<Peer>,
    /// Until its media is looked after.
    pub(super) check_up: Option<Timer>,
}

impl Live {
    pub(super) fn leg(&mut self, role: StreamRole) -> &mut Option<Leg> {
        match role {
            StreamRole::Publisher => &mut self.publisher,
            StreamRole::Player => &mut self.player,
        }
    }

    pub(super) fn role_of(&self, id: &MediaSessionId) -> Option<StreamRole> {
        let is = |leg: &Option<Leg>| leg.as_ref().is_some_and(|leg| leg.id == *id);
        if is(&self.publisher) {
            Some(StreamRole::Publisher)
        } else if is(&self.player) {
            Some(StreamRole::Player)
        } else {
            None
        }
    }
}

impl Shell {
    pub(super) fn create_offer(&mut self, id: MediaSessionId, role: StreamRole) {
        match role {
            StreamRole::Player => {
                let on_event = self.peer_callback(&id);
                self.negotiate(&id, Peer::player(on_event));
            }
            StreamRole::Publisher => self.offer_capture(id),
        }
    }

    pub(super) fn negotiate(&mut self, id: &MediaSessionId, peer: Result<Peer, PeerError>) {
        match peer {
            Ok(mut peer) => {
                peer.create_offer();
                if let Some(leg) = self.leg(id) {
                    leg.peer = Some(peer);
                }
            }
            // Queued: the session may be in the middle of its outputs.
            Err(error) => {
                let failed = PeerEvent::Failed(error);
                self.queue.push(Event::Peer(id.clone(), failed));
            }
        }
    }

    pub(super) fn peer_event(&mut self, id: MediaSessionId, event: PeerEvent) {
        let Some(role) = self.role_of(&id) else {
            return;
        };
        match event {
            PeerEvent::Offer(sdp) => {
                let (has_audio, has_video) = self.kinds(role);
                self.ask(Input::OfferCreated {
                    id,
                    sdp,
                    has_audio,
                    has_video,
                });
            }
            PeerEvent::Picture(picture) => {
                if let Some(probe) = self.peer(&id).map(|peer| peer.probe()) {
                    let remote = Remote { picture, probe };
                    self.updates.emit(Update::Remote(Some(remote)));
                }
            }
            PeerEvent::Candidate(candidate) => self.ask(Input::LocalCandidate { id, candidate }),
            PeerEvent::Connected => {
                self.check_up_later(&id);
                self.ask(Input::MediaConnected { id });
            }
            PeerEvent::Failed(error) => {
                self.media_failed(id, error.to_string(), error.severity());
            }
        }
    }

    pub(super) fn media_failed(&mut self, id: MediaSessionId, error: String, severity: Severity) {
        self.ask(Input::MediaFailed {
            id,
            error,
            severity,
        });
    }

    pub(super) fn close_media(&mut self, role: StreamRole) {
        if let Some(live) = &mut self.live {
            *live.leg(role) = None;
        }
        if role == StreamRole::Publisher {
            self.publishing_ended();
        }
        self.clear_picture(role);
    }

    pub(super) fn peer_callback(&self, id: &MediaSessionId) -> Callback<PeerEvent> {
        let id = id.clone();
        self.queue
            .callback(move |event| Event::Peer(id.clone(), event))
    }

    pub(super) fn role_of(&self, id: &MediaSessionId) -> Option<StreamRole> {
        self.live.as_ref()?.role_of(id)
    }

    pub(super) fn id_of(&mut self, role: StreamRole) -> Option<MediaSessionId> {
        let leg = self.live.as_mut()?.leg(role).as_ref()?;
        Some(leg.id.clone())
    }

    pub(super) fn leg(&mut self, id: &MediaSessionId) -> Option<&mut Leg> {
        let live = self.live.as_mut()?;
        let role = live.role_of(id)?;
        live.leg(role).as_mut()
    }

    pub(super) fn peer(&mut self, id: &MediaSessionId) -> Option<&mut Peer> {
        self.leg(id)?.peer.as_mut()
    }
}
