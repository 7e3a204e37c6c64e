//! The envelope: `{"message": name, "data": [argument, ...]}`.

use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::lenient;

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
        source: serde_json::Error,
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
    pub(crate) fn argument<T: DeserializeOwned>(self) -> Result<T, DecodeError> {
        let argument = match self.data.into_iter().next() {
            None | Some(Value::Null) => Ok(Value::Object(Map::new())),
            Some(Value::Object(members)) => Ok(Value::Object(members)),
            // Derived code would read an array as the fields in order.
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                Err(serde_json::Error::custom("not an object"))
            }
        };
        argument
            .and_then(serde_json::from_value)
            .map_err(|source| DecodeError::Argument {
                message: self.message,
                source,
            })
    }

    /// The first argument as text; empty if there is none.
    pub(crate) fn text_argument(self) -> String {
        let first = self.data.into_iter().next();
        first.and_then(lenient::value_as_text).unwrap_or_default()
    }

    /// The first two arguments; any further ones are ignored.
    pub(crate) fn first_two<A, B>(self) -> Result<(A, B), DecodeError>
    where
        A: DeserializeOwned,
        B: DeserializeOwned,
    {
        let pair = self.data.into_iter().take(2).collect();
        serde_json::from_value(Value::Array(pair)).map_err(|source| DecodeError::Argument {
            message: self.message,
            source,
        })
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
