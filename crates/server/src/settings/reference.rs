//! The settings as people read them: a table for the manual, a file to begin with.

use std::fmt::Write as _;

use super::key::{Key, Shape};
use super::keys;

/// Columns of the file that comes out, comment signs included.
const WIDTH: usize = 80;

/// A Markdown page of all settings.
#[must_use]
pub fn manual() -> String {
    let mut page = String::from(
        "# Configuration of the server\n\n\
         Every setting has three names: an option of `twoway-server`, a line in the file that\n\
         `--config` names (TOML; `twoway-server --print-config` writes one to begin with), and\n\
         a variable of the environment, where commas part the items of a list. An option\n\
         outweighs the environment, the environment the file. `--check-config` says whether\n\
         all is right and starts nothing; a server whose configuration is wrong does not\n\
         start, and says what is wrong in which line.\n\n\
         This page is made from the program's own definition.\n",
    );
    for (table, keys) in by_table() {
        let title = table
            .as_deref()
            .map_or("Before all tables".to_owned(), |table| {
                format!("`[{table}]`")
            });
        // Writing to a string does not fail.
        let _ = write!(
            page,
            "\n## {title}\n\n| setting | default | variable | what it is |\n| --- | --- | --- | --- |\n"
        );
        for key in keys {
            let default = key
                .default()
                .map_or(String::new(), |value| format!("`{value}`"));
            let help = key.help().replace('|', "\\|");
            let (name, variable) = (key.name(), key.variable());
            let _ = writeln!(page, "| `{name}` | {default} | `{variable}` | {help} |");
        }
    }
    page
}

/// A configuration with every setting at its default, as a comment.
#[must_use]
pub fn example() -> String {
    let mut file = String::from(
        "# Configuration of twoway-server, with every setting at its default. To choose\n\
         # another value, take the sign before the setting away.\n",
    );
    for (table, keys) in by_table() {
        if let Some(table) = table {
            let _ = write!(file, "\n[{table}]\n");
        }
        for key in keys {
            file.push('\n');
            comment(&mut file, &key.help());
            let _ = writeln!(file, "#{} = {}", key.name(), value(&key));
        }
    }
    file
}

fn by_table() -> Vec<(Option<String>, Vec<Key>)> {
    let mut tables: Vec<(Option<String>, Vec<Key>)> = Vec::new();
    for key in keys() {
        let table = key.table();
        match tables.iter_mut().find(|(name, _)| *name == table) {
            Some((_, keys)) => keys.push(key),
            None => tables.push((table, vec![key])),
        }
    }
    tables
}

fn comment(file: &mut String, text: &str) {
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            file.push_str(&line);
            file.push_str("\n#");
            line.clear();
        }
        line.push(' ');
        line.push_str(word);
    }
    file.push_str(&line);
    file.push('\n');
}

fn value(key: &Key) -> String {
    let quoted = |text: &str| format!("{text:?}");
    match (key.shape(), key.default()) {
        (Shape::Switch, _) => "false".to_owned(),
        (Shape::Text, None) if key.is_list() => format!("[{}]", quoted(&key.value_name())),
        (Shape::Text, default) => quoted(&default.unwrap_or_else(|| key.value_name())),
        (Shape::Number, default) => default.unwrap_or_else(|| key.value_name()),
    }
}
