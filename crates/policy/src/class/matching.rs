//! A node against the terms and rules of a policy.

use std::collections::{BTreeMap, BTreeSet};

use super::{Class, Families, TermMatch};
use crate::{
    addresses::AddressSet,
    attributes::counts,
    compile::{Compiled, RequirementId, TermId, TermKind, Where},
    directory::NodeFacts,
    internet::{internet, is_all_of},
};

pub(super) struct Matching<'a> {
    law: &'a Compiled,
    node: &'a NodeFacts,
    found: BTreeMap<TermId, TermMatch>,
    is_without_ipv4: bool,
}

impl<'a> Matching<'a> {
    pub(super) fn new(law: &'a Compiled, node: &'a NodeFacts) -> Self {
        Self {
            law,
            node,
            found: BTreeMap::new(),
            is_without_ipv4: false,
        }
    }

    pub(super) fn class(mut self) -> Class {
        self.look();
        let attributes = self.attributes();
        if self.law.takes_ipv4(&attributes) {
            self.is_without_ipv4 = true;
            self.found.clear();
            self.look();
        }
        let mut class = Class {
            terms: self.found.values().copied().collect(),
            is_without_ipv4: self.is_without_ipv4,
            attributes,
            ..Class::default()
        };
        if let Some(user) = self.node.owner()
            && class.terms.iter().any(|m| self.law.may_lead_to_self(m.id))
        {
            class.user = Some(user);
            class.is_self_source = class.terms.iter().any(|m| self.law.is_led_to_self(m));
        }
        self.add_rules(&mut class);
        self.add_via(&mut class);
        class
    }

    fn look(&mut self) {
        self.look_at_names();
        self.look_at_addresses();
        self.look_at_postures();
    }

    /// What it matches, narrowed: by its own addresses when it meets the postures,
    /// by subnets behind it in any case.
    fn look_at_postures(&mut self) {
        let law = self.law;
        if law.index.narrowed.is_empty() {
            return;
        }
        let mut met: BTreeMap<RequirementId, bool> = BTreeMap::new();
        let bases: Vec<TermMatch> = self.found.values().copied().collect();
        for base in bases {
            for id in law.index.narrowed.get(&base.id).into_iter().flatten() {
                let Some(narrow) = law.narrow(*id) else {
                    continue;
                };
                let requirement = narrow.requirement;
                let met = *met
                    .entry(requirement)
                    .or_insert_with(|| law.meets(requirement, self.node));
                let own = if met { base.own } else { Families::default() };
                let routed = self.routed(&narrow.unasked).and(base.routed);
                if own.any() || routed.any() {
                    self.add(*id, own, routed, false);
                }
            }
        }
    }

    /// The families of the Internet behind an exit node that a set makes seen: one
    /// that holds all of it, or is what is left of it.
    fn seen_through(&self, id: TermId, set: &AddressSet) -> Families {
        let (exits, leads) = (self.exits(), self.law.leads_through_exits(id));
        Families {
            v4: exits.v4 && (leads || is_all_of(set, true)),
            v6: exits.v6 && (leads || is_all_of(set, false)),
        }
    }

