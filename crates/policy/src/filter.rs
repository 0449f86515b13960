//! The law as packet filters: by class, for one node, and spelled out.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use wire::{
    filter::{CapGrant, DstPorts, FilterRule},
    net::{MESH_IPV6, PortRange, Prefix},
};

use crate::{
    addresses::AddressSet,
    attributes::counts,
    class::{Class, ClassKey, Family, SourceSetId, TermMatch},
    compile::{Capabilities, Compiled, Rule, TermId, TermKind, Where, of_devices},
    decide::ANY_IPV4,
    directory::NodeFacts,
    internet::internet,
};

/// One rule of a destination class's filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassRule {
    /// Who; at least one.
    pub sources: Arc<[Source]>,
    /// Protocol numbers; empty means TCP, UDP, ICMP and `ICMPv6`.
    pub protocols: Vec<u8>,
    /// Where to; at least one.
    pub destinations: Vec<Destination>,
    /// What it gives instead of traffic: capabilities and their values.
    pub app: Option<Arc<Capabilities>>,
}

/// Sources of a [`ClassRule`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Every address there is.
    Everything,
    /// Peers that carry the set's capability.
    Set(SourceSetId),
    /// Addresses.
    Prefix(Prefix),
    /// IPv4 addresses, both ends included.
    Range(Ipv4Addr, Ipv4Addr),
}

impl std::fmt::Display for Source {
    /// As `SrcIPs` spells it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Everything => f.write_str("*"),
            Self::Set(set) => write!(f, "cap:{}", set.capability()),
            Self::Prefix(prefix) => write_prefix(*prefix, f),
            Self::Range(first, last) => write!(f, "{first}-{last}"),
        }
    }
}

/// A destination of a [`ClassRule`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Destination {
    /// What.
    pub place: Place,
    /// Its ports.
    pub ports: PortRange,
}

/// What a [`Destination`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Whatever the node answers for.
    Everything,
    /// The node's own addresses.
    Node,
    /// Those of one family.
    NodeOf(Family),
    /// These addresses; they meet the node's own or its routes.
    Prefix(Prefix),
}

impl Source {
    /// The only family that it is a source for.
    fn only_for(&self) -> Option<Family> {
        match self {
            Self::Set(SourceSetId::Addresses(_, family)) => Some(*family),
            Self::Set(
                SourceSetId::Selector(_)
                | SourceSetId::DevicesOf(_)
                | SourceSetId::NarrowedDevicesOf(..),
            )
            | Self::Everything
            | Self::Prefix(_)
            | Self::Range(..) => None,
        }
    }
}

impl Destination {
    /// What of it is of the family.
    fn within(self, family: Family) -> Option<Self> {
        let place = match self.place {
            Place::Everything => Place::Prefix(all_of(family)),
            Place::Node => Place::NodeOf(family),
            Place::Prefix(p) if Family::of(p.addr) == family => self.place,
            Place::NodeOf(own) if own == family => self.place,
            Place::Prefix(_) | Place::NodeOf(_) => return None,
        };
        Some(Self { place, ..self })
    }
}

fn write_prefix(prefix: Prefix, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    if prefix.is_host() {
        prefix.addr.fmt(f)
    } else {
        prefix.fmt(f)
    }
}

use std::fmt::Display as _;

impl Compiled {
    /// The filter of a destination class. A join or a change of another node
    /// does not change it.
    pub fn filter(&self, class: &ClassKey) -> Vec<ClassRule> {
        let class = class.class();
        let mut rules = Vec::new();
        let mut numbers = class.filter_rules();
        if class.user.is_some() {
            numbers.union(&self.index.with_self);
        }
        for number in numbers.iter() {
            let Some(rule) = self.rules.get(number) else {
                continue;
            };
            if let Some(sources) = self.sources.get(number) {
                let places = self.places(number, rule, class);
                if rule.requirement.is_none() {
                    push(&mut rules, sources, rule, places);
                } else {
                    push_by_family(&mut rules, sources, rule, &places);
                }
            }
            self.push_self(rule, class, &mut rules);
        }
        merge(rules)
    }

