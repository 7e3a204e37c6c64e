//! One of several, by what a person calls it.

use crate::source::SourceError;

/// What there is to choose from.
pub(super) trait Named {
    /// As a person knows it.
    fn name(&self) -> &str;
    /// As the system knows it.
    fn id(&self) -> &str;
}

/// The one that `wanted` names: by its id, its number from 0, its name, or the
/// first whose name has it as a part, in any case. `None`: the first.
///
/// # Errors
/// There is none like that; the sentence lists what there is. `kind` is what
/// they are, such as `camera`.
pub(super) fn choose<'a, T: Named>(
    kind: &str,
    wanted: Option<&str>,
    all: &'a [T],
) -> Result<&'a T, SourceError> {
    let chosen = match wanted {
        None => all.first(),
        Some(wanted) => find(wanted, all),
    };
    chosen.ok_or_else(|| none(kind, wanted, all))
}

fn find<'a, T: Named>(wanted: &str, all: &'a [T]) -> Option<&'a T> {
    let lower = wanted.to_lowercase();
    let by_id = || all.iter().find(|one| one.id() == wanted);
    let by_number = || all.get(wanted.parse::<usize>().ok()?);
    let by_name = || all.iter().find(|one| one.name().to_lowercase() == lower);
    let by_part = || {
        let has = |one: &&T| one.name().to_lowercase().contains(&lower);
        all.iter().find(has).filter(|_| !lower.is_empty())
    };
    by_id().or_else(by_number).or_else(by_name).or_else(by_part)
}

fn none<T: Named>(kind: &str, wanted: Option<&str>, all: &[T]) -> SourceError {
    if all.is_empty() {
        return SourceError(format!("there is no {kind} on this machine"));
    }
    let list: Vec<String> = all
        .iter()
        .enumerate()
        .map(|(index, one)| format!("{index} ({})", one.name()))
        .collect();
    SourceError(format!(
        "there is no {kind} {:?}; there is {}",
        wanted.unwrap_or_default(),
        list.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing(&'static str, &'static str);

    impl Named for Thing {
        fn name(&self) -> &str {
            self.0
        }

        fn id(&self) -> &str {
            self.1
        }
    }

    const ALL: [Thing; 3] = [
        Thing("Integrated Webcam", "/dev/video0"),
        Thing("USB Capture 2", "/dev/video2"),
        Thing("Webcam", "/dev/video4"),
    ];

    #[test]
    fn by_number_id_name_and_part_of_it() {
        let check = |wanted, expected: &str| {
            let chosen = choose("camera", wanted, &ALL).map(|thing| thing.1);
            assert_eq!(chosen, Ok(expected), "{wanted:?}");
        };
        check(None, "/dev/video0");
        check(Some("1"), "/dev/video2");
        check(Some("/dev/video4"), "/dev/video4");
        check(Some("webcam"), "/dev/video4");
        check(Some("integrated"), "/dev/video0");
        check(Some("CAPTURE"), "/dev/video2");
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is() {
        let check = |wanted, all: &[Thing], expected: &str| {
            let error = choose("camera", wanted, all).map(|thing| thing.1);
            assert_eq!(error, Err(SourceError(expected.to_owned())));
        };
        let there_is = "there is 0 (Integrated Webcam), 1 (USB Capture 2), 2 (Webcam)";
        check(
            Some("Logitech"),
            &ALL,
            &format!("there is no camera \"Logitech\"; {there_is}"),
        );
        check(
            Some("3"),
            &ALL,
            &format!("there is no camera \"3\"; {there_is}"),
        );
        check(
            Some(""),
            &ALL,
            &format!("there is no camera \"\"; {there_is}"),
        );
        check(Some("0"), &[], "there is no camera on this machine");
        check(None, &[], "there is no camera on this machine");
    }
}
