//! What a line lets through, and sums with it.

use std::collections::{BTreeMap, BTreeSet};

use wire::net::PortRange;

use super::{Capability, Opening};
use crate::{
    compile::{Capabilities, Rule},
    explain::ports,
    protocol,
};

/// Traffic, or capabilities.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Content {
    /// By protocol, the ports: sorted ranges that do not touch.
    Traffic(BTreeMap<u8, Vec<PortRange>>),
    /// Capabilities, and each of their values as JSON.
    App(BTreeSet<(String, Option<String>)>),
}

impl Content {
    /// The traffic of some ports under a rule.
    pub(super) fn traffic(rule: &Rule, open: PortRange) -> Self {
        let numbers: &[u8] = if rule.protocols.is_empty() {
            &protocol::DEFAULT
        } else {
            &rule.protocols
        };
        let open = numbers.iter().filter_map(|number| {
            let ports = if protocol::is_icmp(*number) {
                PortRange::ANY
            } else {
                open
            };
            let counts = protocol::has_ports(*number) || ports == PortRange::ANY;
            counts.then(|| (*number, vec![ports]))
        });
        Self::Traffic(open.collect())
    }

    /// The capabilities, each with all of its values and by its name alone.
    pub(super) fn app(app: &Capabilities) -> Self {
        let atoms = app.iter().flat_map(|(name, values)| {
            let values = values.iter().map(|value| Some(value.to_string()));
            values.chain([None]).map(move |value| (name.clone(), value))
        });
        Self::App(atoms.collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Traffic(open) => open.is_empty(),
            Self::App(atoms) => atoms.is_empty(),
        }
    }

    /// True when packets to the port get through.
    pub(super) fn opens(&self, protocol: u8, port: u16) -> bool {
        match self {
            Self::Traffic(open) => {
                let mut ranges = open.get(&protocol).into_iter().flatten();
                ranges.any(|range| range.contains(port))
            }
            Self::App(_) => false,
        }
    }

    /// Adds the other's.
    pub(super) fn add(&mut self, other: &Self) {
        match (self, other) {
            (Self::Traffic(all), Self::Traffic(more)) => {
                for (proto, ranges) in more {
                    let into = all.entry(*proto).or_default();
                    into.extend(ranges);
                    ports::join(into);
                }
            }
            (Self::App(all), Self::App(more)) => all.extend(more.iter().cloned()),
            (Self::Traffic(_), Self::App(_)) | (Self::App(_), Self::Traffic(_)) => {}
        }
    }

    /// Takes the other's away.
    pub(super) fn take(&mut self, other: &Self) {
        match (self, other) {
            (Self::Traffic(all), Self::Traffic(less)) => {
                for (proto, cuts) in less {
                    if let Some(ranges) = all.get_mut(proto) {
                        for cut in cuts {
                            *ranges = ports::without(ranges, *cut);
                        }
                    }
                }
                all.retain(|_, ranges| !ranges.is_empty());
            }
            (Self::App(all), Self::App(less)) => all.retain(|atom| !less.contains(atom)),
            (Self::Traffic(_), Self::App(_)) | (Self::App(_), Self::Traffic(_)) => {}
        }
    }

    /// True when all of the other's is in it.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Traffic(all), Self::Traffic(part)) => part.iter().all(|(proto, ranges)| {
                let has = |range: &PortRange| {
                    let mut all = all.get(proto).into_iter().flatten();
                    all.any(|r| r.first <= range.first && range.last <= r.last)
                };
                ranges.iter().all(has)
            }),
            (Self::App(all), Self::App(part)) => part.is_subset(all),
            (Self::Traffic(_), Self::App(_)) | (Self::App(_), Self::Traffic(_)) => false,
        }
    }

    /// True when the two share something.
    pub(super) fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Traffic(a), Self::Traffic(b)) => a.iter().any(|(proto, ranges)| {
                let others = b.get(proto).into_iter().flatten();
                others
                    .flat_map(|b| ranges.iter().map(move |a| (*a, *b)))
                    .any(|(a, b)| ports::common(a, b).is_some())
            }),
            (Self::App(a), Self::App(b)) => !a.is_disjoint(b),
            (Self::Traffic(_), Self::App(_)) | (Self::App(_), Self::Traffic(_)) => false,
        }
    }

    /// Protocols with the same ports are one opening.
    pub(super) fn openings(&self) -> Vec<Opening> {
        let mut by_ports: BTreeMap<&[PortRange], Vec<u8>> = BTreeMap::new();
        if let Self::Traffic(all) = self {
            for (proto, ranges) in all {
                by_ports.entry(ranges).or_default().push(*proto);
            }
        }
        let mut all: Vec<Opening> = by_ports
            .into_iter()
            .map(|(ports, protocols)| Opening {
                protocols,
                ports: ports.to_vec(),
            })
            .collect();
        // TCP before ICMP.
        all.sort_by_key(|o| !o.protocols.iter().any(|p| protocol::has_ports(*p)));
        all
    }

    /// The capabilities with their values.
    pub(super) fn capabilities(&self) -> Vec<Capability> {
        let mut all: Vec<Capability> = Vec::new();
        if let Self::App(atoms) = self {
            for (name, value) in atoms {
                match all.last_mut().filter(|c| c.name == *name) {
                    Some(known) => known.values.extend(value.clone()),
                    None => all.push(Capability {
                        name: name.clone(),
                        values: value.iter().cloned().collect(),
                    }),
                }
            }
        }
        all
    }
}
