//! What JavaScript throws, as an error.

use thiserror::Error;
use wasm_bindgen::{JsCast, JsValue};

/// An exception: an `Error`, a `DOMException` or anything else thrown.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct Thrown {
    /// The exception's class, such as `NotAllowedError`; may be empty.
    pub name: String,
    /// What it says, for people.
    pub message: String,
}

impl From<JsValue> for Thrown {
    fn from(value: JsValue) -> Self {
        if let Some(error) = value.dyn_ref::<js_sys::Error>() {
            let name = String::from(error.name());
            let message = String::from(error.message());
            let message = if message.is_empty() {
                name.clone()
            } else {
                message
            };
            return Self { name, message };
        }
        Self {
            name: String::new(),
            message: value.as_string().unwrap_or_else(|| format!("{value:?}")),
        }
    }
}
