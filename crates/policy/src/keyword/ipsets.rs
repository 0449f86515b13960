//! `ipsets`: names for sets of addresses.

use super::{Keyword, Support, form::Names, forms};
use crate::{
    diagnostic::{Code, Sink},
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

fn entry(text: &Text, sink: &mut Sink) -> Option<IpSetEntry> {
    let (change, what) = match text.text.split_once(' ') {
        Some(("add", rest)) => (Change::Add, rest.trim()),
        Some(("remove", rest)) => (Change::Remove, rest.trim()),
        Some(_) | None => (Change::Add, text.text.as_str()),
    };
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
    .help(
        "sets are made of addresses, prefixes, ranges, hosts, other sets and `autogroup:internet`",
    );
    None
}
