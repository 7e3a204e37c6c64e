//! One WebSocket to a Janus: requests and their answers.

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::message::{
    Body, Candidate, Created, Description, Envelope, Incoming, Jsep, Kind, Reply, Request,
};
use super::trickle::{has_candidates, with_candidates};
use super::{ANSWER_WITHIN, Error, MESSAGE_BYTES, Result};

const PROTOCOL: &str = "janus-protocol";
const PLUGIN: &str = "janus.plugin.videoroom";

/// A WebSocket, with the session and the handle on it.
#[derive(Debug)]
pub(super) struct Connection {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: Option<u64>,
    handle: Option<u64>,
    requests: u64,
    /// Those that Janus has sent one by one.
    candidates: Vec<Candidate>,
}

impl Connection {
    /// Connects; there is no session yet.
    pub(super) async fn open(url: &str) -> Result<Self> {
        let failed = |error: tungstenite::Error| Error::Connect {
            url: url.to_owned(),
            reason: error.to_string(),
        };
        let mut request = url.into_client_request().map_err(failed)?;
        let protocol = HeaderValue::from_static(PROTOCOL);
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", protocol);
        let config = WebSocketConfig::default().max_message_size(Some(MESSAGE_BYTES));
        let connecting = connect_async_with_config(request, Some(config), true);
        let (socket, _) = timeout(ANSWER_WITHIN, connecting)
            .await
            .map_err(|_| Error::NoAnswer {
                what: "take a connection",
            })?
            .map_err(failed)?;
        Ok(Self {
            socket,
            session: None,
            handle: None,
            requests: 0,
            candidates: Vec::new(),
        })
    }

    /// A session with a handle of the video room.
    pub(super) async fn attach(&mut self) -> Result<()> {
        self.session = Some(self.create("open a session", Request::Create).await?);
        let attach = Request::Attach { plugin: PLUGIN };
        self.handle = Some(self.create("attach its video room", attach).await?);
        Ok(())
    }

    async fn create(&mut self, what: &'static str, request: Request<'_>) -> Result<u64> {
        let Reply::Success {
            data: Some(Created { id }),
            ..
        } = self.ask(what, request).await?
        else {
            let lacks = "an id";
            return Err(Error::Lacks { what, lacks });
        };
        Ok(id)
    }

    /// Says something to the video room.
    pub(super) async fn tell(&mut self, what: &'static str, body: Body) -> Result<()> {
        self.message(what, body, None).await.map(drop)
    }

    /// Says something to the video room with a description of ours.
    pub(super) async fn describe(
        &mut self,
        what: &'static str,
        body: Body,
        kind: Kind,
        sdp: &str,
    ) -> Result<Option<Description>> {
        let jsep = Jsep {
            kind,
            sdp,
            trickle: false,
        };
        self.message(what, body, Some(jsep)).await
    }

    /// Says something to the video room and returns the description it answers with.
    pub(super) async fn message(
        &mut self,
        what: &'static str,
        body: Body,
        jsep: Option<Jsep<'_>>,
    ) -> Result<Option<Description>> {
        let answer = self.ask(what, Request::Message { body, jsep }).await?;
        let (said, description) = match answer {
            Reply::Event { plugindata, jsep } => (plugindata, jsep),
            Reply::Success { plugindata, .. } => (plugindata, None),
            Reply::Ack
            | Reply::Error { .. }
            | Reply::ServerInfo(_)
            | Reply::Trickle { .. }
            | Reply::Hangup { .. }
            | Reply::Timeout
            | Reply::Other => (None, None),
        };
        let lacks = "a word from the video room";
        let said = said.ok_or(Error::Lacks { what, lacks })?;
        match said.data.error_code {
            Some(code) => Err(Error::Refused {
                what,
                code,
                reason: said.data.error.unwrap_or_default(),
            }),
            None => Ok(description),
        }
    }

    /// The description with candidates in it, waiting for them if they are to come.
    pub(super) async fn complete(&mut self, description: Description) -> Result<String> {
        if has_candidates(&description.sdp) {
            return Ok(description.sdp);
        }
        let what = "tell its addresses";
        let gathering = async {
            while !self.candidates.iter().any(|candidate| candidate.completed) {
                self.next().await?;
            }
            Ok(())
        };
        let gathered = timeout(ANSWER_WITHIN, gathering).await;
        gathered.map_err(|_| Error::NoAnswer { what })??;
        let sdp = with_candidates(&description.sdp, &self.candidates);
        if !has_candidates(&sdp) {
            let lacks = "one: it needs a network interface other than the loopback";
            return Err(Error::Lacks { what, lacks });
        }
        Ok(sdp)
    }

    /// Sends a request and waits for its answer, which is not that it arrived.
    pub(super) async fn ask(&mut self, what: &'static str, request: Request<'_>) -> Result<Reply> {
        let transaction = self.send(request).await?;
        let answering = async {
            loop {
                let incoming = self.next().await?;
                if incoming.transaction.as_ref() == Some(&transaction)
                    && !matches!(incoming.reply, Reply::Ack)
                {
                    return Ok(incoming.reply);
                }
            }
        };
        let answer = timeout(ANSWER_WITHIN, answering).await;
        let answer = answer.map_err(|_| Error::NoAnswer { what })??;
        if let Reply::Error { error } = answer {
            return Err(Error::Refused {
                what,
                code: error.code,
                reason: error.reason,
            });
        }
        Ok(answer)
    }

    /// Sends a request and returns its transaction.
    pub(super) async fn send(&mut self, request: Request<'_>) -> Result<String> {
        self.requests += 1;
        let envelope = Envelope {
            transaction: self.requests.to_string(),
            session_id: self.session,
            handle_id: match request {
                Request::Message { .. } => self.handle,
                Request::Info
                | Request::Create
                | Request::Attach { .. }
                | Request::Keepalive
                | Request::Destroy => None,
            },
            request,
        };
        let text = serde_json::to_string(&envelope).map_err(ended)?;
        self.socket.send(Message::text(text)).await.map_err(ended)?;
        Ok(envelope.transaction)
    }

    /// The next message that is of use; candidates are kept.
    ///
    /// # Errors
    /// There is none to come, for connection or session is gone.
    pub(super) async fn next(&mut self) -> Result<Incoming> {
        loop {
            let message = self.socket.next().await;
            let message = message.ok_or_else(|| ended("the connection was closed"))?;
            let Message::Text(text) = message.map_err(ended)? else {
                continue;
            };
            let incoming: Incoming = match serde_json::from_str(&text) {
                Ok(incoming) => incoming,
                Err(error) => {
                    tracing::debug!(%error, "not understood: {text}");
                    continue;
                }
            };
            tracing::trace!(?incoming);
            match &incoming.reply {
                Reply::Timeout => return Err(ended("the session timed out")),
                Reply::Trickle { candidate } => {
                    self.candidates.extend(candidate.clone());
                    return Ok(incoming);
                }
                Reply::Ack
                | Reply::Success { .. }
                | Reply::Error { .. }
                | Reply::Event { .. }
                | Reply::ServerInfo(_)
                | Reply::Hangup { .. }
                | Reply::Other => return Ok(incoming),
            }
        }
    }
}

pub(super) fn ended(reason: impl ToString) -> Error {
    Error::Ended {
        reason: reason.to_string(),
    }
}
