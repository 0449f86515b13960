//! Users by e-mail address, by group and by role.

use std::collections::{BTreeMap, BTreeSet};

use wire::{UserId, api::Role};

use crate::{
    directory::Directory,
    document::Document,
    login::Logins,
    selector::{
        SelectorKind,
        provider_group::{ProviderGroup, fold},
    },
};

/// The users that a document's names stand for.
pub(crate) struct People<'a> {
    logins: Logins<(UserId, Role)>,
    groups: BTreeMap<&'a str, BTreeSet<UserId>>,
}

impl<'a> People<'a> {
    pub(crate) fn new(document: &'a Document, directory: &Directory) -> Self {
        let users = directory.users.iter();
        let logins = Logins::new(users.map(|u| (u.email.as_str(), (u.id, u.role))));
        let groups = document
            .groups
            .iter()
            .map(|g| {
                let members = g.members.iter().filter_map(|m| logins.find(&m.text));
                (g.name.text.as_str(), members.map(|(id, _)| *id).collect())
            })
            .collect();
        Self { logins, groups }
    }

    /// The users that a selector stands for; `None` when it is no selector of users.
    /// `autogroup:member` stands for all of them.
    pub(crate) fn of(
        &self,
        kind: &SelectorKind,
        directory: &Directory,
    ) -> Option<BTreeSet<UserId>> {
        match kind {
            SelectorKind::User(email) => Some(self.user(email)),
            SelectorKind::UsersOf(domain) => Some(self.of_domain(directory, domain)),
            SelectorKind::Group(name) => Some(self.group(name)),
            SelectorKind::ProviderGroup(group) => Some(Self::provider_group(directory, group)),
            SelectorKind::Autogroup(group) => group
                .is_of_people()
                .then(|| self.with_role(|role| group.holds_role(role) == Some(true))),
            SelectorKind::Any
            | SelectorKind::Tag(_)
            | SelectorKind::Host(_)
            | SelectorKind::IpSet(_)
            | SelectorKind::Service(_)
            | SelectorKind::Prefix(_)
            | SelectorKind::Range(..) => None,
        }
    }

    pub(crate) fn user(&self, email: &str) -> BTreeSet<UserId> {
        let found = self.logins.find(email);
        found.map(|(id, _)| *id).into_iter().collect()
    }

    pub(crate) fn group(&self, name: &str) -> BTreeSet<UserId> {
        self.groups.get(name).cloned().unwrap_or_default()
    }

    /// The users of a domain, if it is the tenant's.
    pub(crate) fn of_domain(&self, directory: &Directory, domain: &str) -> BTreeSet<UserId> {
        if !directory.has_domain(domain) {
            return BTreeSet::new();
        }
        let is_of = |email: &str| email.rsplit_once('@').is_some_and(|(_, d)| d == domain);
        let all = self.logins.all().filter(|(email, _)| is_of(email));
        all.map(|(_, (id, _))| *id).collect()
    }

    /// The members of an identity provider's group.
    pub(crate) fn provider_group(directory: &Directory, group: &ProviderGroup) -> BTreeSet<UserId> {
        let connection = directory.connection(&group.at);
        let groups = connection.into_iter().flat_map(|c| &c.groups);
        groups
            .filter(|g| fold(&g.name) == group.name)
            .flat_map(|g| g.members.iter().copied())
            .collect()
    }

    pub(crate) fn with_role(&self, holds: impl Fn(Role) -> bool) -> BTreeSet<UserId> {
        let all = self.logins.all();
        all.filter(|(_, (_, role))| holds(*role))
            .map(|(_, (id, _))| *id)
            .collect()
    }
}
