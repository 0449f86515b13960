//! Spots: the addresses that both policies treat as one, at each device.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use wire::{NodeId, UserId};

use super::{
    Side,
    line::{Set, Uses, insert},
};
use crate::{
    addresses::{AddressSet, ends},
    compile::{Compiled, TermId, TermKind},
    decide::{ANY_IPV4, End},
    directory::NodeFacts,
    internet::internet,
};

/// A device before and after.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Device<'a> {
    pub(super) sides: [Option<&'a NodeFacts>; 2],
}

impl Device<'_> {
    pub(super) fn owner(&self, side: usize) -> Option<UserId> {
        self.sides
            .get(side)
            .copied()
            .flatten()
            .and_then(NodeFacts::owner)
    }
}

/// What one policy says of a spot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct View {
    /// Lines that it is a source of.
    pub(super) source: Set,
    /// Lines that it is a destination of.
    pub(super) target: Set,
    /// Lines by which it reaches its user's other devices.
    pub(super) own: Set,
    /// True when it is a device of a user, reached by those lines.
    pub(super) is_personal: bool,
}

/// One policy, ready to look at spots.
pub(super) struct Eye<'a> {
    pub(super) law: &'a Compiled,
    pub(super) uses: &'a Uses,
    pub(super) words: usize,
}

pub(super) fn devices<'a>(sides: [&Side<'a>; 2]) -> BTreeMap<NodeId, Device<'a>> {
    let mut all: BTreeMap<NodeId, Device<'a>> = BTreeMap::new();
    for (at, side) in sides.into_iter().enumerate() {
        for (id, facts) in side.nodes {
            if let Some(slot) = all.entry(*id).or_default().sides.get_mut(at) {
                *slot = Some(facts);
            }
        }
    }
    all
}

/// Addresses at which a policy may begin to say something else.
pub(super) fn borders(sides: [(&Compiled, &Side<'_>); 2]) -> BTreeSet<IpAddr> {
    let mut all = BTreeSet::new();
    let mut add = |set: &AddressSet| {
        for (first, last) in set.ranges() {
            all.insert(first);
            all.extend(next(last));
        }
    };
    let mesh = ANY_IPV4.map(|(first, last)| (IpAddr::V4(first), IpAddr::V4(last)));
    add(&AddressSet::of_ranges(mesh));
    add(&AddressSet::of(wire::net::MESH_IPV6));
    for (law, side) in sides {
        add(&AddressSet::of_all(&side.directory.routes));
        for term in &law.terms {
            if let TermKind::Addresses(set) = &term.kind {
                add(set);
            }
        }
    }
    all
}

fn next(address: IpAddr) -> Option<IpAddr> {
    Some(match address {
        IpAddr::V4(a) => IpAddr::V4(a.to_bits().checked_add(1)?.into()),
        IpAddr::V6(a) => IpAddr::V6(a.to_bits().checked_add(1)?.into()),
    })
}

/// The device's addresses, and one of each part behind it.
pub(super) fn addresses(device: &Device<'_>, borders: &BTreeSet<IpAddr>) -> BTreeSet<IpAddr> {
    let mut all = BTreeSet::new();
    let mut cut = |first: IpAddr, last: IpAddr| {
        all.insert(first);
        all.extend(borders.range(first..=last));
    };
    for facts in device.sides.into_iter().flatten() {
        for route in &facts.routes {
            let (first, last) = ends(*route);
            cut(first, last);
        }
        for (first, last) in internet().ranges() {
            if facts.exit_routes.iter().any(|r| r.contains(first)) {
                cut(first, last);
            }
        }
    }
    for facts in device.sides.into_iter().flatten() {
        all.extend(&facts.addresses);
    }
    all
}

impl Eye<'_> {
    /// What the policy says of the address of the device; `is_without_ipv4`: it lost its own.
    pub(super) fn look(
        &self,
        node: Option<&NodeFacts>,
        address: IpAddr,
        is_without_ipv4: bool,
    ) -> View {
        let mut view = View {
            source: vec![0; self.words],
            target: vec![0; self.words],
            own: vec![0; self.words],
            is_personal: false,
        };
        let Some(node) = node.filter(|n| n.holds(address)) else {
            return view;
        };
        let own = node.addresses.contains(&address);
        if own && address.is_ipv4() && is_without_ipv4 {
            return view;
        }
        let end = End { node, address };
        let may_send = node.holds_itself(address);
        view.is_personal = own && node.owner().is_some();
        for id in self.terms(end, own) {
            let lines = |by: &BTreeMap<TermId, Vec<usize>>, set: &mut Set| {
                by.get(&id)
                    .into_iter()
                    .flatten()
                    .for_each(|line| insert(set, *line));
            };
            if may_send && self.law.is_source(id, end) {
                lines(&self.uses.source, &mut view.source);
            }
            if view.is_personal && self.law.is_of_people(id) {
                lines(&self.uses.own, &mut view.own);
            }
            for (line, rule) in self.uses.target.get(&id).into_iter().flatten() {
                let rule = self.law.rules.get(*rule);
                if rule.is_some_and(|rule| self.law.is_target(rule, id, end)) {
                    insert(&mut view.target, *line);
                }
            }
        }
        view
    }

    /// The terms that may hold the end.
    fn terms(&self, end: End<'_>, own: bool) -> Vec<TermId> {
        let index = &self.law.index;
        let node = end.node;
        let mut all: Vec<TermId> = [index.any, index.everything, index.internet]
            .into_iter()
            .flatten()
            .collect();
        if let Some(user) = node.owner().filter(|_| own) {
            all.extend(index.member);
            all.extend(index.by_user.get(&user).into_iter().flatten());
        }
        if own && !node.tags.is_empty() {
            all.extend(index.tagged);
            let tags: BTreeSet<&String> = node.tags.iter().collect();
            all.extend(tags.into_iter().filter_map(|t| index.by_tag.get(t)));
        }
        all.extend(index.hosts.get(&end.address).into_iter().flatten());
        let sets = index.ranges.iter();
        all.extend(
            sets.filter(|(_, set)| set.contains(end.address))
                .map(|(id, _)| *id),
        );
        all
    }
}
