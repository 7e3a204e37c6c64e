//! Writing what the pickiest peer takes: members in their original order and
//! whole numbers without a fraction.
//!
//! Members are written by hand, as [`crate::lenient`] reads them.

use core::fmt::Write;

use serde_json::Value;

use crate::{MediaSessionId, StreamName};

/// An argument being written, member by member.
#[derive(Debug, Default)]
pub(crate) struct Writer(String);

/// Something written as an argument's members.
pub(crate) trait ToMembers {
    /// Writes all of them.
    fn to_members(&self, members: &mut Writer);
}

impl Writer {
    /// The argument as JSON.
    pub(crate) fn object(argument: &dyn ToMembers) -> String {
        let mut members = Self::default();
        argument.to_members(&mut members);
        format!("{{{}}}", members.0)
    }

    /// Any value, be it `null`.
    pub(crate) fn value(&mut self, name: &str, value: &Value) {
        let comma = if self.0.is_empty() { "" } else { "," };
        write!(self.0, "{comma}\"{name}\":{value}").expect("a string takes any text");
    }

    /// Any value; left out if there is none.
    pub(crate) fn maybe_value(&mut self, name: &str, value: Option<&Value>) {
        if let Some(value) = value {
            self.value(name, value);
        }
    }

    /// A string.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.value(name, &text.into());
    }

    /// A string; left out if there is none.
    pub(crate) fn maybe_text(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// `mediaSessionId`; `null` if there is none.
    pub(crate) fn id(&mut self, id: Option<&MediaSessionId>) {
        self.value("mediaSessionId", &id.map(MediaSessionId::as_str).into());
    }

    /// `name`; `null` if there is none.
    pub(crate) fn name(&mut self, name: Option<&StreamName>) {
        self.value("name", &name.map(StreamName::as_str).into());
    }

    /// Yes or no.
    pub(crate) fn flag(&mut self, name: &str, flag: bool) {
        self.value(name, &flag.into());
    }

    /// Yes or no; left out if unknown.
    pub(crate) fn maybe_flag(&mut self, name: &str, flag: Option<bool>) {
        if let Some(flag) = flag {
            self.flag(name, flag);
        }
    }

    /// A number. Clients with integer types refuse `0.0`: whole ones are
    /// written without a fraction.
    pub(crate) fn number(&mut self, name: &str, number: f64) {
        /// From here on not every whole number is an `f64` (2^53).
        const END_OF_WHOLE_NUMBERS: f64 = 9_007_199_254_740_992.0;
        let whole = number.fract() == 0.0 && number.abs() < END_OF_WHOLE_NUMBERS;
        let value = match whole {
            true => Value::from(number as i64),
            false => Value::from(number),
        };
        self.value(name, &value);
    }

    /// As [`Writer::number`]; left out if unknown.
    pub(crate) fn maybe_number(&mut self, name: &str, number: Option<f64>) {
        if let Some(number) = number {
            self.number(name, number);
        }
    }
}
