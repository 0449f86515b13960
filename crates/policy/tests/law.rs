//! The compiled law says what the document says, in every form it takes.
#![expect(clippy::unwrap_used, reason = "a test states facts and may stop")]

#[path = "law/packet_filter.rs"]
mod packet_filter;
#[path = "law/reference.rs"]
mod reference;
#[path = "law/world.rs"]
mod world;

use std::collections::BTreeSet;

use policy::{Compiled, NodeFacts};
use proptest::prelude::*;
use world::{World, arb_world};

fn capabilities(law: &Compiled, node: &NodeFacts) -> BTreeSet<String> {
    let sets = law.source_sets(&law.class_of(node));
    sets.iter().map(policy::SourceSetId::capability).collect()
}

/// Calls `check(from, to, proto, port)` for every flow worth asking about.
fn for_each_packet(
    world: &World,
    mut check: impl FnMut(policy::End<'_>, policy::End<'_>, u8, u16),
) {
    for (from, to) in world.flows() {
        for proto in World::PROBED_PROTOCOLS {
            for port in World::PROBED_PORTS {
                check(from, to, proto, port);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn decisions_are_those_of_the_naive_evaluator(world in arb_world()) {
        let law = world.compiled();
        for_each_packet(&world, |from, to, proto, port| {
            let decided = law.decide(from, to, proto, port).is_allowed();
            let expected = reference::allows(&world.document, &world.directory, from, to, proto, port);
            assert_eq!(decided, expected, "{from:?} {to:?} {proto} {port}");
        });
    }

    #[test]
    fn every_form_of_filter_passes_what_is_decided(world in arb_world()) {
        let law = world.compiled();
        let none = BTreeSet::new();
        let filters: Vec<_> = world.nodes.iter().map(|node| {
            let class = law.class_of(node);
            (law.filter_rules(node, &world.nodes), law.node_filter(&class, node), law.class_filter(&class))
        }).collect();
        for_each_packet(&world, |from, to, proto, port| {
            let decided = law.decide(from, to, proto, port).is_allowed();
            let at = world.nodes.iter().position(|n| n == to.node).unwrap();
            let (spelled, by_node, by_class) = &filters[at];
            let pair = (from.address, to.address);
            assert_eq!(packet_filter::passes(spelled, &none, pair, proto, port), decided, "spelled {from:?} {to:?} {proto} {port} {spelled:?}");
            // A capability stands for the node's own addresses, not for what lies behind it.
            let carried = if from.node.addresses.contains(&from.address) {
                capabilities(&law, from.node)
            } else {
                BTreeSet::new()
            };
            assert_eq!(packet_filter::passes(by_node, &carried, pair, proto, port), decided, "node {from:?} {to:?} {proto} {port} {by_node:?}");
            if to.node.routes.is_empty() && to.node.exit_routes.is_empty() {
                assert_eq!(packet_filter::passes(by_class, &carried, pair, proto, port), decided, "class {from:?} {to:?} {proto} {port} {by_class:?}");
            }
        });
    }

    #[test]
    fn peers_see_each_other_where_some_traffic_is_allowed(world in arb_world()) {
        let law = world.compiled();
        let pair = |from: policy::End<'_>, to: policy::End<'_>| (from.node.addresses[0], to.node.addresses[0]);
        // Rules to parts of the Internet make no peers: the others do.
        let (mut joined, mut possible) = (BTreeSet::new(), BTreeSet::new());
        for_each_packet(&world, |from, to, proto, port| {
            if law.decide(from, to, proto, port).is_allowed() {
                possible.insert(pair(from, to));
                let near = to.node.addresses.contains(&to.address) || to.node.routes.iter().any(|r| r.contains(to.address));
                if near {
                    joined.insert(pair(from, to));
                }
            }
        });
        for (from, to) in world.flows() {
            if reference::gives(&world.document, &world.directory, from, to) {
                possible.insert(pair(from, to));
                joined.insert(pair(from, to));
            }
        }
        for a in &world.nodes {
            for b in world.nodes.iter().filter(|b| *b != a) {
                let (x, y) = (a.addresses[0], b.addresses[0]);
                let either = |all: &BTreeSet<_>| all.contains(&(x, y)) || all.contains(&(y, x));
                let seen = law.visible(&law.class_of(a), &law.class_of(b));
                prop_assert!(seen || !either(&joined), "does not see {:?} {:?}", a, b);
                prop_assert!(!seen || either(&possible), "sees {:?} {:?}", a, b);
                prop_assert_eq!(seen, law.visible(&law.class_of(b), &law.class_of(a)));
            }
        }
    }

    #[test]
    fn taking_a_rule_out_allows_nothing_more(world in arb_world(), at in any::<prop::sample::Index>()) {
        let mut less = world.clone();
        let rules = less.document["acls"].as_array_mut().unwrap();
        prop_assume!(!rules.is_empty());
        rules.remove(at.index(rules.len()));
        let (law, weaker) = (world.compiled(), less.compiled());
        for_each_packet(&world, |from, to, proto, port| {
            assert!(!weaker.decide(from, to, proto, port).is_allowed()
                || law.decide(from, to, proto, port).is_allowed());
        });
    }

    #[test]
    fn nodes_of_one_class_are_alike_before_the_law(world in arb_world()) {
        let law = world.compiled();
        let classes: Vec<_> = world.nodes.iter().map(|n| law.class_of(n)).collect();
        for (a, node) in classes.iter().zip(&world.nodes) {
            for (b, other) in classes.iter().zip(&world.nodes) {
                if a == b && node.routes.is_empty() && other.routes.is_empty() {
                    prop_assert_eq!(law.class_filter(a), law.class_filter(b));
                    prop_assert_eq!(law.source_sets(a), law.source_sets(b));
                }
            }
        }
    }

    #[test]
    fn compiling_twice_gives_the_same_and_sets_keep_their_numbers(world in arb_world()) {
        let law = world.compiled();
        prop_assert_eq!(&law, &world.compiled());
        let mut more = world.clone();
        let first = serde_json::json!({"action": "accept", "src": ["tag:db", "alpha"], "dst": ["tag:web:1"]});
        more.document["acls"].as_array_mut().unwrap().insert(0, first);
        let wider = more.compiled();
        for node in &world.nodes {
            let before = capabilities(&law, node);
            prop_assert!(before.is_subset(&capabilities(&wider, node)));
        }
    }
}
