//! Rules, compiled so that a decision costs the same whatever their number.
//!
//! The ends of all literal ranges cut the address space into intervals in which
//! every rule says the same. Source interval, source capabilities and
//! destination interval make a class of packets; what is open for a class is
//! worked out from all rules once, when its first packet comes, and kept.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use wire::{
    filter::FilterRule,
    net::{PortRange, Prefix},
};

use super::{
    DEFAULT_PROTOCOLS, has_ports,
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
    cuts: Cuts,
    openings: HashMap<Class, Arc<Openings>>,
}

impl Rules {
    pub(super) fn compile(rules: &[FilterRule], sources: Sources, local: &[Prefix]) -> Self {
        let rules: Vec<_> = rules.iter().map(Rule::read).collect();
        Self {
            cuts: Cuts::of(&rules),
            list: rules,
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
            source: self.cuts.sources.interval(src),
            set: self.sources.set_of(src),
            destination: self.cuts.destinations.interval(dst),
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
        let mut openings = Openings::default();
        for rule in self
            .list
            .iter()
            .filter(|r| r.applies_to(src, set, &self.sources))
        {
            for (_, ports) in rule.destinations.iter().filter(|(r, _)| r.contains(dst)) {
                openings.add(&rule.protocols, *ports);
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
        self.any = true;
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
enum Range {
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

/// Where intervals begin, for sources and for destinations.
#[derive(Debug, Default)]
struct Cuts {
    sources: Starts,
    destinations: Starts,
}

impl Cuts {
    fn of(rules: &[Rule]) -> Self {
        let sources = rules.iter().flat_map(|r| r.sources.iter());
        let destinations = rules.iter().flat_map(|r| &r.destinations);
        Self {
            sources: Starts::of(sources),
            destinations: Starts::of(destinations.map(|(range, _)| range)),
        }
    }
}

#[derive(Debug, Default)]
struct Starts {
    v4: Vec<u32>,
    v6: Vec<u128>,
}

impl Starts {
    fn of<'a>(ranges: impl Iterator<Item = &'a Range>) -> Self {
        let mut starts = Self::default();
        for range in ranges {
            match *range {
                Range::V4(first, last) => {
                    starts.v4.push(first);
                    starts.v4.extend(last.checked_add(1));
                }
                Range::V6(first, last) => {
                    starts.v6.push(first);
                    starts.v6.extend(last.checked_add(1));
                }
            }
        }
        starts.v4.sort_unstable();
        starts.v4.dedup();
        starts.v6.sort_unstable();
        starts.v6.dedup();
        starts
    }

    /// Which interval an address lies in.
    fn interval(&self, addr: IpAddr) -> usize {
        match addr {
            IpAddr::V4(a) => self.v4.partition_point(|start| *start <= a.to_bits()),
            IpAddr::V6(a) => self.v6.partition_point(|start| *start <= a.to_bits()),
        }
    }
}
