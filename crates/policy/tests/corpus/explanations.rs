//! Explanations agree with decisions in every capture, where captures are present.

use policy::{Compiled, Decision, Explainer, Flow};
use wire::net::PortRange;

use crate::{ends::ends, hold, read, tenant};

#[test]
fn every_capture_is_explained_as_it_is_decided() {
    let Some(cases) = read::cases() else {
        return;
    };
    let (mut asked, mut allowed) = (0_u64, 0_u64);
    for case in cases.iter().filter(|c| c.reject.is_none()) {
        let tenant = tenant::Tenant::of(case);
        let (document, _) = policy::parse(&case.policy);
        let law = Compiled::new(&document, &tenant.directory);
        let explainer = Explainer::new(&document, &tenant.directory);
        for from in tenant.all.iter().flat_map(ends) {
            for to in tenant.all.iter().filter(|n| *n != from.node).flat_map(ends) {
                for (proto, port) in [(6, 22), (6, 80), (17, 53), (1, 0)] {
                    let ports = PortRange::one(port);
                    let flow = Flow {
                        from,
                        to,
                        proto,
                        ports: &[ports],
                        offered: &[],
                    };
                    let explained = explainer.explain(&flow);
                    let spans = match law.decide(from, to, proto, port) {
                        Decision::Allowed { span, .. } => Some(span),
                        Decision::Denied => None,
                    };
                    let told = explained.allowed.first().map(|c| c.rule.span);
                    assert_eq!(told, spans, "{}: {flow:?}", case.id);
                    asked += 1;
                    allowed += u64::from(told.is_some());
                }
            }
        }
    }
    println!("{asked} questions, {allowed} allowed");
    assert!(allowed > 0);
}

/// Places that captures have boundaries in.
const PLACES: [&str; 7] = [
    "*",
    "10.0.0.0/8",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "fd7a:115c:a1e0::/48",
    "0.0.0.0/0",
    "autogroup:internet",
];

#[test]
fn every_place_in_a_capture_is_judged_as_its_addresses_are_decided() {
    let Some(cases) = read::cases() else {
        return;
    };
    let mut sums = [0; 3];
    for (n, case) in cases.iter().filter(|c| c.reject.is_none()).enumerate() {
        let tenant = tenant::Tenant::of(case);
        let (document, _) = policy::parse(&case.policy);
        let scene = hold::Scene {
            explainer: &Explainer::new(&document, &tenant.directory),
            law: &Compiled::new(&document, &tenant.directory),
            nodes: &tenant.all,
            text: &case.policy,
        };
        let hosts = document.hosts.iter().map(|host| host.name.text.as_str());
        let places: Vec<&str> = PLACES.into_iter().chain(hosts).collect();
        for (at, place) in places.iter().enumerate() {
            let traffic = [(6, 22), (6, 80), (17, 53), (1, 0)][(n + at) % 4];
            for ends in [("*", *place), (*place, "*")] {
                let held = scene.hold(ends, traffic);
                sums = [0, 1, 2].map(|i| sums[i] + held[i]);
            }
        }
    }
    let [held, open, parts] = sums;
    println!("{held} pairs of addresses, {open} let through, {parts} answers about a part");
    assert!(open > 0 && parts > 0);
}
