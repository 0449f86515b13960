//! What `sshTests` may name: a sign-in comes from somebody and goes to nodes.

use std::collections::{BTreeMap, BTreeSet};

use wire::net::Prefix;

use crate::{
    diagnostic::{Code, Sink},
    document::Document,
    source::Text,
};

pub(super) fn check(document: &Document, sink: &mut Sink) {
    if document.ssh_tests.is_empty() {
        return;
    }
    let names = Names {
        tags: document
            .tag_owners
            .iter()
            .map(|t| t.tag.text.as_str())
            .collect(),
        hosts: document
            .hosts
            .iter()
            .map(|h| (h.name.text.as_str(), h.prefix))
            .collect(),
    };
    for test in &document.ssh_tests {
        if let Some(text) = &test.source {
            names.check(text, "src", text.text.starts_with("autogroup:"), sink);
        }
        for text in &test.destinations {
            names.check(text, "dst", text.text == "autogroup:internet", sink);
        }
    }
}

struct Names<'a> {
    tags: BTreeSet<&'a str>,
    hosts: BTreeMap<&'a str, Prefix>,
}

impl Names<'_> {
    fn check(&self, text: &Text, place: &str, group: bool, sink: &mut Sink) {
        let name = text.text.as_str();
        if name.starts_with("tag:") && !self.tags.contains(name) {
            sink.error(
                Code::Undefined,
                text.span,
                format!("SSH tests {place} contains unknown tag \"{name}\""),
            )
            .help("define it in `tagOwners`; ports do not stand here");
        } else if group || name == "*" || self.is_wide(name) {
            sink.error(
                Code::InvalidSelector,
                text.span,
                format!("SSH tests {place} contains disallowed element \"{name}\""),
            )
            .help("name a user, a group, a tag, a host or an address");
        }
    }

    /// True for more than one address.
    fn is_wide(&self, name: &str) -> bool {
        let written = Prefix::parse_any(name).ok();
        written
            .or_else(|| self.hosts.get(name).copied())
            .is_some_and(|p| !p.is_host())
    }
}
