//! The routes of a peer that a viewer is told of.

use std::collections::BTreeSet;

use wire::{NodeId, net::Prefix};

use super::Routers;
use crate::{
    class::{Class, ClassKey},
    compile::{Compiled, Rule, TermKind, Where},
    directory::NodeFacts,
};

/// Who looks. For viewers that are no routers the answer is the same for a whole class.
#[derive(Debug, Clone, Copy)]
pub struct Viewer<'a> {
    /// The class.
    pub class: &'a ClassKey,
    /// The subnet routes that it serves itself.
    pub routes: &'a [Prefix],
}

/// At whom: a peer that the viewer sees.
#[derive(Debug, Clone, Copy)]
pub struct Peer<'a> {
    /// The node.
    pub id: NodeId,
    /// What is known of it.
    pub node: &'a NodeFacts,
}

/// What rules with `via` say of a peer's routes.
#[derive(Debug, Default)]
struct Steering {
    include: BTreeSet<Prefix>,
    exclude: BTreeSet<Prefix>,
    /// Prefixes that a rule without `via` covers as well: the common primary serves them.
    common: BTreeSet<Prefix>,
}

impl Compiled {
    /// The subnet and exit routes of the peer that the viewer sends packets into, sorted.
    pub fn routes_seen(
        &self,
        routers: &Routers,
        viewer: Viewer<'_>,
        peer: Peer<'_>,
    ) -> Vec<Prefix> {
        let node = peer.node;
        if node.routes.is_empty() && node.exit_routes.is_empty() {
            return Vec::new();
        }
        let class = viewer.class.class();
        let steering = self.steer(routers, class, peer);
        let primary = routers.primary_routes(peer.id, node);
        let mut seen: BTreeSet<Prefix> = primary
            .iter()
            .filter(|r| !steering.exclude.contains(r) && routers.reaches(class, r))
            .chain(node.exit_routes.iter())
            .filter(|r| !steering.exclude.contains(r))
            .copied()
            .collect();
        for route in &steering.include {
            if primary.contains(route) || !steering.common.contains(route) {
                seen.insert(*route);
            }
        }
        // A standby router knows who serves its prefix.
        seen.extend(primary.iter().filter(|r| viewer.routes.contains(r)));
        seen.into_iter().collect()
    }

    fn steer(&self, routers: &Routers, viewer: &Class, peer: Peer<'_>) -> Steering {
        let mut steering = Steering::default();
        let rules = || {
            let numbers = self.index.via_rules.iter();
            let mine = numbers.filter(|n| viewer.is_source_of(**n));
            mine.filter_map(|n| self.rules.get(*n))
        };
        for rule in rules() {
            let routes = self.covered(rule, peer.node);
            let is_router = rule.via.iter().any(|t| peer.node.tags.contains(t));
            if is_router {
                steering.include.extend(routes);
            } else {
                steering.exclude.extend(routes);
            }
        }
        for rule in rules() {
            for route in self.covered(rule, peer.node) {
                let first = routers.primary_via(&route, &rule.via);
                let other = first.is_some_and(|id| id != peer.id);
                if other && steering.include.remove(&route) {
                    steering.exclude.insert(route);
                }
            }
        }
        if !steering.include.is_empty() || !steering.exclude.is_empty() {
            self.meet_common_rules(viewer, &mut steering);
        }
        steering
    }

    /// The peer's routes that the rule's destinations meet.
    fn covered(&self, rule: &Rule, peer: &NodeFacts) -> Vec<Prefix> {
        let mut all = Vec::new();
        for (place, _) in &rule.targets {
            let Where::Term(id) = place else {
                continue;
            };
            match self.kind(*id) {
                Some(TermKind::Internet) => all.extend(&peer.exit_routes),
                Some(TermKind::Addresses(set)) => {
                    all.extend(peer.routes.iter().filter(|r| set.overlaps(r)));
                    if self.leads_through_exits(*id) {
                        all.extend(&peer.exit_routes);
                    }
                }
                _ => {}
            }
        }
        all
    }

    /// Rules without `via` that name the same prefixes undo the steering.
    fn meet_common_rules(&self, viewer: &Class, steering: &mut Steering) {
        let mut numbers = viewer.source.v4.clone();
        numbers.union(&viewer.source.v6);
        for rule in numbers.iter().filter_map(|n| self.rules.get(n)) {
            if !rule.via.is_empty() || rule.app.is_some() {
                continue;
            }
            for (place, _) in &rule.targets {
                if let Where::Term(id) = place
                    && let Some(TermKind::Addresses(set)) = self.kind(*id)
                {
                    let covered = steering.include.iter().filter(|r| set.overlaps(r));
                    steering.common.extend(covered.copied());
                    steering.exclude.retain(|r| !set.overlaps(r));
                }
            }
        }
    }
}

impl Routers {
    /// True when some rule joins the viewer's addresses, or what is behind it, with
    /// the route. As at the service, the families of the two ends may differ.
    fn reaches(&self, viewer: &Class, route: &Prefix) -> bool {
        self.by_prefix
            .get(route)
            .is_some_and(|r| viewer.source.crosses(&r.target) || r.source.crosses(&viewer.target))
    }
}
