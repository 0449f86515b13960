//! Small tenants made of bytes: the same bytes give the same tenant, so that a
//! random test and a fuzzer make them alike.

use std::net::IpAddr;

use policy::{
    Compiled, Connection, Directory, Document, End, NodeFacts, ProviderGroup, User,
    posture::{Attributes, Value as Attribute},
};
use serde_json::{Value, json};
use wire::{UserId, api::Role, net::Prefix};

/// A tenant: its document, people and nodes.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) document: Value,
    pub(crate) directory: Directory,
    pub(crate) nodes: Vec<NodeFacts>,
}

const LOGINS: [&str; 3] = ["ada@example.com", "bob@example.com", "cy@example.com"];
const ROLES: [Role; 9] = [
    Role::Member,
    Role::Member,
    Role::Member,
    Role::Owner,
    Role::Admin,
    Role::ItAdmin,
    Role::NetworkAdmin,
    Role::BillingAdmin,
    Role::Auditor,
];
/// Sources that own devices: `autogroup:self` takes no others. The first alone is not one for grants.
const PEOPLE: [&str; 18] = [
    "*",
    "user:*@example.com",
    "ada@example.com",
    "bob@example.com",
    "cy@example.com",
    "nobody@example.com",
    "group:one",
    "group:two",
    "group:none",
    "group:eng@okta",
    "group:gone@okta",
    "autogroup:member",
    "autogroup:owner",
    "autogroup:admin",
    "autogroup:it-admin",
    "autogroup:network-admin",
    "autogroup:billing-admin",
    "autogroup:auditor",
];
const ADDRESSES: [&str; 19] = [
    "ipset:lab",
    "ipset:net",
    "ipset:both",
    "100.64.0.2-100.64.0.5",
    "alpha",
    "office",
    "host:six",
    "100.64.0.2",
    "100.64.0.0/30",
    "fd7a:115c:a1e0::3",
    "fd7a:115c:a1e0::/64",
    "10.1.0.0/16",
    "192.168.0.0/16",
    "8.0.0.0/7",
    "8.8.8.8",
    "100.0.0.0/8",
    "2001:db8::/32",
    "fd7a:115c:a1e0:b1a:0:7:a01:0/112",
    "fd7a:115c:a1e0:b1a:0:7:a01:203",
];
const TAGS: [&str; 3] = ["tag:web", "tag:db", "autogroup:tagged"];
/// What rules may ask for; nothing is most common.
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
const PROTOCOLS: [Option<&str>; 12] = [
    None,
    None,
    None,
    Some("tcp"),
    Some("udp"),
    Some("icmp"),
    Some("ipv6-icmp"),
    Some("sctp"),
    Some("132"),
    Some("47"),
    Some("gre"),
    Some("esp"),
];
const TRAFFIC: [&str; 12] = [
    "*",
    "22",
    "80,443",
    "tcp:22",
    "udp:8500-8600",
    "icmp:*",
    "47:*",
    "sctp:80",
    "132:*",
    "6:443",
    "*:80",
    "ipv6-icmp:*",
];
/// Addresses of the Internet and of no network of the tenant's.
const ABROAD: [&str; 5] = [
    "8.8.8.8",
    "9.0.0.1",
    "100.9.0.1",
    "203.0.113.9",
    "2001:db8:7::9",
];

/// Choices, made by bytes; when they are used up, the first of each.
struct Dice<'b>(&'b [u8]);

impl Dice<'_> {
    fn below(&mut self, count: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        usize::from(*first) % count
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn several<T: Copy>(&mut self, of: &[T], least: usize, below: usize) -> Vec<T> {
        let count = least + self.below(below - least);
        (0..count).map(|_| self.pick(of)).collect()
    }
}

impl World {
    /// Ports on both sides of every boundary of [`PORTS`].
    pub(crate) const PROBED_PORTS: [u16; 6] = [22, 80, 443, 8500, 8999, 9];
    /// The protocols of the rules and some that none names.
    pub(crate) const PROBED_PROTOCOLS: [u8; 7] = [6, 17, 1, 58, 132, 47, 50];

