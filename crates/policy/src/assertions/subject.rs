//! Names in tests → the devices that they stand for.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use wire::{UserId, net::Prefix};

use super::{
    Failure,
    device::{Device, Side},
};
use crate::{
    compile::People,
    diagnostic::Sink,
    directory::{Directory, NodeFacts},
    document::Document,
    selector::{self, Selector, SelectorKind, autogroup::Autogroup},
    source::Text,
};

/// The names that a document may use, and who stands behind them.
pub(super) struct World<'a> {
    people: People<'a>,
    directory: &'a Directory,
    groups: BTreeSet<&'a str>,
    tags: BTreeSet<&'a str>,
    hosts: BTreeMap<&'a str, Prefix>,
    everybody: BTreeSet<UserId>,
    /// The tags of routers that some rule goes through.
    via: Vec<String>,
    pub(super) nodes: &'a [NodeFacts],
}

impl<'a> World<'a> {
    pub(super) fn new(
        document: &'a Document,
        directory: &'a Directory,
        nodes: &'a [NodeFacts],
    ) -> Self {
        Self {
            people: People::new(document, directory),
            directory,
            groups: document
                .groups
                .iter()
                .map(|g| g.name.text.as_str())
                .collect(),
            tags: document
                .tag_owners
                .iter()
                .map(|t| t.tag.text.as_str())
                .collect(),
            hosts: document
                .hosts
                .iter()
                .map(|h| (h.name.text.as_str(), h.prefix))
                .collect(),
            everybody: directory.users.iter().map(|u| u.id).collect(),
            via: document
                .grants
                .iter()
                .flatten()
                .flat_map(|grant| grant.via.iter().map(|tag| tag.text.clone()))
                .collect(),
            nodes,
        }
    }

    pub(super) fn is_tag(&self, name: &str) -> bool {
        self.tags.contains(name)
    }

    /// The prefix that a host name or an address stands for.
    pub(super) fn prefix(&self, kind: &SelectorKind) -> Option<Prefix> {
        match kind {
            SelectorKind::Host(name) => self.hosts.get(name.as_str()).copied(),
            SelectorKind::Prefix(prefix) => Some(*prefix),
            SelectorKind::Any
            | SelectorKind::User(_)
            | SelectorKind::UsersOf(_)
            | SelectorKind::Group(_)
            | SelectorKind::ProviderGroup(_)
            | SelectorKind::Tag(_)
            | SelectorKind::IpSet(_)
            | SelectorKind::Service(_)
            | SelectorKind::Range(..)
            | SelectorKind::Autogroup(_) => None,
        }
    }

