//! Capabilities of applications that change.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use policy::NodeFacts;
use proptest::prelude::*;
use serde_json::json;
use wire::net::Prefix;

use crate::{
    edited, impact_of,
    naive::{Spot, State, pairs},
    wider::arb_wide_world,
    world::World,
};

/// A capability's name, and one of its values.
type Atom = (String, Option<String>);

fn holds(text: &str, address: IpAddr) -> bool {
    match text.split_once('-') {
        _ if text == "*" => true,
        Some((first, last)) => {
            let (first, last): (IpAddr, IpAddr) = (first.parse().unwrap(), last.parse().unwrap());
            (first..=last).contains(&address)
        }
        None => Prefix::parse_any(text).unwrap().contains(address),
    }
}

/// What each address has at each other, by the filters as nodes get them.
fn given(state: &State) -> BTreeMap<(Spot, Spot), BTreeSet<Atom>> {
    let mut all: BTreeMap<(Spot, Spot), BTreeSet<Atom>> = BTreeMap::new();
    // A filter does not know which addresses were taken away.
    let has = |node: &NodeFacts, address: IpAddr| {
        let class = state.law.class_of(node);
        let kept = state.law.addresses(&class, &class, node);
        kept.iter().any(|p| p.addr == address)
    };
    for (to, node) in state.world.nodes.iter().enumerate() {
        for rule in state.law.filter_rules(node, &state.world.nodes) {
            for grant in &rule.cap_grant {
                for (from, target) in pairs(state, state).iter().filter(|(_, t)| t.0 == to) {
                    let sender = &state.world.nodes[from.0];
                    let source = sender.addresses[from.1];
                    let address = node.addresses[target.1];
                    let meets = source.is_ipv4() == address.is_ipv4()
                        && has(sender, source)
                        && rule.src_ips.iter().any(|s| holds(s, source))
                        && grant.dsts.iter().any(|d| holds(d, address));
                    if meets {
                        let atoms = all.entry((*from, *target)).or_default();
                        for (name, values) in &grant.cap_map {
                            atoms.insert((name.clone(), None));
                            atoms
                                .extend(values.iter().map(|v| (name.clone(), Some(v.to_string()))));
                        }
                    }
                }
            }
        }
    }
    all
}

prop_compose! {
    /// A tenant with more capabilities.
    fn arb_world_with_apps()(
        world in arb_wide_world(),
        apps in prop::collection::vec((
            prop::sample::select(vec!["*", "ada@example.com", "group:one", "tag:web", "autogroup:member", "100.64.0.0/30"]),
            prop::sample::select(vec!["*", "bob@example.com", "tag:web", "tag:db", "alpha", "autogroup:self"]),
            prop::sample::select(vec!["example.com/cap/x", "example.com/cap/y", "tailscale.com/cap/drive"]),
            prop::sample::select(vec![json!([]), json!([{"role": "viewer"}]), json!([{"role": "viewer"}, 7])]),
        ), 1..4),
    ) -> World {
        let mut world = world;
        let grants = world.document["grants"].as_array_mut().unwrap();
        for (src, dst, name, values) in apps {
            let src = if dst == "autogroup:self" && !src.contains("group:") { "group:one" } else { src };
            grants.push(json!({"src": [src], "dst": [dst], "app": {name: values}}));
        }
        world
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn capabilities_are_the_difference_of_all_filters(a in arb_world_with_apps(), b in arb_world_with_apps(), which in 1..8_u8) {
        let b = edited(&a, &b, which);
        let (a, b) = (State::new(a, true), State::new(b, true));
        let impact = impact_of(&a, &b);
        let (before, after) = (given(&a), given(&b));
        for (told, old, new) in [(&impact.gained, &before, &after), (&impact.lost, &after, &before)] {
            let told = &told.capabilities;
            let none = BTreeSet::new();
            let differing = new.iter().map(|(pair, atoms)| {
                let rest: BTreeSet<Atom> = atoms.difference(old.get(pair).unwrap_or(&none)).cloned().collect();
                (pair, rest)
            });
            let differing: Vec<_> = differing.filter(|(_, rest)| !rest.is_empty()).collect();
            let expected: BTreeSet<Atom> = differing.iter().flat_map(|(_, rest)| rest.clone()).collect();
            let named: BTreeSet<Atom> = told.shown.iter().flat_map(|c| &c.what).flat_map(|capability| {
                let values = capability.values.iter().map(|v| Some(v.clone()));
                let name = capability.name.clone();
                let alone = capability.values.is_empty().then_some(None);
                values.chain(alone).map(move |v| (name.clone(), v)).collect::<Vec<_>>()
            }).collect();
            prop_assert!(named.is_subset(&expected), "{:?} {:?}", named, expected);
            let with_values: BTreeSet<Atom> = expected.iter().filter(|(_, v)| v.is_some()).cloned().collect();
            prop_assert!(with_values.is_subset(&named), "{:?} {:?}", named, expected);
            let froms: BTreeSet<usize> = differing.iter().map(|(pair, _)| pair.0.0).collect();
            let tos: BTreeSet<usize> = differing.iter().map(|(pair, _)| pair.1.0).collect();
            let counts = [told.flows, told.from_devices, told.to_devices];
            prop_assert_eq!(counts, [differing.len() as u64, froms.len() as u64, tos.len() as u64], "{:#?}", told);
        }
    }
}
