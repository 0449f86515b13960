//! Rules, compiled so that a decision costs nearly the same whatever their number.
//!
//! Rules are found by their source: by the literal ranges around an address,
//! and by the capabilities of whoever holds it. Rules that are found together
//! are a *bundle*. A large bundle is searched by destination and then by
//! protocol and port; what a small one opens lies side by side. Nothing is remembered between
//! packets: a sender's first packet costs what all others cost.

use std::{collections::HashMap, net::IpAddr, ops::Range};

use wire::{
    filter::FilterRule,
    net::{PortRange, Prefix},
};

use super::{
    has_ports,
    index::Axis,
    openings::Openings,
    rule::{Addresses, Rule},
    source::Sources,
};

/// Destinations of a small bundle at most.
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
    /// What small bundles open.
    few: Vec<Opening>,
    protocols: Vec<Protocols>,
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
            few: bundles.few,
            protocols: bundles.protocols,
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
            Bundle::Few(few) => self.few(few).any(|o| o.opens(self, dst, protocol, port)),
            Bundle::Many(places) => places.around(dst).any(|o| o.contain(protocol, port)),
            Bundle::Rest(rules) => self.rules(rules).any(|r| r.opens(dst, protocol, port)),
        })
    }

    /// Whether anything at all may go from one address to the other.
    pub(super) fn allows_any(&self, src: IpAddr, dst: IpAddr) -> bool {
        self.bundles_of(src).any(|bundle| match bundle {
            Bundle::Few(few) => self.few(few).any(|o| o.range.contains(dst)),
            Bundle::Many(places) => places.around(dst).any(|o| o.any),
            Bundle::Rest(rules) => self.rules(rules).any(|r| r.opens_any(dst)),
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

    fn few(&self, few: &Range<u32>) -> impl Iterator<Item = &Opening> {
        let few = few.start as usize..few.end as usize;
        self.few.get(few).into_iter().flatten()
    }

    fn rules(&self, numbers: &[u32]) -> impl Iterator<Item = &Rule> {
        numbers.iter().filter_map(|n| self.list.get(*n as usize))
    }
}

/// Rules that have a source in common.
#[derive(Debug)]
enum Bundle {
    /// Their part of [`Rules::few`].
    Few(Range<u32>),
    Many(Box<Axis<Openings>>),
    /// By number, behind [`MAX_ENTRIES`].
    Rest(Vec<u32>),
}

/// A destination of a rule that names some protocol.
#[derive(Debug)]
struct Opening {
    range: Addresses,
    ports: PortRange,
    /// The place of its protocols in [`Rules::protocols`].
    protocols: u32,
}

impl Opening {
    fn opens(&self, rules: &Rules, dst: IpAddr, protocol: u8, port: u16) -> bool {
        let fits =
            self.ports == PortRange::ANY || (has_ports(protocol) && self.ports.contains(port));
        let protocols = rules.protocols.get(self.protocols as usize);
        fits && self.range.contains(dst) && protocols.is_some_and(|p| p.contain(protocol))
    }
}

/// A set of protocols: bit `n % 64` of word `n / 64` is protocol `n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Protocols([u64; 4]);

impl Protocols {
    fn of(numbers: &[u8]) -> Self {
        let mut set = Self::default();
        for number in numbers {
            set.0[usize::from(number / 64)] |= 1 << (number % 64);
        }
        set
    }

    fn contain(&self, number: u8) -> bool {
        self.0[usize::from(number / 64)] >> (number % 64) & 1 == 1
    }
}

/// Makes bundles, equal ones once.
struct Bundles<'a> {
    list: &'a [Rule],
    all: Vec<Bundle>,
    few: Vec<Opening>,
    protocols: Vec<Protocols>,
    known: HashMap<Vec<u32>, u32>,
    known_protocols: HashMap<Protocols, u32>,
    /// Of [`MAX_ENTRIES`].
    left: usize,
}

impl<'a> Bundles<'a> {
    fn new(list: &'a [Rule]) -> Self {
        Self {
            list,
            all: Vec::new(),
            few: Vec::new(),
            protocols: Vec::new(),
            known: HashMap::new(),
            known_protocols: HashMap::new(),
            left: MAX_ENTRIES,
        }
    }

    /// The number of the bundle of these rules.
    fn number(&mut self, rules: &[u32]) -> u32 {
        if let Some(number) = self.known.get(rules) {
            return *number;
        }
        let number = number_of(self.all.len());
        let bundle = self.bundle(rules);
        self.all.push(bundle);
        self.known.insert(rules.to_vec(), number);
        number
    }

    fn bundle(&mut self, rules: &[u32]) -> Bundle {
        let list = self.list;
        let named = || rules.iter().filter_map(|n| list.get(*n as usize));
        let destinations: usize = named().map(|r| r.destinations.len()).sum();
        if destinations <= FEW {
            let start = number_of(self.few.len());
            named().for_each(|rule| self.add_few(rule));
            return Bundle::Few(start..number_of(self.few.len()));
        }
        let entries: usize = named()
            .map(|r| r.destinations.len() * r.protocols.len())
            .sum();
        if entries > self.left {
            return Bundle::Rest(rules.to_vec());
        }
        self.left -= entries;
        let mut places = Vec::new();
        let mut opened: Vec<(&[u8], PortRange)> = Vec::new();
        for rule in named() {
            for ((range, ports), entry) in rule.destinations.iter().zip(opened.len()..) {
                places.push((number_of(entry), *range));
                opened.push((&rule.protocols, *ports));
            }
        }
        Bundle::Many(Box::new(Axis::of(&places, |entries| {
            let mut openings = Openings::default();
            for (protocols, ports) in entries.iter().filter_map(|e| opened.get(*e as usize)) {
                openings.add(protocols, *ports);
            }
            openings.sort();
            openings
        })))
    }

    fn add_few(&mut self, rule: &Rule) {
        if rule.protocols.is_empty() {
            return;
        }
        let set = Protocols::of(&rule.protocols);
        let next = number_of(self.protocols.len());
        let protocols = *self.known_protocols.entry(set).or_insert(next);
        if protocols == next {
            self.protocols.push(set);
        }
        let openings = rule.destinations.iter().map(|(range, ports)| Opening {
            range: *range,
            ports: *ports,
            protocols,
        });
        self.few.extend(openings);
    }
}

/// A place in a list; lists are far shorter than what it can name.
fn number_of(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
