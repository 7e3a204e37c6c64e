//! The envelope: `{"message": name, "data": [argument, ...]}`.

use serde_json::Value;
use thiserror::Error;

use crate::lenient::{self, BadArgument, FromMembers, Members};
use crate::strict::{ToMembers, Writer};

/// Why a text message could not be understood.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// Not JSON, or JSON that is not an envelope.
    #[error("not a signalling message: {0}")]
    Envelope(#[from] BadEnvelope),
    /// A known message whose argument has the wrong shape.
    #[error("bad argument of {message}: {source}")]
    Argument {
        /// The message's name.
        message: String,
        /// What is wrong with it.
        source: BadArgument,
    },
}

/// What is wrong with an envelope.
#[derive(Debug, Error)]
pub enum BadEnvelope {
    /// Not JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// JSON, but no object.
    #[error("not an object")]
    NoObject,
    /// An object without the message's name.
    #[error("no message name")]
    NoName,
}

/// A message taken apart; `data` may be missing or no array.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) message: String,
    data: Vec<Value>,
}

impl Envelope {
    pub(crate) fn decode(text: &str) -> Result<Self, BadEnvelope> {
        let Value::Object(members) = serde_json::from_str(text)? else {
            return Err(BadEnvelope::NoObject);
        };
        let mut members = Members::new(members);
        let Some(Value::String(message)) = members.value("message") else {
            return Err(BadEnvelope::NoName);
        };
        let data = match members.value("data") {
            Some(Value::Array(data)) => data,
            Some(_) | None => Vec::new(),
        };
        Ok(Self { message, data })
    }

    /// The first argument, which is an object; missing or `null` counts as an
    /// empty one. Any further arguments are ignored.
    pub(crate) fn argument<T: FromMembers>(self) -> Result<T, DecodeError> {
        let message = self.message;
        Members::of(self.data.into_iter().next())
            .and_then(|mut members| T::from_members(&mut members))
            .map_err(|source| DecodeError::Argument { message, source })
    }

    /// The first argument as text; empty if there is none.
    pub(crate) fn text_argument(self) -> String {
        let first = self.data.into_iter().next();
        first.and_then(lenient::value_as_text).unwrap_or_default()
    }

    /// The first two arguments, both strings; any further ones are ignored.
    pub(crate) fn two_strings(self) -> Result<(String, String), DecodeError> {
        let mut data = self.data.into_iter();
        match (data.next(), data.next()) {
            (Some(Value::String(first)), Some(Value::String(second))) => Ok((first, second)),
            _ => Err(DecodeError::Argument {
                message: self.message,
                source: BadArgument::NoStrings,
            }),
        }
    }
}

/// Writes `{"message": message, "data": [argument]}`.
pub(crate) fn encode(message: &str, argument: &dyn ToMembers) -> String {
    envelope(message, &Writer::object(argument))
}

/// As [`encode`], for what is no object.
pub(crate) fn encode_values(message: &str, data: &[Value]) -> String {
    let data: Vec<_> = data.iter().map(Value::to_string).collect();
    envelope(message, &data.join(","))
}

fn envelope(message: &str, data: &str) -> String {
    let message = Value::from(message);
    format!(r#"{{"message":{message},"data":[{data}]}}"#)
}
