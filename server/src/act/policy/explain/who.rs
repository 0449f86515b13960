//! Who can reach it?

use std::collections::{BTreeMap, BTreeSet};

use policy::{
    End, NodeFacts,
    explain::{Inbound, Reach, Sources, Spot},
};
use wire::{
    UserId,
    api::policy::explain::{Entrance, Explained, Source, Step, Traffic, Verdict},
    net::PortRange,
};

use super::{
    Scene,
    lacking::{self, Entering},
    question::{self, Asked},
    words,
};
use crate::error::Result;

/// The most destinations that are looked at one by one.
const MOST_TARGETS: usize = 50;

pub(super) fn answer(scene: &Scene<'_>, to: &str, traffic: &Traffic) -> Result<Explained> {
    let to = question::end(scene, "/question/to", to);
    let (to, asked) = question::both(to, question::traffic(traffic))?;
    let nodes: Vec<NodeFacts> = scene.devices.iter().map(|d| d.facts.clone()).collect();
    let parts = scene.explainer.parts(scene.devices, &to.spots);
    let looked = parts.iter().take(MOST_TARGETS);
    let mut found: Vec<Found> = Vec::new();
    for spot in looked {
        for reach in reached(scene, &nodes, *spot, &asked) {
            add(&mut found, taking(*spot, &reach), reach);
        }
    }
    let people: BTreeMap<UserId, &str> = scene
        .world
        .directory
        .users
        .iter()
        .map(|user| (user.id, user.email.as_str()))
        .collect();
    let entrances: Vec<Entrance> = found
        .iter()
        .map(|f| f.tell(scene, &people, &asked))
        .collect();
    let pings = found.iter().any(|f| f.reach.is_echo);
    let left = parts.len().saturating_sub(MOST_TARGETS);
    let told = Explained {
        verdict: if entrances.is_empty() {
            Verdict::Denied
        } else {
            Verdict::Allowed
        },
        sentence: entering(scene, &found).who_reaches(&act(&to.name, &asked)),
        notes: pings.then(|| words::ECHO.to_owned()).into_iter().collect(),
        cases: Vec::new(),
        entrances,
        left_out: (left > 0)
            .then(|| format!("{left} more machines of {} were not looked at.", to.name)),
    };
    Ok(lacking::noted(scene, (None, &to), told))
}

fn act(to: &str, asked: &Asked) -> String {
    format!("reach {to} on {}", what(asked))
}

fn what(asked: &Asked) -> String {
    let name = policy::protocol::name_of(asked.protocol);
    match asked.ports.as_slice() {
        _ if !policy::protocol::has_ports(asked.protocol) => name,
        [PortRange::ANY] => format!("some {name} port"),
        [one] if one.first == one.last => format!("{name} port {}", one.first),
        ports => format!("some of {name} ports {}", words::ports(ports)),
    }
}

/// Who gets in by what was found.
fn entering(scene: &Scene<'_>, found: &[Found]) -> Entering {
    let mut machines: BTreeSet<usize> = BTreeSet::new();
    let mut without = BTreeSet::new();
    let mut addresses = false;
    for source in found.iter().flat_map(|f| &f.reach.sources) {
        addresses |= !source.behind.is_empty();
        for device in &source.devices {
            match lacking::of(scene, *device) {
                Some(lacking) => {
                    without.insert(lacking.name().to_owned());
                }
                None => {
                    machines.insert(*device);
                }
            }
        }
    }
    Entering {
        machines: machines.len(),
        addresses,
        without,
    }
}

/// What one rule lets in to some destinations.
struct Found {
    to: Vec<Spot>,
    reach: Reach,
}

/// Destinations that a rule opens on the same ports are told together.
fn add(found: &mut Vec<Found>, to: Vec<Spot>, reach: Reach) {
    match found.iter_mut().find(|f| is_same(&f.reach, &reach)) {
        Some(known) => {
            known.to.extend(to);
            merge(&mut known.reach, reach);
        }
        None => found.push(Found { to, reach }),
    }
}

