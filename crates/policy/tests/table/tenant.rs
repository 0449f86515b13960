//! The tenant of the table: everybody and everything that its cases speak of.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use policy::{Connection, Directory, NodeFacts, ProviderGroup, User};
use wire::{UserId, api::Role, net::Prefix};

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

/// A node of the table and its name.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) name: &'static str,
    pub(crate) facts: NodeFacts,
}

pub(crate) fn nodes() -> Vec<Node> {
    NODES
        .iter()
        .map(|(name, last, owner, tags, routes)| Node {
            name,
            facts: NodeFacts {
                user: (*owner != 0).then_some(UserId(*owner)),
                tags: tags.iter().map(|t| (*t).to_owned()).collect(),
                addresses: vec![
                    IpAddr::V4(Ipv4Addr::new(100, 64, 0, *last)),
                    IpAddr::V6(Ipv6Addr::new(
                        0xfd7a,
                        0x115c,
                        0xa1e0,
                        0,
                        0,
                        0,
                        0,
                        u16::from(*last),
                    )),
                ],
                routes: routes.iter().map(|r| r.parse().unwrap()).collect(),
                ..NodeFacts::default()
            },
        })
        .collect()
}

pub(crate) fn directory() -> Directory {
    let routes = NODES.iter().flat_map(|(.., routes)| routes.iter());
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
        routes: routes.map(|r| r.parse::<Prefix>().unwrap()).collect(),
    }
}
