//! Prefixes, ranges, hosts and sets as an end of a question: each part is judged as decisions
//! judge its addresses.

use policy::{
    Explainer, NodeFacts,
    explain::{Because, Device},
};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use wire::net::PortRange;

use crate::{hold::Scene, who::twin, wider::arb_wide_world, world::World};

/// Places with boundaries of rules in them.
const PLACES: [&str; 20] = [
    "10.1.0.0/16",
    "10.0.0.0/8",
    "10.1.2.0/23",
    "192.168.7.0/28",
    "192.168.0.0/16",
    "100.64.0.0/29",
    "100.64.0.2-100.64.0.4",
    "fd7a:115c:a1e0::/64",
    "2001:db8::/32",
    "8.8.0.0/16",
    "8.8.8.8",
    "7.0.0.0-9.255.255.255",
    "0.0.0.0/0",
    "office",
    "ipset:lab",
    "ipset:net",
    "ipset:both",
    "ipset:some",
    "autogroup:internet",
    "*",
];

#[test]
fn each_part_of_a_place_is_judged_as_its_addresses_are_decided() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, b"a place is cut where rules cut..");
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let (mut held, mut open, mut parts) = (0, 0, 0);
    let mut n = 0;
    while held < 100_000 {
        let mut world = arb_wide_world().new_tree(&mut runner).unwrap().current();
        if n % 4 == 2 {
            twin(&mut world);
        }
        let (document, law) = (world.parsed(), world.compiled());
        let explainer = Explainer::new(&document, &world.directory);
        let scene = Scene {
            explainer: &explainer,
            law: &law,
            nodes: &world.nodes,
            text: &world.document.to_string(),
        };
        for step in 0..6 {
            n += 1;
            let place = |n: usize| PLACES[n % PLACES.len()];
            let ends = match step % 3 {
                0 => (place(n), place(n / 7)),
                1 => ("*", place(n)),
                _ => (place(n), "*"),
            };
            let proto = World::PROBED_PROTOCOLS[n / 3 % World::PROBED_PROTOCOLS.len()];
            let port = World::PROBED_PORTS[n / 5 % World::PROBED_PORTS.len()];
            let [a, b, c] = scene.hold(ends, (proto, port));
            held += a;
            open += b;
            parts += c;
        }
    }
    assert!(open > held / 50, "{open} of {held} are let through");
    assert!(parts > 500, "{parts} answers are about a part");
}

#[test]
fn the_router_that_a_rule_names_takes_packets_to_a_place() {
    let text = r#"{"tagOwners": {"tag:a": [], "tag:b": []}, "grants": [
        {"src": ["autogroup:member"], "dst": ["10.1.0.0/16"], "ip": ["tcp:22"], "via": ["tag:b"]},
        {"src": ["*"], "dst": ["*"], "ip": ["tcp:53"]},
    ]}"#;
    let (document, _) = policy::parse(text);
    let directory = policy::Directory::default();
    let router = |tag: &str, last: u8| NodeFacts {
        tags: vec![tag.to_owned()],
        addresses: vec![format!("100.64.0.{last}").parse().unwrap()],
        routes: vec!["10.1.0.0/16".parse().unwrap()],
        exit_routes: vec!["0.0.0.0/0".parse().unwrap()],
        ..NodeFacts::default()
    };
    let laptop = NodeFacts {
        user: Some(wire::UserId(1)),
        addresses: vec!["100.64.0.3".parse().unwrap()],
        ..NodeFacts::default()
    };
    let nodes = [router("tag:a", 1), router("tag:b", 2), laptop];
    let devices: Vec<Device<'_>> = ["a", "b", "laptop"]
        .into_iter()
        .zip(&nodes)
        .map(|(name, facts)| Device {
            name,
            facts,
            offered: &[],
            is_thought: false,
        })
        .collect();
    let explainer = Explainer::new(&document, &directory);
    let law = policy::Compiled::new(&document, &directory);
    let ask = |to: &str, port| {
        let spots = |text: &str| explainer.typed(text, &devices).unwrap().spots;
        let ends = (&spots("laptop")[..], &spots(to)[..]);
        let ports = [PortRange::one(port)];
        explainer.explain_all(&law, &devices, ends, (6, &ports)).all
    };
    for place in ["10.1.2.3", "10.1.0.0/20"] {
        let [case] = &ask(place, 22)[..] else {
            panic!("{place}: {:#?}", ask(place, 22));
        };
        let via = case.explanation.allowed[0].via.as_ref();
        assert_eq!(via.map(|(tag, _)| tag.as_str()), Some("tag:b"), "{place}");
        assert_eq!(case.to[0].device, 1, "{place}");
    }
    let because = |place: &str| {
        let chain = ask(place, 53)[0].explanation.allowed[0].clone();
        (chain.source.because, chain.target.because)
    };
    let source = Because::Everything;
    assert_eq!(because("8.8.8.8"), (source.clone(), Because::BehindExit));
    assert_eq!(
        because("10.1.0.0/20"),
        (source.clone(), Because::BehindRouter)
    );
    assert_eq!(because("b"), (source, Because::Everything));
}
