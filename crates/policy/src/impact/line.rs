//! Lines: the traffic of one rule to one destination, numbered over both policies.

use std::collections::BTreeMap;

use wire::net::PortRange;

use crate::{
    compile::{Compiled, Origin, TermId, Where},
    protocol,
};

/// What a line is, whichever policy it stands in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    pub(super) sources: Vec<String>,
    pub(super) target: String,
    pub(super) ports: PortRange,
    /// Empty: the default ones.
    pub(super) protocols: Vec<u8>,
    pub(super) via: Vec<String>,
}

/// A set of lines; all sets of one comparison are as wide.
pub(super) type Set = Vec<u64>;

pub(super) fn insert(set: &mut Set, line: usize) {
    if let Some(word) = set.get_mut(line / 64) {
        *word |= 1 << (line % 64);
    }
}

pub(super) fn both(a: &Set, b: &Set) -> Set {
    a.iter().zip(b).map(|(a, b)| a & b).collect()
}

pub(super) fn meet(a: &Set, b: &Set) -> bool {
    a.iter().zip(b).any(|(a, b)| a & b != 0)
}

pub(super) fn has(set: &Set, line: usize) -> bool {
    set.get(line / 64)
        .is_some_and(|word| word >> (line % 64) & 1 == 1)
}

/// Numbers lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    numbers: BTreeMap<Line, usize>,
    pub(super) all: Vec<Line>,
}

/// Where a policy uses its lines.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// By term: lines in which it is a source.
    pub(super) source: BTreeMap<TermId, Vec<usize>>,
    /// By term: lines in which it is the destination, and the rule's number.
    pub(super) target: BTreeMap<TermId, Vec<(usize, usize)>>,
    /// By term: lines to `autogroup:self` in which it is a source of people.
    pub(super) own: BTreeMap<TermId, Vec<usize>>,
    /// The lines in the order of the rules, and where each comes from.
    pub(super) order: Vec<(usize, Origin)>,
}

impl Lines {
    fn number(&mut self, line: Line) -> usize {
        let next = self.all.len();
        *self.numbers.entry(line).or_insert_with_key(|line| {
            self.all.push(line.clone());
            next
        })
    }

    /// The words that a set of all lines takes.
    pub(super) fn words(&self) -> usize {
        self.all.len().div_ceil(64)
    }

    pub(super) fn read(&mut self, law: &Compiled) -> Uses {
        let text = |id: TermId| law.term(id).map(|t| t.text.clone()).unwrap_or_default();
        let mut uses = Uses::default();
        let mut seen = std::collections::BTreeSet::new();
        for (rule_number, rule) in law
            .rules
            .iter()
            .enumerate()
            .filter(|(_, r)| r.app.is_none())
        {
            let mut sources: Vec<String> = rule.sources.iter().map(|id| text(*id)).collect();
            sources.sort_unstable();
            for (place, ports) in &rule.targets {
                let line = self.number(Line {
                    sources: sources.clone(),
                    target: match place {
                        Where::Term(id) => text(*id),
                        Where::SelfDevices => "autogroup:self".to_owned(),
                    },
                    ports: *ports,
                    protocols: rule.protocols.clone(),
                    via: rule.via.clone(),
                });
                if !seen.insert(line) {
                    continue;
                }
                uses.order.push((line, rule.origin));
                let by_source = match place {
                    Where::Term(id) => {
                        uses.target
                            .entry(*id)
                            .or_default()
                            .push((line, rule_number));
                        &mut uses.source
                    }
                    Where::SelfDevices if rule.via.is_empty() => &mut uses.own,
                    Where::SelfDevices => continue,
                };
                for id in &rule.sources {
                    by_source.entry(*id).or_default().push(line);
                }
            }
        }
        uses
    }
}

/// Traffic: by protocol, ports.
pub(super) type Traffic = BTreeMap<u8, Vec<PortRange>>;

impl Line {
    /// What it lets through.
    pub(super) fn traffic(&self) -> Traffic {
        let numbers: &[u8] = if self.protocols.is_empty() {
            &protocol::DEFAULT
        } else {
            &self.protocols
        };
        let open = numbers.iter().filter_map(|number| {
            let ports = if protocol::is_icmp(*number) {
                PortRange::ANY
            } else {
                self.ports
            };
            let counts = protocol::has_ports(*number) || ports == PortRange::ANY;
            counts.then(|| (*number, vec![ports]))
        });
        open.collect()
    }
}
