//! What a person typed, before it is sent.

use wire::name::{Email, Hostname, NameError};

/// A machine's name.
pub(crate) fn hostname(text: &str) -> Result<String, String> {
    checked::<Hostname>(text, "Give the machine a name.")
}

/// An e-mail address.
pub(crate) fn email(text: &str) -> Result<String, String> {
    checked::<Email>(text, "Give an e-mail address.")
}

/// A text that must not be empty.
pub(crate) fn required(text: &str, ask: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        Err(ask.to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// A whole number within bounds.
pub(crate) fn number(text: &str, least: u16, most: u16) -> Result<u16, String> {
    match text.trim().parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("Give a whole number from {least} to {most}.")),
    }
}

fn checked<T>(text: &str, ask: &str) -> Result<String, String>
where
    T: std::str::FromStr<Err = NameError> + std::fmt::Display,
{
    let text = required(text, ask)?;
    let name: T = text.parse().map_err(|e: NameError| e.to_string())?;
    Ok(name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_say_what_to_do() {
        assert_eq!(required(" ", "Say why.").unwrap_err(), "Say why.");
        assert!(hostname("under_score").unwrap_err().contains("under_score"));
        assert_eq!(email(" Ada@Example.com ").unwrap(), "ada@example.com");
        assert!(email("ada").is_err());
    }

    #[test]
    fn numbers_keep_their_bounds() {
        assert_eq!(number(" 30 ", 1, 180), Ok(30));
        for bad in ["", "0", "181", "-1", "x"] {
            assert!(number(bad, 1, 180).is_err(), "{bad}");
        }
    }
}
