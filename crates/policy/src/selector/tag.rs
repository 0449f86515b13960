//! `tag:NAME`.

use wire::name::Tag;

/// What is wrong with a text that is no tag, in the service's words where it has some.
pub(crate) fn refusal(text: &str) -> Option<String> {
    let why = text.parse::<Tag>().err()?;
    let known = match text.strip_prefix("tag:") {
        None => "tags must start with 'tag:'",
        Some("") => "tag names must not be empty",
        Some(name) if !name.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            "tag names must start with a letter, after 'tag:'"
        }
        Some(name) if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => {
            "tag names can only contain numbers, letters, or dashes"
        }
        Some(_) => return Some(why.to_string()),
    };
    Some(format!("tag(\"{text}\"): {known}"))
}
