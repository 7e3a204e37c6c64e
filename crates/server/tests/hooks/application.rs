//! An application for hooks, and what is none.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::client::soon;

/// What the application was sent.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) raw: Bytes,
    pub(crate) body: Value,
}

impl Call {
    pub(crate) fn method(&self) -> &str {
        self.path.rsplit('/').next().unwrap()
    }

    /// In one line: the method, and what it is about.
    pub(crate) fn line(&self) -> String {
        let text = |member: &str| self.body[member].as_str().unwrap_or_default().to_owned();
        let words = [
            self.method().into(),
            text("name"),
            text("status"),
            text("info"),
        ];
        let words = words.into_iter().filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join(" ")
    }
}

/// What a method is answered with.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// 200 and this.
    Json(Value),
    /// This, and a text that is nobody's business.
    Status(u16),
    /// 200 and nothing.
    Empty,
    /// The body as it came, once [`Application::release`] lets it.
    Late,
}

#[derive(Debug, Clone)]
struct Shared {
    answers: Arc<Mutex<HashMap<String, Answer>>>,
    calls: mpsc::UnboundedSender<Call>,
    /// How many are being answered now, and were at most.
    under_way: Arc<Mutex<(usize, usize)>>,
    released: watch::Sender<bool>,
}

/// Echoes what it is sent, as Web Call Server's own does, unless it is told otherwise.
pub(crate) struct Application {
    pub(crate) url: String,
    shared: Shared,
    calls: mpsc::UnboundedReceiver<Call>,
    serving: JoinHandle<()>,
}

impl Drop for Application {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Application {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/apps/Test", listener.local_addr().unwrap());
        let (sender, calls) = mpsc::unbounded_channel();
        let shared = Shared {
            answers: Arc::default(),
            calls: sender,
            under_way: Arc::default(),
            released: watch::Sender::new(false),
        };
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            shared,
            calls,
            serving,
        }
    }

    pub(crate) fn answer(&self, method: &str, answer: Answer) {
        let mut answers = self.shared.answers.lock().unwrap();
        answers.insert(method.into(), answer);
    }

    /// Answers what is late.
    pub(crate) fn release(&self) {
        self.shared.released.send_replace(true);
    }

    /// Most requests at a time so far.
    pub(crate) fn most_at_a_time(&self) -> usize {
        self.shared.under_way.lock().unwrap().1
    }

    /// The next request.
    pub(crate) async fn call(&mut self) -> Call {
        soon(self.calls.recv()).await.unwrap()
    }

    /// The next request of this method; those before it are skipped.
    pub(crate) async fn call_of(&mut self, method: &str) -> Call {
        loop {
            let call = self.call().await;
            if call.method() == method {
                return call;
            }
        }
    }

    /// The next requests, each in one line.
    pub(crate) async fn lines(&mut self, count: usize) -> Vec<String> {
        let mut lines = Vec::new();
        while lines.len() < count {
            lines.push(self.call().await.line());
        }
        lines
    }

    /// What came and nobody has looked at.
    pub(crate) fn rest(&mut self) -> Vec<Call> {
        std::iter::from_fn(|| self.calls.try_recv().ok()).collect()
    }
}

async fn answer(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    raw: Bytes,
) -> Response {
    let under_way = UnderWay::new(&shared);
    let body: Value = serde_json::from_slice(&raw).unwrap();
    let call = Call {
        path: uri.to_string(),
        headers,
        raw,
        body: body.clone(),
    };
    let answer = shared.answers.lock().unwrap().get(call.method()).cloned();
    // A test may have seen enough.
    let _ = shared.calls.send(call);
    let response = match answer {
        None => Json(body).into_response(),
        Some(Answer::Json(said)) => Json(said).into_response(),
        Some(Answer::Empty) => StatusCode::OK.into_response(),
        Some(Answer::Status(status)) => {
            let status = StatusCode::from_u16(status).unwrap();
            (status, "the application's own words").into_response()
        }
        Some(Answer::Late) => {
            let mut released = shared.released.subscribe();
            released.wait_for(|released| *released).await.unwrap();
            Json(body).into_response()
        }
    };
    drop(under_way);
    response
}

/// Counts a request while it is answered.
struct UnderWay(Arc<Mutex<(usize, usize)>>);

impl UnderWay {
    fn new(shared: &Shared) -> Self {
        let counts = Arc::clone(&shared.under_way);
        {
            let (now, most) = &mut *counts.lock().unwrap();
            *now += 1;
            *most = (*most).max(*now);
        }
        Self(counts)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.lock().unwrap().0 -= 1;
    }
}

/// How an application fails.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// Nobody listens.
    Down,
    /// The connection is taken, and nothing comes.
    Hangs,
    /// It sends this, and closes the connection.
    Says(&'static str),
    /// It answers 200 and does not stop.
    Endless,
}

/// Every fault there is a defence against.
pub(crate) const FAULTS: &[Fault] = &[
    Fault::Down,
    Fault::Hangs,
    Fault::Says(""),
    Fault::Says("220 mail.example ESMTP\r\n"),
    Fault::Says("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
    Fault::Says("HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>Log in!</"),
    Fault::Says("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n{}"),
    Fault::Says("HTTP/1.1 204 No Content\r\n\r\n"),
    Fault::Says("HTTP/1.1 302 Found\r\nLocation: /apps/Other\r\nContent-Length: 0\r\n\r\n"),
    Fault::Says("HTTP/1.1 999 Beyond\r\nContent-Length: 2\r\n\r\n{}"),
    Fault::Endless,
];

/// A faulty application, until it is dropped.
pub(crate) struct Faulty {
    pub(crate) url: String,
    serving: Option<JoinHandle<()>>,
}

impl Drop for Faulty {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

impl Faulty {
    pub(crate) async fn start(fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let serving = match fault {
            Fault::Down => None,
            Fault::Hangs | Fault::Says(_) | Fault::Endless => {
                Some(tokio::spawn(fail(listener, fault)))
            }
        };
        Self { url, serving }
    }
}

async fn fail(listener: TcpListener, fault: Fault) {
    let mut open = Vec::new();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        // The whole head at least, lest the answer comes before the question.
        let mut seen = Vec::new();
        while !seen.windows(4).any(|four| four == b"\r\n\r\n") {
            if stream.read_buf(&mut seen).await.unwrap_or(0) == 0 {
                break;
            }
        }
        match fault {
            Fault::Down | Fault::Hangs => open.push(stream),
            // The server may have seen enough at any time.
            Fault::Says(text) => drop(stream.write_all(text.as_bytes()).await),
            Fault::Endless => {
                let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
                let mut chunk = head.to_owned();
                while stream.write_all(chunk.as_bytes()).await.is_ok() {
                    chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
                }
            }
        }
    }
}
