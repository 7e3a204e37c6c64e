//! The `twoway-publish` command: arguments in, statuses out, exit codes.

mod arguments;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use arguments::Arguments;
use tokio::time::{Instant, sleep_until};
use tracing_subscriber::EnvFilter;
use twoway_publisher::{
    Error, Event, Publisher, PublisherEvent, SessionStatus, StreamStatus, StreamUpdate, TestPicture,
};

/// The connection failed or was lost.
const EXIT_CONNECTION: u8 = 1;
/// The arguments make no sense.
const EXIT_USAGE: u8 = 2;
/// The server refused the stream or ended it.
const EXIT_REFUSED: u8 = 3;
/// The source, an encoder or the media connection failed.
const EXIT_MEDIA: u8 = 4;

/// What is logged unless `RUST_LOG` says otherwise. Bad certificates are told of
/// in a sentence of our own.
const LOG: &str = "warn,rustls_platform_verifier=off";

fn main() -> ExitCode {
    let arguments = match arguments::read() {
        Ok(Some(arguments)) => arguments,
        Ok(None) => return ExitCode::SUCCESS,
        Err(sentence) => return fail(&sentence, EXIT_USAGE),
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| LOG.into()))
        .with_writer(io::stderr)
        .init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start: {error}"), EXIT_MEDIA),
    };
    match runtime.block_on(publish(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = match error {
                Error::Connection(_) => EXIT_CONNECTION,
                Error::Refused(_) => EXIT_REFUSED,
                Error::Media(_) => EXIT_MEDIA,
            };
            fail(&error.to_string(), code)
        }
    }
}

fn fail(sentence: &str, code: u8) -> ExitCode {
    // With stderr gone there is nobody left to tell.
    let _ = writeln!(io::stderr(), "twoway-publish: {sentence}");
    code.into()
}

/// Publishes until the server, a signal or the duration ends it.
async fn publish(arguments: Arguments) -> Result<(), Error> {
    let mut signals = Signals::new().map_err(|error| Error::Media(error.to_string()))?;
    let source = TestPicture::new(arguments.size, arguments.fps);
    let mut publisher = Publisher::connect(arguments.options, source);
    let mut end: Option<Instant> = None;
    loop {
        let duration_over = async {
            match end {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            event = publisher.event() => match event {
                Some(event) => {
                    if is_publishing(&event) {
                        let duration = arguments.duration;
                        end = duration.map(|duration: Duration| Instant::now() + duration);
                    }
                    print(&event);
                }
                None => break,
            },
            () = signals.next() => publisher.stop(),
            () = duration_over => {
                end = None;
                publisher.stop();
            }
        }
    }
    publisher.wait().await
}

fn is_publishing(event: &PublisherEvent) -> bool {
    matches!(event, PublisherEvent::Signalling(Event::Stream(update)) if update.status == StreamStatus::Publishing)
}

/// One line a status, for people and scripts.
fn print(event: &PublisherEvent) {
    let event = match event {
        PublisherEvent::Signalling(event) => event,
        PublisherEvent::Reconnecting { .. } | PublisherEvent::Notice(_) => return,
    };
    let line = match event {
        Event::Session { status, reason } => {
            format!(
                "session: {}{}",
                session_status(*status),
                in_parentheses(reason.as_deref())
            )
        }
        Event::Stream(update) => stream_line(update),
        Event::Warning(text) => format!("warning: {text}"),
        Event::StreamEvent { .. }
        | Event::Available { .. }
        | Event::AppData(_)
        | Event::VideoRate { .. } => return,
    };
    // A closed pipe must not end the stream.
    let _ = writeln!(io::stdout(), "{line}");
}

fn stream_line(update: &StreamUpdate) -> String {
    let why = match (&update.info, &update.error) {
        (Some(info), Some(error)) => Some(format!("{info}: {error}")),
        (info, error) => info.clone().or_else(|| error.clone()),
    };
    format!(
        "stream {}: {}{}",
        update.name.as_str(),
        update.status.as_str(),
        in_parentheses(why.as_deref())
    )
}

fn in_parentheses(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!(" ({text})"))
}

fn session_status(status: SessionStatus) -> &'static str {
    match status {
        SessionStatus::Pending => "PENDING",
        SessionStatus::Connected => "CONNECTED",
        SessionStatus::Established => "ESTABLISHED",
        SessionStatus::Disconnected => "DISCONNECTED",
        SessionStatus::Failed => "FAILED",
    }
}

/// Ctrl-C, and SIGTERM where there is such a thing.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
