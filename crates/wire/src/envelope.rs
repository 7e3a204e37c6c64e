//! The envelope: `{"message": name, "data": [argument, ...]}`.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

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

#[derive(Debug, Deserialize)]
pub(crate) struct Envelope {
    pub(crate) message: String,
    #[serde(default, deserialize_with = "crate::lenient::or_default")]
    pub(crate) data: Vec<Value>,
}

impl Envelope {
    pub(crate) fn decode(text: &str) -> Result<Self, DecodeError> {
        serde_json::from_str(text).map_err(DecodeError::Envelope)
    }

    /// The first argument; `null` if there is none.
    pub(crate) fn argument<T: serde::de::DeserializeOwned>(self) -> Result<T, DecodeError> {
        let first = self.data.into_iter().next().unwrap_or(Value::Null);
        serde_json::from_value(first).map_err(|source| DecodeError::Argument {
            message: self.message,
            source,
        })
    }

    /// The first two arguments; any further ones are ignored.
    pub(crate) fn first_two<A, B>(self) -> Result<(A, B), DecodeError>
    where
        A: serde::de::DeserializeOwned,
        B: serde::de::DeserializeOwned,
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
