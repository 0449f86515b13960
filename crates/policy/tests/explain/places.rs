//! Prefixes, ranges, hosts and sets as an end of a question: each part is judged as decisions
//! judge its addresses.

use std::net::IpAddr;

use policy::{
    End, Explainer,
    explain::{Case, Device, Explanation, Spot, Verdict},
};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use wire::net::PortRange;

use crate::{wider::arb_wide_world, world::World};

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

/// First, last and some addresses between.
fn some(spot: &Spot) -> Vec<IpAddr> {
    let Some((first, last)) = spot.ends() else {
        return spot.addresses().collect();
    };
    let between = |n: u128, end: u128| {
        let span = end - n;
        [0, 1, span / 3, span / 2, span - span / 5, span].map(|step| n + step.min(span))
    };
    match (first, last) {
        (IpAddr::V4(a), IpAddr::V4(b)) => between(a.to_bits().into(), b.to_bits().into())
            .map(|n| IpAddr::V4(u32::try_from(n).unwrap().into()))
            .to_vec(),
        (IpAddr::V6(a), IpAddr::V6(b)) => between(a.to_bits(), b.to_bits())
            .map(|n| IpAddr::V6(n.into()))
            .to_vec(),
        _ => panic!("a range of two families: {spot:?}"),
    }
}

/// Pairs of addresses that a case is about: all of them, or those of its example.
fn pairs(case: &Case<Explanation>) -> Vec<((usize, IpAddr), (usize, IpAddr))> {
    let (from, to) = if case.is_every_pair {
        (case.from.clone(), case.to.clone())
    } else {
        (vec![case.example.0], vec![case.example.1])
    };
    let mut all = Vec::new();
    for a in &from {
        for b in to.iter().filter(|b| b.device != a.device) {
            for x in some(a) {
                for y in some(b) {
                    all.push(((a.device, x), (b.device, y)));
                }
            }
        }
    }
    all
}

/// Asks about a place or two, and holds the answers against decisions: how many pairs of addresses
/// were held, how many of them are let through, and how many answers were about a part of a place.
fn hold(world: &World, (from, to): (&str, &str), (proto, port): (u8, u16)) -> [usize; 3] {
    let (document, law) = (world.parsed(), world.compiled());
    let explainer = Explainer::new(&document, &world.directory);
    let names: Vec<String> = (1..=world.nodes.len()).map(|n| format!("n{n}")).collect();
    let devices: Vec<Device<'_>> = names
        .iter()
        .zip(&world.nodes)
        .map(|(name, facts)| Device {
            name,
            facts,
            offered: &[],
        })
        .collect();
    let (Ok(from), Ok(to)) = (
        explainer.typed(from, &devices),
        explainer.typed(to, &devices),
    ) else {
        return [0; 3];
    };
    let ports = [PortRange::one(port)];
    let spots = (&from.spots[..], &to.spots[..]);
    let cases = explainer.explain_all(&law, &devices, spots, (proto, &ports));
    assert_eq!(cases.left_out, 0);
    let end = |(at, address): (usize, IpAddr)| End {
        node: &world.nodes[at],
        address,
    };
    // An answer about a machine leaves out an address that was taken away.
    let is_lost = |(at, address): (usize, IpAddr)| {
        let node = &world.nodes[at];
        let own = address.is_ipv4() && node.addresses.contains(&address);
        own && law.class_of(node).is_without_ipv4()
    };
    let (mut held, mut open, mut parts) = (0, 0, 0);
    for case in &cases.all {
        let allowed = case.explanation.verdict == Verdict::Allowed;
        parts += case.to.iter().filter(|s| !to.spots.contains(s)).count();
        parts += case.from.iter().filter(|s| !from.spots.contains(s)).count();
        for (x, y) in pairs(case) {
            if x.1.is_ipv4() != y.1.is_ipv4() || is_lost(x) || is_lost(y) {
                continue;
            }
            let number = policy::protocol::of_family(proto, y.1.is_ipv4());
            let decision = law.decide(end(x), end(y), number, port);
            held += 1;
            open += usize::from(decision.is_allowed());
            assert_eq!(
                decision.is_allowed(),
                allowed,
                "{x:?} {y:?} {proto} {port}\n{case:#?}\n{}",
                world.document
            );
        }
    }
    for (a, b) in from
        .spots
        .iter()
        .flat_map(|a| to.spots.iter().map(move |b| (a, b)))
    {
        for (x, y) in some(a)
            .into_iter()
            .flat_map(|x| some(b).into_iter().map(move |y| (x, y)))
        {
            let is_asked = a.device != b.device && x.is_ipv4() == y.is_ipv4();
            let is_told = |case: &Case<Explanation>| {
                have(&case.from, (a.device, x)) && have(&case.to, (b.device, y))
            };
            let lost = is_lost((a.device, x)) || is_lost((b.device, y));
            assert!(
                !is_asked || lost || cases.all.iter().any(is_told),
                "{x} of {a:?} to {y} of {b:?}\n{cases:#?}\n{}",
                world.document
            );
        }
    }
    [held, open, parts]
}

/// True when one of the spots has the address.
fn have(spots: &[Spot], (device, address): (usize, IpAddr)) -> bool {
    let has = |spot: &Spot| match spot.ends() {
        Some((first, last)) => first <= address && address <= last,
        None => spot.addresses().any(|own| own == address),
    };
    spots.iter().any(|s| s.device == device && has(s))
}

#[test]
fn each_part_of_a_place_is_judged_as_its_addresses_are_decided() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, b"a place is cut where rules cut..");
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let (mut held, mut open, mut parts) = (0, 0, 0);
    let mut n = 0;
    while held < 100_000 {
        let world = arb_wide_world().new_tree(&mut runner).unwrap().current();
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
            let [a, b, c] = hold(&world, ends, (proto, port));
            held += a;
            open += b;
            parts += c;
        }
    }
    assert!(open > held / 50, "{open} of {held} are let through");
    assert!(parts > 500, "{parts} answers are about a part");
}
