//! Judges a policy while it is typed, by the code that the server judges with.

use policy::{
    Directory, Document, check,
    keyword::form::{Form, Need},
    lint,
    selector::autogroup::Autogroup,
};
use serde::Serialize;
use wire::api::{
    policy::{Diagnostic, Severity},
    user::User,
};

/// The judgement of a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Judgement {
    /// What is wrong or odd, in document order.
    pub(crate) findings: Vec<Diagnostic>,
    /// What can be offered for completion.
    pub(crate) words: Vec<Word>,
}

/// A mark in the editor; places count UTF-16 units, as scripts do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Mark {
    /// First unit.
    pub(crate) from: usize,
    /// One past the last unit.
    pub(crate) to: usize,
    /// `error` or `warning`.
    pub(crate) severity: &'static str,
    /// What is wrong and what to do.
    pub(crate) message: String,
}

/// A word offered for completion.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Word {
    /// What is written.
    pub(crate) label: String,
    /// What it is.
    pub(crate) detail: String,
    /// `key`: where a name stands; `value`: inside a value.
    pub(crate) kind: &'static str,
}

/// Judges `text`. Without `users`, nothing is said of people who are no members.
pub(crate) fn judge(text: &str, users: Option<&[User]>) -> Judgement {
    let (document, mut found) = policy::parse(text);
    if let Some(users) = users
        && !policy::has_errors(&found)
    {
        let directory = directory(users);
        let all = check::against(&document, &directory);
        // Domains and groups of identity providers are known to the server alone.
        let known = |d: &policy::Diagnostic| {
            !matches!(
                d.code,
                policy::Code::UnknownDomain | policy::Code::UnknownGroup
            )
        };
        found.extend(all.into_iter().filter(known));
        found.extend(lint::lint(text, &directory));
        found.sort_by_key(|d| (d.span, d.severity));
    }
    Judgement {
        findings: found.iter().map(|d| d.to_api(text)).collect(),
        words: words(&document, users.unwrap_or_default()),
    }
}

/// The findings as marks in `text`.
pub(crate) fn marks(text: &str, findings: &[Diagnostic]) -> Vec<Mark> {
    findings
        .iter()
        .map(|d| Mark {
            from: utf16(text, d.start),
            to: utf16(text, d.end.max(d.start)),
            severity: match d.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            message: match &d.help {
                Some(help) => format!("{}\n{help}", d.message),
                None => d.message.clone(),
            },
        })
        .collect()
}

/// The place of a byte in UTF-16 units.
pub(crate) fn utf16(text: &str, byte: usize) -> usize {
    let mut at = byte.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    text[..at].encode_utf16().count()
}

/// How many errors and warnings.
pub(crate) fn count(findings: &[Diagnostic]) -> (usize, usize) {
    let errors = findings
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .count();
    (errors, findings.len() - errors)
}

/// `2 errors, 1 warning`; `No problems found`.
pub(crate) fn summary(findings: &[Diagnostic]) -> String {
    let say = |n: usize, what: &str| match n {
        0 => None,
        1 => Some(format!("1 {what}")),
        n => Some(format!("{n} {what}s")),
    };
    let (errors, warnings) = count(findings);
    let parts: Vec<String> = [say(errors, "error"), say(warnings, "warning")]
        .into_iter()
        .flatten()
        .collect();
    if parts.is_empty() {
        "No problems found".to_owned()
    } else {
        parts.join(", ")
    }
}

fn directory(users: &[User]) -> Directory {
    let users = users.iter().map(|user| policy::User {
        id: user.id,
        email: user.email.clone(),
        role: user.role,
    });
    Directory {
        users: users.collect(),
        ..Directory::default()
    }
}

fn words(document: &Document, users: &[User]) -> Vec<Word> {
    let word = |label: &str, detail: &str, kind| Word {
        label: label.to_owned(),
        detail: detail.to_owned(),
        kind,
    };
    let mut words: Vec<Word> = Vec::new();
    let mut forms = Vec::new();
    for key in policy::keyword::KEYWORDS
        .iter()
        .filter(|k| k.is_supported())
    {
        words.push(word(key.name, key.summary, "key"));
        forms.push(key.form);
    }
    while let Some(form) = forms.pop() {
        for field in form.fields() {
            if !matches!(field.need, Need::Spells(_)) {
                words.push(word(field.name, field.summary, "key"));
            }
            forms.push(field.form);
        }
        if let Form::OneOf(choices) = form {
            words.extend(choices.iter().map(|c| word(c, "", "value")));
        }
        if let Form::List(inner) | Form::Map(_, inner) = form {
            forms.push(*inner);
        }
    }
    words.push(word("*", "everything", "value"));
    words.extend(
        Autogroup::ALL
            .iter()
            .map(|a| word(a.as_str(), a.summary(), "value")),
    );
    let groups = document.groups.iter().map(|g| (&g.name.text, "group"));
    let tags = document.tag_owners.iter().map(|t| (&t.tag.text, "tag"));
    let hosts = document.hosts.iter().map(|h| (&h.name.text, "host"));
    for (name, what) in groups.chain(tags).chain(hosts) {
        words.push(word(name.as_str(), what, "value"));
    }
    words.extend(users.iter().map(|u| word(&u.email, "user", "value")));
    // A key that stands in several objects is offered once.
    let mut seen = std::collections::BTreeSet::new();
    words.retain(|w| !w.label.is_empty() && seen.insert((w.kind, w.label.clone())));
    words
}

#[cfg(test)]
mod tests {
    use wire::{Timestamp, UserId, api::Role};

    use super::*;

    fn ada() -> User {
        User {
            id: UserId(1),
            email: "ada@example.com".to_owned(),
            display_name: "Ada".to_owned(),
            role: Role::Owner,
            nodes: 0,
            created: Timestamp::from_unix_seconds(0),
            last_sign_in: None,
        }
    }

    #[test]
    fn the_starter_policy_is_found_clean_and_offers_its_tags() {
        let judgement = judge(policy::STARTER, Some(&[ada()]));
        assert_eq!(judgement.findings, []);
        assert_eq!(summary(&judgement.findings), "No problems found");
        let labels: Vec<&str> = judgement.words.iter().map(|w| w.label.as_str()).collect();
        for label in ["acls", "tag:server", "ada@example.com", "autogroup:self"] {
            assert!(labels.contains(&label), "{label}");
        }
    }

    #[test]
    fn an_error_has_its_line_and_a_mark_that_counts_as_scripts_do() {
        let text = "{\n  // 😀\n  \"acl\": [],\n}";
        let judgement = judge(text, None);
        assert_eq!(judgement.findings[0].line, 3);
        assert_eq!(summary(&judgement.findings[..1]), "1 error");
        let mark = &marks(text, &judgement.findings)[0];
        let utf16: Vec<u16> = text.encode_utf16().collect();
        let marked = String::from_utf16(&utf16[mark.from..mark.to]).unwrap();
        assert_eq!(marked, "\"acl\"");
        assert!(mark.message.contains("acls"), "{}", mark.message);
    }

    #[test]
    fn strangers_are_named_only_when_the_members_are_known() {
        let text =
            r#"{"acls": [{"action": "accept", "src": ["eve@example.com"], "dst": ["*:*"]}]}"#;
        assert_eq!(judge(text, None).findings, []);
        let judgement = judge(text, Some(&[ada()]));
        let told: Vec<&str> = judgement.findings.iter().map(|f| f.code.as_str()).collect();
        assert!(told.contains(&"unknown_user"), "{told:?}");
        assert_eq!(count(&judgement.findings).0, 0);
    }
}
