//! Subnet routes: who serves which prefix, and who is told of it.

mod seen;
mod usable;

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use wire::{NodeId, Timestamp, net::Prefix};

use crate::{
    class::PerFamily,
    compile::{Compiled, TermKind},
    directory::NodeFacts,
};
pub use seen::{Peer, Viewer};
pub use usable::{EXIT_ROUTES, RouteFault, VIA_IPV6, check};

/// The routers of a tenant at one moment, with the primary of each prefix: the
/// one that was created first, of those created at once the one with the lower
/// id. Routers that are away come after all others.
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
    standing: Standing,
    id: NodeId,
    tags: Vec<String>,
}

/// Where a router stands in elections; the least is elected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Standing {
    /// It cannot serve at the moment.
    pub away: bool,
    /// When it was created.
    pub created: Timestamp,
}

impl Routers {
    /// The routers among these nodes, which are given with the time of their
    /// creation; all of them can serve.
    pub fn new<'n>(
        law: &Compiled,
        nodes: impl IntoIterator<Item = (NodeId, Timestamp, &'n NodeFacts)>,
    ) -> Self {
        let mut all = Self::default();
        for (id, created, node) in nodes {
            let away = false;
            all.add(law, id, Standing { away, created }, node);
        }
        all
    }

    /// Takes a node in that is not in it.
    pub fn add(&mut self, law: &Compiled, id: NodeId, standing: Standing, node: &NodeFacts) {
        for prefix in &node.routes {
            let route = self
                .by_prefix
                .entry(*prefix)
                .or_insert_with(|| law.route(prefix));
            let router = Router {
                standing,
                id,
                tags: node.tags.clone(),
            };
            let at = route.routers.partition_point(|r| *r < router);
            route.routers.insert(at, router);
        }
    }

    /// Takes a node out, given what was known of it when it was taken in.
    pub fn remove(&mut self, id: NodeId, node: &NodeFacts) {
        for prefix in &node.routes {
            if let Entry::Occupied(mut route) = self.by_prefix.entry(*prefix) {
                route.get_mut().routers.retain(|r| r.id != id);
                if route.get().routers.is_empty() {
                    route.remove();
                }
            }
        }
    }

    /// The prefixes that somebody serves, sorted.
    pub fn prefixes(&self) -> impl Iterator<Item = Prefix> + '_ {
        self.by_prefix.keys().copied()
    }

    /// The routers of these prefixes: those whom an election for one of them concerns.
    pub fn of<'p>(&self, prefixes: impl IntoIterator<Item = &'p Prefix>) -> BTreeSet<NodeId> {
        let routes = prefixes.into_iter().filter_map(|p| self.by_prefix.get(p));
        routes.flat_map(|r| &r.routers).map(|r| r.id).collect()
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
            if let Some(narrow) = &term.narrow {
                if narrow.unasked.overlaps(prefix) {
                    add(
                        id,
                        matches!(term.kind, TermKind::Any | TermKind::Everything),
                    );
                }
                continue;
            }
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
