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

/// About as many flows are asked of each tenant.
const FLOWS: usize = 64;

fuzz_target!(|bytes: &[u8]| {
    let world = World::of(bytes);
    let law = world.compiled();
    let filters: Vec<_> = world
        .nodes
        .iter()
        .map(|node| law.filter_rules(node, &world.nodes))
        .collect();
    // Some of the questions: another input asks the others.
    let flows = world.flows();
    let step = 1 + flows.len() / FLOWS;
    for (number, (from, to)) in flows.iter().enumerate().skip(bytes.len() % step).step_by(step) {
        let at = world.nodes.iter().position(|n| std::ptr::eq(n, to.node)).unwrap();
        let pair = (from.address, to.address);
        for (turn, proto) in World::PROBED_PROTOCOLS.into_iter().enumerate() {
            let port = World::PROBED_PORTS[(number + turn) % World::PROBED_PORTS.len()];
            let decided = law.decide(*from, *to, proto, port).is_allowed();
            let expected = reference::allows(&world.document, &world.directory, *from, *to, proto, port);
            assert_eq!(decided, expected, "{from:?} {to:?} {proto}/{port} {:#}", world.document);
            let passed = packet_filter::passes(&filters[at], &BTreeSet::new(), pair, proto, port);
            assert_eq!(decided, passed, "filter {from:?} {to:?} {proto}/{port} {:#}", world.document);
        }
        if reference::gives(&world.document, &world.directory, *from, *to) {
            assert!(law.visible(&law.class_of(from.node), &law.class_of(to.node)));
        }
    }
});
