//! Checks across keywords: names that are not defined, rules that can match nothing.

mod ssh_tests;

use std::collections::BTreeSet;

use crate::{
    diagnostic::{Code, Sink, Span},
    document::{Acl, Document},
    selector::{Selector, SelectorKind, autogroup::Autogroup},
};

/// Checks a document that has been read.
pub(crate) fn check(document: &Document, sink: &mut Sink) {
    let names = Names::of(document);
    for owner in &document.tag_owners {
        for selector in &owner.owners {
            names.check(selector, "owner", sink);
        }
    }
    for acl in document.acls.iter().flatten() {
        for selector in &acl.sources {
            names.check(selector, "src", sink);
        }
        for target in &acl.destinations {
            names.check(&target.selector, "dst", sink);
        }
        check_self(acl, sink);
    }
    for rule in &document.ssh {
        for selector in &rule.sources {
            names.check(selector, "src", sink);
        }
        for selector in rule.destinations.iter().chain(&rule.recorders) {
            names.check(selector, "dst", sink);
        }
    }
    ssh_tests::check(document, sink);
    if !sink.has_errors() {
        check_empty(document, sink);
    }
}

/// Warns of rules that allow nothing; only where nothing was left out as unreadable.
fn check_empty(document: &Document, sink: &mut Sink) {
    for acl in document.acls.iter().flatten() {
        let which = match (acl.sources.is_empty(), acl.destinations.is_empty()) {
            (true, _) => "sources",
            (false, true) => "destinations",
            (false, false) => continue,
        };
        sink.warning(
            Code::EmptyRule,
            acl.span,
            format!("this rule has no {which} and allows nothing"),
        );
    }
    if document.acls.as_ref().is_none_or(Vec::is_empty) {
        sink.warning(
            Code::NothingAllowed,
            Span::default(),
            "there are no rules in `acls`: all traffic is denied",
        );
    }
}

struct Names<'a> {
    groups: BTreeSet<&'a str>,
    tags: BTreeSet<&'a str>,
    hosts: BTreeSet<&'a str>,
}

impl<'a> Names<'a> {
    fn of(document: &'a Document) -> Self {
        Self {
            groups: document
                .groups
                .iter()
                .map(|g| g.name.text.as_str())
                .collect(),
            tags: document
                .tag_owners
                .iter()
                .map(|t| t.tag.text.as_str())
                .collect(),
            hosts: document
                .hosts
                .iter()
                .map(|h| h.name.text.as_str())
                .collect(),
        }
    }

    fn check(&self, selector: &Selector, place: &str, sink: &mut Sink) {
        let (what, word, known, home) = match &selector.kind {
            SelectorKind::Group(name) => ("group", name, &self.groups, "groups"),
            SelectorKind::Tag(name) => ("tag", name, &self.tags, "tagOwners"),
            SelectorKind::Host(name) => ("host", name, &self.hosts, "hosts"),
            SelectorKind::Any
            | SelectorKind::User(_)
            | SelectorKind::Prefix(_)
            | SelectorKind::Autogroup(_) => return,
        };
        if known.contains(word.as_str()) {
            return;
        }
        let near = sink.error(
            Code::Undefined,
            selector.span,
            format!("{place}=\"{word}\": {what} not found: \"{word}\""),
        );
        if known.is_empty() {
            near.help(format!("define it in `{home}`"));
        } else {
            near.did_you_mean(word, known.iter().copied());
        }
    }
}

/// `autogroup:self` needs sources that are people.
fn check_self(acl: &Acl, sink: &mut Sink) {
    let targets_self = acl
        .destinations
        .iter()
        .any(|t| t.selector.kind == SelectorKind::Autogroup(Autogroup::SelfDevices));
    if !targets_self {
        return;
    }
    for source in &acl.sources {
        let ok = match &source.kind {
            SelectorKind::Any | SelectorKind::User(_) | SelectorKind::Group(_) => true,
            SelectorKind::Autogroup(group) => *group == Autogroup::Member,
            SelectorKind::Tag(_) | SelectorKind::Host(_) | SelectorKind::Prefix(_) => false,
        };
        if !ok {
            sink.error(
                Code::SelfSource,
                source.span,
                "autogroup:self can only be used with users, groups, or supported autogroups",
            )
            .help("put this source into a rule of its own");
        }
    }
}
