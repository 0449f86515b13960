//! Tags as a person types them: several in a line, each one that the policy defines.

use wire::name::{NameError, Tag};

/// Why what was typed cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// What is wrong and what to do.
    pub(crate) message: String,
    /// It may become right by typing on.
    pub(crate) is_unfinished: bool,
}

/// The tags in a text, separated by commas or blanks; the prefix may be left out.
/// `known`: those that may be given, where that is known.
pub(crate) fn read(text: &str, known: Option<&[String]>) -> Result<Vec<String>, Wrong> {
    let mut tags = words(text)
        .map(|word| {
            let tag: Result<Tag, NameError> = word.parse();
            let tag = tag.map_err(|error| Wrong {
                message: error.to_string(),
                is_unfinished: word == PREFIX && text.ends_with(PREFIX),
            })?;
            let tag = tag.to_string();
            match known {
                Some(known) if !known.contains(&tag) => Err(undefined(text, &tag, known)),
                Some(_) | None => Ok(tag),
            }
        })
        .collect::<Result<Vec<String>, Wrong>>()?;
    tags.sort();
    tags.dedup();
    Ok(tags)
}

/// Those of the known tags to choose from while the text is typed: what the
/// last word may mean, else all.
pub(crate) fn offered(text: &str, known: &[String]) -> Vec<String> {
    let all = || known.to_vec();
    let Some(last) = last_unknown(text, known) else {
        return all();
    };
    let is_meant = |tag: &&String| bare(tag).contains(bare(&last));
    let some: Vec<String> = known.iter().filter(is_meant).cloned().collect();
    match nearest(&last, known) {
        Some(meant) if some.is_empty() => vec![meant],
        None if some.is_empty() => all(),
        Some(_) | None => some,
    }
}

/// Whether a text names a tag.
pub(crate) fn has(text: &str, tag: &str) -> bool {
    words(text).any(|word| word == tag)
}

/// The text with the tag, or without it; it takes the place of a last word that is no known tag.
pub(crate) fn toggled(text: &str, tag: &str, known: &[String]) -> String {
    let replaced = last_unknown(text, known);
    let mut tags: Vec<String> = words(text)
        .filter(|word| Some(word) != replaced.as_ref())
        .collect();
    let before = tags.len();
    tags.retain(|one| one != tag);
    if tags.len() == before {
        tags.push(tag.to_owned());
    }
    tags.join(", ")
}

const PREFIX: &str = "tag:";

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(is_separator)
        .filter(|word| !word.is_empty())
        .map(|word| {
            if word.starts_with(PREFIX) {
                word.to_owned()
            } else {
                format!("{PREFIX}{word}")
            }
        })
}

fn is_separator(c: char) -> bool {
    c == ',' || c.is_whitespace()
}

fn last_unknown(text: &str, known: &[String]) -> Option<String> {
    words(text).last().filter(|word| !known.contains(word))
}

fn bare(tag: &str) -> &str {
    tag.strip_prefix(PREFIX).unwrap_or(tag)
}

fn nearest(tag: &str, known: &[String]) -> Option<String> {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    policy::nearest(tag, &known).map(str::to_owned)
}

fn undefined(text: &str, tag: &str, known: &[String]) -> Wrong {
    let advice = match nearest(tag, known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "add it to `tagOwners` first".to_owned(),
    };
    let is_last = !text.ends_with(is_separator) && words(text).last().as_deref() == Some(tag);
    Wrong {
        message: format!("The policy defines no `{tag}`: {advice}"),
        is_unfinished: is_last && known.iter().any(|known| known.starts_with(tag)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<String> {
        ["tag:db", "tag:server", "tag:web"]
            .map(str::to_owned)
            .to_vec()
    }

    #[test]
    fn tags_are_read_with_and_without_prefix() {
        let both = vec!["tag:db".to_owned(), "tag:web".to_owned()];
        assert_eq!(read("web, tag:db  web", None), Ok(both.clone()));
        assert_eq!(read("web, tag:db  web", Some(&known())), Ok(both));
        assert_eq!(read("  ", Some(&known())), Ok(Vec::new()));
        assert!(read("9lives", None).unwrap_err().message.contains("9lives"));
    }

    #[test]
    fn a_tag_that_the_policy_does_not_define_is_refused_once_it_can_be_no_other() {
        let wrong = |text| read(text, Some(&known())).unwrap_err();
        let slip = wrong("tag:web, tag:srver");
        assert!(
            slip.message.contains("did you mean `tag:server`"),
            "{slip:?}"
        );
        assert!(!slip.is_unfinished);
        assert!(wrong("tag:nothing-like").message.contains("tagOwners"));
        for begun in ["ser", "tag:", "web, tag:se"] {
            assert!(wrong(begun).is_unfinished, "{begun}");
        }
        assert!(!wrong("ser ").is_unfinished);
        assert!(!wrong("ser, web").is_unfinished);
    }

    #[test]
    fn what_is_typed_narrows_the_choice() {
        assert_eq!(offered("", &known()), known());
        assert_eq!(offered("web", &known()), known());
        assert_eq!(offered("web, se", &known()), ["tag:server"]);
        assert_eq!(offered("tag:srver", &known()), ["tag:server"]);
        assert_eq!(offered("zzz", &known()), known());
    }

    #[test]
    fn a_choice_completes_adds_and_takes_away() {
        assert_eq!(
            toggled("web, se", "tag:server", &known()),
            "tag:web, tag:server"
        );
        assert_eq!(toggled("", "tag:db", &known()), "tag:db");
        assert!(has("db, srver", "tag:db") && !has("srver", "tag:server"));
        assert_eq!(toggled("db web", "tag:db", &known()), "tag:web");
    }
}
