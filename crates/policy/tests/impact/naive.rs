//! The same by asking about every pair of addresses.

use std::collections::{BTreeMap, BTreeSet};

use policy::{Compiled, Directory, End, Node, NodeFacts, impact::Side};
use serde_json::{Value, json};
use wire::{NodeId, UserId};

use crate::world::World;

/// Protocols and ports, one of each part that rules tell apart.
const PROTOCOLS: [u8; 7] = [6, 17, 1, 58, 132, 47, 50];
const PORTS: [u16; 9] = [9, 22, 80, 100, 443, 500, 8000, 8500, 8700];

/// A protocol and a port.
pub(crate) type Probe = (u8, u16);

/// Everything that is asked.
pub(crate) fn probes() -> impl Iterator<Item = Probe> {
    PROTOCOLS
        .into_iter()
        .flat_map(|proto| PORTS.map(move |port| (proto, port)))
}

/// A device and one of its own addresses, by number.
pub(crate) type Spot = (usize, usize);

/// A tenant at one moment.
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) document: policy::Document,
    pub(crate) law: Compiled,
    /// One for each rule and destination, in order: the rule, and it alone.
    lines: Vec<(RuleName, Compiled)>,
}

/// The section of a rule and its place there.
pub(crate) type RuleName = (&'static str, usize);

impl State {
    /// The world; its devices without what lies behind them, if so asked.
    pub(crate) fn new(mut world: World, is_flat: bool) -> Self {
        for node in world.nodes.iter_mut().filter(|_| is_flat) {
            node.routes.clear();
            node.exit_routes.clear();
        }
        Self {
            document: world.parsed(),
            law: world.compiled(),
            lines: lines(&world),
            world,
        }
    }

    pub(crate) fn nodes(&self) -> Vec<Node<'_>> {
        let all = (1..).map(NodeId).zip(&self.world.nodes);
        all.map(|(id, facts)| Node {
            id,
            name: "",
            facts,
        })
        .collect()
    }

    pub(crate) fn side<'a>(&'a self, nodes: &'a [Node<'a>]) -> Side<'a> {
        Side {
            document: &self.document,
            directory: &self.world.directory,
            nodes,
        }
    }

    fn end(&self, (node, address): Spot) -> Option<End<'_>> {
        let node = self.world.nodes.get(node)?;
        Some(End {
            node,
            address: node.addresses[address],
        })
    }

    pub(crate) fn allows(&self, from: Spot, to: Spot, probe: Probe) -> bool {
        self.is_allowed_by(&self.law, from, to, probe)
    }

    fn is_allowed_by(&self, law: &Compiled, from: Spot, to: Spot, (proto, port): Probe) -> bool {
        let (Some(from), Some(to)) = (self.end(from), self.end(to)) else {
            return false;
        };
        law.decide(from, to, proto, port).is_allowed()
    }

    pub(crate) fn owner(&self, device: usize) -> Option<UserId> {
        self.world.nodes.get(device).and_then(NodeFacts::owner)
    }
}

/// A law for each rule and destination.
fn lines(world: &World) -> Vec<(RuleName, Compiled)> {
    let mut all = Vec::new();
    for section in ["acls", "grants"] {
        let rules = world.document[section]
            .as_array()
            .cloned()
            .unwrap_or_default();
        for (number, rule) in rules.iter().enumerate() {
            let place = |dst: &Value| {
                let text = dst.as_str().unwrap().to_owned();
                match section {
                    "acls" => text.rsplit_once(':').unwrap().0.to_owned(),
                    _ => text,
                }
            };
            let written = rule["dst"].as_array().unwrap();
            let mut places: Vec<String> = Vec::new();
            for dst in written {
                if !places.contains(&place(dst)) {
                    places.push(place(dst));
                }
            }
            for at in places {
                let mut one = rule.clone();
                let dst: Vec<&Value> = written.iter().filter(|d| place(d) == at).collect();
                one["dst"] = json!(dst);
                let mut document = world.document.clone();
                document["acls"] = json!([]);
                document["grants"] = json!([]);
                document[section] = json!([one]);
                all.push(((section, number), compiled(&document, &world.directory)));
            }
        }
    }
    all
}

fn compiled(document: &Value, directory: &Directory) -> Compiled {
    let (document, found) = policy::parse(&document.to_string());
    assert!(!policy::has_errors(&found), "{found:#?}");
    Compiled::new(&document, directory)
}

/// Every pair of own addresses of different devices.
pub(crate) fn pairs(a: &State, b: &State) -> Vec<(Spot, Spot)> {
    let all = a.world.nodes.len().max(b.world.nodes.len());
    let spots = || (0..all).flat_map(|n| [(n, 0), (n, 1)]);
    spots()
        .flat_map(|f| spots().map(move |t| (f, t)))
        .filter(|(f, t)| f.0 != t.0)
        .collect()
}

/// Flows that one line of a rule is the first to let through.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Told {
    pub(crate) rule: RuleName,
    pub(crate) probes: BTreeSet<Probe>,
    pub(crate) from: BTreeSet<usize>,
    pub(crate) to: BTreeSet<usize>,
    pub(crate) flows: u64,
    pub(crate) is_partial: bool,
}

/// What the second state lets through and the first does not, by rule and
/// destination; and each flow once.
pub(crate) fn gained(before: &State, after: &State) -> (Vec<Told>, Told) {
    let mut by_line: BTreeMap<usize, Vec<(Spot, Spot, BTreeSet<Probe>)>> = BTreeMap::new();
    let mut total = Told::default();
    for (from, to) in pairs(before, after) {
        let mut mine: BTreeMap<usize, BTreeSet<Probe>> = BTreeMap::new();
        let new = probes().filter(|p| after.allows(from, to, *p) && !before.allows(from, to, *p));
        for probe in new {
            let mut lines = after.lines.iter().enumerate();
            let first = lines.find(|(_, (_, law))| after.is_allowed_by(law, from, to, probe));
            mine.entry(first.unwrap().0).or_default().insert(probe);
            total.probes.insert(probe);
        }
        if !mine.is_empty() {
            total.flows += 1;
            total.from.insert(from.0);
            total.to.insert(to.0);
        }
        for (line, probes) in mine {
            by_line.entry(line).or_default().push((from, to, probes));
        }
    }
    let mut all: Vec<Told> = Vec::new();
    for (line, flows) in by_line {
        let probes: BTreeSet<Probe> = flows.iter().flat_map(|f| f.2.clone()).collect();
        let told = Told {
            rule: after.lines[line].0,
            from: flows.iter().map(|f| f.0.0).collect(),
            to: flows.iter().map(|f| f.1.0).collect(),
            flows: flows.len() as u64,
            is_partial: flows.iter().any(|f| f.2 != probes),
            probes,
        };
        let same =
            |t: &&mut Told| t.rule == told.rule && t.from == told.from && t.probes == told.probes;
        match all.iter_mut().find(same) {
            Some(joined) => {
                joined.to.extend(&told.to);
                joined.flows += told.flows;
                joined.is_partial |= told.is_partial;
            }
            None => all.push(told),
        }
    }
    (all, total)
}
