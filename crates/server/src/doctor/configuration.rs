//! Whether the settings are right, and lead to a page.

use super::Finding;
use crate::net::PageSource;
use crate::settings::{Gathered, SettingsError};

/// How many settings a file, the environment and options choose.
pub(super) fn right(gathered: &Gathered) -> Finding {
    let text = match gathered.chosen() {
        0 => "is right: every setting is at its default".to_owned(),
        1 => "is right: it chooses 1 setting".to_owned(),
        chosen => format!("is right: it chooses {chosen} settings"),
    };
    Finding::ok("configuration", text)
}

/// Each mistake; nothing else can be looked at before they are mended.
pub(super) fn wrong(error: &SettingsError) -> Vec<Finding> {
    let wrong = |text: String| Finding::wrong("configuration", text);
    match error {
        SettingsError::Wrong(mistakes) => mistakes
            .iter()
            .map(|mistake| wrong(format!("{}: {}", mistake.place, mistake.what)))
            .collect(),
        SettingsError::Unreadable { .. }
        | SettingsError::TooLarge(_)
        | SettingsError::Together(_) => {
            // What clap says has lines on how to call the program.
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            vec![wrong(first.trim_start_matches("error: ").to_owned())]
        }
    }
}

/// Whether there is a page.
pub(super) fn page(source: &PageSource) -> Vec<Finding> {
    let PageSource::Folder(folder) = source else {
        return vec![Finding::ok("page", "is part of the program")];
    };
    let shown = folder.display();
    vec![if source.is_there() {
        Finding::ok("page", format!("is in {shown}"))
    } else {
        let text = format!(
            "there is none in {shown}: build it with trunk build --release and name its folder \
             with --page; players and publishers of other makes need none"
        );
        Finding::warning("page", text)
    }]
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::doctor::Level;
    use crate::settings::{Mistake, Place};

    #[test]
    fn every_mistake_is_a_finding_of_its_own() {
        let mistake = |name: &str, what: &str| Mistake {
            place: Place::Variable(name.into()),
            what: what.into(),
        };
        let mistakes = vec![
            mistake("TWOWAY_PORT", "port must be a whole number"),
            mistake("TWOWAY_TOKENS", "there is no such file"),
        ];
        let findings = wrong(&SettingsError::Wrong(mistakes));
        let texts: Vec<_> = findings.iter().map(|f| f.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "TWOWAY_PORT: port must be a whole number",
                "TWOWAY_TOKENS: there is no such file"
            ]
        );
        assert!(findings.iter().all(|f| f.level == Level::Wrong));
    }

    #[test]
    fn a_folder_with_an_index_is_a_page() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(page(&folder.path().into())[0].level, Level::Warning);
        fs::write(folder.path().join("index.html"), "").unwrap();
        assert_eq!(page(&folder.path().into())[0].level, Level::Ok);
    }
}
