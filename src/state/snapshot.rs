//! What a snapshot's file is called.

/// Most characters of the stream's name in a file's name; file systems allow
/// 255 bytes in all.
const MAX_NAME_CHARS: usize = 60;

/// A moment on the user's clock and calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalMoment {
    /// Four digits.
    pub year: u32,
    /// From 1.
    pub month: u32,
    /// From 1.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 60.
    pub second: u32,
}

/// `<stream>-<local date and time>.png`, with nothing that a file system takes
/// for anything but a name.
pub fn snapshot_name(stream: &str, at: LocalMoment) -> String {
    let LocalMoment {
        year,
        month,
        day,
        hour,
        minute,
        second,
    } = at;
    let stream = safe(stream);
    format!("{stream}-{year:04}-{month:02}-{day:02}-{hour:02}{minute:02}{second:02}.png")
}

fn safe(name: &str) -> String {
    // Named one by one: the tables of what Unicode calls a letter weigh more
    // than the rest of the player.
    let harmless = |c: char| match c {
        // Control characters, spaces and what turns the direction of writing.
        '\0'..=' '
        | '\x7f'..='\u{a0}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202f}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}' => '_',
        // What shells and file systems give a meaning.
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' | '%' | '&' | '$' | '\'' | '`'
        | ';' | '~' => '_',
        c => c,
    };
    let name: String = name.chars().take(MAX_NAME_CHARS).map(harmless).collect();
    // A leading dot hides a file, and two of them are a folder.
    match name.trim_start_matches('.') {
        "" => "snapshot".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let at = LocalMoment {
            year: 2026,
            month: 3,
            day: 9,
            hour: 7,
            minute: 5,
            second: 0,
        };
        let long = "x".repeat(500);
        for (stream, expected) in [
            ("test", "test".to_owned()),
            ("Küche_2.front", "Küche_2.front".to_owned()),
            ("../etc/pass wd", "_etc_pass_wd".to_owned()),
            ("a\\b:c*?\"<>|\u{202e}\n", "a_b_c________".to_owned()),
            ("", "snapshot".to_owned()),
            ("...", "snapshot".to_owned()),
            (&long, "x".repeat(60)),
        ] {
            let name = snapshot_name(stream, at);
            assert_eq!(name, format!("{expected}-2026-03-09-070500.png"));
        }
    }
}
