//! Names that rules use and no section defines.

use std::collections::BTreeSet;

use crate::{
    diagnostic::{Code, Sink},
    document::Document,
    selector::{Selector, SelectorKind},
    source::Text,
};

/// Where a name is used, for the wording of the service.
#[derive(Debug, Clone, Copy)]
pub(super) enum Use {
    Source,
    AclTarget,
    GrantTarget,
    /// Owners, approvers, targets of attributes.
    Other,
}

pub(super) struct Names<'a> {
    groups: BTreeSet<&'a str>,
    tags: BTreeSet<&'a str>,
    hosts: BTreeSet<&'a str>,
    ipsets: BTreeSet<&'a str>,
    postures: BTreeSet<&'a str>,
}

fn set<'a>(names: impl Iterator<Item = &'a Text>) -> BTreeSet<&'a str> {
    names.map(|n| n.text.as_str()).collect()
}

impl<'a> Names<'a> {
    pub(super) fn of(document: &'a Document) -> Self {
        Self {
            groups: set(document.groups.iter().map(|g| &g.name)),
            tags: set(document.tag_owners.iter().map(|t| &t.tag)),
            hosts: set(document.hosts.iter().map(|h| &h.name)),
            ipsets: set(document.ipsets.iter().map(|s| &s.name)),
            postures: set(document.postures.iter().map(|p| &p.name)),
        }
    }

    /// Everything but rules.
    pub(super) fn check_parts(&self, document: &Document, sink: &mut Sink) {
        let owners = document.tag_owners.iter().flat_map(|t| &t.owners);
        let approvers = &document.auto_approvers;
        let routes = approvers.routes.iter().flat_map(|r| &r.approvers);
        let services = approvers.services.iter().flat_map(|s| &s.approvers);
        let targets = document.node_attrs.iter().flat_map(|a| &a.targets);
        let entries = document.ipsets.iter().flat_map(|s| &s.entries);
        let all = owners
            .chain(routes)
            .chain(&approvers.exit_node)
            .chain(services)
            .chain(targets)
            .chain(entries.map(|e| &e.selector));
        for selector in all {
            self.check(selector, Use::Other, sink);
        }
        for name in document.default_postures.iter().flatten() {
            self.check_posture(name, sink);
        }
    }

    pub(super) fn check_rules(&self, document: &Document, sink: &mut Sink) {
        for acl in document.acls.iter().flatten() {
            for selector in &acl.sources {
                self.check(selector, Use::Source, sink);
            }
            for target in &acl.destinations {
                self.check(&target.selector, Use::AclTarget, sink);
            }
            for name in &acl.postures {
                self.check_posture(name, sink);
            }
        }
        for grant in document.grants.iter().flatten() {
            for selector in &grant.sources {
                self.check(selector, Use::Source, sink);
            }
            for selector in &grant.destinations {
                self.check(selector, Use::GrantTarget, sink);
            }
            for tag in &grant.via {
                self.check_via(tag, sink);
            }
            for name in &grant.postures {
                self.check_posture(name, sink);
            }
        }
    }

    pub(super) fn check_ssh(&self, document: &Document, sink: &mut Sink) {
        for rule in &document.ssh {
            for selector in &rule.sources {
                self.check(selector, Use::Source, sink);
            }
            for selector in rule.destinations.iter().chain(&rule.recorders) {
                self.check(selector, Use::AclTarget, sink);
            }
            for name in &rule.postures {
                self.check_posture(name, sink);
            }
        }
    }

    fn check(&self, selector: &Selector, used: Use, sink: &mut Sink) {
        let (what, word, known, home) = match &selector.kind {
            SelectorKind::Group(name) => ("group", name, &self.groups, "groups"),
            SelectorKind::Tag(name) => ("tag", name, &self.tags, "tagOwners"),
            SelectorKind::Host(name) => ("host", name, &self.hosts, "hosts"),
            SelectorKind::IpSet(name) => ("ipset", name, &self.ipsets, "ipsets"),
            SelectorKind::Any
            | SelectorKind::User(_)
            | SelectorKind::UsersOf(_)
            | SelectorKind::ProviderGroup(_)
            | SelectorKind::Service(_)
            | SelectorKind::Prefix(_)
            | SelectorKind::Range(..)
            | SelectorKind::Autogroup(_) => return,
        };
        if known.contains(word.as_str()) {
            return;
        }
        let message = match (used, &selector.kind) {
            (_, SelectorKind::Host(_)) => format!("\"{word}\": invalid address"),
            (Use::Source, _) => format!("src={what} not found: \"{word}\""),
            (Use::AclTarget, _) => format!("dst=\"{word}\": {what} not found: \"{word}\""),
            (Use::GrantTarget | Use::Other, _) => format!("{what} not found: \"{word}\""),
        };
        let near = sink.error(Code::Undefined, selector.span, message);
        if known.is_empty() {
            near.help(format!("define it in `{home}`"));
        } else {
            near.did_you_mean(word, known.iter().copied());
        }
    }

    fn check_via(&self, tag: &Text, sink: &mut Sink) {
        if !self.tags.contains(tag.text.as_str()) {
            sink.error(
                Code::Undefined,
                tag.span,
                format!("tag \"{}\" not found", tag.text),
            )
            .did_you_mean(&tag.text, self.tags.iter().copied());
        }
    }

    fn check_posture(&self, name: &Text, sink: &mut Sink) {
        if !self.postures.contains(name.text.as_str()) {
            sink.error(
                Code::Undefined,
                name.span,
                format!("posture not found: \"{}\"", name.text),
            )
            .did_you_mean(&name.text, self.postures.iter().copied());
        }
    }
}