    /// Up to seven nodes, five rules and four grants.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut dice = Dice(bytes);
        let count = 2 + dice.below(6);
        let nodes: Vec<NodeFacts> = (1..=count).map(|at| node(at, &mut dice)).collect();
        let directory = directory(&nodes, &mut dice);
        let rules: Vec<Value> = (0..dice.below(6)).map(|_| rule(&mut dice)).collect();
        let grants: Vec<Value> = (0..dice.below(5)).map(|_| grant(&mut dice)).collect();
        Self {
            document: json!({
                "groups": {"group:one": dice.several(&LOGINS, 0, 3), "group:two": ["bob@example.com"], "group:none": []},
                "hosts": {"alpha": "100.64.0.1", "office": "10.1.2.0/24", "six": "fd7a:115c:a1e0::2"},
                "tagOwners": {"tag:web": [], "tag:db": ["group:one"]},
                "ipsets": {
                    "ipset:lab": ["10.1.0.0/16", "remove office", "add 100.64.0.4", "add 10.1.2.3"],
                    "ipset:net": ["add autogroup:internet", "remove 8.0.0.0/8"],
                    "ipset:both": ["ipset:lab", "host:six", "remove 10.1.9.0/24", "192.168.7.1-192.168.7.9"],
                },
                "postures": {
                    "posture:mac": ["node:os == 'macos'"],
                    "posture:new": ["node:tsVersion >= '1.80'", "node:os NOT IN ['linux', 'js']", "node:os != 'ios'"],
                    "posture:odd": ["node:os IN ['linux', 'windows']", "node:tsAutoUpdate", "node:tsStateEncrypted NOT SET"],
                    "posture:never": ["node:os IS SET", "custom:tier NOT SET"],
                },
                "defaultSrcPosture": dice.pick::<&[&str]>(&[&[], &[], &[], &["posture:mac"], &["posture:new"]]),
                "acls": rules,
                "grants": grants,
            }),
            directory,
            nodes,
        }
    }

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
                    for target in addresses(to).into_iter().chain(abroad(to)) {
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

fn node(at: usize, dice: &mut Dice<'_>) -> NodeFacts {
    const WEARS: [&[&str]; 5] = [&[], &[], &["tag:web"], &["tag:db"], &["tag:web", "tag:db"]];
    // The last one stands for a network in IPv4 that others have too (4via6).
    const SERVES: [&[&str]; 7] = [
        &[],
        &[],
        &[],
        &["10.1.0.0/16"],
        &["192.168.7.0/24"],
        &["10.1.0.0/16", "2001:db8:9::/48"],
        &["fd7a:115c:a1e0:b1a:0:7:a01:0/112"],
    ];
    let prefixes = |of: &[&str]| of.iter().map(|r| r.parse().unwrap()).collect();
    NodeFacts {
        user: dice.pick(&[None, Some(1), Some(2), Some(3)]).map(UserId),
        tags: dice.pick(&WEARS).iter().map(|t| (*t).to_owned()).collect(),
        addresses: vec![
            format!("100.64.0.{at}").parse().unwrap(),
            format!("fd7a:115c:a1e0::{at}").parse().unwrap(),
        ],
        routes: prefixes(dice.pick(&SERVES)),
        exit_routes: if dice.below(4) == 1 {
            prefixes(&["0.0.0.0/0", "::/0"])
        } else {
            Vec::new()
        },
        posture: attributes(dice),
    }
}

fn attributes(dice: &mut Dice<'_>) -> Attributes {
    let os = dice.pick(&[None, Some("macos"), Some("macos"), Some("linux")]);
    let version = dice.pick(&[None, Some("1.8.9"), Some("1.80"), Some("1.80.1")]);
    let update = dice.pick(&[None, Some(true), Some(false)]);
    let os = os.map(|os| ("node:os", Attribute::from(os)));
    let version = version.map(|v| ("node:tsVersion", v.into()));
    let update = update.map(|u| ("node:tsAutoUpdate", u.into()));
    os.into_iter().chain(version).chain(update).collect()
}

/// Adds the postures that a rule may ask for.
fn narrowed(mut rule: Value, dice: &mut Dice<'_>) -> Value {
    let asked = dice.pick(&POSTURES);
    if !asked.is_empty() {
        rule["srcPosture"] = json!(asked);
    }
    rule
}

fn directory(nodes: &[NodeFacts], dice: &mut Dice<'_>) -> Directory {
    let routes: std::collections::BTreeSet<Prefix> = nodes
        .iter()
        .flat_map(|n| n.routes.iter().copied())
        .collect();
    let users = LOGINS.iter().zip(1..).map(|(login, id)| User {
        id: UserId(id),
        email: (*login).to_owned(),
        role: dice.pick(&ROLES),
    });
    Directory {
        users: users.collect(),
        domains: vec!["example.com".to_owned()],
        connections: vec![Connection {
            slug: "okta".to_owned(),
            domains: vec!["corp.example".to_owned()],
            groups: vec![ProviderGroup {
                name: "Eng".to_owned(),
                members: dice
                    .several(&[1, 2, 3], 0, 3)
                    .into_iter()
                    .map(UserId)
                    .collect(),
            }],
        }],
        routes: routes.into_iter().collect(),
    }
}

/// Sources that may stand with these destinations.
fn sources(own: bool, any: bool, dice: &mut Dice<'_>) -> Vec<&'static str> {
    let mut all = dice.several(&PEOPLE, 0, 3);
    if own {
        all.retain(|s| any || *s != "*");
        return all;
    }
    all.extend(dice.several(
        &[&ADDRESSES[..], &TAGS, &["autogroup:danger-all"]].concat(),
        0,
        3,
    ));
    all
}

fn rule(dice: &mut Dice<'_>) -> Value {
    let places = [
        &PEOPLE[..],
        &ADDRESSES,
        &TAGS,
        &["autogroup:self"; 6],
        &["autogroup:internet"; 3],
        &["0.0.0.0/0", "::/0"],
    ]
    .concat();
    let proto = dice.pick(&PROTOCOLS);
    let portless = matches!(proto, Some("icmp" | "ipv6-icmp" | "47" | "gre" | "esp"));
    let targets: Vec<&str> = dice.several(&places, 1, 4);
    let written: Vec<String> = targets
        .iter()
        .map(|what| {
            let ports = if portless { "*" } else { dice.pick(&PORTS) };
            if what.matches(':').count() > 1 {
                format!("[{what}]:{ports}")
            } else {
                format!("{what}:{ports}")
            }
        })
        .collect();
    let own = targets.contains(&"autogroup:self");
    let mut rule = json!({"action": "accept", "src": sources(own, true, dice), "dst": written});
    if let Some(proto) = proto {
        rule["proto"] = proto.into();
    }
    narrowed(rule, dice)
}

fn grant(dice: &mut Dice<'_>) -> Value {
    let places = [
        &PEOPLE[..],
        &ADDRESSES,
        &TAGS,
        &["autogroup:self"; 6],
        &["autogroup:internet"; 3],
        &["svc:wiki"],
    ]
    .concat();
    let targets: Vec<&str> = dice.several(&places, 1, 4);
    let roles = |t: &&str| t.starts_with("autogroup:") && PEOPLE[12..].contains(t);
    let no_app = targets
        .iter()
        .any(|t| roles(t) || *t == "autogroup:internet");
    let gives = dice.below(4) == 1 && !no_app;
    let least = usize::from(!gives);
    let own = targets.contains(&"autogroup:self");
    let ip: Vec<&str> = dice.several(&TRAFFIC, least, 4);
    let mut grant = json!({"src": sources(own, false, dice), "dst": targets, "ip": ip});
    if gives {
        grant["app"] = json!({"example.com/cap/x": [{}]});
    }
    if let Some(tag) = dice.pick(&[None, None, Some("tag:web"), Some("tag:db")]) {
        grant["via"] = json!([tag]);
    }
    narrowed(grant, dice)
}

fn end(node: &NodeFacts, address: IpAddr) -> End<'_> {
    End { node, address }
}

/// A node's own addresses, and some behind it for each route.
fn addresses(node: &NodeFacts) -> Vec<IpAddr> {
    let routed = node.routes.iter().flat_map(|r| {
        let is_small = r.bits > 16 && r.addr.is_ipv4();
        let behind: &[u32] = if is_small { &[3] } else { &[0x203, 0x909] };
        behind.iter().map(|n| match r.addr {
            IpAddr::V4(a) => IpAddr::V4((a.to_bits() + n).into()),
            IpAddr::V6(a) => IpAddr::V6((a.to_bits() + u128::from(*n)).into()),
        })
    });
    node.addresses.iter().copied().chain(routed).collect()
}

/// Addresses that an exit node leads to.
fn abroad(node: &NodeFacts) -> Vec<IpAddr> {
    if node.exit_routes.is_empty() {
        return Vec::new();
    }
    ABROAD.iter().map(|a| a.parse().unwrap()).collect()
}
