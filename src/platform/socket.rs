//! The signalling WebSocket (RFC 6455), behind a trait so that a test can
//! script the server.

use gloo_events::EventListener;
use thiserror::Error;
use wasm_bindgen::JsCast;
use web_sys::{MessageEvent, WebSocket};
use yew::Callback;

use super::Thrown;

/// An open or opening socket. Dropping it closes it, and no event comes after.
pub trait Socket {
    /// Sends one text frame.
    ///
    /// # Errors
    /// The socket is not open.
    fn send(&self, text: &str) -> Result<(), SocketError>;
}

/// What happens to a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketEvent {
    /// It is open.
    Opened,
    /// A text frame came.
    Message(String),
    /// It closed. The last event.
    Closed,
    /// It failed; the text is for people.
    Failed(String),
}

/// Why a socket could not be made or used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SocketError {
    /// The browser takes no such address, or not from this page (`ws:` from an
    /// `https:` page).
    #[error("{url} cannot be connected to: {cause}")]
    Address {
        /// The address asked for.
        url: String,
        /// What the browser says.
        cause: Thrown,
    },
    /// A frame could not be sent.
    #[error("sending failed: {0}")]
    Send(Thrown),
}

/// Asks for a socket.
#[derive(Debug, Clone)]
pub struct SocketRequest {
    /// Where to, used as it is.
    pub url: String,
    /// Told of every event, in order.
    pub on_event: Callback<SocketEvent>,
}

/// Opens sockets: [`browser`] on the page, a script in tests.
pub type Connect = Callback<SocketRequest, Result<Box<dyn Socket>, SocketError>>;

/// Opens the browser's own WebSockets.
pub fn browser() -> Connect {
    Callback::from(|request| Ok(Box::new(BrowserSocket::open(request)?) as Box<dyn Socket>))
}

struct BrowserSocket {
    socket: WebSocket,
    listeners: Vec<EventListener>,
}

impl BrowserSocket {
    fn open(SocketRequest { url, on_event }: SocketRequest) -> Result<Self, SocketError> {
        let socket = WebSocket::new(&url).map_err(|cause| SocketError::Address {
            url: url.clone(),
            cause: cause.into(),
        })?;
        let emit = |name, event: fn() -> SocketEvent| {
            let on_event = on_event.clone();
            EventListener::new(&socket, name, move |_| on_event.emit(event()))
        };
        let opened = emit("open", || SocketEvent::Opened);
        let closed = emit("close", || SocketEvent::Closed);
        let message = EventListener::new(&socket, "message", {
            let on_event = on_event.clone();
            move |event| {
                // Binary frames belong to other media providers: not for us.
                let data = event.unchecked_ref::<MessageEvent>().data();
                if let Some(text) = data.as_string() {
                    on_event.emit(SocketEvent::Message(text));
                }
            }
        });
        // Browsers keep the cause of an error from pages.
        let failed = EventListener::new(&socket, "error", move |_| {
            on_event.emit(SocketEvent::Failed(format!("No connection to {url}")));
        });
        Ok(Self {
            socket,
            listeners: vec![opened, closed, message, failed],
        })
    }
}

impl Socket for BrowserSocket {
    fn send(&self, text: &str) -> Result<(), SocketError> {
        self.socket
            .send_with_str(text)
            .map_err(|cause| SocketError::Send(cause.into()))
    }
}

impl Drop for BrowserSocket {
    fn drop(&mut self) {
        self.listeners.clear();
        // Closing can only be refused for a bad code, and there is none.
        let _closed = self.socket.close();
    }
}
