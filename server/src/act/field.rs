//! Fields of requests: parsed, or refused with a sentence for the person who typed them.

use std::{fmt::Display, str::FromStr};

use crate::error::{Error, Result};

/// The most characters of a name for people.
const NAME: usize = 80;
/// The most characters of a remark: a reason, a description.
const REMARK: usize = 500;

/// Parses the field at `pointer`.
pub fn parse<T>(pointer: &str, text: &str) -> Result<T>
where
    T: FromStr,
    T::Err: Display,
{
    text.parse()
        .map_err(|why: T::Err| Error::invalid(pointer, why.to_string()))
}

/// A name for people: trimmed, not empty, one line.
pub fn name(pointer: &str, text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::invalid(pointer, "it needs at least one character"));
    }
    one_line(pointer, text, NAME)
}

/// A remark: trimmed, one line, may be empty.
pub fn remark(pointer: &str, text: &str) -> Result<String> {
    one_line(pointer, text.trim(), REMARK)
}

fn one_line(pointer: &str, text: &str, most: usize) -> Result<String> {
    if text.chars().count() > most {
        return Err(Error::invalid(
            pointer,
            format!("it may hold at most {most} characters"),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::invalid(
            pointer,
            "it may hold no line breaks or control characters",
        ));
    }
    Ok(text.to_owned())
}

/// A number between two others, both included.
pub fn within<T>(pointer: &str, value: T, least: T, most: T) -> Result<T>
where
    T: Copy + PartialOrd + Display,
{
    if value < least || value > most {
        return Err(Error::invalid(
            pointer,
            format!("it must be between {least} and {most}"),
        ));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_refused_by_its_name() {
        let refused = |r: Result<String>| r.unwrap_err().public_detail();
        assert_eq!(
            refused(name("/name", "  ")),
            "name: it needs at least one character"
        );
        assert_eq!(
            refused(name("/name", &"x".repeat(81))),
            "name: it may hold at most 80 characters"
        );
        assert!(refused(remark("/reason", "a\nb")).starts_with("reason: "));
        assert_eq!(name("/name", " Ada ").unwrap(), "Ada");
        assert_eq!(remark("/reason", "").unwrap(), "");
        assert!(within("/n", 0, 1, 180).is_err());
        assert_eq!(within("/n", 180, 1, 180).unwrap(), 180);
    }
}
