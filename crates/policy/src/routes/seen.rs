//! The routes of a peer that a viewer is told of.

use std::borrow::Cow;

use wire::{NodeId, net::Prefix};

use super::{Route, Routers};
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

/// What rules with `via` say of one route of a peer.
#[derive(Debug, Clone, Copy, Default)]
struct Steering {
    /// The peer serves it to the viewer.
    included: bool,
    /// Somebody else does.
    excluded: bool,
    /// A rule without `via` covers it as well: the common primary serves it.
    common: bool,
}

impl Compiled {
    /// The subnet and exit routes of the peer that the viewer sends packets into, sorted.
    pub fn routes_seen(
        &self,
        routers: &Routers,
        viewer: Viewer<'_>,
        peer: Peer<'_>,
    ) -> Vec<Prefix> {
        let class = viewer.class.class();
        let subnets = peer.node.routes.iter().filter(|prefix| {
            let known = routers.by_prefix.get(*prefix).map(Cow::Borrowed);
            let route = known.unwrap_or_else(|| Cow::Owned(self.route(prefix)));
            let steering = self.steer(class, peer, &route);
            if route.is_primary(peer.id) {
                steering.included
                    || (!steering.excluded && route.is_reached_by(class))
                    // A standby router knows who serves its prefix.
                    || viewer.routes.contains(prefix)
            } else {
                steering.included && !steering.common
            }
        });
        let exits = peer.node.exit_routes.iter().filter(|prefix| {
            let steering = self.steer_exit(class, peer, prefix);
            !steering.excluded || (steering.included && !steering.common)
        });
        let mut seen: Vec<Prefix> = subnets.chain(exits).copied().collect();
        seen.sort_unstable();
        seen.dedup();
        seen
    }

    /// Steering of a subnet route.
    fn steer(&self, viewer: &Class, peer: Peer<'_>, route: &Route) -> Steering {
        let mut steering = Steering::default();
        let mut has_other_primary = false;
        let rules = route.via.iter().filter(|n| viewer.is_source_of(*n));
        for rule in rules.filter_map(|n| self.rules.get(n)) {
            steering.add(rule, peer);
            has_other_primary |= route.has_other_primary_via(&rule.via, peer.id);
        }
        if steering.included && has_other_primary {
            steering.included = false;
            steering.excluded = true;
        }
        steering.undo_if(|| {
            viewer.source.v4.meets(&route.common) || viewer.source.v6.meets(&route.common)
        })
    }

    /// Steering of an exit route.
    fn steer_exit(&self, viewer: &Class, peer: Peer<'_>, prefix: &Prefix) -> Steering {
        let mut steering = Steering::default();
        let numbers = self.index.via_rules.iter();
        let rules = numbers.filter(|n| viewer.is_source_of(**n));
        for rule in rules.filter_map(|n| self.rules.get(*n)) {
            if self.covers_exits(rule) {
                steering.add(rule, peer);
            }
        }
        steering.undo_if(|| {
            let mut numbers = viewer.source.v4.clone();
            numbers.union(&viewer.source.v6);
            let mut rules = numbers.iter().filter_map(|n| self.rules.get(n));
            rules.any(|rule| {
                let is_common = rule.via.is_empty() && rule.app.is_none();
                is_common && self.names_addresses_in(rule, prefix)
            })
        })
    }

    /// True when exit routes are a destination of the rule.
    fn covers_exits(&self, rule: &Rule) -> bool {
        rule.targets.iter().any(|(place, _)| {
            let Where::Term(id) = place else {
                return false;
            };
            matches!(self.kind(*id), Some(TermKind::Internet)) || self.leads_through_exits(*id)
        })
    }
}

impl Steering {
    fn add(&mut self, rule: &Rule, peer: Peer<'_>) {
        let is_router = rule.via.iter().any(|tag| peer.node.tags.contains(tag));
        self.included |= is_router;
        self.excluded |= !is_router;
    }

    /// Rules without `via` that name the same prefix undo the steering.
    fn undo_if(mut self, is_common: impl FnOnce() -> bool) -> Self {
        if self.included || self.excluded {
            self.common = is_common();
            self.excluded &= !self.common;
        }
        self
    }
}