    /// The destinations of the rule that are the class's.
    fn places(&self, number: usize, rule: &Rule, class: &Class) -> Vec<Destination> {
        let mut all = Vec::new();
        let mut add = |place: &Where, ports: PortRange, found: Option<&TermMatch>| {
            if let Where::Term(id) = place {
                let places = self.places_of(*id, found, rule.app.is_some());
                all.extend(places.into_iter().map(|place| Destination { place, ports }));
            }
        };
        if rule.via.is_empty() {
            for (place, ports) in &rule.targets {
                let found = match place {
                    Where::Term(id) => class.of(*id),
                    Where::SelfDevices => None,
                };
                if found.is_some() {
                    add(place, *ports, found);
                }
            }
        } else {
            for (_, at) in class.via.iter().filter(|(n, _)| *n == number) {
                if let Some((place, ports)) = rule.targets.get(*at) {
                    add(place, *ports, None);
                }
            }
        }
        all
    }

    /// What a term is on a node; `found` tells how the node matches it, where it matters.
    fn places_of(&self, id: TermId, found: Option<&TermMatch>, is_app: bool) -> Vec<Place> {
        let by_own = found.is_none_or(|m| m.own.any());
        if let Some(narrow) = self.narrow(id).filter(|_| !by_own) {
            let unasked = narrow.unasked.prefixes().into_iter();
            return unasked.map(Place::Prefix).collect();
        }
        let only_through = found.is_some_and(|m| !m.own.any() && !m.routed.any());
        match self.kind(id) {
            Some(TermKind::Any | TermKind::Everything) if is_app => vec![Place::Node],
            Some(TermKind::Any | TermKind::Everything) => vec![Place::Everything],
            Some(TermKind::Addresses(_)) if is_app && only_through => Vec::new(),
            Some(TermKind::Addresses(set)) => {
                set.prefixes().into_iter().map(Place::Prefix).collect()
            }
            Some(TermKind::Internet) => {
                let all = internet().prefixes().into_iter();
                all.map(Place::Prefix).collect()
            }
            Some(TermKind::Users(_) | TermKind::Tag(_) | TermKind::Member | TermKind::Tagged)
                if by_own =>
            {
                vec![Place::Node]
            }
            _ => Vec::new(),
        }
    }

    fn push_self(&self, rule: &Rule, class: &Class, out: &mut Vec<ClassRule>) {
        let Some(user) = class.user.filter(|_| rule.via.is_empty()) else {
            return;
        };
        // Being reached takes no posture.
        let applies = rule
            .sources
            .iter()
            .any(|id| self.is_of_people(*id) && class.has(self.base(*id)));
        if !applies {
            return;
        }
        let places = rule
            .targets
            .iter()
            .filter(|(place, _)| *place == Where::SelfDevices);
        let places = places.map(|(_, ports)| Destination {
            place: Place::Node,
            ports: *ports,
        });
        if let Some(set) = self.devices_of(user, rule.requirement) {
            push(out, &[Source::Set(set)].into(), rule, places.collect());
        }
    }

    /// The sources as filters name them, sorted.
    pub(crate) fn sources_of(&self, ids: &[TermId]) -> Vec<Source> {
        let mut sources = Vec::with_capacity(ids.len());
        for id in ids {
            if let Some(narrow) = self.narrow(*id) {
                let families = narrow.families;
                let sets = self.sets_of(*id, |family| families.has(family));
                sources.extend(sets.map(Source::Set));
                let unasked = if self.kind(*id) == Some(&TermKind::Any) {
                    &AddressSet::of_all(&self.routes).without(of_devices())
                } else {
                    &narrow.unasked
                };
                sources.extend(unasked.prefixes().into_iter().map(Source::Prefix));
                continue;
            }
            match self.kind(*id) {
                Some(TermKind::Any) => self.push_any(&mut sources),
                Some(TermKind::Everything) => sources.push(Source::Everything),
                Some(TermKind::Addresses(set)) => {
                    sources.extend(set.prefixes().into_iter().map(Source::Prefix));
                }
                Some(
                    TermKind::Users(_) | TermKind::Tag(_) | TermKind::Member | TermKind::Tagged,
                ) => sources.extend(self.sets_of(*id, |_| true).map(Source::Set)),
                Some(TermKind::Nothing | TermKind::Internet) | None => {}
            }
        }
        sources.sort_unstable();
        sources.dedup();
        sources
    }

