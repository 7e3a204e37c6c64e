//! The envelope: `{"message": name, "data": [argument, ...]}`.

use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use crate::lenient::{self, BadArgument, FromMembers, Members};

/// Why a text message could not be understood.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// Not JSON, or JSON that is not an envelope.
    #[error("not a signalling message: {0}")]
    Envelope(String),
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
        let refused = |reason: &str| DecodeError::Envelope(reason.to_owned());
        let json: Value =
            serde_json::from_str(text).map_err(|error| refused(&error.to_string()))?;
        let Value::Object(members) = json else {
            return Err(refused("not an object"));
        };
        let mut members = Members::new(members);
        let Some(Value::String(message)) = members.value("message") else {
            return Err(refused("no message name"));
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
