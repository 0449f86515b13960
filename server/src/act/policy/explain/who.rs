//! Who can reach it?

use std::collections::BTreeMap;

use policy::{
    End, NodeFacts,
    explain::{Inbound, Reach, Sources, Spot},
};
use wire::{
    UserId,
    api::policy::explain::{Entrance, Explained, Source, Traffic, Verdict},
    net::PortRange,
};

use super::{
    Scene,
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
            add(&mut found, *spot, reach);
        }
    }
    let people: BTreeMap<UserId, &str> = scene
        .world
        .directory
        .users
        .iter()
        .map(|user| (user.id, user.email.as_str()))
        .collect();
    let entrances: Vec<Entrance> = found.iter().map(|f| f.tell(scene, &people)).collect();
    let left = parts.len().saturating_sub(MOST_TARGETS);
    Ok(Explained {
        verdict: if entrances.is_empty() {
            Verdict::Denied
        } else {
            Verdict::Allowed
        },
        sentence: sentence(&to.name, &what(&asked), &found),
        cases: Vec::new(),
        entrances,
        left_out: (left > 0)
            .then(|| format!("{left} more machines of {} were not looked at.", to.name)),
    })
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

fn sentence(to: &str, what: &str, found: &[Found]) -> String {
    let mut machines: Vec<usize> = found
        .iter()
        .flat_map(|f| &f.reach.sources)
        .flat_map(|source| source.devices.iter().copied())
        .collect();
    machines.sort_unstable();
    machines.dedup();
    match machines.len() {
        0 => format!("Nobody may reach {to} on {what}."),
        1 => format!("One machine may reach {to} on {what}."),
        n => format!("{n} machines may reach {to} on {what}."),
    }
}

/// What one rule lets in to some destinations.
struct Found {
    to: Vec<Spot>,
    reach: Reach,
}

/// Destinations that a rule lets the same in to are told together.
fn add(found: &mut Vec<Found>, spot: Spot, reach: Reach) {
    let same = |f: &&mut Found| f.reach.rule == reach.rule && f.reach.ports == reach.ports;
    match found.iter_mut().find(same) {
        Some(known) => {
            if known.to.last() != Some(&spot) {
                known.to.push(spot);
            }
            for (mine, more) in known.reach.sources.iter_mut().zip(reach.sources) {
                if mine.span == more.span {
                    mine.devices.extend(more.devices);
                    mine.devices.sort_unstable();
                    mine.devices.dedup();
                }
            }
        }
        None => found.push(Found {
            to: vec![spot],
            reach,
        }),
    }
}

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
            // By either family is enough.
            if !all.iter().any(|known| known.rule == reach.rule) {
                all.push(reach);
            }
        }
    }
    all
}

impl Found {
    fn tell(&self, scene: &Scene<'_>, people: &BTreeMap<UserId, &str>) -> Entrance {
        let sources = self.reach.sources.iter();
        Entrance {
            rule: scene.words.rule(self.reach.rule),
            to: words::spots(scene, &self.to),
            target: scene.words.step(&self.reach.target),
            ports: words::ports(&self.reach.ports),
            sources: sources.map(|s| source(scene, people, s)).collect(),
        }
    }
}

fn source(scene: &Scene<'_>, people: &BTreeMap<UserId, &str>, source: &Sources) -> Source {
    let email = |user: &UserId| people.get(user).map(|email| (*email).to_owned());
    let name = |at: &usize| scene.devices.get(*at).map(|device| device.name.to_owned());
    Source {
        selector: source.selector.clone(),
        place: Some(scene.words.place(source.span)),
        people: words::names(source.people.iter().filter_map(email)),
        machines: words::names(source.devices.iter().filter_map(name)),
    }
}