    fn push_any(&self, out: &mut Vec<Source>) {
        out.extend(
            ANY_IPV4
                .iter()
                .map(|(first, last)| Source::Range(*first, *last)),
        );
        out.push(Source::Prefix(MESH_IPV6));
        out.extend(self.routes.iter().copied().map(Source::Prefix));
    }

    /// [`Self::filter`] for the wire, the same for every node of the class: a
    /// node's own addresses are spelled `*`. Only for nodes without routes,
    /// which take packets to their own addresses alone.
    pub fn class_filter(&self, class: &ClassKey) -> Vec<FilterRule> {
        self.filter(class)
            .iter()
            .map(|rule| on_wire(rule, None))
            .collect()
    }

    /// [`Self::filter`] for the wire, with the node's own addresses spelled out.
    pub fn node_filter(&self, class: &ClassKey, node: &NodeFacts) -> Vec<FilterRule> {
        let own = Own::new(class, node);
        self.filter(class)
            .iter()
            .map(|rule| on_wire(rule, Some(&own)))
            .collect()
    }

    /// The filter of `node` with every source spelled out as addresses of
    /// `all`: larger, and changed by every join, but free of capabilities.
    pub fn filter_rules(&self, node: &NodeFacts, all: &[NodeFacts]) -> Vec<FilterRule> {
        let members: Vec<(Vec<SourceSetId>, Own<'_>)> = all
            .iter()
            .map(|n| {
                let class = self.class_of(n);
                (self.source_sets(&class), Own::new(&class, n))
            })
            .collect();
        let addresses = |set: SourceSetId| {
            members
                .iter()
                .filter(move |(sets, _)| sets.binary_search(&set).is_ok())
                .flat_map(|(_, own)| own.addresses.iter().map(IpAddr::to_string))
        };
        let class = self.class_of(node);
        let own = Own::new(&class, node);
        let mut rules = Vec::new();
        for rule in self.filter(&class) {
            let mut out = on_wire(&rule, Some(&own));
            out.src_ips = rule
                .sources
                .iter()
                .flat_map(|source| match source {
                    Source::Set(set) => addresses(*set).collect(),
                    Source::Everything | Source::Prefix(_) | Source::Range(..) => {
                        vec![source.to_string()]
                    }
                })
                .collect::<std::collections::BTreeSet<String>>()
                .into_iter()
                .collect();
            if !out.src_ips.is_empty() {
                rules.push(out);
            }
        }
        rules
    }
}

/// What a node answers for.
struct Own<'a> {
    addresses: Vec<IpAddr>,
    routes: &'a [Prefix],
}

impl<'a> Own<'a> {
    fn new(class: &ClassKey, node: &'a NodeFacts) -> Self {
        let without = class.class().is_without_ipv4;
        let all = node.addresses.iter().copied();
        Self {
            addresses: all.filter(|a| counts(*a, without)).collect(),
            routes: &node.routes,
        }
    }

    fn of(&self, family: Family) -> impl Iterator<Item = &IpAddr> {
        let all = self.addresses.iter();
        all.filter(move |a| Family::of(**a) == family)
    }
}

fn all_of(family: Family) -> Prefix {
    match family {
        Family::V4 => Prefix::ALL_IPV4,
        Family::V6 => Prefix::ALL_IPV6,
    }
}

fn push(
    out: &mut Vec<ClassRule>,
    sources: &Arc<[Source]>,
    rule: &Rule,
    mut places: Vec<Destination>,
) {
    places.sort_unstable();
    places.dedup();
    if !sources.is_empty() && !places.is_empty() {
        out.push(ClassRule {
            sources: Arc::clone(sources),
            protocols: rule.protocols.clone(),
            destinations: places,
            app: rule.app.clone(),
        });
    }
}

