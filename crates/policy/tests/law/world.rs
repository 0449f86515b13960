//! Small random tenants.

use std::net::IpAddr;

use policy::{
    Compiled, Directory, Document, End, NodeFacts, User,
    posture::{Attributes, Value as Attribute},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use wire::{UserId, api::Role, net::Prefix};

/// A tenant: its document, people and nodes.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) document: Value,
    pub(crate) directory: Directory,
    pub(crate) nodes: Vec<NodeFacts>,
}

const PEOPLE: [&str; 15] = [
    "*",
    "user:*@example.com",
    "ada@example.com",
    "bob@example.com",
    "nobody@example.com",
    "group:one",
    "group:two",
    "group:none",
    "autogroup:member",
    "ada@example.com",
    "group:one",
    "autogroup:member",
    "bob@example.com",
    "group:two",
    "cy@example.com",
];
const OTHERS: [&str; 13] = [
    "ipset:lab",
    "100.64.0.2-100.64.0.5",
    "tag:web",
    "tag:db",
    "autogroup:tagged",
    "alpha",
    "office",
    "100.64.0.2",
    "100.64.0.0/30",
    "fd7a:115c:a1e0::3",
    "fd7a:115c:a1e0::/64",
    "10.1.0.0/16",
    "192.168.0.0/16",
];
/// What rules may ask for; `NONE` is most common.
const POSTURES: [&[&str]; 8] = [
    &[],
    &[],
    &[],
    &[],
    &["posture:mac"],
    &["posture:new"],
    &["posture:mac", "posture:odd"],
    &["posture:never"],
];
const PORTS: [&str; 5] = ["*", "22", "80,443", "8000-8999", "22,8500-8600"];
/// Ports on both sides of every boundary of `PORTS`.
pub(crate) const PROBED_PORTS: [u16; 6] = [22, 80, 443, 8500, 8999, 9];
/// The protocols of the rules and one that none names.
pub(crate) const PROBED_PROTOCOLS: [u8; 7] = [6, 17, 1, 58, 132, 47, 50];

impl World {
    pub(crate) fn parsed(&self) -> Document {
        let text = serde_json::to_string_pretty(&self.document).unwrap();
        let (document, found) = policy::parse(&text);
        assert!(!policy::has_errors(&found), "{found:#?}\n{text}");
        document
    }

    pub(crate) fn compiled(&self) -> Compiled {
        Compiled::new(&self.parsed(), &self.directory)
    }

    /// Both ends of every flow between different nodes that could tell rules apart.
    pub(crate) fn flows(&self) -> Vec<(End<'_>, End<'_>)> {
        let mut flows = Vec::new();
        for from in &self.nodes {
            for to in &self.nodes {
                for source in addresses(from) {
                    for target in addresses(to) {
                        if source.is_ipv4() == target.is_ipv4() && !std::ptr::eq(from, to) {
                            flows.push((end(from, source), end(to, target)));
                        }
                    }
                }
            }
        }
        flows
    }
}

fn end(node: &NodeFacts, address: IpAddr) -> End<'_> {
    End { node, address }
}

/// A node's own addresses, and some behind it for each route.
fn addresses(node: &NodeFacts) -> Vec<IpAddr> {
    let routed = node.routes.iter().flat_map(|r| {
        let behind: &[u32] = if r.bits > 16 { &[3] } else { &[0x203, 0x909] };
        behind.iter().map(|n| match r.addr {
            IpAddr::V4(a) => IpAddr::V4((a.to_bits() + n).into()),
            IpAddr::V6(a) => IpAddr::V6(a),
        })
    });
    node.addresses.iter().copied().chain(routed).collect()
}

prop_compose! {
    fn arb_rule()(
        people in prop::collection::vec(prop::sample::select(&PEOPLE[..]), 0..3),
        others in prop::collection::vec(prop::sample::select(&OTHERS[..]), 0..3),
        targets in prop::collection::vec(
            (prop::sample::select([&PEOPLE[..], &OTHERS[..], &["autogroup:self"; 6]].concat()),
             prop::sample::select(&PORTS[..])), 1..4),
        proto in prop::sample::select(vec![None, None, None, Some("tcp"), Some("udp"), Some("icmp"), Some("132"), Some("47")]),
        postures in prop::sample::select(&POSTURES[..]),
    ) -> Value {
        let has_self = targets.iter().any(|(t, _)| *t == "autogroup:self");
        let mut sources = people;
        if !has_self {
            sources.extend(others);
        }
        let portless = matches!(proto, Some("icmp" | "47"));
        let targets: Vec<String> = targets
            .iter()
            .map(|(what, ports)| {
                let ports = if portless { "*" } else { ports };
                if what.contains("::") {
                    format!("[{what}]:{ports}")
                } else {
                    format!("{what}:{ports}")
                }
            })
            .collect();
        let mut rule = json!({"action": "accept", "src": sources, "dst": targets});
        if let Some(proto) = proto {
            rule["proto"] = proto.into();
        }
        if !postures.is_empty() {
            rule["srcPosture"] = json!(postures);
        }
        rule
    }
}

