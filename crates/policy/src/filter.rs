//! The law as packet filters: by class, for one node, and spelled out.

use std::net::{IpAddr, Ipv4Addr};

use wire::{
    filter::{DstPorts, FilterRule},
    net::{MESH_IPV6, PortRange, Prefix},
};

use crate::{
    class::{Class, ClassKey, SourceSetId},
    compile::{Compiled, Rule, TermId, TermKind, Where},
    decide::ANY_IPV4,
    directory::NodeFacts,
};

/// One rule of a destination class's filter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClassRule {
    /// Who; at least one.
    pub sources: Vec<Source>,
    /// Protocol numbers; empty means TCP, UDP, ICMP and `ICMPv6`.
    pub protocols: Vec<u8>,
    /// Where to; at least one.
    pub destinations: Vec<Destination>,
}

/// Sources of a [`ClassRule`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
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
    /// These addresses; they meet the node's own or its routes.
    Prefix(Prefix),
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
        for (number, rule) in self.rules.iter().enumerate() {
            self.push_targets(number, rule, class, &mut rules);
            self.push_self(rule, class, &mut rules);
        }
        merge(rules)
    }

    fn push_targets(&self, number: usize, rule: &Rule, class: &Class, out: &mut Vec<ClassRule>) {
        if !class.is_target_of(number) {
            return;
        }
        let mut places = Vec::new();
        for (place, ports) in &rule.targets {
            if let Where::Term(id) = place
                && class.has(*id)
            {
                let all = self.places(*id).into_iter();
                places.extend(all.map(|place| Destination {
                    place,
                    ports: *ports,
                }));
            }
        }
        push(out, self.sources(&rule.sources), rule, places);
    }

    fn push_self(&self, rule: &Rule, class: &Class, out: &mut Vec<ClassRule>) {
        let Some(user) = class.user else {
            return;
        };
        let applies = rule
            .sources
            .iter()
            .any(|id| self.is_of_people(*id) && class.has(*id));
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
        let source = Source::Set(SourceSetId::DevicesOf(user));
        push(out, vec![source], rule, places.collect());
    }

    fn places(&self, id: TermId) -> Vec<Place> {
        match self.term(id).map(|t| &t.kind) {
            Some(TermKind::Any) => vec![Place::Everything],
            Some(TermKind::Addresses(set)) => {
                set.prefixes().into_iter().map(Place::Prefix).collect()
            }
            Some(TermKind::Users(_) | TermKind::Tag(_) | TermKind::Member | TermKind::Tagged) => {
                vec![Place::Node]
            }
            Some(TermKind::Nothing) | None => Vec::new(),
        }
    }

    fn sources(&self, ids: &[TermId]) -> Vec<Source> {
        let mut sources = Vec::with_capacity(ids.len());
        for id in ids {
            match self.term(*id).map(|t| &t.kind) {
                Some(TermKind::Any) => self.push_any(&mut sources),
                Some(TermKind::Addresses(set)) => {
                    sources.extend(set.prefixes().into_iter().map(Source::Prefix));
                }
                Some(
                    TermKind::Users(_) | TermKind::Tag(_) | TermKind::Member | TermKind::Tagged,
                ) => sources.extend(self.set_of(*id).map(Source::Set)),
                Some(TermKind::Nothing) | None => {}
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
            .map(|rule| on_wire(rule, &["*".to_owned()]))
            .collect()
    }

    /// [`Self::filter`] for the wire, with the node's own addresses spelled out.
    pub fn node_filter(&self, class: &ClassKey, node: &NodeFacts) -> Vec<FilterRule> {
        let own: Vec<String> = node.addresses.iter().map(IpAddr::to_string).collect();
        self.filter(class)
            .iter()
            .map(|rule| on_wire(rule, &own))
            .collect()
    }

    /// The filter of `node` with every source spelled out as addresses of
    /// `all`: larger, and changed by every join, but free of capabilities.
    pub fn filter_rules(&self, node: &NodeFacts, all: &[NodeFacts]) -> Vec<FilterRule> {
        let members: Vec<(Vec<SourceSetId>, &NodeFacts)> = all
            .iter()
            .map(|n| (self.source_sets(&self.class_of(n)), n))
            .collect();
        let addresses = |set: SourceSetId| {
            members
                .iter()
                .filter(move |(sets, _)| sets.binary_search(&set).is_ok())
                .flat_map(|(_, n)| n.addresses.iter().map(IpAddr::to_string))
        };
        let own: Vec<String> = node.addresses.iter().map(IpAddr::to_string).collect();
        let mut rules = Vec::new();
        for rule in self.filter(&self.class_of(node)) {
            let mut out = on_wire(&rule, &own);
            out.src_ips = rule
                .sources
                .iter()
                .flat_map(|source| match source {
                    Source::Set(set) => addresses(*set).collect(),
                    Source::Prefix(_) | Source::Range(..) => vec![source.to_string()],
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

fn push(out: &mut Vec<ClassRule>, sources: Vec<Source>, rule: &Rule, mut places: Vec<Destination>) {
    places.sort_unstable();
    places.dedup();
    if !sources.is_empty() && !places.is_empty() {
        out.push(ClassRule {
            sources,
            protocols: rule.protocols.clone(),
            destinations: places,
        });
    }
}

/// Joins rules with equal sources and protocols, in the order of first appearance.
fn merge(rules: Vec<ClassRule>) -> Vec<ClassRule> {
    let mut first: std::collections::BTreeMap<(Vec<Source>, Vec<u8>), usize> =
        std::collections::BTreeMap::new();
    let mut merged: Vec<ClassRule> = Vec::new();
    for rule in rules {
        let key = (rule.sources.clone(), rule.protocols.clone());
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

fn on_wire(rule: &ClassRule, own: &[String]) -> FilterRule {
    let mut dst_ports = Vec::new();
    for Destination { place, ports } in &rule.destinations {
        let mut push = |ip: String| dst_ports.push(DstPorts { ip, ports: *ports });
        match place {
            Place::Everything => push("*".to_owned()),
            Place::Prefix(prefix) => push(Source::Prefix(*prefix).to_string()),
            Place::Node => own.iter().cloned().for_each(push),
        }
    }
    FilterRule {
        src_ips: rule.sources.iter().map(Source::to_string).collect(),
        dst_ports,
        ip_proto: rule.protocols.iter().map(|p| i32::from(*p)).collect(),
        cap_grant: Vec::new(),
    }
}