/// [`push`], for each family on its own where a source is a set for one alone.
fn push_by_family(
    out: &mut Vec<ClassRule>,
    sources: &[Source],
    rule: &Rule,
    places: &[Destination],
) {
    let of = |family: Option<Family>| -> Arc<[Source]> {
        let is_of = |s: &&Source| s.only_for() == family;
        sources.iter().filter(is_of).copied().collect()
    };
    push(out, &of(None), rule, places.to_vec());
    for family in Family::ALL {
        let places = places.iter().filter_map(|d| d.within(family));
        push(out, &of(Some(family)), rule, places.collect());
    }
}

/// Joins rules of traffic with equal sources and protocols, in the order of first appearance.
fn merge(rules: Vec<ClassRule>) -> Vec<ClassRule> {
    let mut first: std::collections::BTreeMap<(Arc<[Source]>, Vec<u8>), usize> =
        std::collections::BTreeMap::new();
    let mut merged: Vec<ClassRule> = Vec::new();
    for rule in rules {
        if rule.app.is_some() {
            merged.push(rule);
            continue;
        }
        let key = (Arc::clone(&rule.sources), rule.protocols.clone());
        let at = *first.entry(key).or_insert(merged.len());
        match merged.get_mut(at) {
            None => merged.push(rule),
            Some(into) => {
                into.destinations.extend(rule.destinations);
                into.destinations.sort_unstable();
                into.destinations.dedup();
            }
        }
    }
    merged
}

/// `own`: the node's; `None`: any node's of the class, which takes packets for itself alone.
fn on_wire(rule: &ClassRule, own: Option<&Own<'_>>) -> FilterRule {
    let mut out = FilterRule {
        src_ips: rule.sources.iter().map(Source::to_string).collect(),
        dst_ports: Vec::new(),
        ip_proto: rule.protocols.iter().map(|p| i32::from(*p)).collect(),
        cap_grant: Vec::new(),
    };
    match &rule.app {
        Some(app) => out.cap_grant.push(CapGrant {
            dsts: granted(rule, own).iter().map(Prefix::to_string).collect(),
            cap_map: Capabilities::clone(app),
        }),
        None => out.dst_ports = ports(rule, own),
    }
    out
}

fn ports(rule: &ClassRule, own: Option<&Own<'_>>) -> Vec<DstPorts> {
    let mut all = Vec::new();
    for Destination { place, ports } in &rule.destinations {
        let mut push = |ip: String| all.push(DstPorts { ip, ports: *ports });
        match (place, own) {
            (Place::Everything, _) | (Place::Node, None) => push("*".to_owned()),
            (Place::NodeOf(family), None) => push(all_of(*family).to_string()),
            (Place::Prefix(prefix), _) => push(Source::Prefix(*prefix).to_string()),
            (Place::Node, Some(own)) => {
                own.addresses.iter().map(IpAddr::to_string).for_each(push);
            }
            (Place::NodeOf(family), Some(own)) => {
                own.of(*family).map(IpAddr::to_string).for_each(push);
            }
        }
    }
    all
}

/// Where capabilities hold: at the node's own addresses, and in named subnets behind it.
fn granted(rule: &ClassRule, own: Option<&Own<'_>>) -> std::collections::BTreeSet<Prefix> {
    let mut all = std::collections::BTreeSet::new();
    for Destination { place, .. } in &rule.destinations {
        match (place, own) {
            (Place::Everything | Place::Node, None) => {
                all.extend([Prefix::ALL_IPV4, Prefix::ALL_IPV6]);
            }
            (Place::Everything | Place::Node, Some(own)) => {
                all.extend(own.addresses.iter().copied().map(Prefix::host));
            }
            (Place::NodeOf(family), None) => {
                all.insert(all_of(*family));
            }
            (Place::NodeOf(family), Some(own)) => {
                all.extend(own.of(*family).copied().map(Prefix::host));
            }
            (Place::Prefix(prefix), None) => {
                all.insert(*prefix);
            }
            (Place::Prefix(prefix), Some(own)) => {
                let inside = own.addresses.iter().copied();
                all.extend(inside.filter(|a| prefix.contains(*a)).map(Prefix::host));
                if own.routes.iter().any(|r| r.overlaps(prefix)) {
                    all.insert(*prefix);
                }
            }
        }
    }
    all
}