prop_compose! {
    fn arb_grant()(
        people in prop::collection::vec(prop::sample::select(&PEOPLE[..]), 0..3),
        others in prop::collection::vec(
            prop::sample::select([&OTHERS[..], &["autogroup:danger-all"]].concat()), 0..3),
        targets in prop::collection::vec(
            prop::sample::select([&PEOPLE[..], &OTHERS[..], &["autogroup:self"; 6]].concat()), 1..4),
        ip in prop::collection::vec(
            prop::sample::select(vec!["*", "22", "80,443", "tcp:22", "udp:8500-8600", "icmp:*", "47:*"]), 1..4),
        via in prop::sample::select(vec![None, None, Some("tag:web"), Some("tag:db")]),
        postures in prop::sample::select(&POSTURES[..]),
    ) -> Value {
        let has_self = targets.contains(&"autogroup:self");
        let mut sources = people;
        if has_self {
            sources.retain(|s| *s != "*");
        } else {
            sources.extend(others);
        }
        let mut grant = json!({"src": sources, "dst": targets, "ip": ip});
        if let Some(tag) = via {
            grant["via"] = json!([tag]);
        }
        if !postures.is_empty() {
            grant["srcPosture"] = json!(postures);
        }
        grant
    }
}

prop_compose! {
    fn arb_attributes()(
        os in prop::sample::select(vec![None, Some("macos"), Some("macos"), Some("linux")]),
        version in prop::sample::select(vec![None, Some("1.8.9"), Some("1.80"), Some("1.80.1")]),
        update in prop::option::of(any::<bool>()),
    ) -> Attributes {
        let os = os.map(|os| ("node:os", Attribute::from(os)));
        let version = version.map(|v| ("node:tsVersion", v.into()));
        let update = update.map(|u| ("node:tsAutoUpdate", u.into()));
        os.into_iter().chain(version).chain(update).collect()
    }
}

prop_compose! {
    fn arb_owner()(
        user in prop::option::of(1..4_u64),
        tags in prop::sample::select(vec![vec![], vec![], vec!["tag:web"], vec!["tag:db"], vec!["tag:web", "tag:db"]]),
        routes in prop::sample::select(vec![vec![], vec![], vec![], vec!["10.1.0.0/16"], vec!["192.168.7.0/24"]]),
        posture in arb_attributes(),
    ) -> NodeFacts {
        NodeFacts {
            user: user.map(UserId),
            tags: tags.iter().map(|t| (*t).to_owned()).collect(),
            addresses: Vec::new(),
            routes: routes.iter().map(|r| r.parse().unwrap()).collect(),
            posture,
            ..NodeFacts::default()
        }
    }
}

prop_compose! {
    /// Up to seven nodes and six rules.
    pub(crate) fn arb_world()(
        rules in prop::collection::vec(arb_rule(), 0..6),
        grants in prop::collection::vec(arb_grant(), 0..4),
        owners in prop::collection::vec(arb_owner(), 2..7),
        one in prop::collection::vec(prop::sample::select(vec!["ada@example.com", "bob@example.com", "cy@example.com"]), 0..3),
        default in prop::sample::select(vec![None, None, None, Some("posture:mac"), Some("posture:new")]),
    ) -> World {
        let nodes: Vec<NodeFacts> = (1..).zip(owners).map(|(i, facts)| NodeFacts {
            addresses: vec![
                format!("100.64.0.{i}").parse().unwrap(),
                format!("fd7a:115c:a1e0::{i}").parse().unwrap(),
            ],
            ..facts
        }).collect();
        let routes: std::collections::BTreeSet<Prefix> =
            nodes.iter().flat_map(|n| n.routes.iter().copied()).collect();
        World {
            document: json!({
                "groups": {"group:one": one, "group:two": ["bob@example.com"], "group:none": []},
                "hosts": {"alpha": "100.64.0.1", "office": "10.1.2.0/24"},
                "tagOwners": {"tag:web": [], "tag:db": ["group:one"]},
                "postures": {
                    "posture:mac": ["node:os == 'macos'"],
                    "posture:new": ["node:tsVersion >= '1.80'", "node:os NOT IN ['linux', 'js']", "node:os != 'ios'"],
                    "posture:odd": ["node:os IN ['linux', 'windows']", "node:tsAutoUpdate", "node:tsStateEncrypted NOT SET"],
                    "posture:never": ["node:os IS SET", "custom:tier NOT SET"],
                },
                "defaultSrcPosture": default.map(|d| vec![d]).unwrap_or_default(),
                "ipsets": {"ipset:lab": ["10.1.0.0/16", "remove office", "add 100.64.0.4"]},
                "acls": rules,
                "grants": grants,
            }),
            directory: Directory {
                users: ["ada", "bob", "cy"].iter().zip(1..).map(|(name, id)| User {
                    id: UserId(id),
                    email: format!("{name}@example.com"),
                    role: Role::Member,
                }).collect(),
                domains: vec!["example.com".to_owned()],
                connections: vec![],
                routes: routes.into_iter().collect(),
            },
            nodes,
        }
    }
}
