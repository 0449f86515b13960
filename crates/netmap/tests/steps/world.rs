//! Tenants and what may happen to them, drawn at random.

use std::sync::Arc;

use netmap::{Change, Node, Owner, Person, Reach, Snapshot, Tenant};
use policy::Document;
use proptest::prelude::*;
use wire::{
    CapabilityVersion, DiscoKey, MachineKey, NodeId, NodeKey, StableId, Timestamp, UserId,
    api::Role,
    control::Hostinfo,
    net::Prefix,
    relay_map::{RegionId, RelayMap},
};

/// Policies that differ in who sees whom, in filters and in source sets.
const POLICIES: [&str; 14] = [
    policy::STARTER,
    "{}",
    r#"{"acls": []}"#,
    r#"{"acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}]}"#,
    r#"{"acls": [{"action": "accept", "src": ["*"], "dst": ["autogroup:member:22", "autogroup:tagged:22"]}]}"#,
    r#"{"groups": {"group:ops": ["u1@example.com", "u2@example.com"]},
        "tagOwners": {"tag:web": [], "tag:db": []},
        "acls": [{"action": "accept", "src": ["group:ops"], "dst": ["tag:web:80", "u3@example.com:*"]},
                 {"action": "accept", "src": ["tag:web"], "dst": ["tag:db:5432"]}]}"#,
    r#"{"acls": [{"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:self:*"]},
                 {"action": "accept", "src": ["100.64.0.3"], "dst": ["autogroup:tagged:*"]}]}"#,
    // Routes: some may use a part of them, what is behind one reaches nodes.
    r#"{"tagOwners": {"tag:web": [], "tag:db": []},
        "acls": [{"action": "accept", "src": ["u1@example.com"], "dst": ["192.0.2.0/25:*", "autogroup:internet:*"]},
                 {"action": "accept", "src": ["2001:db8:7::/48"], "dst": ["tag:db:5432"]},
                 {"action": "accept", "src": ["*"], "dst": ["u2@example.com:22"]}]}"#,
    // Routes by way of tagged routers, and by any.
    r#"{"tagOwners": {"tag:web": [], "tag:db": []},
        "grants": [{"src": ["u1@example.com", "u2@example.com"], "dst": ["192.0.2.0/24"], "ip": ["*"], "via": ["tag:web"]},
                   {"src": ["u2@example.com", "tag:web"], "dst": ["192.0.2.128/25"], "ip": ["*"]},
                   {"src": ["u3@example.com"], "dst": ["autogroup:internet"], "ip": ["*"], "via": ["tag:db"]},
                   {"src": ["*"], "dst": ["autogroup:tagged"], "ip": ["22"]}]}"#,
    // Attributes, and nodes without IPv4.
    r#"{"tagOwners": {"tag:web": [], "tag:db": []}, "randomizeClientPort": true,
        "nodeAttrs": [{"target": ["u1@example.com"], "attr": ["disable-ipv4", "funnel"]},
                      {"target": ["tag:web"], "app": {"example.com/cap/route": [{"to": ["192.0.2.7"]}]}}],
        "acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}]}"#,
    // Sign-ins of people and of tagged nodes, to others and to their own.
    r#"{"tagOwners": {"tag:web": [], "tag:db": []}, "acls": [{"action": "accept", "src": ["*"], "dst": ["*:22"]}],
        "ssh": [{"action": "accept", "src": ["u1@example.com", "tag:web"], "dst": ["tag:db", "tag:web"], "users": ["root"]},
                {"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:self"], "users": ["autogroup:nonroot"]}]}"#,
    r#"{"tagOwners": {"tag:web": [], "tag:db": []}, "acls": [{"action": "accept", "src": ["*"], "dst": ["*:22"]}],
        "ssh": [{"action": "check", "src": ["u2@example.com"], "dst": ["tag:web"], "users": ["root"]},
                {"action": "accept", "src": ["autogroup:member", "tag:db"], "dst": ["tag:web"], "users": ["localpart:*@example.com"]},
                {"action": "accept", "src": ["u1@example.com"], "dst": ["tag:web"], "users": ["root"], "recorder": ["tag:db"], "enforceRecorder": true}]}"#,
    // Postures: of people, of addresses, to their own, to routes and for SSH.
    r#"{"tagOwners": {"tag:web": [], "tag:db": []}, "postures": {"posture:linux": ["node:os == 'linux'"]},
        "acls": [{"action": "accept", "src": ["u1@example.com", "tag:web"], "dst": ["tag:db:22"], "srcPosture": ["posture:linux"]},
                 {"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:self:*"], "srcPosture": ["posture:linux"]},
                 {"action": "accept", "src": ["100.64.0.2", "100.64.0.3"], "dst": ["192.0.2.0/25:*", "u2@example.com:80"], "srcPosture": ["posture:linux"]}],
        "ssh": [{"action": "accept", "src": ["autogroup:member", "tag:web"], "dst": ["tag:db", "tag:web"], "users": ["root"], "srcPosture": ["posture:linux"]},
                {"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:self"], "users": ["autogroup:nonroot"], "srcPosture": ["posture:linux"]}]}"#,
    r#"{"tagOwners": {"tag:web": [], "tag:db": []}, "postures": {"posture:other": ["node:os != 'linux'"]}, "defaultSrcPosture": ["posture:other"],
        "grants": [{"src": ["*"], "dst": ["autogroup:tagged"], "ip": ["*"]},
                   {"src": ["u3@example.com", "192.0.2.0/24"], "dst": ["tag:web"], "app": {"tailscale.com/cap/drive": [{"shares": ["*"]}]}}]}"#,
];

