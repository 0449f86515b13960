//! Rules, compiled so that a decision costs nearly the same whatever their number.
//!
//! Rules are found by their source: by the literal ranges around an address,
//! and by the capabilities of whoever holds it. Rules that are found together
//! are a *bundle*. A large bundle is searched by destination and then by
//! protocol and port, a small one rule by rule. Nothing is remembered between
//! packets: a sender's first packet costs what all others cost.

use std::{collections::HashMap, net::IpAddr};

use wire::{
    filter::FilterRule,
    net::{PortRange, Prefix},
};

use super::{index::Axis, openings::Openings, rule::Rule, source::Sources};

/// Bundles with this many destinations are tried one by one.
const FEW: usize = 16;
/// Destinations, each as often as its rule names a protocol, that all large
/// bundles hold together; what is more is tried one by one, so that a filter
/// cannot take all memory.
const MAX_ENTRIES: usize = 1 << 22;

/// The law that packets are judged by.
#[derive(Debug, Default)]
pub(super) struct Rules {
    list: Vec<Rule>,
    sources: Sources,
    local: Vec<Prefix>,
    bundles: Vec<Bundle>,
    /// Bundles by literal sources.
    by_source: Axis<u32>,
    /// Bundles by set of capabilities.
    by_set: Vec<Vec<u32>>,
}

impl Rules {
    pub(super) fn compile(rules: &[FilterRule], sources: Sources, local: &[Prefix]) -> Self {
        let list: Vec<_> = rules.iter().map(Rule::read).collect();
        let mut ranges = Vec::new();
        let mut named: HashMap<&str, Vec<u32>> = HashMap::new();
        for (number, rule) in (0..).zip(&list) {
            ranges.extend(rule.sources.iter().map(|range| (number, *range)));
            for name in &rule.capabilities {
                named.entry(name).or_default().push(number);
            }
        }
        let mut bundles = Bundles::new(&list);
        let by_source = Axis::of(&ranges, |numbers| bundles.number(numbers));
        let named: HashMap<&str, u32> = named
            .iter()
            .map(|(name, numbers)| (*name, bundles.number(numbers)))
            .collect();
        let of_set = |names: &[String]| {
            let known = names.iter().filter_map(|name| named.get(name.as_str()));
            known.copied().collect()
        };
        Self {
            by_set: sources.sets().map(of_set).collect(),
            bundles: bundles.all,
            by_source,
            sources,
            local: local.to_vec(),
            list,
        }
    }

    /// Whether this node accepts packets for an address at all.
    pub(super) fn is_local(&self, addr: IpAddr) -> bool {
        self.local.iter().any(|prefix| prefix.contains(addr))
    }

    /// Whether a packet may open a flow; `port` counts for protocols with ports only.
    pub(super) fn allows(&self, src: IpAddr, dst: IpAddr, protocol: u8, port: u16) -> bool {
        self.bundles_of(src).any(|bundle| match bundle {
            Bundle::Few(rules) => self.named(rules).any(|r| r.opens(dst, protocol, port)),
            Bundle::Many(places) => places.around(dst).any(|o| o.contain(protocol, port)),
        })
    }

    /// Whether anything at all may go from one address to the other.
    pub(super) fn allows_any(&self, src: IpAddr, dst: IpAddr) -> bool {
        self.bundles_of(src).any(|bundle| match bundle {
            Bundle::Few(rules) => self.named(rules).any(|r| r.opens_any(dst)),
            Bundle::Many(places) => places.around(dst).any(|o| o.any),
        })
    }

    fn bundles_of(&self, src: IpAddr) -> impl Iterator<Item = &Bundle> {
        let set = self.sources.set_of(src);
        let by_set = set.and_then(|set| self.by_set.get(set.index()));
        let numbers = self
            .by_source
            .around(src)
            .chain(by_set.into_iter().flatten());
        numbers.filter_map(|number| self.bundles.get(*number as usize))
    }

    fn named(&self, numbers: &[u32]) -> impl Iterator<Item = &Rule> {
        numbers.iter().filter_map(|n| self.list.get(*n as usize))
    }
}

/// Rules that have a source in common.
#[derive(Debug)]
enum Bundle {
    Few(Vec<u32>),
    Many(Axis<Openings>),
}

/// Makes bundles, equal ones once.
struct Bundles<'a> {
    list: &'a [Rule],
    all: Vec<Bundle>,
    known: HashMap<Vec<u32>, u32>,
    /// Of [`MAX_ENTRIES`].
    left: usize,
}

impl<'a> Bundles<'a> {
    fn new(list: &'a [Rule]) -> Self {
        Self {
            list,
            all: Vec::new(),
            known: HashMap::new(),
            left: MAX_ENTRIES,
        }
    }

    /// The number of the bundle of these rules.
    fn number(&mut self, rules: &[u32]) -> u32 {
        if let Some(number) = self.known.get(rules) {
            return *number;
        }
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        let bundle = self.bundle(rules);
        self.all.push(bundle);
        self.known.insert(rules.to_vec(), number);
        number
    }

    fn bundle(&mut self, rules: &[u32]) -> Bundle {
        let named = || rules.iter().filter_map(|n| self.list.get(*n as usize));
        let destinations: usize = named().map(|r| r.destinations.len()).sum();
        let entries: usize = named()
            .map(|r| r.destinations.len() * r.protocols.len())
            .sum();
        if destinations <= FEW || entries > self.left {
            return Bundle::Few(rules.to_vec());
        }
        let mut places = Vec::new();
        let mut opened: Vec<(&[u8], PortRange)> = Vec::new();
        for rule in named() {
            for ((range, ports), entry) in rule.destinations.iter().zip(opened.len()..) {
                places.push((u32::try_from(entry).unwrap_or(u32::MAX), *range));
                opened.push((&rule.protocols, *ports));
            }
        }
        self.left -= entries;
        Bundle::Many(Axis::of(&places, |entries| {
            let mut openings = Openings::default();
            for (protocols, ports) in entries.iter().filter_map(|e| opened.get(*e as usize)) {
                openings.add(protocols, *ports);
            }
            openings.sort();
            openings
        }))
    }
}
