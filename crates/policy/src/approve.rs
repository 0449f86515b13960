//! Who may give which tag to a node, and whose routes need no approval.

use std::collections::{BTreeMap, BTreeSet};

use wire::{UserId, api::Role, net::Prefix};

use crate::{
    compile::{Compiled, People},
    directory::{Directory, NodeFacts},
    document::Document,
    selector::{Selector, SelectorKind, autogroup::Autogroup},
};

/// By tag: the users who may assign it. A tag that is not here is not defined.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TagOwners(BTreeMap<String, Owners>);

/// Users and tags.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Owners {
    users: BTreeSet<UserId>,
    tags: BTreeSet<String>,
    /// Every tag (`autogroup:tagged`).
    any_tag: bool,
}

impl Owners {
    fn new(selectors: &[Selector], directory: &Directory, people: &People<'_>) -> Self {
        let mut all = Self::default();
        for selector in selectors {
            if let SelectorKind::Tag(tag) = &selector.kind {
                all.tags.insert(tag.clone());
            }
            all.any_tag |= selector.kind == SelectorKind::Autogroup(Autogroup::Tagged);
            let users = people.of(&selector.kind, directory);
            all.users.extend(users.into_iter().flatten());
        }
        all
    }

    fn hold(&self, node: &NodeFacts) -> bool {
        node.owner().is_some_and(|u| self.users.contains(&u))
            || node.tags.iter().any(|t| self.hold_tag(t))
    }

    fn hold_tag(&self, tag: &str) -> bool {
        self.any_tag || self.tags.contains(tag)
    }
}

impl TagOwners {
    pub(crate) fn new(document: &Document, directory: &Directory, people: &People<'_>) -> Self {
        let administrators =
            people.with_role(|role| matches!(role, Role::Owner | Role::Admin | Role::NetworkAdmin));
        let of = |owners: &[Selector]| {
            let mut all = Owners::new(owners, directory, people);
            all.users.extend(&administrators);
            all
        };
        let tags = document.tag_owners.iter();
        Self(tags.map(|t| (t.tag.text.clone(), of(&t.owners))).collect())
    }
}

/// Whose offers need no approval.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Approvers {
    routes: Vec<(Prefix, Owners)>,
    exit_node: Owners,
}

impl Approvers {
    pub(crate) fn new(document: &Document, directory: &Directory, people: &People<'_>) -> Self {
        let of = |selectors: &[Selector]| Owners::new(selectors, directory, people);
        let routes = document.auto_approvers.routes.iter();
        Self {
            routes: routes.map(|r| (r.prefix, of(&r.approvers))).collect(),
            exit_node: of(&document.auto_approvers.exit_node),
        }
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
            .is_some_and(|o| holder == tag || o.hold_tag(holder))
    }

    /// True when `autoApprovers` approves the route that the node offers: an
    /// exit route by `exitNode` alone, another one by a prefix that covers it
    /// (`0.0.0.0/0` covers all of IPv4, as connectors of applications need it).
    pub fn approves_route(&self, node: &NodeFacts, route: &Prefix) -> bool {
        if route.is_default_route() {
            return self.approvers.exit_node.hold(node);
        }
        let routes = self.approvers.routes.iter();
        let mut covering = routes.filter(|(p, _)| p.covers(route));
        covering.any(|(_, owners)| owners.hold(node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::User;

    fn law(document: &str) -> Compiled {
        let (document, found) = crate::parse(document);
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
        Compiled::new(&document, &directory)
    }

    #[test]
    fn owners_and_administrators_may_assign_a_defined_tag() {
        let law = law(r#"{"groups": {"group:ops": ["b@x.example"]}, "acls": [],
                "tagOwners": {"tag:web": ["group:ops", "tag:ci"], "tag:ci": [], "tag:all": ["autogroup:member"]}}"#);
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

    #[test]
    fn routes_are_approved_by_prefix_and_exit_nodes_apart() {
        let law = law(
            r#"{"tagOwners": {"tag:r": [], "tag:x": []}, "acls": [], "autoApprovers": {
                "routes": {"10.0.0.0/8": ["tag:r", "b@x.example"], "0.0.0.0/0": ["tag:r"]}, "exitNode": ["tag:x"]}}"#,
        );
        let tagged = |tag: &str| NodeFacts {
            tags: vec![tag.to_owned()],
            user: Some(UserId(2)),
            ..NodeFacts::default()
        };
        let own = NodeFacts {
            user: Some(UserId(2)),
            ..NodeFacts::default()
        };
        let approves =
            |node: &NodeFacts, route: &str| law.approves_route(node, &route.parse().unwrap());
        assert!(approves(&tagged("tag:r"), "10.3.0.0/16") && approves(&own, "10.3.0.0/16"));
        assert!(
            !approves(&tagged("tag:x"), "10.3.0.0/16"),
            "a tagged node is nobody's"
        );
        assert!(approves(&tagged("tag:r"), "192.168.0.0/16"));
        assert!(!approves(&own, "192.168.0.0/16") && !approves(&tagged("tag:r"), "fd00::/64"));
        assert!(!approves(&tagged("tag:r"), "0.0.0.0/0") && approves(&tagged("tag:x"), "::/0"));
    }
}
