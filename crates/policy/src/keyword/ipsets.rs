//! `ipsets`: names for sets of addresses.

use wire::net::Prefix;

use super::{Keyword, Support, form::Names, forms};
use crate::{
    diagnostic::{self, Code, Sink},
    document::{Change, Document, IpSet, IpSetEntry},
    selector, shape,
    source::{Text, Value},
};

pub(super) const KEYWORD: Keyword = Keyword {
    name: "ipsets",
    summary: "Names for sets of addresses, put together from prefixes, ranges, hosts and sets.",
    example: r#"{ "ipset:prod": ["10.0.0.0/16", "remove 10.0.7.0/24", "10.9.0.1-10.9.0.9"] }"#,
    form: forms::IPSETS,
    support: Support::Read(read),
};

/// The most sets.
const MAX_SETS: usize = 2_000;
/// The most entries of all sets together.
const MAX_ENTRIES: usize = 20_000;

fn read(value: &Value, document: &mut Document, sink: &mut Sink) {
    let Some(members) = shape::members(value, "`ipsets`", sink) else {
        return;
    };
    if !shape::within(members.len(), MAX_SETS, "sets", value.span, sink) {
        return;
    }
    let mut total = 0;
    for member in members {
        let name = &member.key;
        if !is_name(&name.text) {
            sink.error(
                Code::InvalidName,
                name.span,
                format!("`{}` is not the name of a set", name.text),
            )
            .help("write `ipset:` and a name, as in `ipset:prod`");
            continue;
        }
        let Some(texts) = shape::texts(&member.value, &format!("`{}`", name.text), sink) else {
            continue;
        };
        total += texts.len();
        if !shape::within(total, MAX_ENTRIES, "set entries", member.value.span, sink) {
            return;
        }
        let before = sink.errors();
        let entries = texts.iter().filter_map(|t| entry(t, sink)).collect();
        // A set of which something was not read could be wider than it says.
        if sink.errors() == before {
            document.ipsets.push(IpSet {
                name: name.clone(),
                entries,
            });
        }
    }
}

fn is_name(text: &str) -> bool {
    text.strip_prefix("ipset:")
        .is_some_and(|n| !n.is_empty() && !n.contains(char::is_whitespace))
}

/// What may stand in a set.
const MADE_OF: &str = "sets are made of addresses, prefixes, ranges, hosts, other sets and `autogroup:internet`; \
    `add` or `remove` may stand before each, as in `remove 10.0.7.0/24`";
/// Words for taking away that are not ours.
const TAKE: [&str; 12] = [
    "-", "sub", "subtract", "minus", "without", "except", "exclude", "not", "del", "delete",
    "drop", "rm",
];
/// Words for adding that are not ours.
const PUT: [&str; 5] = ["+", "plus", "and", "include", "with"];

fn entry(text: &Text, sink: &mut Sink) -> Option<IpSetEntry> {
    let (change, what) = match text.text.split_once(' ') {
        Some(("add", rest)) => (Change::Add, rest.trim()),
        Some(("remove", rest)) => (Change::Remove, rest.trim()),
        Some(_) | None => (Change::Add, text.text.as_str()),
    };
    if is_unreadable(what) {
        let meant = meant(what).unwrap_or_else(|| MADE_OF.to_owned());
        sink.error(
            Code::InvalidSelector,
            text.span,
            format!("`{what}` selects nothing"),
        )
        .help(meant);
        return None;
    }
    let selector = selector::read(
        &Text {
            span: text.span,
            text: what.to_owned(),
        },
        sink,
    )?;
    if Names::hold(forms::words::ENTRY, &selector.kind) {
        return Some(IpSetEntry { change, selector });
    }
    sink.error(
        Code::InvalidSelector,
        text.span,
        format!("`{}` is no set of addresses", selector.kind),
    )
    .help(MADE_OF);
    None
}

/// True for what no selector looks like.
fn is_unreadable(what: &str) -> bool {
    const NAMED: [&str; 7] = [
        "autogroup:",
        "group:",
        "tag:",
        "user:",
        "ipset:",
        "host:",
        "svc:",
    ];
    let is_named = NAMED.iter().any(|kind| what.starts_with(kind)) || what.contains('@');
    let is_address = || Prefix::parse_any(what).is_ok() || selector::range(what).is_some();
    let is_odd = what.is_empty() || what.contains([':', '/']) || what.contains(char::is_whitespace);
    is_odd && !is_named && !is_address()
}

/// The entry that another word for `add` or `remove` stands for.
fn meant(what: &str) -> Option<String> {
    let (word, rest) = what.split_once(char::is_whitespace)?;
    let lower = word.to_lowercase();
    let ours = if TAKE.contains(&lower.as_str()) {
        "remove"
    } else if PUT.contains(&lower.as_str()) {
        "add"
    } else {
        diagnostic::nearest(word, &["add", "remove"])?
    };
    Some(format!("did you mean `{ours} {}`?", rest.trim()))
}

#[cfg(test)]
mod tests {
    /// What is said of a set's one entry.
    fn said(entry: &str) -> Vec<(String, Option<String>)> {
        let text = format!(r#"{{"ipsets": {{"ipset:a": ["{entry}"]}}, "acls": []}}"#);
        let (_, found) = crate::parse(&text);
        let errors = found
            .into_iter()
            .filter(|d| d.severity == crate::Severity::Error);
        errors.map(|d| (d.message, d.help)).collect()
    }

    #[test]
    fn other_words_for_taking_away_and_adding_are_understood_well_enough_to_correct() {
        for (entry, meant) in [
            ("sub 10.0.0.0/8", "did you mean `remove 10.0.0.0/8`?"),
            ("Remove  10.0.0.0/8", "did you mean `remove 10.0.0.0/8`?"),
            ("remov ipset:b", "did you mean `remove ipset:b`?"),
            ("plus 10.0.0.1", "did you mean `add 10.0.0.1`?"),
        ] {
            let said = said(entry);
            let [(message, help)] = said.as_slice() else {
                panic!("{entry}: {said:?}");
            };
            assert_eq!(*message, format!("`{entry}` selects nothing"));
            assert_eq!(help.as_deref(), Some(meant));
        }
    }

    #[test]
    fn what_is_no_address_is_told_what_may_stand_there() {
        for entry in ["10.0.0.0/33", "10.0.0.1:22", "", "the office", "tag:web"] {
            let said = said(entry);
            let help = said.first().and_then(|(_, help)| help.as_deref());
            assert!(
                help.is_some_and(
                    |h| h.starts_with("sets are made of addresses") && h.contains("`remove`")
                ),
                "{entry}: {said:?}"
            );
        }
        for entry in [
            "10.0.0.1 - 10.0.0.9",
            "10.0.0.0/8",
            "fd7a::1",
            "remove 10.0.0.1-10.0.0.9",
        ] {
            assert_eq!(said(entry), [], "{entry}");
        }
    }
}
