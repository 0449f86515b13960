//! The tenant of the table: everybody and everything that its cases speak of.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use policy::{
    Connection, Directory, NodeFacts, ProviderGroup, User,
    posture::{Attributes, Value},
};
use wire::{NodeId, Timestamp, UserId, api::Role, net::Prefix};

/// Users: name (of an address at its domain), id, role.
const USERS: [(&str, u64, Role); 8] = [
    ("ada@example.com", 1, Role::Owner),
    ("bob@example.com", 2, Role::Member),
    ("cy@example.org", 3, Role::Member),
    ("dan@example.com", 4, Role::Admin),
    ("eve@example.com", 5, Role::ItAdmin),
    ("fay@example.com", 6, Role::NetworkAdmin),
    ("gus@example.com", 7, Role::BillingAdmin),
    ("hal@example.com", 8, Role::Auditor),
];

type Row = (
    &'static str,
    u8,
    u64,
    &'static [&'static str],
    &'static [&'static str],
);

/// Nodes: name, the last part of its addresses, owner's id or tags, routes.
const NODES: [Row; 15] = [
    ("ada1", 1, 1, &[], &[]),
    ("ada2", 2, 1, &[], &[]),
    ("bob1", 3, 2, &[], &[]),
    ("cy1", 4, 3, &[], &[]),
    ("dan1", 5, 4, &[], &[]),
    ("eve1", 6, 5, &[], &[]),
    ("fay1", 7, 6, &[], &[]),
    ("gus1", 8, 7, &[], &[]),
    ("web1", 11, 0, &["tag:web"], &[]),
    ("web2", 12, 0, &["tag:web"], &[]),
    ("db1", 13, 0, &["tag:db"], &[]),
    ("ci1", 14, 0, &["tag:ci", "tag:web"], &[]),
    ("rec1", 15, 0, &["tag:recorder"], &[]),
    ("router1", 16, 0, &["tag:router"], &["10.1.0.0/16"]),
    (
        "router2",
        17,
        0,
        &["tag:router"],
        &["10.2.0.0/16", "2001:db8:2::/48"],
    ),
];

type Report = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Option<bool>,
);

/// What nodes report: name, operating system and its version, version and track of
/// the client, whether it updates itself. `dan1` reports nothing, the others as the last line.
const REPORTS: [Report; 5] = [
    ("ada1", "macos", "14.5", "1.80.2", "stable", Some(true)),
    (
        "ada2",
        "linux",
        "6.8.0-40-generic",
        "1.81.5",
        "unstable",
        Some(false),
    ),
    (
        "bob1",
        "windows",
        "10.0.22631.4460",
        "1.78.1",
        "stable",
        Some(false),
    ),
    ("cy1", "ios", "18.1", "1.80.0", "stable", None),
    ("", "linux", "6.1.0-9-amd64", "1.80.0", "stable", None),
];

fn reported(name: &str) -> Attributes {
    if name == "dan1" {
        return Attributes::default();
    }
    let line = REPORTS.iter().find(|r| r.0 == name || r.0.is_empty());
    let (_, os, os_version, version, track, updates) = *line.unwrap();
    let mut all: Attributes = [
        ("node:os", Value::from(os)),
        ("node:osVersion", os_version.into()),
        ("node:tsVersion", version.into()),
        ("node:tsReleaseTrack", track.into()),
    ]
    .into_iter()
    .collect();
    if let Some(updates) = updates {
        all.set("node:tsAutoUpdate", updates.into());
    }
    all
}

/// A node of the table and its name.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) id: NodeId,
    pub(crate) created: Timestamp,
    pub(crate) facts: NodeFacts,
}

impl Node {
    fn new(name: &str, last: u8) -> Self {
        let v6 = Ipv6Addr::new(0xfd7a, 0x115c, 0xa1e0, 0, 0, 0, 0, u16::from(last));
        Self {
            name: name.to_owned(),
            id: NodeId(last.into()),
            created: Timestamp::ZERO,
            facts: NodeFacts {
                addresses: vec![IpAddr::V4(Ipv4Addr::new(100, 64, 0, last)), IpAddr::V6(v6)],
                posture: reported(name),
                ..NodeFacts::default()
            },
        }
    }

    /// A node as a file of the table writes it: the last part of its addresses, then
    /// tags or an owner, routes, `exit`, and `created:SECONDS`.
    fn read(name: &str, words: &str) -> Self {
        let (last, words) = words.split_once(' ').unwrap();
        let mut node = Self::new(name, last.parse().unwrap());
        for word in words.split(' ') {
            if word.starts_with("tag:") {
                node.facts.tags.push(word.to_owned());
            } else if let Some(seconds) = word.strip_prefix("created:") {
                node.created = Timestamp::from_unix_seconds(seconds.parse().unwrap());
            } else if word == "exit" {
                node.facts.exit_routes = vec![Prefix::ALL_IPV4, Prefix::ALL_IPV6];
            } else if word.contains('@') {
                node.facts.user = Some(user(word));
            } else {
                node.facts.routes.push(word.parse().unwrap());
            }
        }
        node
    }
}

/// The id of a user.
pub(crate) fn user(email: &str) -> UserId {
    let found = USERS.iter().find(|(known, ..)| *known == email);
    UserId(found.unwrap_or_else(|| panic!("no user `{email}`")).1)
}

/// Everybody's nodes, and those that the case brings.
pub(crate) fn nodes(more: &[(String, String)]) -> Vec<Node> {
    let common = NODES.iter().map(|(name, last, owner, tags, routes)| {
        let mut node = Node::new(name, *last);
        node.facts.user = (*owner != 0).then_some(UserId(*owner));
        node.facts.tags = tags.iter().map(|t| (*t).to_owned()).collect();
        node.facts.routes = routes.iter().map(|r| r.parse().unwrap()).collect();
        node
    });
    let more = more.iter().map(|(name, words)| Node::read(name, words));
    common.chain(more).collect()
}

pub(crate) fn directory(nodes: &[Node]) -> Directory {
    let routes = nodes.iter().flat_map(|n| n.facts.routes.iter().copied());
    Directory {
        users: USERS
            .iter()
            .map(|(email, id, role)| User {
                id: UserId(*id),
                email: (*email).to_owned(),
                role: *role,
            })
            .collect(),
        domains: vec!["example.com".to_owned()],
        connections: vec![Connection {
            slug: "corp".to_owned(),
            domains: vec!["corp.example".to_owned()],
            groups: vec![ProviderGroup {
                name: "Engineers".to_owned(),
                members: vec![UserId(1), UserId(2)],
            }],
        }],
        routes: routes.collect(),
    }
}
