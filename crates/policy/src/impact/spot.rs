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
    eye::{Eye, View},
    line::Uses,
    set::Set,
};
use crate::{
    addresses::{AddressSet, ends},
    compile::{Compiled, TermId, TermKind, of_devices},
    decide::ANY_IPV4,
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
