//! A configuration file: TOML, one table a heading of `--help`.

use std::ffi::OsString;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::key::{Key, Shape};
use super::source::{Given, Mistake, Place};

/// What a file says, and what is wrong with it.
pub(super) fn read(path: &Path, text: &str, keys: &[Key]) -> (Vec<Given>, Vec<Mistake>) {
    let mut reader = Reader {
        path,
        text,
        keys,
        given: Vec::new(),
        mistakes: Vec::new(),
    };
    match DeTable::parse(text) {
        Ok(root) => reader.take_root(root.get_ref()),
        Err(error) => {
            let start = error.span().map_or(0, |span| span.start);
            reader.mistake(start, error.message().to_owned());
        }
    }
    (reader.given, reader.mistakes)
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    keys: &'a [Key],
    given: Vec<Given>,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn take_root(&mut self, root: &DeTable<'_>) {
        for (name, value) in root {
            match value.get_ref() {
                DeValue::Table(table) if self.is_table(name.get_ref()) => {
                    self.take_table(name.get_ref(), table);
                }
                DeValue::Table(_) => {
                    let tables = self.tables().join(", ");
                    let what = format!(
                        "there is no table [{}]: the tables are {tables}",
                        name.get_ref()
                    );
                    self.mistake(name.span().start, what);
                }
                DeValue::String(_)
                | DeValue::Integer(_)
                | DeValue::Float(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_)
                | DeValue::Array(_) => self.take(None, name, value),
            }
        }
    }

    fn take_table(&mut self, table: &str, values: &DeTable<'_>) {
        for (name, value) in values {
            self.take(Some(table), name, value);
        }
    }

    fn take(
        &mut self,
        table: Option<&str>,
        name: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) {
        let start = name.span().start;
        let key = self
            .keys
            .iter()
            .find(|key| key.name() == name.get_ref() && key.table().as_deref() == table);
        let Some(key) = key else {
            let what = self.unknown(table, name.get_ref());
            return self.mistake(start, what);
        };
        let Some(values) = values(key, value.get_ref()) else {
            let what = format!("{} {}", key.path(), key.expectation());
            return self.mistake(start, what);
        };
        let place = self.place(start);
        self.given.push(Given {
            key: key.clone(),
            values,
            place,
        });
    }

    /// What to say of a name that is no setting's, or stands in a wrong table.
    fn unknown(&self, table: Option<&str>, name: &str) -> String {
        let written = table.map_or_else(|| name.to_owned(), |table| format!("{table}.{name}"));
        let nearest = self.keys.iter().max_by(|a, b| {
            let likeness = |key: &Key| likeness(key.name(), name);
            likeness(a).total_cmp(&likeness(b))
        });
        match nearest.filter(|key| likeness(key.name(), name) > ALIKE) {
            Some(key) => format!(
                "there is no setting {written}: did you mean {}?",
                key.path()
            ),
            None => format!("there is no setting {written}: --help lists all"),
        }
    }

    fn is_table(&self, name: &str) -> bool {
        self.tables().iter().any(|table| table == name)
    }

    fn tables(&self) -> Vec<String> {
        let mut tables: Vec<_> = self.keys.iter().filter_map(Key::table).collect();
        tables.dedup();
        tables
    }

    fn mistake(&mut self, start: usize, what: String) {
        let place = self.place(start);
        self.mistakes.push(Mistake { place, what });
    }

    fn place(&self, start: usize) -> Place {
        let before = self.text.get(..start).unwrap_or(self.text);
        Place::File {
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
        }
    }
}

/// Names at least so much alike may be meant for one another.
const ALIKE: f64 = 0.6;

/// The share of letter pairs that two names have in common (Dice's coefficient).
fn likeness(a: &str, b: &str) -> f64 {
    let pairs = |name: &str| -> Vec<[u8; 2]> {
        let bytes = name.as_bytes().windows(2);
        bytes.map(|pair| [pair[0], pair[1]]).collect()
    };
    let (a, mut b) = (pairs(a), pairs(b));
    let all = (a.len() + b.len()).max(1);
    let mut common = 0_u32;
    for pair in a {
        if let Some(at) = b.iter().position(|other| *other == pair) {
            b.swap_remove(at);
            common += 2;
        }
    }
    f64::from(common) / all as f64
}

/// What stands there, if it is of the right shape.
fn values(key: &Key, value: &DeValue<'_>) -> Option<Vec<OsString>> {
    if let (true, DeValue::Array(list)) = (key.is_list(), value) {
        let one = |item: &Spanned<DeValue<'_>>| one(key, item.get_ref());
        return list.iter().map(one).collect();
    }
    Some(vec![one(key, value)?])
}

fn one(key: &Key, value: &DeValue<'_>) -> Option<OsString> {
    let text = match (key.shape(), value) {
        (Shape::Text, DeValue::String(text)) => text.to_string(),
        (Shape::Number, DeValue::Integer(number)) if number.radix() == 10 => number.to_string(),
        (Shape::Switch, DeValue::Boolean(on)) => on.to_string(),
        (Shape::Text | Shape::Number | Shape::Switch, _) => return None,
    };
    Some(text.into())
}
