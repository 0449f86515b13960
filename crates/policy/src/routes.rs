//! Subnet routes: who serves which prefix, and who is told of it.

mod seen;
mod usable;

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use wire::{NodeId, Timestamp, net::Prefix};

use crate::{
    bits::Bits,
    class::{Class, Families, PerFamily},
    compile::{Compiled, Rule, TermKind, Where},
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
    /// Rules of traffic without `via` that name addresses in it as a destination.
    common: Bits,
    /// Rules with `via` that do so.
    via: Bits,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Router {
    standing: Standing,
    id: NodeId,
    tags: Vec<String>,
}

impl Route {
    /// True when packets into the prefix go to this node.
    fn is_primary(&self, id: NodeId) -> bool {
        self.routers.first().is_some_and(|r| r.id == id)
    }

    /// True when another router comes first among those that have one of the tags.
    fn has_other_primary_via(&self, tags: &[String], id: NodeId) -> bool {
        let mut routers = self.routers.iter();
        let first = routers.find(|r| r.tags.iter().any(|t| tags.contains(t)));
        first.is_some_and(|r| r.id != id)
    }

    /// True when some rule joins the viewer's addresses, or what is behind it, with
    /// the route. As at the service, the families of the two ends may differ.
    fn is_reached_by(&self, viewer: &Class) -> bool {
        viewer.source.crosses(&self.target) || self.source.crosses(&viewer.target)
    }
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
        let family = Families::of(std::iter::once(prefix.addr));
        for (id, term) in (0..).zip(&self.terms) {
            let Some(uses) = self.index.uses(id) else {
                continue;
            };
            let traffic = || uses.target.without(&self.index.app);
            let is_any = matches!(term.kind, TermKind::Any | TermKind::Everything);
            if let Some(narrow) = &term.narrow {
                if narrow.unasked.overlaps(prefix) {
                    route.source.add(family, &uses.source);
                    let target = if is_any { &traffic() } else { &uses.target };
                    route.target.add(family, target);
                }
                continue;
            }
            match &term.kind {
                TermKind::Any | TermKind::Everything => {
                    route.source.add(family, &uses.source);
                    route.target.add(family, &traffic());
                }
                TermKind::Addresses(set) if set.overlaps(prefix) => {
                    route.source.add(family, &uses.source);
                    route.target.add(family, &uses.target);
                    route.common.union(&traffic());
                }
                TermKind::Addresses(_)
                | TermKind::Users(_)
                | TermKind::Tag(_)
                | TermKind::Member
                | TermKind::Tagged
                | TermKind::Internet
                | TermKind::Nothing => {}
            }
        }
        for number in &self.index.via_rules {
            let rule = self.rules.get(*number);
            if rule.is_some_and(|r| self.names_addresses_in(r, prefix)) {
                route.via.insert(*number);
            }
        }
        route
    }

    /// True when the rule names addresses in the prefix as a destination.
    fn names_addresses_in(&self, rule: &Rule, prefix: &Prefix) -> bool {
        rule.targets.iter().any(|(place, _)| {
            let Where::Term(id) = place else {
                return false;
            };
            matches!(self.kind(*id), Some(TermKind::Addresses(set)) if set.overlaps(prefix))
        })
    }
}
