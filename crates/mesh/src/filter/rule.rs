//! Rules, compiled so that a decision costs the same whatever their number.
//!
//! The ends of all literal ranges cut the address space into intervals in which
//! every rule says the same. Source interval, source capabilities and
//! destination interval make a class of packets; what is open for a class is
//! worked out once, when its first packet comes, and kept. For that the rules
//! are found by source or by destination, whichever are fewer.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use wire::{
    filter::FilterRule,
    net::{PortRange, Prefix},
};

use super::{
    DEFAULT_PROTOCOLS, has_ports,
    index::Axis,
    source::{SetId, Sources},
};

/// Classes whose openings are kept; more start the collection anew.
const MAX_CLASSES: usize = 16_384;

/// The law that packets are judged by.
#[derive(Debug, Default)]
pub(super) struct Rules {
    list: Vec<Rule>,
    sources: Sources,
    local: Vec<Prefix>,
    /// Rules by their literal sources.
    by_source: Axis,
    /// Rules by the capabilities that they name.
    by_capability: HashMap<String, Vec<u32>>,
    /// Entries of `targets` by address.
    by_target: Axis,
    /// Every destination: its rule and ports.
    targets: Vec<(u32, PortRange)>,
    openings: HashMap<Class, Arc<Openings>>,
}

impl Rules {
    pub(super) fn compile(rules: &[FilterRule], sources: Sources, local: &[Prefix]) -> Self {
        let list: Vec<_> = rules.iter().map(Rule::read).collect();
        let (mut ranges, mut places, mut targets) = (Vec::new(), Vec::new(), Vec::new());
        let mut by_capability: HashMap<String, Vec<u32>> = HashMap::new();
        for (number, rule) in (0..).zip(&list) {
            ranges.extend(rule.sources.iter().map(|range| (number, *range)));
            for name in &rule.capabilities {
                by_capability.entry(name.clone()).or_default().push(number);
            }
            for ((range, ports), entry) in rule.destinations.iter().zip(targets.len()..) {
                places.push((u32::try_from(entry).unwrap_or(u32::MAX), *range));
                targets.push((number, *ports));
            }
        }
        Self {
            by_source: Axis::of(&ranges),
            by_capability,
            by_target: Axis::of(&places),
            targets,
            list,
            sources,
            local: local.to_vec(),
            openings: HashMap::new(),
        }
    }

    /// Whether this node accepts packets for an address at all.
    pub(super) fn is_local(&self, addr: IpAddr) -> bool {
        self.local.iter().any(|prefix| prefix.contains(addr))
    }

    /// Whether a packet may open a flow; `port` counts for protocols with ports only.
    pub(super) fn allows(&mut self, src: IpAddr, dst: IpAddr, protocol: u8, port: u16) -> bool {
        self.openings(src, dst).contain(protocol, port)
    }

    /// Whether anything at all may go from one address to the other.
    pub(super) fn allows_any(&mut self, src: IpAddr, dst: IpAddr) -> bool {
        self.openings(src, dst).any
    }

    fn openings(&mut self, src: IpAddr, dst: IpAddr) -> Arc<Openings> {
        let class = Class {
            is_v6: src.is_ipv6(),
            source: self.by_source.interval(src),
            set: self.sources.set_of(src),
            destination: self.by_target.interval(dst),
        };
        if let Some(openings) = self.openings.get(&class) {
            return Arc::clone(openings);
        }
        if self.openings.len() >= MAX_CLASSES {
            self.openings.clear();
        }
        let openings = Arc::new(self.work_out(src, dst, class.set));
        self.openings.insert(class, Arc::clone(&openings));
        openings
    }

    fn work_out(&self, src: IpAddr, dst: IpAddr, set: Option<SetId>) -> Openings {
        let names = set.map_or(&[][..], |set| self.sources.names(set));
        let named = names.iter().filter_map(|name| self.by_capability.get(name));
        let by_source: Vec<&[u32]> = self
            .by_source
            .around(src)
            .chain(named.map(Vec::as_slice))
            .collect();
        let by_target: Vec<&[u32]> = self.by_target.around(dst).collect();
        let count = |lists: &[&[u32]]| lists.iter().map(|l| l.len()).sum::<usize>();
        let mut openings = Openings::default();
        if count(&by_source) <= count(&by_target) {
            for rule in by_source.iter().copied().flatten() {
                let rule = &self.list[*rule as usize];
                for (_, ports) in rule.destinations.iter().filter(|(r, _)| r.contains(dst)) {
                    openings.add(&rule.protocols, *ports);
                }
            }
        } else {
            for target in by_target.iter().copied().flatten() {
                let (rule, ports) = self.targets[*target as usize];
                let rule = &self.list[rule as usize];
                if rule.applies_to(src, set, &self.sources) {
                    openings.add(&rule.protocols, ports);
                }
            }
        }
        openings.sort();
        openings
    }
}

/// Packets that every rule treats alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Class {
    is_v6: bool,
    source: usize,
    set: Option<SetId>,
    destination: usize,
}

/// What is open for one class of packets.
#[derive(Debug, Default)]
struct Openings {
    /// Something is.
    any: bool,
    /// By protocol.
    by_protocol: Vec<(u8, Ports)>,
}

