//! Prefixes, ranges, hosts and sets as an end of a question: each part is judged as decisions
//! judge its addresses.

use policy::Explainer;
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use crate::{hold::Scene, wider::arb_wide_world, world::World};

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
        let world = arb_wide_world().new_tree(&mut runner).unwrap().current();
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
