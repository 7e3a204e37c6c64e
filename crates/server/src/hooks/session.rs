//! Which of a client's requests the application is asked about, and which it is told.

use std::net::SocketAddr;

use wire::{ClientMessage, Connection, PlayStream, PublishStream, StopStream};

use super::body::Body;
use super::{Hooks, Method};
use crate::access::Denied;
use crate::core::{Endpoint, ResourcePath};

/// The application of a client that names none: of one without a `connection`.
const DEFAULT_APP: &str = "defaultApp";

/// One client: a WebSocket, or an HTTP request for media. Dropped, nothing is kept of it
/// unless the core has its session.
#[derive(Debug)]
pub struct Session {
    hooks: Hooks,
    id: String,
    app_key: String,
    origin: Option<String>,
    /// The application let it connect.
    connected: bool,
    /// Something is kept of what it said then.
    kept: bool,
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.kept {
            self.hooks.shared.forget_policies(&self.id, false);
        }
    }
}

impl Hooks {
    /// A client from `remote` at our own address `local`, with a page of `origin`
    /// (RFC 6454 section 7), if it says so.
    pub fn session(
        &self,
        remote: SocketAddr,
        local: SocketAddr,
        origin: Option<String>,
    ) -> Session {
        Session {
            hooks: self.clone(),
            id: format!("/{remote}/{local}"),
            app_key: DEFAULT_APP.to_owned(),
            origin,
            connected: false,
            kept: false,
        }
    }
}

impl Session {
    /// Asks the application about what is to be asked, and tells it of what is to be
    /// told; everything else is allowed. `token` is what the client shows, if the
    /// application is to know it.
    ///
    /// # Errors
    /// The application refuses, or cannot be asked and [`OnError`](super::OnError) is to
    /// deny.
    pub async fn ask(
        &mut self,
        message: &ClientMessage,
        token: Option<&str>,
    ) -> Result<(), Denied> {
        match message {
            ClientMessage::Connection(request) => self.connect(request, token).await,
            // Before `connection` the core refuses all of these.
            ClientMessage::PublishStream(request) if self.connected => {
                self.publish(request, token).await
            }
            ClientMessage::PlayStream(request) if self.connected => self.play(request, token).await,
            ClientMessage::StopStream(request) if self.connected => {
                self.tell_stop(Method::StopStream, request);
                Ok(())
            }
            ClientMessage::UnPublishStream(request) if self.connected => {
                self.tell_stop(Method::UnPublishStream, request);
                Ok(())
            }
            ClientMessage::PublishStream(_)
            | ClientMessage::PlayStream(_)
            | ClientMessage::StopStream(_)
            | ClientMessage::UnPublishStream(_)
            | ClientMessage::AvailableStream(_)
            | ClientMessage::Snapshot(_)
            | ClientMessage::SendStreamEvent(_)
            | ClientMessage::SendData(_)
            | ClientMessage::DataStatusEvent(_)
            | ClientMessage::SessionDebug(_)
            | ClientMessage::PauseStream(_)
            | ClientMessage::Ping
            | ClientMessage::Pong
            | ClientMessage::ConnectMediaTransport
            | ClientMessage::Diagnostics { .. }
            | ClientMessage::Call { .. }
            | ClientMessage::Unknown { .. } => Ok(()),
        }
    }

    /// Asks whether an HTTP request may make a resource.
    ///
    /// # Errors
    /// As [`Session::ask`].
    pub async fn ask_offer(
        &self,
        path: &ResourcePath,
        sdp: &str,
        token: Option<&str>,
    ) -> Result<(), Denied> {
        let (id, name) = (Some(path.id.clone()), Some(path.name.clone()));
        let has = |kind| sdp.contains(&format!("\nm={kind} "));
        let (has_audio, has_video) = (has("audio"), has("video"));
        let media_provider = String::from("WebRTC");
        match path.endpoint {
            Endpoint::Whip => {
                let request = PublishStream {
                    media_session_id: id,
                    name,
                    has_audio,
                    has_video,
                    media_provider,
                    sdp: sdp.to_owned(),
                    ..PublishStream::default()
                };
                self.publish(&request, token).await
            }
            Endpoint::Whep => {
                let request = PlayStream {
                    media_session_id: id,
                    name,
                    has_audio,
                    has_video,
                    media_provider,
                    sdp: sdp.to_owned(),
                    ..PlayStream::default()
                };
                self.play(&request, token).await
            }
        }
    }

    /// A second `connection` is none: the core refuses it.
    async fn connect(&mut self, request: &Connection, token: Option<&str>) -> Result<(), Denied> {
        if self.connected {
            return Ok(());
        }
        self.app_key.clone_from(&request.app_key);
        let body = self.body().connect(request, self.origin.as_deref(), token);
        let said = self.hooks.ask(Method::Connect, &self.id, body.0).await?;
        self.connected = true;
        if let Some(said) = said {
            self.kept = self.hooks.shared.keep_policies(&self.id, &said);
        }
        Ok(())
    }

    async fn publish(&self, request: &PublishStream, token: Option<&str>) -> Result<(), Denied> {
        let body = self.body().publish(request, token);
        let asked = self.hooks.ask(Method::PublishStream, &self.id, body.0);
        asked.await.map(drop)
    }

    async fn play(&self, request: &PlayStream, token: Option<&str>) -> Result<(), Denied> {
        let body = self.body().play(request, token);
        let asked = self.hooks.ask(Method::PlayStream, &self.id, body.0);
        asked.await.map(drop)
    }

    fn tell_stop(&self, method: Method, request: &StopStream) {
        let body = self.body().stop(request, method == Method::UnPublishStream);
        self.hooks.tell(method, &self.id, body.0);
    }

    fn body(&self) -> Body {
        Body::default()
            .set("nodeId", self.hooks.shared.client.node_id())
            .set("appKey", self.app_key.as_str())
            .set("sessionId", self.id.as_str())
    }
}
