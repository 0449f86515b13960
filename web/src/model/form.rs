//! What a person typed, before it is sent.

use wire::name::{Email, Hostname, NameError, Tag};

/// A machine's name.
pub(crate) fn hostname(text: &str) -> Result<String, String> {
    checked::<Hostname>(text, "Give the machine a name.")
}

/// An e-mail address.
pub(crate) fn email(text: &str) -> Result<String, String> {
    checked::<Email>(text, "Give an e-mail address.")
}

/// Tags, separated by commas or blanks; the prefix may be left out.
pub(crate) fn tags(text: &str) -> Result<Vec<String>, String> {
    let mut tags = text
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .map(|word| {
            let tag = if word.starts_with("tag:") {
                word.to_owned()
            } else {
                format!("tag:{word}")
            };
            let tag: Tag = tag.parse().map_err(|e: NameError| e.to_string())?;
            Ok(tag.to_string())
        })
        .collect::<Result<Vec<String>, String>>()?;
    tags.sort();
    tags.dedup();
    Ok(tags)
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
    fn tags_are_read_with_and_without_prefix() {
        assert_eq!(
            tags("web, tag:db  web").unwrap(),
            vec!["tag:db".to_owned(), "tag:web".to_owned()]
        );
        assert_eq!(tags("  ").unwrap(), Vec::<String>::new());
        assert!(tags("9lives").unwrap_err().contains("9lives"));
    }

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
