//! Who may give which tag to a node.

use std::collections::{BTreeMap, BTreeSet};

use wire::{UserId, api::Role};

use crate::{
    compile::{Compiled, People},
    directory::Directory,
    document::Document,
    selector::SelectorKind,
};

/// By tag: the users who may assign it. A tag that is not here is not defined.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TagOwners(BTreeMap<String, Owners>);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Owners {
    users: BTreeSet<UserId>,
    tags: BTreeSet<String>,
}

impl TagOwners {
    pub(crate) fn new(document: &Document, directory: &Directory) -> Self {
        let people = People::new(document, directory);
        let administrators =
            people.with_role(|role| matches!(role, Role::Owner | Role::Admin | Role::NetworkAdmin));
        let of = |owners: &[crate::selector::Selector]| {
            let mut all = Owners {
                users: administrators.clone(),
                tags: BTreeSet::new(),
            };
            for owner in owners {
                match &owner.kind {
                    SelectorKind::User(email) => all.users.extend(people.user(email)),
                    SelectorKind::Group(name) => all.users.extend(people.group(name)),
                    SelectorKind::Tag(tag) => {
                        all.tags.insert(tag.clone());
                    }
                    SelectorKind::Autogroup(group) => all
                        .users
                        .extend(people.with_role(|role| group.holds_role(role) == Some(true))),
                    SelectorKind::Any
                    | SelectorKind::UsersOf(_)
                    | SelectorKind::ProviderGroup(_)
                    | SelectorKind::Host(_)
                    | SelectorKind::IpSet(_)
                    | SelectorKind::Service(_)
                    | SelectorKind::Prefix(_)
                    | SelectorKind::Range(..) => {}
                }
            }
            all
        };
        let tags = document.tag_owners.iter();
        Self(tags.map(|t| (t.tag.text.clone(), of(&t.owners))).collect())
    }
}

impl Compiled {
    /// True when `tagOwners` names the tag.
    pub fn is_tag_defined(&self, tag: &str) -> bool {
        self.tag_owners.0.contains_key(tag)
    }

    /// True when the user may give the tag to a node: he owns it, alone or in a
    /// group, or he is an owner, administrator or network administrator of the
    /// tenant. Nobody may give a tag that is not defined.
    pub fn may_assign_tag(&self, user: UserId, tag: &str) -> bool {
        self.tag_owners
            .0
            .get(tag)
            .is_some_and(|o| o.users.contains(&user))
    }

    /// True when a node that holds `holder` may have `tag` too: it is the same
    /// tag, or `holder` is one of its owners.
    pub fn may_tag_assign_tag(&self, holder: &str, tag: &str) -> bool {
        self.tag_owners
            .0
            .get(tag)
            .is_some_and(|o| holder == tag || o.tags.contains(holder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::User;

    #[test]
    fn owners_and_administrators_may_assign_a_defined_tag() {
        let (document, found) = crate::parse(
            r#"{"groups": {"group:ops": ["b@x.example"]}, "acls": [],
                "tagOwners": {"tag:web": ["group:ops", "tag:ci"], "tag:ci": [], "tag:all": ["autogroup:member"]}}"#,
        );
        assert!(!crate::has_errors(&found), "{found:?}");
        let user = |id, email: &str, role| User {
            id: UserId(id),
            email: email.to_owned(),
            role,
        };
        let directory = Directory {
            users: vec![
                user(1, "A@x.example", Role::Admin),
                user(2, "b@x.example", Role::Member),
                user(3, "c@x.example", Role::ItAdmin),
            ],
            ..Directory::default()
        };
        let law = Compiled::new(&document, &directory);
        let may = |id, tag| law.may_assign_tag(UserId(id), tag);
        assert!(may(1, "tag:ci") && may(1, "tag:web"));
        assert!(may(2, "tag:web") && !may(2, "tag:ci"));
        assert!(!may(3, "tag:web") && may(3, "tag:all"));
        assert!(!may(1, "tag:none") && !law.is_tag_defined("tag:none"));
        assert!(!may(9, "tag:all"));
        assert!(law.may_tag_assign_tag("tag:ci", "tag:web"));
        assert!(law.may_tag_assign_tag("tag:ci", "tag:ci"));
        assert!(!law.may_tag_assign_tag("tag:web", "tag:ci"));
    }
}
