//! The log: one line a message, on stderr, for people or for programs.
//!
//! A line has a time, a level, where in the program it comes from, what happened, and
//! fields: its own and those of the spans around it (`core`'s `about`), so that every line
//! about a client says which one. **Whatever clients put into a field stays one field of
//! one line**: text that is more than a word is quoted, and what controls a terminal is
//! escaped.

use std::env;
use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal, Write as _};

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, registry};

/// Outweighs the filter that is set otherwise.
const VARIABLE: &str = "RUST_LOG";

/// Only our own traces are logged: those of libraries repeat what is sent and received,
/// secrets among it.
const OURS: &str = "twoway_server";

/// What a library's line with ICE credentials has in it: that one is not logged.
const CREDENTIALS: &str = "IceCreds";

/// Names that every line in JSON has already.
const TAKEN: [&str; 4] = ["time", "level", "target", "message"];

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `time LEVEL target: message field=value`.
    Text,
    /// An object of JSON.
    Json,
}

/// What is logged and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logs {
    /// How a line looks.
    pub format: Format,
    /// What is logged, in the syntax of `RUST_LOG`, which outweighs it.
    pub filter: String,
}

impl Logs {
    /// Logs to stderr from now on.
    ///
    /// # Errors
    /// Somebody logs already.
    pub fn start(&self) -> Result<(), TryInitError> {
        let said = env::var(VARIABLE).ok().filter(|said| !said.is_empty());
        let wrong = said.as_deref().and_then(|said| {
            let parsed = EnvFilter::builder().parse(said);
            parsed.err()
        });
        let filter = said.filter(|_| wrong.is_none());
        let filter = filter.unwrap_or_else(|| self.filter.clone());
        let lines = Lines {
            format: self.format,
            coloured: self.format == Format::Text && io::stderr().is_terminal(),
        };
        registry()
            .with(EnvFilter::builder().parse_lossy(filter))
            .with(lines)
            .try_init()?;
        if let Some(error) = wrong {
            tracing::warn!(%error, "{VARIABLE} is no filter and is not used");
        }
        Ok(())
    }
}

/// Writes a line for each message.
#[derive(Debug)]
struct Lines {
    format: Format,
    coloured: bool,
}

impl<S> Layer<S> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let is_foreign = !metadata.target().starts_with(OURS);
        if is_foreign && *metadata.level() == Level::TRACE {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        if is_foreign && fields.message.contains(CREDENTIALS) {
            return;
        }
        let spans = context.event_scope(event).into_iter().flatten();
        for span in spans {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                fields.take_over(of_span);
            }
        }
        let target = fields.log_target.clone();
        let target = target.as_deref().unwrap_or(metadata.target());
        let line = self.line(*metadata.level(), target, &fields);
        // There is nobody left to tell.
        let _ = io::stderr().lock().write_all(line.as_bytes());
    }
}

impl Lines {
    fn line(&self, level: Level, target: &str, fields: &Fields) -> String {
        let mut time = String::new();
        // Writing to a String does not fail, here and below.
        let _ = SystemTime.format_time(&mut Writer::new(&mut time));
        match self.format {
            Format::Text => text(self.coloured, (&time, level, target), fields),
            Format::Json => json((&time, level, target), fields),
        }
    }
}

fn text(coloured: bool, (time, level, target): (&str, Level, &str), fields: &Fields) -> String {
    let mut line = String::new();
    let (start, end) = if coloured {
        (colour(level), "\x1b[0m")
    } else {
        ("", "")
    };
    let message = Escaped(&fields.message);
    let _ = write!(line, "{time} {start}{level:>5}{end} {target}: {message}");
    for (name, value) in &fields.named {
        let _ = match value {
            Value::String(value) => write!(line, " {name}={}", Word(value)),
            other @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_)) => write!(line, " {name}={other}"),
        };
    }
    line.push('\n');
    line
}

