//! A capture's people and nodes as the crate takes them.

use std::collections::{BTreeMap, BTreeSet};

use policy::{Directory, NodeFacts, User};
use wire::{NodeId, Timestamp, UserId, api::Role, net::Prefix};

use crate::case::{Case, Machine};

pub(crate) struct Tenant<'a> {
    pub(crate) directory: Directory,
    pub(crate) nodes: BTreeMap<&'a str, Node>,
    /// The facts of all nodes.
    pub(crate) all: Vec<NodeFacts>,
}

pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) created: Timestamp,
    pub(crate) facts: NodeFacts,
}

impl<'a> Tenant<'a> {
    pub(crate) fn of(case: &'a Case) -> Self {
        let nodes: BTreeMap<&str, Node> = case
            .nodes
            .iter()
            .zip(1..)
            .map(|((name, machine), id)| {
                let node = Node {
                    id: NodeId(id),
                    created: machine.created.unwrap_or(Timestamp::ZERO),
                    facts: facts(case, machine),
                };
                (name.as_str(), node)
            })
            .collect();
        let routes: BTreeSet<Prefix> = nodes
            .values()
            .flat_map(|n| n.facts.routes.iter().copied())
            .collect();
        Self {
            directory: Directory {
                users: users(case),
                domains: vec!["example.com".to_owned()],
                routes: routes.into_iter().collect(),
                ..Directory::default()
            },
            all: nodes.values().map(|n| n.facts.clone()).collect(),
            nodes,
        }
    }
}

fn users(case: &Case) -> Vec<User> {
    let users = case.users.iter().filter_map(|u| {
        Some(User {
            id: UserId(u.id),
            email: u.email.clone()?,
            role: match u.name.as_str() {
                "odin" => Role::Owner,
                "thor" | "freya" => Role::Admin,
                _ => Role::Member,
            },
        })
    });
    users.collect()
}

fn facts(case: &Case, machine: &Machine) -> NodeFacts {
    let owner = |name: &String| case.users.iter().find(|u| u.name == *name);
    let offered = machine.routable_ips.as_deref().unwrap_or_default();
    let approved = machine.approved_routes.iter().flatten().copied();
    let (exit_routes, routes) = approved
        .filter(|r| offered.contains(r))
        .partition(Prefix::is_default_route);
    NodeFacts {
        user: machine.user.as_ref().and_then(owner).map(|u| UserId(u.id)),
        tags: machine.tags.clone().unwrap_or_default(),
        addresses: vec![machine.ipv4, machine.ipv6],
        routes,
        exit_routes,
        ..NodeFacts::default()
    }
}
