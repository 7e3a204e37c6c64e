//! The signalling WebSocket as the session sees it: opening, open, or not there.

mod upgrade;

use std::future::pending;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::Upgraded;
use session::{Input, Severity, Token};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Message};
use tracing::debug;

use crate::http::Failure;
use crate::{ServerUrl, TlsOptions};

/// A server that takes nothing for this long is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait for the server's half of the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// An open connection and this end's address.
pub(crate) struct Connection {
    stream: WebSocketStream<Upgraded>,
    local: IpAddr,
}

type Opening = Pin<Box<dyn Future<Output = Result<Connection, Failure>> + Send>>;

/// The socket.
pub(crate) enum Socket {
    /// Not opened yet, or closed.
    None,
    /// Being opened.
    Opening(Opening),
    /// Open.
    Open(Box<WebSocketStream<Upgraded>>, IpAddr),
}

impl Socket {
    /// Starts opening; [`Socket::next`] does the work.
    pub(crate) fn open(server: &ServerUrl, token: Option<&Token>, tls: &TlsOptions) -> Self {
        let (server, token, tls) = (server.clone(), token.cloned(), tls.clone());
        Self::Opening(Box::pin(async move {
            let opened = upgrade::open(&server, token.as_ref(), &tls).await;
            opened.map_err(|Failure { why, severity }| Failure {
                why: format!("cannot connect to {server}: {why}"),
                severity,
            })
        }))
    }

    /// This end's address, while the socket is open.
    pub(crate) fn local_address(&self) -> Option<IpAddr> {
        match self {
            Self::Open(_, local) => Some(*local),
            Self::None | Self::Opening(_) => None,
        }
    }

    /// What happens next to the socket, with the severity of a failure to open
    /// it. Cancelled, it loses nothing.
    pub(crate) async fn next(&mut self) -> (Input, Severity) {
        match self {
            Self::None => pending().await,
            Self::Opening(opening) => match opening.await {
                Ok(Connection { stream, local }) => {
                    *self = Self::Open(Box::new(stream), local);
                    (Input::SocketOpened, Severity::Passing)
                }
                Err(Failure { why, severity }) => {
                    *self = Self::None;
                    (Input::SocketFailed(why), severity)
                }
            },
            Self::Open(stream, _) => {
                let input = read(stream).await;
                if !matches!(input, Input::SocketMessage(_)) {
                    *self = Self::None;
                }
                (input, Severity::Passing)
            }
        }
    }

    /// Sends a text frame; what happened if that did not go well.
    pub(crate) async fn send(&mut self, text: String) -> Option<Input> {
        let Self::Open(stream, _) = self else {
            return None;
        };
        let sent = timeout(SEND_TIMEOUT, stream.send(Message::text(text))).await;
        let failure = match sent {
            Ok(Ok(())) => return None,
            // Whoever closed it, reading tells.
            Ok(Err(tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed)) => {
                return None;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the server takes no more messages".to_owned(),
        };
        *self = Self::None;
        Some(Input::SocketFailed(failure))
    }

    /// Closes the socket in an orderly way, if it is open.
    pub(crate) async fn close(&mut self) {
        let Self::Open(mut stream, _) = std::mem::replace(self, Self::None) else {
            return;
        };
        let closing = async {
            stream.as_mut().close(None).await?;
            while let Some(message) = stream.next().await {
                message?;
            }
            Ok::<(), tungstenite::Error>(())
        };
        match timeout(CLOSE_TIMEOUT, closing).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!(%error, "closing handshake"),
            Err(_) => debug!("the server did not answer the close"),
        }
    }
}

async fn read(stream: &mut WebSocketStream<Upgraded>) -> Input {
    loop {
        match stream.next().await {
            Some(Ok(Message::Text(text))) => return Input::SocketMessage(text.to_string()),
            Some(Ok(Message::Close(_))) | None => return Input::SocketClosed,
            Some(Ok(Message::Binary(_))) => debug!("binary message dropped"),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            Some(Err(error)) => return broken(&error),
        }
    }
}

/// A reset is a close, however it came; anything else is a failure.
fn broken(error: &tungstenite::Error) -> Input {
    let closed = if let tungstenite::Error::Io(error) = error {
        matches!(
            error.kind(),
            io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof
        )
    } else {
        matches!(
            error,
            tungstenite::Error::ConnectionClosed
                | tungstenite::Error::AlreadyClosed
                | tungstenite::Error::Protocol(
                    tungstenite::error::ProtocolError::ResetWithoutClosingHandshake
                )
        )
    };
    if closed {
        Input::SocketClosed
    } else {
        Input::SocketFailed(error.to_string())
    }
}