    /// The devices that a name stands for, at least one.
    pub(super) fn devices(
        &self,
        kind: &SelectorKind,
        side: Side,
    ) -> Result<Vec<Device<'a>>, Failure> {
        match kind {
            SelectorKind::User(email) => self.of_users(&self.people.user(email), side, || {
                format!("`{email}` is no user of this tenant")
            }),
            SelectorKind::Group(name) if !self.groups.contains(name.as_str()) => {
                Err(unknown("group", name, self.groups.iter().copied()))
            }
            SelectorKind::Group(name) => self.of_users(&self.people.group(name), side, || {
                format!("`{name}` has no member in this tenant")
            }),
            SelectorKind::Tag(tag) if !self.is_tag(tag) => {
                Err(unknown("tag", tag, self.tags.iter().copied()))
            }
            SelectorKind::Tag(tag) => {
                Ok(self.or_thought(|n| n.tags.contains(tag), || Device::of_tag(tag, side)))
            }
            SelectorKind::Host(_) | SelectorKind::Prefix(_) => self.at(kind, side).map(|d| vec![d]),
            SelectorKind::Autogroup(Autogroup::Tagged) => {
                let all: Vec<_> = self.real(|n| !n.tags.is_empty()).collect();
                if all.is_empty() {
                    return Err(Failure::new("no node has a tag"));
                }
                Ok(all)
            }
            SelectorKind::Autogroup(group) if group.is_of_people() => {
                let holders = self
                    .people
                    .with_role(|role| group.holds_role(role) == Some(true));
                self.of_users(&holders, side, || {
                    format!("`{}` has no member", group.as_str())
                })
            }
            SelectorKind::UsersOf(domain) => {
                let users = self.people.of_domain(self.directory, domain);
                self.of_users(&users, side, || format!("`{kind}` has no member"))
            }
            SelectorKind::ProviderGroup(group) => {
                let users = People::provider_group(self.directory, group);
                self.of_users(&users, side, || format!("`{kind}` has no member"))
            }
            SelectorKind::Autogroup(Autogroup::Internet) => {
                Err(Failure::new(format!("`{kind}` cannot be tested"))
                    .help("name an address of the Internet, as in `203.0.113.7:443`"))
            }
            SelectorKind::Any
            | SelectorKind::IpSet(_)
            | SelectorKind::Service(_)
            | SelectorKind::Range(..)
            | SelectorKind::Autogroup(_) => Err(Failure::new(format!("`{kind}` cannot be tested"))
                .help("name a user, a group, a tag, a host or an address")),
        }
    }

    /// The devices of `owner`, for `autogroup:self`.
    pub(super) fn own_devices(&self, owner: Option<UserId>, side: Side) -> Vec<Device<'a>> {
        let Some(user) = owner else {
            return Vec::new();
        };
        self.or_thought(|n| n.owner() == Some(user), || Device::of_user(user, side))
    }

    fn of_users(
        &self,
        users: &BTreeSet<UserId>,
        side: Side,
        nobody: impl Fn() -> String,
    ) -> Result<Vec<Device<'a>>, Failure> {
        let users: BTreeSet<UserId> = users.intersection(&self.everybody).copied().collect();
        if users.is_empty() {
            return Err(Failure::new(nobody()));
        }
        let mut without = users.clone();
        let mut devices = Vec::new();
        for node in self.nodes {
            if let Some(owner) = node.owner().filter(|o| users.contains(o)) {
                without.remove(&owner);
                devices.push(Device::of(node));
            }
        }
        devices.extend(without.iter().map(|user| Device::of_user(*user, side)));
        Ok(devices)
    }

    fn at(&self, kind: &SelectorKind, side: Side) -> Result<Device<'a>, Failure> {
        let Some(prefix) = self.prefix(kind) else {
            return Err(unknown(
                "host",
                &kind.to_string(),
                self.hosts.keys().copied(),
            ));
        };
        if !prefix.is_host() {
            return Err(Failure::new(format!("`{kind}` is more than one address"))
                .help("test single addresses, hosts, tags, groups or users"));
        }
        Ok(match side {
            Side::Source => Device::at(prefix.addr, self.nodes),
            Side::Target => Device::towards(prefix.addr, self.nodes, &self.via),
        })
    }

    fn or_thought(
        &self,
        pick: impl Fn(&NodeFacts) -> bool,
        thought: impl FnOnce() -> Device<'a>,
    ) -> Vec<Device<'a>> {
        let mut devices: Vec<_> = self.real(pick).collect();
        if devices.is_empty() {
            devices.push(thought());
        }
        devices
    }

    fn real(&self, pick: impl Fn(&NodeFacts) -> bool) -> impl Iterator<Item = Device<'a>> {
        let nodes = self.nodes.iter();
        nodes.filter(move |n| pick(n)).map(Device::of)
    }
}

/// Reads a name as the rules do.
pub(super) fn read(text: &Text) -> Result<Selector, Failure> {
    let mut sink = Sink::default();
    selector::read(text, &mut sink).ok_or_else(|| first(sink))
}

/// The first finding as a failure.
pub(super) fn first(sink: Sink) -> Failure {
    match sink.finish().into_iter().next() {
        Some(found) => Failure {
            message: found.message,
            help: found.help,
            rule: None,
        },
        None => Failure::new("it cannot be read"),
    }
}

fn unknown<'k>(what: &str, name: &str, known: impl Iterator<Item = &'k str>) -> Failure {
    let mut sink = Sink::default();
    sink.error(
        crate::Code::Undefined,
        crate::Span::default(),
        format!("{what} not found: \"{name}\""),
    )
    .did_you_mean(name, known);
    first(sink)
}

/// True when the two addresses can be the ends of one flow.
pub(super) fn same_family(a: IpAddr, b: IpAddr) -> bool {
    a.is_ipv4() == b.is_ipv4()
}