#[derive(Debug, Default)]
struct Ports {
    /// One rule opens every port.
    all: bool,
    /// Apart from each other, in order.
    ranges: Vec<PortRange>,
}

impl Openings {
    fn add(&mut self, protocols: &[u8], ports: PortRange) {
        self.any |= !protocols.is_empty();
        for protocol in protocols {
            let known = self.by_protocol.iter().position(|(p, _)| p == protocol);
            let at = known.unwrap_or_else(|| {
                self.by_protocol.push((*protocol, Ports::default()));
                self.by_protocol.len() - 1
            });
            let open = &mut self.by_protocol[at].1;
            open.all |= ports == PortRange::ANY;
            open.ranges.push(ports);
        }
    }

    /// Brings the ranges into order and joins those that meet.
    fn sort(&mut self) {
        self.by_protocol.sort_by_key(|(protocol, _)| *protocol);
        for (_, ports) in &mut self.by_protocol {
            ports.ranges.sort();
            let mut joined: Vec<PortRange> = Vec::new();
            for range in ports.ranges.drain(..) {
                match joined.last_mut() {
                    Some(last) if range.first <= last.last.saturating_add(1) => {
                        last.last = last.last.max(range.last);
                    }
                    _ => joined.push(range),
                }
            }
            ports.ranges = joined;
        }
    }

    fn contain(&self, protocol: u8, port: u16) -> bool {
        let Ok(at) = self
            .by_protocol
            .binary_search_by_key(&protocol, |(p, _)| *p)
        else {
            return false;
        };
        let ports = &self.by_protocol[at].1;
        if !has_ports(protocol) {
            return ports.all;
        }
        let next = ports.ranges.partition_point(|range| range.first <= port);
        next > 0 && ports.ranges[next - 1].contains(port)
    }
}

/// One rule; what could not be understood is left out, so it allows nothing.
#[derive(Debug)]
struct Rule {
    sources: Vec<Range>,
    capabilities: Vec<String>,
    destinations: Vec<(Range, PortRange)>,
    protocols: Vec<u8>,
}

impl Rule {
    fn read(rule: &FilterRule) -> Self {
        let names = rule.src_ips.iter().filter_map(|s| s.strip_prefix("cap:"));
        let literals = rule.src_ips.iter().filter(|s| !s.starts_with("cap:"));
        Self {
            sources: literals.flat_map(|s| Range::read(s)).collect(),
            capabilities: names.map(str::to_owned).collect(),
            destinations: rule
                .dst_ports
                .iter()
                .filter(|d| d.ports.first <= d.ports.last)
                .flat_map(|d| Range::read(&d.ip).into_iter().map(|r| (r, d.ports)))
                .collect(),
            protocols: if rule.ip_proto.is_empty() {
                DEFAULT_PROTOCOLS.to_vec()
            } else {
                let known = rule.ip_proto.iter().filter_map(|p| u8::try_from(*p).ok());
                known.collect()
            },
        }
    }

    fn applies_to(&self, src: IpAddr, set: Option<SetId>, sources: &Sources) -> bool {
        let holds = |set| {
            self.capabilities
                .iter()
                .any(|name| sources.holds(set, name))
        };
        !self.protocols.is_empty()
            && (self.sources.iter().any(|range| range.contains(src)) || set.is_some_and(holds))
    }
}

/// Addresses from one to another, both included, of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    V4(u32, u32),
    V6(u128, u128),
}

impl Range {
    /// Reads `*`, `a-b`, a prefix without host bits, or an address.
    fn read(text: &str) -> Vec<Self> {
        if text == "*" {
            return vec![Self::V4(0, u32::MAX), Self::V6(0, u128::MAX)];
        }
        let range = match text.split_once('-') {
            Some((first, last)) => Self::between(first, last),
            None => Prefix::parse_any(text)
                .ok()
                .filter(|prefix| prefix.masked() == *prefix)
                .map(Self::of_prefix),
        };
        range.into_iter().collect()
    }

    fn between(first: &str, last: &str) -> Option<Self> {
        match (first.parse().ok()?, last.parse().ok()?) {
            (IpAddr::V4(a), IpAddr::V4(b)) if a <= b => Some(Self::V4(a.to_bits(), b.to_bits())),
            (IpAddr::V6(a), IpAddr::V6(b)) if a <= b => Some(Self::V6(a.to_bits(), b.to_bits())),
            _ => None,
        }
    }

    fn of_prefix(prefix: Prefix) -> Self {
        match prefix.addr {
            IpAddr::V4(addr) => {
                let rest = u32::MAX.checked_shr(prefix.bits.into()).unwrap_or(0);
                Self::V4(addr.to_bits(), addr.to_bits() | rest)
            }
            IpAddr::V6(addr) => {
                let rest = u128::MAX.checked_shr(prefix.bits.into()).unwrap_or(0);
                Self::V6(addr.to_bits(), addr.to_bits() | rest)
            }
        }
    }

    fn contains(&self, addr: IpAddr) -> bool {
        match (self, addr) {
            (Self::V4(first, last), IpAddr::V4(a)) => (*first..=*last).contains(&a.to_bits()),
            (Self::V6(first, last), IpAddr::V6(a)) => (*first..=*last).contains(&a.to_bits()),
            (Self::V4(..), IpAddr::V6(_)) | (Self::V6(..), IpAddr::V4(_)) => false,
        }
    }
}
