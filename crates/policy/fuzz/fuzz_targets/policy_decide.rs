//! Any small tenant: every decision is the naive evaluator's, and the filter's.
#![no_main]

#[path = "../../tests/law/reference.rs"]
mod reference;

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use policy::{Compiled, Directory, End, NodeFacts, User};
use serde_json::{Value, json};
use wire::{UserId, api::Role};

const WHO: [&str; 16] = [
    "*",
    "ada@example.com",
    "bob@example.com",
    "nobody@example.com",
    "group:one",
    "group:two",
    "group:none",
    "autogroup:member",
    "tag:web",
    "tag:db",
    "autogroup:tagged",
    "alpha",
    "office",
    "100.64.0.0/30",
    "fd7a:115c:a1e0::3",
    "10.1.0.0/16",
];
/// The first of `WHO` are people: `autogroup:self` takes no other sources.
const PEOPLE: usize = 8;
const PORTS: [&str; 5] = ["*", "22", "80,443", "8000-8999", "22,8500-8600"];
const PROTOCOLS: [Option<&str>; 6] = [None, None, Some("tcp"), Some("udp"), Some("icmp"), Some("47")];
const PROBED_PORTS: [u16; 6] = [22, 80, 443, 8500, 8999, 9];
const PROBED_PROTOCOLS: [u8; 6] = [6, 17, 1, 58, 132, 47];

fn pick<T: Copy>(from: &[T], number: u8) -> T {
    from[usize::from(number) % from.len()]
}

fn rule(spec: &[u8; 5]) -> Value {
    let [source, other, target, ports, protocol] = *spec;
    let protocol = pick(&PROTOCOLS, protocol);
    let ports = if matches!(protocol, Some("icmp" | "47")) { "*" } else { pick(&PORTS, ports) };
    let own = target % 5 == 0;
    let sources = if own { &WHO[..PEOPLE] } else { &WHO[..] };
    let what = if own { "autogroup:self" } else { pick(&WHO, target) };
    let target = if what.contains("::") { format!("[{what}]:{ports}") } else { format!("{what}:{ports}") };
    let mut rule = json!({
        "action": "accept",
        "src": [pick(sources, source), pick(sources, other)],
        "dst": [target],
    });
    if let Some(protocol) = protocol {
        rule["proto"] = protocol.into();
    }
    rule
}

fn node(at: u8, spec: [u8; 3]) -> NodeFacts {
    let [user, tags, routes] = spec;
    let tags: &[&str] = pick(&[&[], &[], &["tag:web"][..], &["tag:db"][..], &["tag:web", "tag:db"][..]], tags);
    let routes: &[&str] = pick(&[&[], &[], &["10.1.0.0/16"][..], &["192.168.7.0/24"][..]], routes);
    NodeFacts {
        user: (user % 4 > 0).then_some(UserId(u64::from(user % 4))),
        tags: tags.iter().map(|t| (*t).to_owned()).collect(),
        addresses: vec![
            format!("100.64.0.{at}").parse().unwrap(),
            format!("fd7a:115c:a1e0::{at}").parse().unwrap(),
        ],
        routes: routes.iter().map(|r| r.parse().unwrap()).collect(),
        ..NodeFacts::default()
    }
}

fn ends(node: &NodeFacts) -> impl Iterator<Item = End<'_>> {
    let routed = node.routes.iter().map(|r| match r.addr {
        IpAddr::V4(a) => IpAddr::V4((a.to_bits() + if r.bits > 16 { 3 } else { 0x203 }).into()),
        IpAddr::V6(a) => IpAddr::V6(a),
    });
    node.addresses
        .iter()
        .copied()
        .chain(routed)
        .map(move |address| End { node, address })
}

fuzz_target!(|input: (Vec<[u8; 5]>, [[u8; 3]; 4], u8)| {
    let (rules, nodes, members) = input;
    let people = ["ada@example.com", "bob@example.com", "cy@example.com"];
    let one: Vec<&str> = (0..3).filter(|n| members & (1 << n) != 0).map(|n| people[n]).collect();
    let document = json!({
        "groups": {"group:one": one, "group:two": ["bob@example.com"], "group:none": []},
        "hosts": {"alpha": "100.64.0.1", "office": "10.1.2.0/24"},
        "tagOwners": {"tag:web": [], "tag:db": ["group:one"]},
        "ipsets": {},
        "acls": rules.iter().take(5).map(rule).collect::<Vec<_>>(),
        "grants": [],
    });
    let (parsed, found) = policy::parse(&document.to_string());
    assert!(!policy::has_errors(&found), "{found:#?}");
    let nodes: Vec<NodeFacts> = (1..).zip(nodes).map(|(at, spec)| node(at, spec)).collect();
    let mut directory = Directory {
        users: (1..)
            .zip(people)
            .map(|(id, email)| User {
                id: UserId(id),
                email: email.to_owned(),
                role: Role::Member,
            })
            .collect(),
        ..Directory::default()
    };
    directory.routes = nodes.iter().flat_map(|n| n.routes.iter().copied()).collect();
    let law = Compiled::new(&parsed, &directory);
    for (from, to) in nodes.iter().flat_map(|a| nodes.iter().map(move |b| (a, b))) {
        if std::ptr::eq(from, to) {
            continue;
        }
        for (from, to) in ends(from).flat_map(|a| ends(to).map(move |b| (a, b))) {
            for (proto, port) in PROBED_PROTOCOLS.iter().flat_map(|p| PROBED_PORTS.map(move |n| (*p, n))) {
                let expected = reference::allows(&document, &directory, from, to, proto, port);
                let decided = law.decide(from, to, proto, port).is_allowed();
                assert_eq!(decided, expected, "{from:?} {to:?} {proto}/{port} {document:#}");
            }
        }
    }
});
