//! The users of a tenant, and what each belongs to.

use std::collections::{BTreeMap, BTreeSet};

use wire::{UserId, api::Role};

use crate::{
    diagnostic::Span, directory::Directory, document::Document, login::Logins,
    selector::provider_group::fold,
};

/// A user and what he belongs to.
#[derive(Debug)]
pub(super) struct Person<'a> {
    pub(super) email: String,
    /// The name without its domain, `ada@`, where it means this user alone.
    pub(super) short: Option<String>,
    pub(super) role: Role,
    /// Groups of the document, and where they list him.
    pub(super) groups: BTreeMap<&'a str, Span>,
    /// Groups of identity providers: the connection's place in the directory, and the name.
    pub(super) provided: BTreeSet<(usize, String)>,
}

impl Person<'_> {
    /// True when a login name in a document means him.
    pub(super) fn is_called(&self, written: &str) -> bool {
        self.email == written || self.short.as_deref() == Some(written)
    }

    pub(super) fn domain(&self) -> Option<&str> {
        self.email.rsplit_once('@').map(|(_, domain)| domain)
    }
}

pub(super) fn all<'a>(
    document: &'a Document,
    directory: &Directory,
) -> BTreeMap<UserId, Person<'a>> {
    let users = directory.users.iter();
    let logins = Logins::new(users.map(|user| (user.email.as_str(), user.id)));
    let mut all = BTreeMap::new();
    for user in &directory.users {
        let email = user.email.to_lowercase();
        if logins.find(&email) != Some(&user.id) {
            continue;
        }
        let local = email.split_once('@').map(|(local, _)| format!("{local}@"));
        let person = Person {
            short: local.filter(|short| logins.find(short) == Some(&user.id)),
            email,
            role: user.role,
            groups: BTreeMap::new(),
            provided: BTreeSet::new(),
        };
        all.insert(user.id, person);
    }
    for group in &document.groups {
        for member in &group.members {
            let user = logins.find(&member.text);
            if let Some(person) = user.and_then(|u| all.get_mut(u)) {
                let groups = &mut person.groups;
                groups
                    .entry(group.name.text.as_str())
                    .or_insert(member.span);
            }
        }
    }
    for (at, connection) in directory.connections.iter().enumerate() {
        for group in &connection.groups {
            let name = fold(&group.name);
            for user in &group.members {
                if let Some(person) = all.get_mut(user) {
                    person.provided.insert((at, name.clone()));
                }
            }
        }
    }
    all
}
