//! Subnet routes: who serves which prefix, and who is told of it.

mod seen;

use std::collections::BTreeMap;

use wire::{NodeId, Timestamp, net::Prefix};

use crate::{
    class::PerFamily,
    compile::{Compiled, TermKind},
    directory::NodeFacts,
};
pub use seen::{Peer, Viewer};

/// The routers of a tenant at one moment, with the primary of each prefix: the
/// one that was created first, of those created at once the one with the lower id.
#[derive(Debug, Clone, Default)]
pub struct Routers {
    by_prefix: BTreeMap<Prefix, Route>,
}

/// A prefix and its routers.
#[derive(Debug, Clone, Default)]
struct Route {
    /// In the order of election.
    routers: Vec<Router>,
    /// Rules whose sources or destinations meet the prefix.
    source: PerFamily,
    target: PerFamily,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Router {
    created: Timestamp,
    id: NodeId,
    tags: Vec<String>,
}

impl Routers {
    /// The routers among these nodes, which are given with the time of their creation.
    pub fn new<'n>(
        law: &Compiled,
        nodes: impl IntoIterator<Item = (NodeId, Timestamp, &'n NodeFacts)>,
    ) -> Self {
        let mut by_prefix: BTreeMap<Prefix, Route> = BTreeMap::new();
        for (id, created, node) in nodes {
            for prefix in &node.routes {
                let route = by_prefix
                    .entry(*prefix)
                    .or_insert_with(|| law.route(prefix));
                route.routers.push(Router {
                    created,
                    id,
                    tags: node.tags.clone(),
                });
            }
        }
        for route in by_prefix.values_mut() {
            route.routers.sort_unstable();
        }
        Self { by_prefix }
    }

    /// The node that packets into the prefix go to.
    pub fn primary(&self, prefix: &Prefix) -> Option<NodeId> {
        let first = self.by_prefix.get(prefix)?.routers.first();
        first.map(|r| r.id)
    }

    /// The primary among those routers of the prefix that have one of the tags.
    fn primary_via(&self, prefix: &Prefix, tags: &[String]) -> Option<NodeId> {
        let routers = self.by_prefix.get(prefix)?.routers.iter();
        let mut tagged = routers.filter(|r| r.tags.iter().any(|t| tags.contains(t)));
        tagged.next().map(|r| r.id)
    }

    /// The prefixes that the node is the primary of, whoever looks.
    pub fn primary_routes(&self, id: NodeId, node: &NodeFacts) -> Vec<Prefix> {
        let routes = node.routes.iter().copied();
        routes.filter(|r| self.primary(r) == Some(id)).collect()
    }
}

impl Compiled {
    /// The rules that a route meets.
    fn route(&self, prefix: &Prefix) -> Route {
        let mut route = Route::default();
        let mut add = |id, is_any: bool| {
            let Some(uses) = self.index.uses(id) else {
                return;
            };
            let family = crate::class::Families::of(std::iter::once(prefix.addr));
            route.source.add(family, &uses.source);
            let target = if is_any {
                uses.target.without(&self.index.app)
            } else {
                uses.target.clone()
            };
            route.target.add(family, &target);
        };
        for (id, term) in (0..).zip(&self.terms) {
            match &term.kind {
                TermKind::Any | TermKind::Everything => add(id, true),
                TermKind::Addresses(set) if set.overlaps(prefix) => add(id, false),
                TermKind::Addresses(_)
                | TermKind::Users(_)
                | TermKind::Tag(_)
                | TermKind::Member
                | TermKind::Tagged
                | TermKind::Internet
                | TermKind::Nothing => {}
            }
        }
        route
    }
}
