//! `groups`: names for sets of users.

use super::{Keyword, Support, forms};
use crate::{
    diagnostic::{Code, Sink},
    document::{Document, Group},
    login, shape,
    source::{Text, Value},
};

pub(super) const KEYWORD: Keyword = Keyword {
    name: "groups",
    summary: "Names for sets of users.",
    example: r#"{ "group:ops": ["ada@example.com", "grace@example.com"] }"#,
    form: forms::GROUPS,
    support: Support::Read(read),
};

/// The most groups.
const MAX_GROUPS: usize = 2_000;
/// The most members of all groups together.
const MAX_MEMBERS: usize = 20_000;

fn read(value: &Value, document: &mut Document, sink: &mut Sink) {
    let Some(members) = shape::members(value, "`groups`", sink) else {
        return;
    };
    if !shape::within(members.len(), MAX_GROUPS, "groups", value.span, sink) {
        return;
    }
    let mut total = 0;
    for member in members {
        let name = &member.key;
        if !is_name(&name.text) {
            let help = if name.text.contains('@') {
                "groups of an identity provider are defined there, not here"
            } else {
                "write `group:` and a name, as in `group:ops`"
            };
            sink.error(
                Code::InvalidName,
                name.span,
                format!("`{}` is not a group name", name.text),
            )
            .help(help);
            continue;
        }
        let Some(entries) = shape::texts(&member.value, &format!("`{}`", name.text), sink) else {
            continue;
        };
        total += entries.len();
        if !shape::within(total, MAX_MEMBERS, "group members", member.value.span, sink) {
            return;
        }
        document.groups.push(Group {
            name: name.clone(),
            members: entries
                .iter()
                .filter_map(|e| user(&name.text, e, sink))
                .collect(),
        });
    }
}

fn is_name(text: &str) -> bool {
    text.strip_prefix("group:")
        .is_some_and(|n| !n.is_empty() && !n.contains('@') && !n.contains(char::is_whitespace))
}

fn user(group: &str, entry: &Text, sink: &mut Sink) -> Option<Text> {
    if entry.text.starts_with("group:") {
        sink.error(
            Code::NestedGroup,
            entry.span,
            format!(
                "groups[\"{group}\"]: \"{}\": group members cannot be recursive",
                entry.text
            ),
        )
        .help("name its members here");
        return None;
    }
    match login::read(&entry.text) {
        Ok(text) => Some(Text {
            span: entry.span,
            text,
        }),
        Err(why) => {
            sink.error(Code::InvalidName, entry.span, why.to_string())
                .help("members of a group are users, by their login name");
            None
        }
    }
}
