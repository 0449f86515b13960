//! What a document says of the tenant's people.

use crate::{
    diagnostic::{Code, Sink},
    directory::Directory,
    document::Document,
    login::Logins,
    selector::{Selector, SelectorKind, provider_group::ProviderGroup},
    source::Text,
};

pub(super) fn check(document: &Document, directory: &Directory, sink: &mut Sink) {
    let people = People {
        directory,
        known: Logins::new(directory.users.iter().map(|u| (u.email.as_str(), ()))),
    };
    for member in document.groups.iter().flat_map(|g| &g.members) {
        people.user(member, sink);
    }
    let ssh = document.ssh.iter();
    let ssh = ssh.flat_map(|r| r.sources.iter().chain(&r.destinations));
    // Users and domains of `ssh` are looked for in `ssh::findings`.
    let ssh = ssh.filter(|s| !matches!(s.kind, SelectorKind::User(_) | SelectorKind::UsersOf(_)));
    for selector in selectors(document).chain(ssh) {
        people.selector(selector, sink);
    }
}

/// Every selector of the document.
fn selectors(document: &Document) -> impl Iterator<Item = &Selector> {
    let owners = document.tag_owners.iter().flat_map(|t| &t.owners);
    let approvers = &document.auto_approvers;
    let routes = approvers.routes.iter().flat_map(|r| &r.approvers);
    let services = approvers.services.iter().flat_map(|s| &s.approvers);
    let acls = || document.acls.iter().flatten();
    let grants = || document.grants.iter().flatten();
    owners
        .chain(routes)
        .chain(&approvers.exit_node)
        .chain(services)
        .chain(document.node_attrs.iter().flat_map(|a| &a.targets))
        .chain(acls().flat_map(|a| &a.sources))
        .chain(acls().flat_map(|a| &a.destinations).map(|t| &t.selector))
        .chain(grants().flat_map(|g| &g.sources))
        .chain(grants().flat_map(|g| &g.destinations))
}

struct People<'a> {
    directory: &'a Directory,
    known: Logins<()>,
}

impl People<'_> {
    fn selector(&self, selector: &Selector, sink: &mut Sink) {
        match &selector.kind {
            SelectorKind::User(email) => self.user(
                &Text {
                    span: selector.span,
                    text: email.clone(),
                },
                sink,
            ),
            SelectorKind::UsersOf(domain) if !self.directory.has_domain(domain) => {
                sink.error(
                    Code::UnknownDomain,
                    selector.span,
                    format!("{domain} is not associated with this Tailnet and cannot be used in user:*@<domain> expressions"),
                )
                .did_you_mean(domain, self.directory.domains.iter().map(String::as_str));
            }
            SelectorKind::ProviderGroup(group) => self.provider_group(group, selector, sink),
            SelectorKind::UsersOf(_)
            | SelectorKind::Any
            | SelectorKind::Group(_)
            | SelectorKind::Tag(_)
            | SelectorKind::Host(_)
            | SelectorKind::IpSet(_)
            | SelectorKind::Service(_)
            | SelectorKind::Prefix(_)
            | SelectorKind::Range(..)
            | SelectorKind::Autogroup(_) => {}
        }
    }

    fn user(&self, email: &Text, sink: &mut Sink) {
        self.known.must_know(&email.text, email.span, sink);
    }

    fn provider_group(&self, group: &ProviderGroup, selector: &Selector, sink: &mut Sink) {
        let Some(connection) = self.directory.connection(&group.at) else {
            let slugs = self.directory.connections.iter().map(|c| c.slug.as_str());
            sink.warning(
                Code::UnknownGroup,
                selector.span,
                format!(
                    "`{}` is neither a connection nor the domain of one: `{group}` matches nobody",
                    group.at
                ),
            )
            .did_you_mean(&group.at, slugs);
            return;
        };
        let names = || connection.groups.iter().map(|g| g.name.as_str());
        let is_known = names().any(|n| crate::selector::provider_group::fold(n) == group.name);
        if !is_known {
            sink.warning(
                Code::UnknownGroup,
                selector.span,
                format!(
                    "the identity provider tells of no group `{}`: it matches nobody",
                    group.name
                ),
            )
            .did_you_mean(&group.name, names());
        }
    }
}
