//! One setting under its three names.

use std::any::TypeId;
use std::error::Error as _;
use std::ffi::OsString;
use std::num::{NonZeroUsize, ParseIntError};

use clap::{Arg, ArgAction, Command};

/// What every variable of the environment begins with.
const PREFIX: &str = "TWOWAY_";

/// A setting: an argument of the command, which has a name in a file and one in
/// the environment as well.
#[derive(Debug, Clone)]
pub(super) struct Key {
    arg: Arg,
    name: String,
}

/// What a setting is in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Number,
    Switch,
}

impl Key {
    /// Every setting of a command, in its order.
    pub(super) fn all(command: &Command) -> Vec<Self> {
        command
            .get_arguments()
            .cloned()
            .filter_map(Self::of)
            .collect()
    }

    fn of(arg: Arg) -> Option<Self> {
        let name = arg.get_long()?.to_owned();
        Some(Self { arg, name })
    }

    /// What clap calls it.
    pub(super) fn id(&self) -> &str {
        self.arg.get_id().as_str()
    }

    /// As on the command line, without the dashes before it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The table of a file that it stands in; `None`: before all tables.
    pub(super) fn table(&self) -> Option<String> {
        let heading = self.arg.get_help_heading()?;
        Some(heading.to_lowercase().replace(' ', "-"))
    }

    /// With its table, as people write it.
    pub(super) fn path(&self) -> String {
        match self.table() {
            Some(table) => format!("{table}.{}", self.name),
            None => self.name.clone(),
        }
    }

    /// Its variable in the environment.
    pub(super) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.to_uppercase().replace('-', "_"))
    }

    /// It may be given several times.
    pub(super) fn is_list(&self) -> bool {
        matches!(self.arg.get_action(), ArgAction::Append)
    }

    pub(super) fn shape(&self) -> Shape {
        if matches!(self.arg.get_action(), ArgAction::SetTrue) {
            return Shape::Switch;
        }
        let numbers = [
            TypeId::of::<u16>(),
            TypeId::of::<u32>(),
            TypeId::of::<u64>(),
            TypeId::of::<usize>(),
            TypeId::of::<NonZeroUsize>(),
        ];
        let shape = self.arg.get_value_parser().type_id();
        if numbers.iter().any(|number| shape == *number) {
            Shape::Number
        } else {
            Shape::Text
        }
    }

    /// What it is for, in a sentence or two.
    pub(super) fn help(&self) -> String {
        self.arg
            .get_help()
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    /// What may stand there, in a word.
    pub(super) fn value_name(&self) -> String {
        let names = self.arg.get_value_names().unwrap_or_default();
        names.first().map(ToString::to_string).unwrap_or_default()
    }

    /// What it is if nobody says anything.
    pub(super) fn default(&self) -> Option<String> {
        let value = self.arg.get_default_values().first()?;
        Some(value.to_string_lossy().into_owned())
    }

    /// What is wrong with `values`, to go on from the name; `None` if nothing is.
    pub(super) fn complaint(&self, values: &[OsString]) -> Option<String> {
        // Not clap's to tell: on its command line a switch has no value.
        let is_switch = self.shape() == Shape::Switch;
        if is_switch && !matches!(values, [value] if value == "true" || value == "false") {
            return Some(self.expectation());
        }
        let command = Command::new("setting")
            .no_binary_name(true)
            .arg(self.arg.clone());
        let error = command.try_get_matches_from(self.arguments(values)).err()?;
        match error.source() {
            Some(reason) if !reason.is::<ParseIntError>() => Some(format!("is wrong: {reason}")),
            Some(_) | None => Some(self.expectation()),
        }
    }

    /// What would be right.
    pub(super) fn expectation(&self) -> String {
        let choices: Vec<_> = self.arg.get_possible_values();
        if !choices.is_empty() && self.shape() != Shape::Switch {
            let choices: Vec<_> = choices.iter().map(|choice| choice.get_name()).collect();
            return format!("must be one of {}", choices.join(", "));
        }
        match self.shape() {
            Shape::Number => "must be a whole number".to_owned(),
            Shape::Switch => "must be true or false".to_owned(),
            Shape::Text if self.is_list() => "must be a list of texts".to_owned(),
            Shape::Text => "must be a text in quotes".to_owned(),
        }
    }

    /// `values` as arguments of the command.
    pub(super) fn arguments(&self, values: &[OsString]) -> Vec<OsString> {
        let flag = format!("--{}", self.name);
        match (self.shape(), values) {
            (Shape::Switch, [on]) if on == "true" => vec![flag.into()],
            (Shape::Switch, _) => Vec::new(),
            (Shape::Text | Shape::Number, _) => values
                .iter()
                .map(|value| {
                    let mut argument = OsString::from(format!("{flag}="));
                    argument.push(value);
                    argument
                })
                .collect(),
        }
    }
}
