//! The envelope: `{"message": name, "data": [argument, ...]}`.

use serde::Serialize;
use serde::de::Error as _;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::lenient::{self, BadArgument, FromMembers, Members};

/// Why a text message could not be understood.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// Not JSON, or JSON that is not an envelope.
    #[error("not a signalling message: {0}")]
    Envelope(#[source] serde_json::Error),
    /// A known message whose argument has the wrong shape.
    #[error("bad argument of {message}: {source}")]
    Argument {
        /// The message's name.
        message: String,
        /// What is wrong with it.
        source: BadArgument,
    },
}

/// A message taken apart; `data` may be missing or no array.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) message: String,
    data: Vec<Value>,
}

impl Envelope {
    pub(crate) fn decode(text: &str) -> Result<Self, DecodeError> {
        let mut members: Map<String, Value> =
            serde_json::from_str(text).map_err(DecodeError::Envelope)?;
        let Some(Value::String(message)) = members.remove("message") else {
            return Err(DecodeError::Envelope(serde_json::Error::custom(
                "no message name",
            )));
        };
        let data = match members.remove("data") {
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

/// Writes `{"message": message, "data": data}`; `data` serialises as an array.
pub(crate) fn encode(message: &str, data: impl Serialize) -> String {
    #[derive(Serialize)]
    struct Outgoing<'a, T> {
        message: &'a str,
        data: T,
    }
    serde_json::to_string(&Outgoing { message, data })
        .expect("messages are made of strings, numbers and JSON values")
}