const fn colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        Level::DEBUG => "\x1b[34m",
        Level::TRACE => "\x1b[35m",
    }
}

fn json((time, level, target): (&str, Level, &str), fields: &Fields) -> String {
    let quoted = |text: &str| Value::from(text);
    let mut line = format!(
        "{{\"time\":{},\"level\":\"{level}\",\"target\":{},\"message\":{}",
        quoted(time),
        quoted(target),
        quoted(&fields.message)
    );
    for (name, value) in &fields.named {
        let more = if TAKEN.contains(name) { "_" } else { "" };
        let _ = write!(line, ",\"{name}{more}\":{value}");
    }
    line.push_str("}\n");
    line
}

/// What is told of a message or a span.
#[derive(Debug, Default)]
struct Fields {
    message: String,
    /// Where a message comes from that a library has logged in another way.
    log_target: Option<String>,
    named: Vec<(&'static str, Value)>,
}

impl Fields {
    /// Those of a span around it that it does not have itself.
    fn take_over(&mut self, of_span: &Self) {
        for (name, value) in &of_span.named {
            if !self.named.iter().any(|(known, _)| known == name) {
                self.named.push((name, value.clone()));
            }
        }
    }

    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(message)) => self.message = message,
            ("log.target", Value::String(target)) => self.log_target = Some(target),
            (name, _) if name.starts_with("log.") => {}
            (name, value) => {
                self.named.retain(|(known, _)| *known != name);
                self.named.push((name, value));
            }
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }
}

/// Text in which nothing ends a line or controls a terminal.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            if char.is_control() {
                write!(f, "{}", char.escape_default())?;
            } else {
                f.write_char(char)?;
            }
        }
        Ok(())
    }
}

/// A value that ends where it seems to: quoted unless it is one plain word.
struct Word<'a>(&'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |char: char| char.is_ascii_graphic() && !matches!(char, '"' | '=' | '\\');
        if !self.0.is_empty() && self.0.chars().all(is_plain) {
            f.write_str(self.0)
        } else {
            write!(f, "{:?}", self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: (&str, Level, &str) = ("now", Level::INFO, "here");

    fn fields(named: &[(&'static str, Value)]) -> Fields {
        Fields {
            message: "it\nhappened".into(),
            log_target: None,
            named: named.to_vec(),
        }
    }

    #[test]
    fn what_clients_say_stays_in_its_field() {
        let named = [
            ("client", Value::from(7)),
            ("stream", "live\n2026 ERROR x: forged a=\"b\"".into()),
            ("session", "/192.0.2.1:5/192.0.2.2:8080".into()),
            ("empty", "".into()),
            ("red", "\u{1b}[31m".into()),
        ];
        let expected = "now  INFO here: it\\nhappened client=7 \
             stream=\"live\\n2026 ERROR x: forged a=\\\"b\\\"\" \
             session=/192.0.2.1:5/192.0.2.2:8080 empty=\"\" red=\"\\u{1b}[31m\"\n";
        assert_eq!(text(false, HEAD, &fields(&named)), expected);
    }

    #[test]
    fn json_is_one_object_a_line() {
        let named = [("stream", Value::from("a\n\"b\"")), ("level", 3.into())];
        let line = json(HEAD, &fields(&named));
        assert_eq!(line.matches('\n').count(), 1);
        let read: Value = serde_json::from_str(&line).unwrap();
        let expected = serde_json::json!({
            "time": "now", "level": "INFO", "target": "here", "message": "it\nhappened",
            "stream": "a\n\"b\"", "level_": 3,
        });
        assert_eq!(read, expected);
    }

    #[test]
    fn a_line_outweighs_the_span_around_it() {
        let mut own = fields(&[("client", 1.into())]);
        own.take_over(&fields(&[("client", 2.into()), ("peer", 3.into())]));
        let expected = [("client", Value::from(1)), ("peer", 3.into())];
        assert_eq!(own.named, expected);
    }
}