pub(crate) fn document(n: usize) -> Arc<Document> {
    let (document, found) = policy::parse(POLICIES[n % POLICIES.len()]);
    assert!(!policy::has_errors(&found), "{found:?}");
    Arc::new(document)
}

pub(crate) fn people(shift: u64) -> Vec<Person> {
    let person = |id| Person {
        id: UserId(id),
        email: format!("u{id}@example.com"),
        display_name: format!("User {} \"{shift}\"", id * shift),
        role: Role::Member,
    };
    (1..=4).map(person).collect()
}

pub(crate) fn tenant(policy: usize) -> Tenant {
    Tenant {
        name: "Acme".to_owned(),
        dns_suffix: "acme.warren.internal".to_owned(),
        tagged_user: UserId(9),
        people: people(1),
        domains: vec!["example.com".to_owned()],
        connections: Vec::new(),
        policy: document(policy),
        relay_map: Arc::new(RelayMap::default()),
    }
}

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Node(u64, Who),
    Gone(u64),
    Reach(u64, Report),
    Policy(usize),
    People(u64),
    Name(u8),
    RelayMap(bool),
}

#[derive(Debug, Clone)]
pub(crate) struct Who {
    owner: u8,
    approved: bool,
    expired: bool,
    name: u8,
    key: u8,
    expiry: Option<u8>,
    /// Bits: which of [`ROUTES`] are approved; the fourth is for exit routes.
    routes: u8,
    created: u8,
}

/// Routes that nodes serve; two of them overlap.
const ROUTES: [&str; 3] = ["192.0.2.0/24", "192.0.2.128/25", "2001:db8:7::/48"];

#[derive(Debug, Clone)]
pub(crate) struct Report {
    online: bool,
    seen: Option<u8>,
    endpoints: u8,
    disco: u8,
    relay: u8,
    routes: bool,
    os: bool,
}

fn arb_who() -> impl Strategy<Value = Who> {
    let odd = prop::bool::weighted(0.15);
    (
        0..6_u8,
        odd,
        odd,
        0..3_u8,
        0..2_u8,
        prop::option::of(0..3_u8),
        prop_oneof![2 => Just(0_u8), 1 => 0..16_u8],
        0..3_u8,
    )
        .prop_map(
            |(owner, waiting, expired, name, key, expiry, routes, created)| Who {
                owner,
                approved: !waiting,
                expired,
                name,
                key,
                expiry,
                routes,
                created,
            },
        )
}

fn arb_report() -> impl Strategy<Value = Report> {
    (
        any::<bool>(),
        prop::option::of(0..4_u8),
        0..3_u8,
        0..3_u8,
        0..3_u8,
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.3),
    )
        .prop_map(
            |(online, seen, endpoints, disco, relay, routes, os)| Report {
                online,
                seen,
                endpoints,
                disco,
                relay,
                routes,
                os,
            },
        )
}

