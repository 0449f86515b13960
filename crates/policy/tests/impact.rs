//! An impact is the difference of all decisions.
#![expect(clippy::unwrap_used, reason = "a test states facts and may stop")]

#[path = "explain/wider.rs"]
mod wider;
#[expect(dead_code, reason = "other tests ask about flows behind routers too")]
#[path = "law/world.rs"]
mod world;

use std::collections::BTreeSet;

use policy::{
    Compiled, Document, End, NodeFacts,
    impact::{Change, Impact, Side, impact},
};
use proptest::prelude::*;
use wider::arb_wide_world;
use wire::{NodeId, UserId};
use world::{PROBED_PORTS, PROBED_PROTOCOLS, World};

struct State {
    world: World,
    document: Document,
    law: Compiled,
    nodes: Vec<(NodeId, NodeFacts)>,
}

impl State {
    /// The world; its devices without what lies behind them, if so asked.
    fn new(mut world: World, is_flat: bool) -> Self {
        for node in world.nodes.iter_mut().filter(|_| is_flat) {
            node.routes.clear();
            node.exit_routes.clear();
        }
        let nodes = (1..).map(NodeId).zip(world.nodes.iter().cloned()).collect();
        Self {
            document: world.parsed(),
            law: world.compiled(),
            nodes,
            world,
        }
    }

    fn side(&self) -> Side<'_> {
        Side {
            document: &self.document,
            directory: &self.world.directory,
            nodes: &self.nodes,
        }
    }

    fn allows(&self, from: (usize, usize), to: (usize, usize), proto: u8, port: u16) -> bool {
        let end = |(node, address): (usize, usize)| {
            let node = self.world.nodes.get(node)?;
            Some(End {
                node,
                address: node.addresses[address],
            })
        };
        let (Some(from), Some(to)) = (end(from), end(to)) else {
            return false;
        };
        self.law.decide(from, to, proto, port).is_allowed()
    }
}

fn impact_of(a: &State, b: &State) -> Impact {
    impact(&a.side(), &b.side())
}

/// Every pair of own addresses of different devices, by number.
fn pairs(a: &State, b: &State) -> Vec<((usize, usize), (usize, usize))> {
    let all = a.nodes.len().max(b.nodes.len());
    let spots = || (0..all).flat_map(|n| [(n, 0), (n, 1)]);
    spots()
        .flat_map(|f| spots().map(move |t| (f, t)))
        .filter(|(f, t)| f.0 != t.0)
        .collect()
}

fn holds(change: &Change, proto: u8, port: u16) -> bool {
    let traffic = change.traffic.iter().filter(|o| o.proto == proto);
    traffic.flat_map(|o| &o.ports).any(|r| r.contains(port))
}

/// The flows of one packet kind in these changes, and the devices they come from and go to.
fn told(changes: &[Change], proto: u8, port: u16) -> (u64, BTreeSet<NodeId>, BTreeSet<NodeId>) {
    let mine = || changes.iter().filter(|c| holds(c, proto, port));
    (
        mine().map(|c| c.flows).sum(),
        mine().flat_map(|c| c.from_devices.clone()).collect(),
        mine().flat_map(|c| c.to_devices.clone()).collect(),
    )
}

/// The same by asking about every pair.
fn counted(
    from: &State,
    to: &State,
    proto: u8,
    port: u16,
) -> (u64, BTreeSet<NodeId>, BTreeSet<NodeId>) {
    let mut all = (0, BTreeSet::new(), BTreeSet::new());
    let id = |n: usize| NodeId(n as u64 + 1);
    for (source, target) in pairs(from, to) {
        if to.allows(source, target, proto, port) && !from.allows(source, target, proto, port) {
            all.0 += 1;
            all.1.insert(id(source.0));
            all.2.insert(id(target.0));
        }
    }
    all
}

/// The second world's rules in the first, with its people and devices or the first's.
fn edited(a: &World, b: &World, which: u8) -> World {
    let mut edited = a.clone();
    if which & 1 != 0 {
        edited.document = b.document.clone();
    }
    if which & 2 != 0 {
        edited.directory = b.directory.clone();
    }
    if which & 4 != 0 {
        edited.nodes.clone_from(&b.nodes);
    }
    edited
}

fn without_spans(changes: &[Change]) -> BTreeSet<String> {
    changes.iter().map(|c| format!("{c} {c:?}")).collect()
}

/// Users and devices that reached something before and nothing after.
fn cut_off(a: &State, b: &State) -> (BTreeSet<UserId>, BTreeSet<NodeId>) {
    let reaching = |state: &State| -> BTreeSet<usize> {
        let mut all = BTreeSet::new();
        for (from, to) in pairs(a, b) {
            // Every port that rules tell apart, the odd ones too.
            for (proto, port) in [6, 17, 1, 58, 132, 47]
                .into_iter()
                .flat_map(|p| [22, 80, 443, 8000, 8500, 500, 9].map(move |port| (p, port)))
            {
                if state.allows(from, to, proto, port) {
                    all.insert(from.0);
                }
            }
        }
        all
    };
    let (before, after) = (reaching(a), reaching(b));
    let owner = |n: usize| a.world.nodes.get(n).and_then(NodeFacts::owner);
    let (mut people, mut devices) = (BTreeSet::new(), BTreeSet::new());
    for n in before.difference(&after) {
        match owner(*n) {
            Some(user) => {
                if !after.iter().any(|other| owner(*other) == Some(user)) {
                    people.insert(user);
                }
            }
            None => {
                devices.insert(NodeId(*n as u64 + 1));
            }
        }
    }
    (people, devices)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn it_is_the_difference_of_all_decisions(a in arb_wide_world(), b in arb_wide_world(), which in 1..8_u8) {
        let b = edited(&a, &b, which);
        let (a, b) = (State::new(a, true), State::new(b, true));
        let change = impact_of(&a, &b);
        for proto in PROBED_PROTOCOLS {
            for port in PROBED_PORTS {
                prop_assert_eq!(told(&change.gained, proto, port), counted(&a, &b, proto, port), "{} {} {:#?}", proto, port, change.gained);
                prop_assert_eq!(told(&change.lost, proto, port), counted(&b, &a, proto, port), "{} {} {:#?}", proto, port, change.lost);
            }
        }
        let (people, devices) = cut_off(&a, &b);
        prop_assert_eq!(change.cut_off.people.iter().copied().collect::<BTreeSet<_>>(), people);
        prop_assert_eq!(change.cut_off.devices.iter().copied().collect::<BTreeSet<_>>(), devices);
    }

    #[test]
    fn what_one_way_gains_the_other_loses(a in arb_wide_world(), b in arb_wide_world(), which in 1..8_u8) {
        let b = edited(&a, &b, which);
        let (a, b) = (State::new(a, false), State::new(b, false));
        let (there, back) = (impact_of(&a, &b), impact_of(&b, &a));
        prop_assert_eq!(without_spans(&there.gained), without_spans(&back.lost));
        prop_assert_eq!(without_spans(&there.lost), without_spans(&back.gained));
        prop_assert_eq!(impact_of(&a, &a), Impact::default());
    }
}
