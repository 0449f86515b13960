//! Spots: the addresses that both policies treat as one, at each device.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

use wire::{
    NodeId, UserId,
    net::{MESH_IPV4, MESH_IPV6},
};

use super::{
    Side,
    line::Uses,
    set::{Set, insert},
};
use crate::{
    addresses::{AddressSet, ends},
    compile::{Compiled, Rule, TermId, TermKind, of_devices},
    decide::{ANY_IPV4, End},
    directory::NodeFacts,
    internet::internet,
    posture::Attributes,
};

/// A device before and after.
#[derive(Debug, Clone, Copy)]
pub(super) struct Device<'a> {
    pub(super) id: NodeId,
    pub(super) name: &'a str,
    pub(super) sides: [Option<&'a NodeFacts>; 2],
}

impl Device<'_> {
    pub(super) fn owner(&self, side: usize) -> Option<UserId> {
        self.facts(side).and_then(NodeFacts::owner)
    }

    pub(super) fn facts(&self, side: usize) -> Option<&NodeFacts> {
        self.sides.get(side).copied().flatten()
    }

    /// True when it answers for nothing but itself.
    fn is_plain(&self) -> bool {
        let mut sides = self.sides.iter().flatten();
        sides.all(|facts| facts.routes.is_empty() && facts.exit_routes.is_empty())
    }
}

/// An address of a device, or the first of a part behind it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    pub(super) device: usize,
    pub(super) address: IpAddr,
    pub(super) kind: usize,
}

impl Spot {
    /// 0 for IPv4, 1 for IPv6.
    pub(super) fn family(&self) -> usize {
        usize::from(self.address.is_ipv6())
    }
}

/// What both policies say of some spots.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    /// By policy, the terms that they are sources by, sorted.
    pub(super) terms: [Vec<TermId>; 2],
    /// The number of the lines that they are sources of.
    pub(super) sender: usize,
    /// The number of the lines that they are destinations of.
    pub(super) receiver: usize,
    /// The number of the lines by which they reach their user's other devices.
    pub(super) own: usize,
}

/// By policy, the lines by which a user's devices reach each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Own {
    pub(super) lines: [Set; 2],
    /// True for a user's device.
    pub(super) is_personal: [bool; 2],
}

/// Everything that packets come from or go to.
#[derive(Debug, Default)]
pub(super) struct Spots {
    pub(super) all: Vec<Spot>,
    pub(super) kinds: Vec<Kind>,
    pub(super) senders: Vec<[Set; 2]>,
    pub(super) receivers: Vec<[Set; 2]>,
    pub(super) owns: Vec<Own>,
}

pub(super) fn devices<'a>(sides: [&Side<'a>; 2]) -> Vec<Device<'a>> {
    let mut all: BTreeMap<NodeId, Device<'a>> = BTreeMap::new();
    for (at, side) in sides.into_iter().enumerate() {
        for node in side.nodes {
            let device = all.entry(node.id).or_insert(Device {
                id: node.id,
                name: node.name,
                sides: [None; 2],
            });
            device.name = node.name;
            if let Some(slot) = device.sides.get_mut(at) {
                *slot = Some(node.facts);
            }
        }
    }
    all.into_values().collect()
}

