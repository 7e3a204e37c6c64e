//! Which streams a right is for.

use thiserror::Error;

/// Most characters of a pattern: that of a stream's name, by default.
const MAX_PATTERN: usize = 255;

/// Names of streams.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Names {
    /// None at all.
    #[default]
    None,
    /// Those that are as one of these patterns: itself, or, with `*` at its end, what
    /// begins so.
    Like(Vec<String>),
    /// Every one.
    All,
}

/// What is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadPattern {
    /// An empty one.
    #[error("a name of a stream is missing")]
    Empty,
    /// One that is longer than any name.
    #[error("a name of a stream is longer than {MAX_PATTERN} characters")]
    TooLong,
    /// A star that is not the last character.
    #[error("* may stand at the end of a name only")]
    StarWithin,
}

impl Names {
    /// What a pattern means.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(pattern: &str) -> Result<Self, BadPattern> {
        let stem = pattern.strip_suffix('*').unwrap_or(pattern);
        match pattern {
            "" => Err(BadPattern::Empty),
            "*" => Ok(Self::All),
            _ if stem.contains('*') => Err(BadPattern::StarWithin),
            _ if pattern.chars().count() > MAX_PATTERN => Err(BadPattern::TooLong),
            _ => Ok(Self::Like(vec![pattern.to_owned()])),
        }
    }

    /// These and those.
    pub fn add(&mut self, others: &Self) {
        match (&mut *self, others) {
            (Self::All, _) | (_, Self::None) => {}
            (Self::Like(patterns), Self::Like(more)) => patterns.extend_from_slice(more),
            (Self::None, _) | (Self::Like(_), Self::All) => *self = others.clone(),
        }
    }

    /// Whether `name` is among them.
    #[must_use]
    pub fn contain(&self, name: &str) -> bool {
        match self {
            Self::None => false,
            Self::Like(patterns) => patterns.iter().any(|pattern| is_like(pattern, name)),
            Self::All => true,
        }
    }
}

fn is_like(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(stem) => name.starts_with(stem),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_name_or_its_beginning() {
        let table = [
            ("cam", "cam", true),
            ("cam", "cam1", false),
            ("cam*", "cam1", true),
            ("cam*", "cam", true),
            ("cam*", "ca", false),
            ("*", "", true),
            ("*", "anything", true),
        ];
        for (pattern, name, expected) in table {
            let names = Names::parse(pattern).unwrap();
            assert_eq!(names.contain(name), expected, "{pattern} {name}");
        }
        assert!(!Names::None.contain(""));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        assert_eq!(Names::parse(""), Err(BadPattern::Empty));
        assert_eq!(Names::parse("a*b"), Err(BadPattern::StarWithin));
        assert_eq!(Names::parse("**"), Err(BadPattern::StarWithin));
        assert_eq!(Names::parse(&"x".repeat(256)), Err(BadPattern::TooLong));
    }

    #[test]
    fn names_add_up() {
        let (mut names, a, b) = (Names::None, Names::parse("a"), Names::parse("b*"));
        let (a, b) = (a.unwrap(), b.unwrap());
        names.add(&Names::None);
        assert_eq!(names, Names::None);
        names.add(&a);
        names.add(&b);
        assert!(names.contain("a") && names.contain("bc") && !names.contain("c"));
        names.add(&Names::All);
        names.add(&a);
        assert_eq!(names, Names::All);
    }
}
