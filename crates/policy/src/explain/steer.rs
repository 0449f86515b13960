//! Routers that take packets in place of the one that comes first: rules name them with `via`.

use std::collections::BTreeSet;

use super::{Explainer, judge, names::Party, rules::Rule};
use crate::{decide::End, directory::NodeFacts};

/// A device that a rule names as a router: its place among those given, and what is known of it.
pub(super) type Named<'n> = (usize, &'n NodeFacts);

impl Explainer<'_> {
    /// The devices that rules name as routers.
    pub(super) fn named_routers<'n>(
        &self,
        nodes: impl Iterator<Item = &'n NodeFacts>,
    ) -> Vec<Named<'n>> {
        let via = self.rules.iter().flat_map(|rule| rule.via);
        let tags: BTreeSet<&str> = via.map(|tag| tag.text.as_str()).collect();
        let is_named = |node: &NodeFacts| node.tags.iter().any(|t| tags.contains(t.as_str()));
        let all = nodes.enumerate().filter(|_| !tags.is_empty());
        all.filter(|(_, node)| is_named(node)).collect()
    }

    /// Those of the named routers that the source sends packets for the address to, in place of
    /// `to`: with the same subnet route the first that its rules with `via` name, unless a rule
    /// without `via` names addresses in the route too; of exit nodes all that they name.
    pub(super) fn instead<'n>(
        &self,
        named: &[Named<'n>],
        from: &Party<'_>,
        to: End<'_>,
    ) -> Vec<(usize, End<'n>)> {
        let may = |node: &NodeFacts| node != from.end.node && is_like(to, node);
        if to.node.addresses.contains(&to.address) || !named.iter().any(|(_, node)| may(node)) {
            return Vec::new();
        }
        let end = |(at, node): Named<'n>| {
            let address = to.address;
            (at, End { node, address })
        };
        let routes = to.node.routes.iter().filter(|r| r.contains(to.address));
        let Some(route) = routes.max_by_key(|route| route.bits) else {
            let exits = named.iter().filter(|(_, node)| may(node));
            return exits.copied().map(end).collect();
        };
        let is_about = |rule: &&Rule<'_>| {
            let is_there = rule.places.iter().any(|place| {
                let set = self.names.set(&place.selector.kind);
                set.is_some_and(|set| set.overlaps(route))
            });
            is_there
                && rule.has_source(&self.names, from)
                && rule.is_met(&self.names, from)
                && !rule.traffic.is_empty()
        };
        let about = || self.rules.iter().filter(is_about);
        if about().any(|rule| rule.via.is_empty()) {
            return Vec::new();
        }
        let firsts: BTreeSet<usize> = about()
            .filter_map(|rule| {
                let has_tag =
                    |node: &NodeFacts| rule.via.iter().any(|t| node.tags.contains(&t.text));
                let mut routers = named.iter().filter(|(_, node)| node.routes.contains(route));
                routers.find(|(_, node)| has_tag(node)).map(|(at, _)| *at)
            })
            .collect();
        match firsts.first() {
            Some(only) if firsts.len() == 1 => {
                let it = named.iter().filter(|(at, node)| at == only && may(node));
                it.copied().map(end).collect()
            }
            // Each of them is another's: nobody takes such packets.
            Some(_) | None => Vec::new(),
        }
    }
}

impl Rule<'_> {
    /// True when the source has what the rule asks of it.
    fn is_met(&self, names: &super::names::Names<'_>, from: &Party<'_>) -> bool {
        let asked = judge::Question {
            from: *from,
            to: *from,
            proto: 0,
            ports: &[],
            is_echo: false,
        };
        self.unmet(names, &asked).is_empty()
    }
}

/// True for another router with the route that leads to the address, or another exit node.
fn is_like(one: End<'_>, other: &NodeFacts) -> bool {
    let routes = one.node.routes.iter();
    let leading = routes.filter(|route| route.contains(one.address));
    let has_it = match leading.max_by_key(|route| route.bits) {
        Some(route) => other.routes.contains(route),
        None => other.is_exit_for(one.address),
    };
    has_it && one.node != other
}
