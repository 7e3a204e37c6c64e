//! The access token: it reaches the server and nobody else, whatever is logged.
//! All that this process logs is looked at, so it is alone in its file.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

#[path = "targets/handmade.rs"]
mod handmade;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use handmade::{Handmade, response};
use tracing::level_filters::LevelFilter;
use twoway_publisher::{Options, Publisher, Target, TestPicture, Token};

const SECRET: &str = "s3cret-0123456789";

/// Where the log goes.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_seen_by_the_server_alone() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let server = Handmade::start(|_| response("401 Unauthorized", &[])).await;
    let mut told = String::new();
    for scheme in SCHEMES {
        let target = Target::parse(&format!("{scheme}://{}", server.addr), Some("test")).unwrap();
        let mut options = Options::new(target.server, target.name);
        options.session.token = Some(Token::new(SECRET).unwrap());
        options.retry.give_up_after = Some(Duration::ZERO);
        told += &format!("{options:?}\n");
        let source = TestPicture::new("320x180".parse().unwrap(), 30);
        let mut publisher = Publisher::connect(options, source);
        while let Some(event) = publisher.event().await {
            told += &format!("{event:?}\n");
        }
        let error = publisher.wait().await.unwrap_err();
        told += &format!("{error:?} {error}\n");
    }
    let asked = server.requests();
    assert_eq!(asked.len(), SCHEMES.len());
    for request in asked {
        let header = format!("authorization: Bearer {SECRET}\r\n");
        assert!(request.contains(&header), "{request}");
    }
    // It was looked at closely.
    assert!(told.contains("401"), "{told}");
    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(log.contains("TRACE") && log.contains("hyper"), "{log}");
    for text in [told, log] {
        let line = text.lines().find(|line| line.contains(SECRET));
        assert_eq!(line, None);
    }
}

/// Both kinds of signalling.
const SCHEMES: [&str; 2] = ["ws", "http"];
