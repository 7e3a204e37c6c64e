//! JSON objects put together by hand: code derived for a dozen types would be a
//! good part of the page.

use serde_json::{Map, Value};

/// An object's members, added one by one. What is not known is not there: no
/// member is `null`.
#[derive(Debug, Default)]
pub(super) struct Object(Map<String, Value>);

impl Object {
    /// With one more member, if there is a value.
    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        if !value.is_null() {
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    /// With the numbers that are known.
    pub(super) fn numbers(self, numbers: &[(&str, Option<f64>)]) -> Self {
        let add =
            |object: Self, &(name, number): &(_, Option<f64>)| object.with(name, number.into());
        numbers.iter().fold(self, add)
    }

    /// With the texts that are known.
    pub(super) fn texts(self, texts: &[(&str, Option<&str>)]) -> Self {
        let add = |object: Self, &(name, text): &(_, Option<&str>)| object.with(name, text.into());
        texts.iter().fold(self, add)
    }

    /// The object.
    pub(super) fn build(self) -> Value {
        Value::Object(self.0)
    }
}
