//! An explanation is a second judge: it agrees with the compiled law and its filters.
#![expect(clippy::unwrap_used, reason = "a test states facts and may stop")]

#[path = "explain/causes.rs"]
mod causes;
#[path = "explain/hold.rs"]
mod hold;
#[path = "law/packet_filter.rs"]
mod packet_filter;
#[path = "explain/places.rs"]
mod places;
#[path = "explain/sent.rs"]
mod sent;
#[path = "explain/ssh.rs"]
mod ssh;
#[path = "explain/who.rs"]
mod who;
#[path = "explain/wider.rs"]
mod wider;
#[path = "law/world.rs"]
mod world;

use std::{collections::BTreeSet, net::IpAddr};

use policy::{
    Decision, End, Explainer, Flow, NodeFacts,
    explain::{Explanation, Inbound, Part, Verdict},
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use wider::arb_wide_world;
use wire::net::PortRange;
use world::World;

/// The questions of a run.
const QUESTIONS: usize = 100_000;
/// The questions to one tenant, spread over all that could be asked.
const FROM_ONE_WORLD: usize = 250;

/// The rule that an explanation names first.
fn first_rule(explained: &Explanation) -> Option<(Part, usize)> {
    let rule = explained.allowed.first()?.rule;
    Some((rule.section, rule.index))
}

fn decided_rule(decision: Decision) -> Option<(Part, usize)> {
    match decision {
        Decision::Allowed { section, rule, .. } => {
            let part = match section {
                policy::Section::Acls => Part::Acls,
                policy::Section::Grants => Part::Grants,
            };
            Some((part, rule))
        }
        Decision::Denied => None,
    }
}

/// Addresses worth asking about: own, behind each route, on the Internet, and of nobody.
fn addresses(node: &NodeFacts) -> Vec<IpAddr> {
    let others = [
        "10.1.2.3",
        "10.1.3.3",
        "192.168.7.3",
        "8.8.8.8",
        "2001:db8::1",
        "100.64.0.99",
    ];
    let mut all = node.addresses.clone();
    let others = others.map(|a| a.parse::<IpAddr>().unwrap());
    let stray = others.last().copied();
    all.extend(others.into_iter().filter(|a| node.holds(*a)));
    all.extend(stray);
    all
}

/// Asks everybody about some flows of the world; the number of questions and of those allowed.
fn ask(world: &World, seed: usize) -> (usize, usize) {
    let (document, law) = (world.parsed(), world.compiled());
    let explainer = Explainer::new(&document, &world.directory);
    let filters: Vec<_> = world
        .nodes
        .iter()
        .map(|n| law.filter_rules(n, &world.nodes))
        .collect();
    let mut flows = Vec::new();
    for from in &world.nodes {
        for (at, to) in world.nodes.iter().enumerate().filter(|(_, to)| *to != from) {
            for source in addresses(from) {
                for target in addresses(to) {
                    let end = |node, address| End { node, address };
                    flows.push((end(from, source), end(to, target), at));
                }
            }
        }
    }
    let (mut asked, mut allowed) = (0, 0);
    let all = flows.len() * World::PROBED_PROTOCOLS.len() * World::PROBED_PORTS.len();
    // A stride without a common factor comes by every flow, protocol and port.
    for step in 0..FROM_ONE_WORLD.min(all) {
        let n = (seed + step * 7919) % all;
        let (from, to, at) = flows[n % flows.len()];
        let rest = n / flows.len();
        let proto = World::PROBED_PROTOCOLS[rest % World::PROBED_PROTOCOLS.len()];
        let port = World::PROBED_PORTS[rest / World::PROBED_PROTOCOLS.len()];
        let decision = law.decide(from, to, proto, port);
        let explained = explainer.explain(&Flow {
            from,
            to,
            proto,
            ports: &[PortRange::one(port)],
            offered: &[],
        });
        let why = || {
            format!(
                "{from:?} {to:?} {proto} {port}\n{explained:#?}\n{}",
                world.document
            )
        };
        assert_eq!(first_rule(&explained), decided_rule(decision), "{}", why());
        let passes = explained.verdict == Verdict::Allowed;
        assert_eq!(passes, decision.is_allowed(), "{}", why());
        let held = from.node.addresses.contains(&from.address)
            || from.node.routes.iter().any(|r| r.contains(from.address));
        if held && to.node.holds(to.address) && from.address.is_ipv4() == to.address.is_ipv4() {
            let pair = (from.address, to.address);
            let filtered = packet_filter::passes(&filters[at], &BTreeSet::new(), pair, proto, port);
            // A filter does not know which addresses were taken away.
            let is_lost = causes::of(&explained) == Some(policy::explain::Cause::AddressDisabled);
            assert!(filtered == passes || is_lost, "{:?} {}", filters[at], why());
        }
        assert_eq!(explained.denied.is_none(), passes);
        asked += 1;
        allowed += usize::from(passes);
    }
    (asked, allowed)
}

#[test]
fn explanations_decisions_and_filters_agree_on_100_000_questions() {
    let rng = TestRng::from_seed(
        RngAlgorithm::ChaCha,
        b"explain, decide, filter: one answer."
            .first_chunk::<32>()
            .unwrap(),
    );
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let (mut asked, mut allowed, mut seed) = (0, 0, 0);
    while asked < QUESTIONS {
        let world = arb_wide_world().new_tree(&mut runner).unwrap().current();
        seed += 1;
        let (a, b) = ask(&world, seed);
        asked += a;
        allowed += b;
    }
    assert!(allowed > asked / 200, "{allowed} of {asked} are allowed");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_range_is_explained_port_by_port(world in arb_wide_world(), first in 20..9_000_u16, more in 0..600_u16, pick in any::<prop::sample::Index>()) {
        let (document, law) = (world.parsed(), world.compiled());
        let explainer = Explainer::new(&document, &world.directory);
        let flows = world.flows();
        prop_assume!(!flows.is_empty());
        let (from, to) = flows[pick.index(flows.len())];
        let ports = PortRange { first, last: first + more };
        let explained = explainer.explain(&Flow { from, to, proto: 6, ports: &[ports], offered: &[] });
        let open = |port| explained.allowed.iter().any(|c| c.ports.iter().any(|r| r.contains(port)));
        let shut = |port| explained.denied.iter().any(|d| d.ports.iter().any(|r| r.contains(port)));
        for port in ports.first..=ports.last {
            prop_assert_eq!(open(port), law.decide(from, to, 6, port).is_allowed());
            prop_assert_eq!(open(port), !shut(port));
        }
    }

    #[test]
    fn who_reaches_a_place_is_who_is_let_through(world in arb_wide_world(), pick in any::<prop::sample::Index>(), target in any::<prop::sample::Index>()) {
        let (document, law) = (world.parsed(), world.compiled());
        let explainer = Explainer::new(&document, &world.directory);
        let node = &world.nodes[pick.index(world.nodes.len())];
        let all = addresses(node);
        let to = End { node, address: all[target.index(all.len())] };
        let ports = PortRange::one(22);
        let reaches = explainer.who_reaches(&Inbound { to, proto: 6, ports: &[ports] }, &world.nodes);
        let told: BTreeSet<usize> = reaches.iter().flat_map(|r| &r.sources).flat_map(|s| s.devices.clone()).collect();
        let sent = sent::Sent::new(&law, &world.nodes);
        let passes = |from: &NodeFacts| from.addresses.iter().any(|a| {
            sent.passes(End { node: from, address: *a }, to, 6, 22)
        });
        let expected: BTreeSet<usize> = world.nodes.iter().enumerate()
            .filter(|(_, from)| *from != node && passes(from)).map(|(at, _)| at).collect();
        prop_assert_eq!(told, expected, "{:#?}", reaches);
        // The same of what lies behind routers.
        let behind: Vec<_> = reaches.iter().flat_map(|r| &r.sources).flat_map(|s| &s.behind).collect();
        for (at, from) in world.nodes.iter().enumerate().filter(|(_, from)| *from != node) {
            for address in addresses(from).into_iter().filter(|a| !from.addresses.contains(a)) {
                let told = behind.iter().any(|b| b.device == at && b.prefixes.iter().any(|p| p.contains(address)));
                let passes = sent.passes(End { node: from, address }, to, 6, 22);
                prop_assert_eq!(told, passes, "{} {:#?} {:#?}", address, from, reaches);
            }
        }
    }
}