/// Addresses at which a policy may begin to say something else.
fn borders(sides: [(&Compiled, &Side<'_>); 2]) -> BTreeSet<IpAddr> {
    let mut all = BTreeSet::new();
    let mut add = |set: &AddressSet| {
        for (first, last) in set.ranges() {
            all.insert(first);
            all.extend(next(last));
        }
    };
    let mesh = ANY_IPV4.map(|(first, last)| (IpAddr::V4(first), IpAddr::V4(last)));
    add(&AddressSet::of_ranges(mesh));
    add(of_devices());
    add(&AddressSet::of_all(&[MESH_IPV4, MESH_IPV6]));
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
fn addresses(device: &Device<'_>, borders: &BTreeSet<IpAddr>) -> BTreeSet<IpAddr> {
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

/// One policy, ready to look at spots.
struct Eye<'a> {
    law: &'a Compiled,
    uses: &'a Uses,
    words: usize,
    /// Terms of users, by user.
    by_user: BTreeMap<UserId, Vec<TermId>>,
    /// Terms of addresses.
    of_addresses: Vec<(TermId, &'a AddressSet)>,
    /// By part of the addresses: those that hold it.
    by_part: HashMap<(usize, bool), Vec<TermId>>,
    /// All other terms.
    others: Vec<TermId>,
}

/// What one policy says of a spot.
struct View {
    terms: Vec<TermId>,
    source: Set,
    target: Set,
    own: Set,
    is_personal: bool,
}

impl<'a> Eye<'a> {
    fn new(law: &'a Compiled, uses: &'a Uses, words: usize) -> Self {
        let mut eye = Self {
            law,
            uses,
            words,
            by_user: BTreeMap::new(),
            of_addresses: Vec::new(),
            by_part: HashMap::new(),
            others: Vec::new(),
        };
        for (id, term) in (0..).zip(&law.terms) {
            match &term.kind {
                TermKind::Users(users) => {
                    for user in users {
                        eye.by_user.entry(*user).or_default().push(id);
                    }
                }
                TermKind::Addresses(set) => eye.of_addresses.push((id, set)),
                TermKind::Any
                | TermKind::Everything
                | TermKind::Tag(_)
                | TermKind::Member
                | TermKind::Tagged
                | TermKind::Internet => eye.others.push(id),
                TermKind::Nothing => {}
            }
        }
        eye
    }

    /// True when the node lost its IPv4 address.
    fn is_without_ipv4(&self, node: Option<&NodeFacts>) -> bool {
        self.law.may_take_ipv4()
            && node.is_some_and(|n| self.law.class_of(n).class().is_without_ipv4)
    }

    /// What the policy says of the address of the device; `part`: the number of
    /// the part of all addresses that it is in.
    fn look(
        &mut self,
        node: Option<&NodeFacts>,
        address: IpAddr,
        is_without_ipv4: bool,
        part: usize,
    ) -> View {
        let mut view = View {
            terms: Vec::new(),
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
        for id in self.candidates(end, own, part) {
            let lines = |by: &BTreeMap<TermId, Vec<usize>>, set: &mut Set| {
                let lines = by.get(&id).into_iter().flatten();
                lines.for_each(|line| insert(set, *line));
            };
            let is_source = may_send && self.law.is_source(id, end);
            if is_source {
                lines(&self.uses.source, &mut view.source);
            }
            if view.is_personal && self.law.is_of_people(id) && self.law.matches(id, end) {
                lines(&self.uses.own, &mut view.own);
            }
            if is_source {
                view.terms.push(id);
            }
            for (line, rule) in self.uses.target.get(&id).into_iter().flatten() {
                let rule = self.law.rules.get(*rule);
                if rule.is_some_and(|rule| self.is_place(rule, id, end)) {
                    insert(&mut view.target, *line);
                }
            }
        }
        view.terms.sort_unstable();
        view
    }

    /// True when the rule has the end for a destination by this term. A capability
    /// holds at devices, and in named subnets behind them.
    fn is_place(&self, rule: &Rule, id: TermId, end: End<'_>) -> bool {
        let node = end.node;
        let is_named = || match self.law.kind(id) {
            Some(TermKind::Addresses(_)) => node.routes.iter().any(|r| r.contains(end.address)),
            _ => false,
        };
        let counts = rule.app.is_none() || node.addresses.contains(&end.address) || is_named();
        counts && self.law.is_target(rule, id, end)
    }

    /// The terms that may hold the end.
    fn candidates(&mut self, end: End<'_>, own: bool, part: usize) -> Vec<TermId> {
        let mut all = self.others.clone();
        if let Some(user) = end.node.owner().filter(|_| own) {
            all.extend(self.by_user.get(&user).into_iter().flatten());
        }
        let sets = &self.of_addresses;
        let holding = self
            .by_part
            .entry((part, end.address.is_ipv4()))
            .or_insert_with(|| {
                let holding = sets.iter().filter(|(_, set)| set.contains(end.address));
                holding.map(|(id, _)| *id).collect()
            });
        all.extend(&*holding);
        all
    }
}

/// What plain devices are alike by.
#[derive(PartialEq, Eq, Hash)]
struct Likeness<'a> {
    bodies: [Option<(Option<UserId>, &'a [String])>; 2],
    /// Where a policy asks for postures.
    postures: [Option<&'a Attributes>; 2],
    has_address: [bool; 2],
    is_without_ipv4: [bool; 2],
    is_ipv4: bool,
    part: usize,
}

#[derive(Default)]
struct Numbers {
    senders: HashMap<[Set; 2], usize>,
    receivers: HashMap<[Set; 2], usize>,
    owns: HashMap<Own, usize>,
}

impl Spots {
    /// Looks at every device by both policies.
    pub(super) fn new(
        sides: [&Side<'_>; 2],
        laws: [&Compiled; 2],
        uses: &[Uses; 2],
        words: usize,
        devices: &[Device<'_>],
    ) -> Self {
        let borders = borders([(laws[0], sides[0]), (laws[1], sides[1])]);
        let sorted: Vec<IpAddr> = borders.iter().copied().collect();
        let mut eyes = [
            Eye::new(laws[0], &uses[0], words),
            Eye::new(laws[1], &uses[1], words),
        ];
        let asks = laws.iter().any(|law| law.asks_for_postures());
        let mut spots = Self::default();
        let mut numbers = Numbers::default();
        let mut known: HashMap<Likeness<'_>, usize> = HashMap::new();
        for (at, device) in devices.iter().enumerate() {
            let is_without_ipv4 = [
                eyes[0].is_without_ipv4(device.sides[0]),
                eyes[1].is_without_ipv4(device.sides[1]),
            ];
            for address in addresses(device, &borders) {
                let part = sorted.partition_point(|border| *border <= address);
                let mut look = || {
                    spots.kind(
                        &mut numbers,
                        [0, 1].map(|side: usize| {
                            let node = device.sides.get(side).copied().flatten();
                            let without = is_without_ipv4.get(side).copied().unwrap_or_default();
                            eyes.get_mut(side)
                                .map(|eye| eye.look(node, address, without, part))
                        }),
                    )
                };
                let kind = if device.is_plain() {
                    let likeness = Likeness {
                        bodies: device
                            .sides
                            .map(|side| side.map(|f| (f.owner(), f.tags.as_slice()))),
                        postures: device
                            .sides
                            .map(|side| side.map(|f| &f.posture).filter(|_| asks)),
                        has_address: device
                            .sides
                            .map(|side| side.is_some_and(|f| f.addresses.contains(&address))),
                        is_without_ipv4,
                        is_ipv4: address.is_ipv4(),
                        part,
                    };
                    *known.entry(likeness).or_insert_with(look)
                } else {
                    look()
                };
                spots.all.push(Spot {
                    device: at,
                    address,
                    kind,
                });
            }
        }
        spots
    }

    fn kind(&mut self, numbers: &mut Numbers, views: [Option<View>; 2]) -> usize {
        let [Some(a), Some(b)] = views else {
            return 0;
        };
        let sender = number(
            &mut numbers.senders,
            &mut self.senders,
            [a.source, b.source],
        );
        let receiver = number(
            &mut numbers.receivers,
            &mut self.receivers,
            [a.target, b.target],
        );
        let own = Own {
            lines: [a.own, b.own],
            is_personal: [a.is_personal, b.is_personal],
        };
        self.kinds.push(Kind {
            terms: [a.terms, b.terms],
            sender,
            receiver,
            own: number(&mut numbers.owns, &mut self.owns, own),
        });
        self.kinds.len() - 1
    }

    pub(super) fn kind_of(&self, spot: &Spot) -> Option<&Kind> {
        self.kinds.get(spot.kind)
    }
}

fn number<T: Clone + Eq + std::hash::Hash>(
    numbers: &mut HashMap<T, usize>,
    all: &mut Vec<T>,
    value: T,
) -> usize {
    *numbers.entry(value).or_insert_with_key(|value| {
        all.push(value.clone());
        all.len() - 1
    })
}
