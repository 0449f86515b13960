//! Any small tenant: every decision is the naive evaluator's, and the filter's.
#![no_main]

#[path = "../../tests/law/packet_filter.rs"]
mod packet_filter;
#[path = "../../tests/law/reference.rs"]
mod reference;
#[path = "../../tests/law/tenant.rs"]
mod tenant;

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use tenant::World;

fuzz_target!(|bytes: &[u8]| {
    let world = World::of(bytes);
    let law = world.compiled();
    let filters: Vec<_> = world
        .nodes
        .iter()
        .map(|node| law.filter_rules(node, &world.nodes))
        .collect();
    for (from, to) in world.flows() {
        let at = world.nodes.iter().position(|n| std::ptr::eq(n, to.node)).unwrap();
        let pair = (from.address, to.address);
        for proto in World::PROBED_PROTOCOLS {
            let ports = if matches!(proto, 6 | 17 | 132) { &World::PROBED_PORTS[..] } else { &[0] };
            for port in ports.iter().copied() {
                let decided = law.decide(from, to, proto, port).is_allowed();
                let expected = reference::allows(&world.document, &world.directory, from, to, proto, port);
                assert_eq!(decided, expected, "{from:?} {to:?} {proto}/{port} {:#}", world.document);
                let passed = packet_filter::passes(&filters[at], &BTreeSet::new(), pair, proto, port);
                assert_eq!(decided, passed, "filter {from:?} {to:?} {proto}/{port} {:#}", world.document);
            }
        }
    }
    for (from, to) in world.flows() {
        if reference::gives(&world.document, &world.directory, from, to) {
            assert!(law.visible(&law.class_of(from.node), &law.class_of(to.node)));
        }
    }
});
