//! Deserialisers that take what real clients send: `null` for missing,
//! numbers in strings, flags as numbers or words. A value that makes no sense
//! is taken as missing: one bad field does not cost the message.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// `null` or a value of the wrong type becomes the default.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + DeserializeOwned,
{
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// A string or number as text.
pub(crate) fn text<'de, D>(deserializer: D) -> Result<Option<String>, D::Error>
where
    D: Deserializer<'de>,
{
    Value::deserialize(deserializer).map(value_as_text)
}

/// A string or number as text; anything else is empty.
pub(crate) fn string<'de, D>(deserializer: D) -> Result<String, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(text(deserializer)?.unwrap_or_default())
}

/// The strings of an array; a lone string counts as an array of one.
pub(crate) fn strings<'de, D>(deserializer: D) -> Result<Vec<String>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(match Value::deserialize(deserializer)? {
        Value::Array(values) => values.into_iter().filter_map(value_as_text).collect(),
        Value::String(text) => vec![text],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    })
}

/// An id or name: any text, `None` if missing, `null` or of a wrong type.
pub(crate) fn id<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: From<String>,
{
    Ok(text(deserializer)?.map(T::from))
}

/// `true`, a number but 0, or the words `true` and `1`; anything else is no.
pub(crate) fn flag<'de, D>(deserializer: D) -> Result<bool, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(maybe_flag(deserializer)?.unwrap_or_default())
}

/// As [`flag`], but knows missing from no.
pub(crate) fn maybe_flag<'de, D>(deserializer: D) -> Result<Option<bool>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(flag) => Some(flag),
        Value::Number(number) => Some(number.as_f64() != Some(0.0)),
        Value::String(word) => Some(matches!(word.trim(), "true" | "1")),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    })
}

pub(crate) fn value_as_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A number, or a string that holds one; anything else is 0. Whole numbers are
/// written without a fraction: clients with integer types refuse `0.0`.
pub(crate) mod number {
    use serde::{Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        /// From here on not every whole number is an `f64` (2^53).
        const END_OF_WHOLE_NUMBERS: f64 = 9_007_199_254_740_992.0;
        if number.fract() == 0.0 && number.abs() < END_OF_WHOLE_NUMBERS {
            serializer.serialize_i64(*number as i64)
        } else {
            serializer.serialize_f64(*number)
        }
    }

    pub(crate) fn deserialize<'de, D>(deserializer: D) -> Result<f64, D::Error>
    where
        D: Deserializer<'de>,
    {
        Ok(super::maybe_number::deserialize(deserializer)?.unwrap_or_default())
    }
}

/// As [`number`], but knows missing from 0.
pub(crate) mod maybe_number {
    use serde::{Deserialize, Deserializer, Serializer};
    use serde_json::Value;

    pub(crate) fn serialize<S: Serializer>(
        number: &Option<f64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match number {
            Some(number) => super::number::serialize(number, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D>(deserializer: D) -> Result<Option<f64>, D::Error>
    where
        D: Deserializer<'de>,
    {
        let number = match Value::deserialize(deserializer)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        // "inf" and "NaN" parse, but JSON could not carry them on.
        Ok(number.filter(|number| number.is_finite()))
    }
}