pub(crate) fn arb_event() -> impl Strategy<Value = Event> {
    let id = 1..12_u64;
    prop_oneof![
        4 => (id.clone(), arb_who()).prop_map(|(id, who)| Event::Node(id, who)),
        1 => id.clone().prop_map(Event::Gone),
        8 => (id, arb_report()).prop_map(|(id, report)| Event::Reach(id, report)),
        1 => (0..POLICIES.len()).prop_map(Event::Policy),
        1 => (1..4_u64).prop_map(Event::People),
        1 => (0..3_u8).prop_map(Event::Name),
        1 => any::<bool>().prop_map(Event::RelayMap),
    ]
}

impl Event {
    pub(crate) fn change(&self, on: &Snapshot) -> Change {
        match self {
            Self::Node(id, who) => Change::Node(Box::new(node(*id, who, on))),
            Self::Gone(id) => Change::NodeRemoved(NodeId(*id)),
            Self::Reach(id, report) => Change::Reach(NodeId(*id), Box::new(reach(report))),
            Self::Policy(n) => Change::Policy(document(*n)),
            Self::People(shift) => Change::People(people(*shift)),
            Self::Name(n) => Change::Name(format!("Acme {n}")),
            Self::RelayMap(ours) => Change::RelayMap(Arc::new(RelayMap {
                omit_default_regions: *ours,
                ..RelayMap::default()
            })),
        }
    }
}

fn node(id: u64, who: &Who, on: &Snapshot) -> Node {
    let low = u8::try_from(id).unwrap();
    let owner = match who.owner {
        4 => Owner::Tags(vec!["tag:web".parse().unwrap()]),
        5 => Owner::Tags(vec![
            "tag:db".parse().unwrap(),
            "tag:server".parse().unwrap(),
        ]),
        user => Owner::User(UserId(u64::from(user) + 1)),
    };
    Node {
        id: NodeId(id),
        stable_id: StableId::default(),
        name: format!("n{id}-{}", who.name).parse().unwrap(),
        owner,
        key: NodeKey::from_bytes([low + 100 * who.key; 32]),
        machine: MachineKey::from_bytes([low; 32]),
        ipv4: std::net::Ipv4Addr::new(100, 64, 0, low),
        ipv6: std::net::Ipv6Addr::new(0xfd7a, 0x115c, 0xa1e0, 0, 0, 0, 0, u16::from(low)),
        key_expiry: who.expiry.map(|s| Timestamp::from_unix_seconds(s.into())),
        approved: who.approved,
        expired: who.expired,
        created: Timestamp::from_unix_seconds(who.created.into()),
        routes: routes(who.routes),
        exit_routes: if who.routes & 8 == 0 {
            Vec::new()
        } else {
            vec![Prefix::ALL_IPV4, Prefix::ALL_IPV6]
        },
        capability: CapabilityVersion(130),
        reach: on
            .node(NodeId(id))
            .map(|n| n.reach.clone())
            .unwrap_or_default(),
    }
}

fn routes(bits: u8) -> Vec<Prefix> {
    let all = ROUTES.iter().enumerate();
    all.filter(|(i, _)| bits >> i & 1 == 1)
        .map(|(_, r)| r.parse().unwrap())
        .collect()
}

fn reach(report: &Report) -> Reach {
    Reach {
        online: report.online,
        last_seen: report.seen.map(|s| Timestamp::from_unix_seconds(s.into())),
        endpoints: (0..report.endpoints)
            .map(|n| format!("192.0.2.{n}:41641").parse().unwrap())
            .collect(),
        disco_key: DiscoKey::from_bytes([report.disco; 32]),
        home_relay: RegionId(u16::from(report.relay) * 900),
        hostinfo: Hostinfo {
            os: if report.os {
                "win\\dows".into()
            } else {
                "linux".into()
            },
            hostname: "büro\u{1}".into(),
            routable_ips: report
                .routes
                .then(|| "192.0.2.0/24".parse().unwrap())
                .into_iter()
                .collect(),
            ..Hostinfo::default()
        },
    }
}

/// A node of a member, in a tenant of any size.
pub(crate) fn plain_node(id: u64) -> Node {
    let [high, low] = u16::try_from(id).unwrap().to_be_bytes();
    let who = Who {
        owner: 0,
        approved: true,
        expired: false,
        name: 0,
        key: 0,
        expiry: None,
        routes: 0,
        created: 1,
    };
    let mut node = node(1, &who, &Snapshot::new(tenant(0), []));
    node.id = NodeId(id);
    node.name = format!("n{id}").parse().unwrap();
    node.ipv4 = std::net::Ipv4Addr::new(100, 64, high, low);
    node
}
