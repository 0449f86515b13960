//! The users of a tenant, and what each belongs to.

use std::collections::{BTreeMap, BTreeSet};

use wire::{UserId, api::Role};

use crate::{
    diagnostic::Span, directory::Directory, document::Document, selector::provider_group::fold,
};

/// A user and what he belongs to.
#[derive(Debug)]
pub(super) struct Person<'a> {
    pub(super) email: String,
    pub(super) role: Role,
    /// Groups of the document, and where they list him.
    pub(super) groups: BTreeMap<&'a str, Span>,
    /// Groups of identity providers: the connection's place in the directory, and the name.
    pub(super) provided: BTreeSet<(usize, String)>,
}

impl Person<'_> {
    pub(super) fn domain(&self) -> Option<&str> {
        self.email.rsplit_once('@').map(|(_, domain)| domain)
    }
}

pub(super) fn all<'a>(
    document: &'a Document,
    directory: &Directory,
) -> BTreeMap<UserId, Person<'a>> {
    let mut by_email: BTreeMap<String, UserId> = BTreeMap::new();
    let mut all = BTreeMap::new();
    for user in &directory.users {
        let email = user.email.to_lowercase();
        if let Some(other) = by_email.insert(email.clone(), user.id) {
            all.remove(&other);
        }
        let person = Person {
            email,
            role: user.role,
            groups: BTreeMap::new(),
            provided: BTreeSet::new(),
        };
        all.insert(user.id, person);
    }
    for group in &document.groups {
        for member in &group.members {
            let user = by_email.get(&member.text);
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
