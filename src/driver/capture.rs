//! The publishing half's camera and microphone.

use session::{Severity, StreamRole};
use wire::MediaSessionId;

use super::{Event, Shell, Update};
use crate::platform::media::{Camera, MediaError};
use crate::platform::peer::Peer;
use crate::platform::task;

impl Shell {
    /// Offers what the camera captures, turning it on first where it is off.
    pub(super) fn offer_capture(&mut self, id: MediaSessionId) {
        if self.camera.as_ref().is_some_and(Camera::is_live) {
            self.offer_camera(&id);
            return;
        }
        self.camera = None;
        let queue = self.queue.clone();
        task::detach(async move {
            let camera = Camera::open().await;
            queue.push(Event::Camera(id, camera));
        });
    }

    pub(super) fn camera_opened(&mut self, id: MediaSessionId, camera: Result<Camera, MediaError>) {
        if self.role_of(&id).is_none() {
            // The stream ended while the user was asked; the camera goes off.
            return;
        }
        match camera {
            Ok(camera) => {
                self.updates.emit(Update::Preview(Some(camera.picture())));
                self.camera = Some(camera);
                self.offer_camera(&id);
            }
            Err(error) => self.media_failed(id, error.to_string(), Severity::Fatal),
        }
    }

    fn offer_camera(&mut self, id: &MediaSessionId) {
        let on_event = self.peer_callback(id);
        if let Some(camera) = &self.camera {
            let peer = Peer::publisher(camera, on_event);
            self.negotiate(id, peer);
        }
    }

    /// The camera goes off.
    pub(super) fn end_capture(&mut self) {
        if self.camera.take().is_some() {
            self.updates.emit(Update::Preview(None));
        }
    }

    /// Whether a stream has audio and video.
    pub(super) fn kinds(&self, role: StreamRole) -> (bool, bool) {
        match (role, &self.camera) {
            (StreamRole::Publisher, Some(camera)) => (camera.has_audio(), camera.has_video()),
            (StreamRole::Publisher, None) | (StreamRole::Player, _) => (true, true),
        }
    }
}
