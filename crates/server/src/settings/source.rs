//! Where settings come from: a file, the environment, the command line, each
//! weightier than the one before.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::parser::ValueSource;
use thiserror::Error;

use super::file;
use super::key::Key;

/// Most bytes of a configuration file.
const MAX_FILE: u64 = 1 << 20;

/// Where somebody said something; in the order in which people look.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A file.
    File {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// A variable of the environment.
    Variable(String),
    /// An option of the command line, without its dashes.
    Option(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Option(name) => write!(f, "--{name}"),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where it stands.
    pub place: Place,
    /// What is wrong, and what would be right.
    pub what: String,
}

/// What somebody said of one setting.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) key: Key,
    pub(super) values: Vec<OsString>,
    pub(super) place: Place,
}

/// Why there are no settings.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no configuration.
    #[error("the configuration {} is larger than {MAX_FILE} bytes", .0.display())]
    TooLarge(PathBuf),
    /// Settings that are right each by itself and not together.
    #[error(transparent)]
    Together(#[from] clap::Error),
    /// Something is wrong, all of it told.
    #[error("the configuration is wrong{}", list(.0))]
    Wrong(Vec<Mistake>),
}

fn list(mistakes: &[Mistake]) -> String {
    let lines = mistakes
        .iter()
        .map(|mistake| format!("\n  {}: {}", mistake.place, mistake.what));
    lines.collect()
}

/// What all sources came to.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Of the command.
    pub(super) arguments: Vec<OsString>,
    /// Where each setting was said.
    pub(super) places: HashMap<String, Place>,
    /// What was said of it.
    pub(super) values: HashMap<String, Vec<OsString>>,
}

/// What all sources together say, a setting once.
#[derive(Debug, Default)]
pub(super) struct Sources {
    given: Vec<Given>,
    mistakes: Vec<Mistake>,
}

impl Sources {
    /// Takes what a file says.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn take_file(&mut self, path: &Path, keys: &[Key]) -> Result<(), SettingsError> {
        let unreadable = |source| SettingsError::Unreadable {
            path: path.to_owned(),
            source,
        };
        if fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE {
            return Err(SettingsError::TooLarge(path.to_owned()));
        }
        let text = fs::read_to_string(path).map_err(unreadable)?;
        let (given, mistakes) = file::read(path, &text, keys);
        self.mistakes.extend(mistakes);
        given.into_iter().for_each(|given| self.take(given));
        Ok(())
    }

    /// Takes what the environment says; of a list, commas part the items. A
    /// variable that is empty says nothing.
    pub(super) fn take_environment(
        &mut self,
        environment: &HashMap<OsString, OsString>,
        keys: &[Key],
    ) {
        for key in keys {
            let name = key.variable();
            let value = environment.get(&OsString::from(&name));
            let Some(value) = value.filter(|value| !value.is_empty()) else {
                continue;
            };
            let values = match value.to_str() {
                Some(text) if key.is_list() => text.split(',').map(OsString::from).collect(),
                Some(_) | None => vec![value.clone()],
            };
            self.take(Given {
                key: key.clone(),
                values,
                place: Place::Variable(name),
            });
        }
    }

    /// Takes what the command line says, which is right already.
    pub(super) fn take_options(&mut self, matches: &ArgMatches, keys: &[Key]) {
        for key in keys {
            if matches.value_source(key.id()) != Some(ValueSource::CommandLine) {
                continue;
            }
            let values = matches.get_raw(key.id()).into_iter().flatten();
            let place = Place::Option(key.name().to_owned());
            self.put(Given {
                key: key.clone(),
                values: values.map(OsString::from).collect(),
                place,
            });
        }
    }

    fn take(&mut self, given: Given) {
        match given.key.complaint(&given.values) {
            Some(complaint) => {
                let what = format!("{} {complaint}", given.key.path());
                let place = given.place;
                self.mistakes.push(Mistake { place, what });
            }
            None => self.put(given),
        }
    }

    fn put(&mut self, given: Given) {
        self.given
            .retain(|before| before.key.name() != given.key.name());
        self.given.push(given);
    }

    /// All of it.
    ///
    /// # Errors
    /// Something was wrong.
    pub(super) fn finish(mut self) -> Result<Said, SettingsError> {
        if !self.mistakes.is_empty() {
            self.mistakes.sort_by(|a, b| a.place.cmp(&b.place));
            return Err(SettingsError::Wrong(self.mistakes));
        }
        let mut said = Said::default();
        for Given { key, values, place } in self.given {
            said.arguments.extend(key.arguments(&values));
            said.places.insert(key.name().to_owned(), place);
            said.values.insert(key.name().to_owned(), values);
        }
        Ok(said)
    }
}