/// The place asked about, behind whichever routers take its packets.
fn taking(spot: Spot, reach: &Reach) -> Vec<Spot> {
    let direct = reach.is_direct.then_some(spot);
    let routers = reach.routers.iter();
    let instead = routers.map(|router| Spot {
        device: *router,
        ..spot
    });
    direct.into_iter().chain(instead).collect()
}

fn is_same(a: &Reach, b: &Reach) -> bool {
    a.rule == b.rule && a.ports == b.ports
}

/// Whom either lets in, by source in the order of the document.
fn merge(known: &mut Reach, more: Reach) {
    known.is_direct |= more.is_direct;
    known.routers.extend(more.routers);
    known.routers.sort_unstable();
    known.routers.dedup();
    for source in more.sources {
        match known.sources.iter_mut().find(|s| s.span == source.span) {
            Some(mine) => {
                mine.devices.extend(source.devices);
                mine.devices.sort_unstable();
                mine.devices.dedup();
                mine.people.extend(source.people);
                mine.people.sort_unstable();
                mine.people.dedup();
                for behind in source.behind {
                    if !mine.behind.contains(&behind) {
                        mine.behind.push(behind);
                    }
                }
            }
            None => known.sources.push(source),
        }
    }
    known.sources.sort_by_key(|source| source.span);
}

/// Who reaches the spot by its addresses of either family.
fn reached(scene: &Scene<'_>, nodes: &[NodeFacts], spot: Spot, asked: &Asked) -> Vec<Reach> {
    let Some(node) = nodes.get(spot.device) else {
        return Vec::new();
    };
    let mut all: Vec<Reach> = Vec::new();
    for address in spot.addresses() {
        let inbound = Inbound {
            to: End { node, address },
            proto: policy::protocol::of_family(asked.protocol, address.is_ipv4()),
            ports: &asked.ports,
        };
        for reach in scene.explainer.who_reaches(&inbound, nodes) {
            match all.iter_mut().find(|known| is_same(known, &reach)) {
                Some(known) => merge(known, reach),
                None => all.push(reach),
            }
        }
    }
    all
}

impl Found {
    fn tell(&self, scene: &Scene<'_>, people: &BTreeMap<UserId, &str>, asked: &Asked) -> Entrance {
        let sources = self.reach.sources.iter();
        Entrance {
            rule: scene.words.rule(self.reach.rule),
            to: words::spots(scene, &self.to),
            target: scene.words.step(&self.reach.target),
            posture: posture(&self.reach),
            ports: asked.told(&self.reach.ports),
            shut: None,
            sources: sources.map(|s| source(scene, people, s)).collect(),
        }
    }
}

/// What a source must meet.
fn posture(reach: &Reach) -> Option<Step> {
    let names = reach.postures.as_ref().filter(|names| !names.is_empty())?;
    let names = names.replace(" or ", "` or `");
    Some(Step {
        text: if reach.is_default_posture {
            format!("the rule names no posture: a source machine must meet the default, `{names}`")
        } else {
            format!("a source machine must meet `{names}`")
        },
        place: None,
    })
}

fn source(scene: &Scene<'_>, people: &BTreeMap<UserId, &str>, source: &Sources) -> Source {
    let email = |user: &UserId| people.get(user).map(|email| (*email).to_owned());
    let name = |at: usize| scene.devices.get(at).map(|device| device.name.to_owned());
    let devices = || source.devices.iter().copied();
    let machines = devices().filter(|at| lacking::of(scene, *at).is_none());
    let without = devices().filter_map(|at| lacking::of(scene, at));
    let behind = source.behind.iter().flat_map(|behind| {
        let router = name(behind.device).unwrap_or_default();
        let prefixes = behind.prefixes.iter();
        prefixes.map(move |prefix| format!("{} behind {router}", words::prefix(*prefix)))
    });
    Source {
        selector: source.selector.clone(),
        place: Some(scene.words.place(source.span)),
        people: words::names(source.people.iter().filter_map(email)),
        machines: words::names(machines.filter_map(name)),
        addresses: words::names(behind),
        without_machine: words::names(without.map(|lacking| lacking.name().to_owned())),
    }
}