    fn own_addresses(&self) -> impl Iterator<Item = std::net::IpAddr> + 'a {
        let without = self.is_without_ipv4;
        let all = self.node.addresses.iter().copied();
        all.filter(move |a| counts(*a, without))
    }

    fn add(&mut self, id: TermId, own: Families, routed: Families, through: bool) {
        let entry = self.found.entry(id).or_insert(TermMatch {
            id,
            own: Families::default(),
            routed: Families::default(),
            exits: Families::default(),
            through: false,
        });
        entry.own = entry.own.or(own);
        entry.routed = entry.routed.or(routed);
        entry.through |= through;
    }

    /// The node leads to the term's addresses on the Internet; `seen`: by which a rule to
    /// them makes it a peer.
    fn add_exit(&mut self, id: TermId, seen: Families) {
        self.add(id, Families::default(), Families::default(), true);
        if let Some(found) = self.found.get_mut(&id) {
            found.exits = found.exits.or(seen);
        }
    }

    fn look_at_names(&mut self) {
        let (index, node) = (&self.law.index, self.node);
        let own = Families::of(self.own_addresses());
        let none = Families::default();
        let routed = Families::of(node.routes.iter().map(|r| r.addr));
        for id in [index.any, index.everything].into_iter().flatten() {
            self.add(id, own, routed, false);
        }
        if let Some(id) = index.internet.filter(|_| !node.exit_routes.is_empty()) {
            self.add_exit(id, self.exits());
        }
        if node.tags.is_empty() {
            let member = index.member.filter(|_| node.user.is_some());
            let of_user = node.user.and_then(|u| index.by_user.get(&u));
            let ids = member.into_iter();
            for id in ids.chain(of_user.into_iter().flatten().copied()) {
                self.add(id, own, none, false);
            }
        } else {
            let tags: BTreeSet<_> = node.tags.iter().collect();
            let ids = tags
                .into_iter()
                .filter_map(|t| index.by_tag.get(t).copied());
            for id in index.tagged.into_iter().chain(ids) {
                self.add(id, own, none, false);
            }
        }
    }

    fn look_at_addresses(&mut self) {
        let (index, none) = (&self.law.index, Families::default());
        for address in self.own_addresses() {
            let family = Families::of(std::iter::once(address));
            for id in index.hosts.get(&address).into_iter().flatten() {
                self.add(*id, family, none, false);
            }
            for (id, set) in &index.ranges {
                if set.contains(address) {
                    self.add(*id, family, none, false);
                }
            }
        }
        for route in &self.node.routes {
            let family = Families::of(std::iter::once(route.addr));
            for (address, ids) in &index.hosts {
                for id in ids.iter().filter(|_| route.contains(*address)) {
                    self.add(*id, none, family, false);
                }
            }
            for (id, set) in &index.ranges {
                if set.overlaps(route) {
                    self.add(*id, none, family, false);
                }
            }
        }
        self.look_through_exit();
    }

    /// Sets that reach into the Internet are in an exit node's filter; one that
    /// holds all of it, or is what is left of it, also makes the node seen.
    fn look_through_exit(&mut self) {
        if self.node.exit_routes.is_empty() {
            return;
        }
        let none = Families::default();
        let index = &self.law.index;
        for (address, ids) in &index.hosts {
            for id in ids.iter().filter(|_| internet().contains(*address)) {
                self.add_exit(*id, none);
            }
        }
        for (id, set) in &index.ranges {
            if set.meets(internet()) {
                self.add_exit(*id, self.seen_through(*id, set));
            }
        }
    }

    fn attributes(&self) -> crate::bits::Bits {
        let mut all = crate::bits::Bits::default();
        for found in self.found.values().filter(|m| m.own.any()) {
            if let Some(uses) = self.law.index.uses(found.id) {
                all.union(&uses.attributes);
            }
        }
        all
    }

    fn add_rules(&self, class: &mut Class) {
        let index = &self.law.index;
        for found in self.found.values() {
            let Some(uses) = index.uses(found.id) else {
                continue;
            };
            let both = found.own.or(found.routed);
            class.source.add(both, &uses.source);
            // `*` as the place of a capability is the node, not what lies behind it.
            let is_any = matches!(
                self.law.kind(found.id),
                Some(TermKind::Any | TermKind::Everything)
            );
            if is_any && found.routed.any() {
                class.target.add(found.own, &uses.target);
                let traffic = uses.target.without(&index.app);
                class.target.add(found.routed, &traffic);
            } else {
                class.target.add(both, &uses.target);
            }
            if found.through {
                let traffic = uses.target.without(&index.app);
                class.target.add(found.exits, &traffic);
                class.through.union(&traffic);
            }
        }
    }

    fn add_via(&self, class: &mut Class) {
        let index = &self.law.index;
        let numbers: BTreeSet<usize> = self
            .node
            .tags
            .iter()
            .filter_map(|tag| index.via.get(tag))
            .flatten()
            .copied()
            .collect();
        for number in numbers {
            let Some(rule) = self.law.rules.get(number) else {
                continue;
            };
            for (at, (place, _)) in rule.targets.iter().enumerate() {
                let families = self.serves(*place);
                if families.any() {
                    class.via.push((number, at));
                    let mut one = crate::bits::Bits::default();
                    one.insert(number);
                    class.target.add(families, &one);
                }
            }
        }
    }

    /// The families by which the node is a router for the place.
    fn serves(&self, place: Where) -> Families {
        let Where::Term(id) = place else {
            return Families::default();
        };
        match self.law.kind(id) {
            Some(TermKind::Internet) => self.exits(),
            Some(TermKind::Addresses(set)) if self.law.leads_through_exits(id) => {
                self.routed(set).or(self.exits())
            }
            Some(TermKind::Addresses(set)) => self.routed(set),
            _ => Families::default(),
        }
    }

    fn exits(&self) -> Families {
        Families::of(self.node.exit_routes.iter().map(|r| r.addr))
    }

    fn routed(&self, set: &AddressSet) -> Families {
        let routes = self.node.routes.iter().filter(|r| set.overlaps(r));
        Families::of(routes.map(|r| r.addr))
    }
}
