//! Reading what real clients send: `null` for missing, numbers in strings,
//! flags as numbers or words. A value that makes no sense is taken as missing:
//! one bad member does not cost the message.
//!
//! Members are taken by hand: code derived for a dozen messages would be a
//! tenth of the page.

use serde_json::{Map, Number, Value};
use thiserror::Error;

use crate::{MediaSessionId, StreamName};

/// What is wrong with an argument.
#[derive(Debug, Error)]
pub enum BadArgument {
    /// Members were expected.
    #[error("not an object")]
    NoObject,
    /// Two strings were expected.
    #[error("not two strings")]
    NoStrings,
    /// A member without which the message means nothing.
    #[error("missing or unreadable: {0}")]
    Member(&'static str),
}

/// The members of an argument, to be taken one by one.
#[derive(Debug)]
pub(crate) struct Members(Map<String, Value>);

/// Something read from the members of an argument.
pub(crate) trait FromMembers: Sized {
    /// Takes what it needs.
    fn from_members(members: &mut Members) -> Result<Self, BadArgument>;
}

impl Members {
    /// All of an object's.
    pub(crate) fn new(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// The members of an object; missing or `null` counts as an empty one.
    pub(crate) fn of(argument: Option<Value>) -> Result<Self, BadArgument> {
        match argument {
            None | Some(Value::Null) => Ok(Self(Map::new())),
            Some(Value::Object(members)) => Ok(Self(members)),
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                Err(BadArgument::NoObject)
            }
        }
    }

    /// Any value; `null` counts as missing.
    pub(crate) fn value(&mut self, name: &str) -> Option<Value> {
        // Emptied and not removed, which a tree needs much more code for.
        let value = self.0.get_mut(name).map(Value::take)?;
        Some(value).filter(|value| !value.is_null())
    }

    /// A string without which the message means nothing.
    pub(crate) fn required(&mut self, name: &'static str) -> Result<String, BadArgument> {
        match self.value(name) {
            Some(Value::String(text)) => Ok(text),
            Some(_) | None => Err(BadArgument::Member(name)),
        }
    }

    /// The stream's id, without which the message means nothing.
    pub(crate) fn required_id(
        &mut self,
        name: &'static str,
    ) -> Result<MediaSessionId, BadArgument> {
        self.required(name).map(MediaSessionId::from)
    }

    /// A string or number as text.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.value(name).and_then(value_as_text)
    }

    /// A string or number as text; anything else is empty.
    pub(crate) fn string(&mut self, name: &str) -> String {
        self.text(name).unwrap_or_default()
    }

    /// The strings of an array; a lone string counts as an array of one.
    pub(crate) fn strings(&mut self, name: &str) -> Vec<String> {
        match self.value(name) {
            Some(Value::Array(values)) => values.into_iter().filter_map(value_as_text).collect(),
            Some(Value::String(text)) => vec![text],
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
                Vec::new()
            }
        }
    }

    /// `mediaSessionId`.
    pub(crate) fn id(&mut self) -> Option<MediaSessionId> {
        self.text("mediaSessionId").map(MediaSessionId::from)
    }

    /// `name`.
    pub(crate) fn name(&mut self) -> Option<StreamName> {
        self.text("name").map(StreamName::from)
    }

    /// `true`, a number but 0, or the words `true` and `1`; anything else is no.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        self.maybe_flag(name).unwrap_or_default()
    }

    /// As [`Members::flag`], but knows missing from no.
    pub(crate) fn maybe_flag(&mut self, name: &str) -> Option<bool> {
        match self.value(name)? {
            Value::Bool(flag) => Some(flag),
            Value::Number(number) => Some(number.as_f64() != Some(0.0)),
            Value::String(word) => Some(matches!(word.trim(), "true" | "1")),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// A number, or a string that holds one as JSON writes it; anything else is 0.
    pub(crate) fn number(&mut self, name: &str) -> f64 {
        self.maybe_number(name).unwrap_or_default()
    }

    /// As [`Members::number`], but knows missing from 0.
    pub(crate) fn maybe_number(&mut self, name: &str) -> Option<f64> {
        match self.value(name)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse::<Number>().ok()?.as_f64(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

pub(crate) fn value_as_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
