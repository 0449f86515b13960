//! A capture's people and nodes as a snapshot.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use netmap::{Node, Owner, Person, Reach, Snapshot, Tenant};
use wire::{
    CapabilityVersion, DiscoKey, MachineKey, NodeId, NodeKey, StableId, Timestamp, UserId,
    api::Role, net::Prefix, relay_map::RelayMap,
};

use crate::case::{Case, Machine};

pub(crate) struct World<'a> {
    pub(crate) snapshot: Snapshot,
    pub(crate) ids: BTreeMap<&'a str, NodeId>,
}

impl<'a> World<'a> {
    pub(crate) fn of(case: &'a Case) -> Self {
        let (document, found) = policy::parse(&case.policy);
        assert!(!policy::has_errors(&found), "{}: {found:?}", case.id);
        let tenant = Tenant {
            name: "Acme".to_owned(),
            dns_suffix: "acme.example".to_owned(),
            tagged_user: UserId(u64::from(u32::MAX)),
            people: people(case),
            domains: vec!["example.com".to_owned()],
            connections: Vec::new(),
            policy: Arc::new(document),
            relay_map: Arc::new(RelayMap::default()),
        };
        let named = || case.nodes.iter().zip(1..);
        let nodes = named().map(|((_, machine), id)| node(case, machine, id));
        Self {
            snapshot: Snapshot::new(tenant, nodes),
            ids: named()
                .map(|((name, _), id)| (name.as_str(), NodeId(id)))
                .collect(),
        }
    }
}

fn people(case: &Case) -> Vec<Person> {
    let people = case.users.iter().filter_map(|user| {
        Some(Person {
            id: UserId(user.id),
            email: user.email.clone()?,
            display_name: user.name.clone(),
            role: match user.name.as_str() {
                "odin" => Role::Owner,
                "thor" | "freya" => Role::Admin,
                _ => Role::Member,
            },
        })
    });
    people.collect()
}

fn node(case: &Case, machine: &Machine, id: u64) -> Node {
    let (IpAddr::V4(ipv4), IpAddr::V6(ipv6)) = (machine.ipv4, machine.ipv6) else {
        panic!("{}: addresses of other families", case.id);
    };
    let tags = machine.tags.iter().flatten();
    let tags: Vec<_> = tags.map(|tag| tag.parse().unwrap()).collect();
    let owner = || {
        machine
            .user
            .as_ref()
            .and_then(|n| case.users.iter().find(|u| u.name == *n))
    };
    let offered = machine.routable_ips.as_deref().unwrap_or_default();
    let approved = machine.approved_routes.iter().flatten().copied();
    let (exit_routes, routes) = approved
        .filter(|r| offered.contains(r))
        .partition(Prefix::is_default_route);
    let byte = u8::try_from(id).unwrap();
    Node {
        id: NodeId(id),
        stable_id: StableId::default(),
        name: format!("n{id}").parse().unwrap(),
        owner: if tags.is_empty() {
            Owner::User(UserId(owner().unwrap().id))
        } else {
            Owner::Tags(tags)
        },
        key: NodeKey::from_bytes([byte; 32]),
        machine: MachineKey::from_bytes([byte; 32]),
        ipv4,
        ipv6,
        key_expiry: None,
        approved: true,
        expired: false,
        created: machine.created.unwrap_or(Timestamp::ZERO),
        routes,
        exit_routes,
        capability: CapabilityVersion(130),
        reach: Reach {
            online: true,
            disco_key: DiscoKey::from_bytes([byte; 32]),
            ..Reach::default()
        },
    }
}
