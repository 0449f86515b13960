//! Rules with `via` that lead nobody anywhere.

use std::collections::BTreeMap;

use wire::net::{MESH_IPV4, MESH_IPV6};

use crate::{
    addresses::AddressSet,
    diagnostic::{Code, Sink},
    directory::NodeFacts,
    document::{Document, Grant},
    ipset::{Resolved, Sets},
    routes::VIA_IPV6,
    selector::{SelectorKind, autogroup::Autogroup},
};

/// Warns of destinations that lie behind no router: machines, people, tags.
pub(super) fn check(document: &Document, sink: &mut Sink) {
    let places = Places::of(document);
    for grant in with_via(document) {
        for target in &grant.destinations {
            if places.lies_behind(&target.kind) == Some(Behind::Nothing) {
                sink.warning(
                    Code::ViaTarget,
                    target.span,
                    format!(
                        "`{}` lies behind no router: a rule with `via` lets nobody through to it",
                        target.kind
                    ),
                )
                .help(
                    "name a subnet, or `autogroup:internet`, which routers with the tag lead to; \
                     or put this destination into a rule without `via`",
                );
            }
        }
    }
}

/// Warns of rules whose routers lead to none of their destinations now.
pub(super) fn check_routers(document: &Document, nodes: &[NodeFacts], sink: &mut Sink) {
    let places = Places::of(document);
    for grant in with_via(document) {
        let targets = grant.destinations.iter();
        let behind = targets.filter_map(|target| places.lies_behind(&target.kind));
        let behind: Vec<Behind> = behind.filter(|b| *b != Behind::Nothing).collect();
        let Some(first) = grant.via.first().filter(|_| !behind.is_empty()) else {
            continue;
        };
        let is_router =
            |node: &&NodeFacts| grant.via.iter().any(|tag| node.tags.contains(&tag.text));
        let mut routers = nodes.iter().filter(is_router).peekable();
        let nobody = routers.peek().is_none();
        if routers.any(|router| behind.iter().any(|b| b.is_served_by(router))) {
            continue;
        }
        let tags: Vec<String> = grant.via.iter().map(|t| format!("`{}`", t.text)).collect();
        let tags = tags.join(" or ");
        let message = if nobody {
            format!("no machine has {tags} yet: the rule lets nobody through")
        } else {
            format!(
                "no machine with {tags} has an approved route to a destination of this rule: \
                 it lets nobody through"
            )
        };
        sink.warning(Code::ViaRouter, first.span, message).help(
            "give the tag to a machine that offers such a route, and approve the route; \
             or name the tag of the machines that have one",
        );
    }
}

fn with_via(document: &Document) -> impl Iterator<Item = &Grant> {
    let grants = document.grants.iter().flatten();
    grants.filter(|grant| !grant.via.is_empty())
}

/// Where a destination of a rule with `via` lies.
#[derive(Debug, PartialEq, Eq)]
enum Behind {
    /// Behind subnet routers; with `exits`, behind exit nodes too.
    Routers { set: AddressSet, exits: bool },
    /// Behind exit nodes.
    Exits,
    /// Behind no router.
    Nothing,
}

impl Behind {
    fn is_served_by(&self, router: &NodeFacts) -> bool {
        let is_exit = !router.exit_routes.is_empty();
        match self {
            Self::Routers { set, exits } => {
                router.routes.iter().any(|r| set.overlaps(r)) || (*exits && is_exit)
            }
            Self::Exits => is_exit,
            Self::Nothing => false,
        }
    }
}

struct Places<'a> {
    sets: BTreeMap<&'a str, Resolved>,
    names: Sets<'a>,
    mesh: AddressSet,
}

impl<'a> Places<'a> {
    fn of(document: &'a Document) -> Self {
        let names = Sets::new(document);
        let mesh = AddressSet::of_all(&[MESH_IPV4, MESH_IPV6]);
        Self {
            sets: names.resolve(),
            mesh: mesh.without(&AddressSet::of(VIA_IPV6)),
            names,
        }
    }

    /// `None` for names that nothing defines and for sets without addresses.
    fn lies_behind(&self, kind: &SelectorKind) -> Option<Behind> {
        let (set, exits) = match kind {
            SelectorKind::Prefix(prefix) => (AddressSet::of(*prefix), false),
            SelectorKind::Range(first, last) => (AddressSet::of_ranges([(*first, *last)]), false),
            SelectorKind::Host(name) => (AddressSet::of(self.names.host(name)?), false),
            SelectorKind::IpSet(name) => {
                let set = self.sets.get(name.as_str())?;
                (set.addresses.clone(), set.through_exits)
            }
            SelectorKind::Autogroup(Autogroup::Internet) => return Some(Behind::Exits),
            SelectorKind::Any
            | SelectorKind::User(_)
            | SelectorKind::UsersOf(_)
            | SelectorKind::Group(_)
            | SelectorKind::ProviderGroup(_)
            | SelectorKind::Tag(_)
            | SelectorKind::Service(_)
            | SelectorKind::Autogroup(_) => return Some(Behind::Nothing),
        };
        if set.is_empty() {
            return None;
        }
        Some(if self.mesh.covers(&set) {
            Behind::Nothing
        } else {
            Behind::Routers { set, exits }
        })
    }
}

#[cfg(test)]
mod tests;
