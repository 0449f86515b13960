//! Whom and what the names of a document stand for, looked up from a device.

use std::{borrow::Cow, collections::BTreeMap, net::IpAddr};

use wire::{
    UserId,
    net::{MESH_IPV6, Prefix},
};

use super::{
    Because,
    person::{self, Person},
};
use crate::{
    addresses::AddressSet,
    decide::{ANY_IPV4, End},
    diagnostic::Span,
    directory::Directory,
    document::Document,
    internet::internet,
    ipset,
    selector::{
        SelectorKind,
        autogroup::Autogroup,
        provider_group::{ProviderGroup, fold},
    },
};

/// The lookup tables.
#[derive(Debug)]
pub(super) struct Names<'a> {
    directory: &'a Directory,
    people: BTreeMap<UserId, Person<'a>>,
    hosts: BTreeMap<&'a str, (AddressSet, Prefix, Span)>,
    ipsets: BTreeMap<&'a str, (ipset::Resolved, Span)>,
}

/// One end of a flow, with what is known of its user.
#[derive(Debug, Clone, Copy)]
pub(super) struct Party<'n> {
    pub(super) end: End<'n>,
    /// True for the device's own address.
    own: bool,
    person: Option<&'n Person<'n>>,
}

impl Party<'_> {
    /// Why `*` holds it.
    fn of_everything(&self) -> Because {
        if self.own {
            Because::Everything
        } else if self.end.node.is_exit_for(self.end.address)
            && !self.end.node.holds_itself(self.end.address)
        {
            Because::BehindExit
        } else {
            Because::BehindRouter
        }
    }
}

impl<'a> Names<'a> {
    pub(super) fn new(document: &'a Document, directory: &'a Directory) -> Self {
        let spans: BTreeMap<&str, Span> = document
            .ipsets
            .iter()
            .map(|s| (s.name.text.as_str(), s.name.span))
            .collect();
        let span_of = |name: &str| spans.get(name).copied().unwrap_or_default();
        let hosts = document.hosts.iter().map(|h| {
            let known = (AddressSet::of(h.prefix), h.prefix, h.name.span);
            (h.name.text.as_str(), known)
        });
        let sets = ipset::Sets::new(document).resolve().into_iter();
        Self {
            directory,
            people: person::all(document, directory),
            hosts: hosts.collect(),
            ipsets: sets
                .map(|(name, set)| (name, (set, span_of(name))))
                .collect(),
        }
    }

    pub(super) fn party<'n>(&'n self, end: End<'n>) -> Party<'n> {
        Party {
            end,
            own: end.node.addresses.contains(&end.address),
            person: end.node.owner().and_then(|u| self.people.get(&u)),
        }
    }

    /// True when a rule with this source is about packets of the party.
    pub(super) fn is_source(&self, kind: &SelectorKind, party: &Party<'_>) -> bool {
        self.is_source_by_address(kind, party) || self.holds_device(kind, party)
    }

    /// [`Self::is_source`] whosever device it is.
    pub(super) fn is_source_by_address(&self, kind: &SelectorKind, party: &Party<'_>) -> bool {
        if *kind == SelectorKind::Any {
            return self.in_mesh_or_routed(party.end.address);
        }
        *kind == SelectorKind::Autogroup(Autogroup::DangerAll)
            || self.has_address(kind, party.end.address)
    }

    /// True when `autogroup:self` is about the party's own devices, by this source.
    pub(super) fn is_self_source(&self, kind: &SelectorKind, party: &Party<'_>) -> bool {
        *kind == SelectorKind::Any || (kind.is_of_users() && self.holds_device(kind, party))
    }

    /// True when a rule with this destination is about packets to the party.
    pub(super) fn is_target(&self, kind: &SelectorKind, party: &Party<'_>) -> bool {
        if *kind == SelectorKind::Autogroup(Autogroup::Internet) {
            return party.end.node.is_exit_for(party.end.address);
        }
        *kind == SelectorKind::Any
            || (self.has_address(kind, party.end.address) && self.answers_for(kind, party))
            || self.holds_device(kind, party)
    }

    /// [`Self::is_target`] of a rule with `via`: the device must be a router to it.
    pub(super) fn is_routed_target(&self, kind: &SelectorKind, party: &Party<'_>) -> bool {
        if *kind == SelectorKind::Autogroup(Autogroup::Internet) {
            return party.end.node.is_exit_for(party.end.address);
        }
        let node = party.end.node;
        let routed = |set: &AddressSet| node.routes.iter().any(|r| set.overlaps(r));
        self.has_address(kind, party.end.address)
            && (self.set(kind).is_some_and(|set| routed(&set))
                || (self.leads_through_exits(kind) && node.is_exit_for(party.end.address)))
    }

    /// True when the selector has the party's own address, as targets of attributes do.
    pub(super) fn has_own(&self, kind: &SelectorKind, party: &Party<'_>) -> bool {
        *kind == SelectorKind::Any
            || *kind == SelectorKind::Autogroup(Autogroup::DangerAll)
            || self.has_address(kind, party.end.address)
            || self.holds_device(kind, party)
    }

    /// True when the device answers for the addresses as the rule spells them: an
    /// exit node for what reaches into the Internet.
    fn answers_for(&self, kind: &SelectorKind, party: &Party<'_>) -> bool {
        let node = party.end.node;
        party.own
            || self.set(kind).is_some_and(|set| {
                node.routes.iter().any(|r| set.overlaps(r))
                    || node.addresses.iter().any(|a| set.contains(*a))
                    || set.meets(internet())
            })
    }

    /// True for sets that are what is left of `autogroup:internet`.
    fn leads_through_exits(&self, kind: &SelectorKind) -> bool {
        let SelectorKind::IpSet(name) = kind else {
            return false;
        };
        let set = self.ipsets.get(name.as_str());
        set.is_some_and(|(set, _)| set.through_exits)
    }

    /// The addresses that a selector of addresses stands for.
    pub(super) fn set(&self, kind: &SelectorKind) -> Option<Cow<'_, AddressSet>> {
        match kind {
            SelectorKind::Host(name) => {
                let host = self.hosts.get(name.as_str());
                host.map(|(set, ..)| Cow::Borrowed(set))
            }
            SelectorKind::IpSet(name) => {
                let set = self.ipsets.get(name.as_str());
                set.map(|(set, _)| Cow::Borrowed(&set.addresses))
            }
            SelectorKind::Prefix(prefix) => Some(Cow::Owned(AddressSet::of(*prefix))),
            SelectorKind::Range(first, last) => {
                Some(Cow::Owned(AddressSet::of_ranges([(*first, *last)])))
            }
            SelectorKind::Any
            | SelectorKind::User(_)
            | SelectorKind::UsersOf(_)
            | SelectorKind::Group(_)
            | SelectorKind::ProviderGroup(_)
            | SelectorKind::Tag(_)
            | SelectorKind::Service(_)
            | SelectorKind::Autogroup(_) => None,
        }
    }

    fn has_address(&self, kind: &SelectorKind, address: IpAddr) -> bool {
        if let SelectorKind::Prefix(prefix) = kind {
            return prefix.contains(address);
        }
        self.set(kind).is_some_and(|set| set.contains(address))
    }

    /// Selectors that hold devices by their users and tags, at their own addresses.
    pub(super) fn holds_device(&self, kind: &SelectorKind, party: &Party<'_>) -> bool {
        let node = party.end.node;
        let person = |holds: &dyn Fn(&Person<'_>) -> bool| party.person.is_some_and(holds);
        party.own
            && match kind {
                SelectorKind::User(name) => person(&|p| p.is_called(name)),
                SelectorKind::UsersOf(domain) => {
                    person(&|p| p.domain() == Some(domain)) && self.directory.has_domain(domain)
                }
                SelectorKind::Group(name) => person(&|p| p.groups.contains_key(name.as_str())),
                SelectorKind::ProviderGroup(group) => {
                    let provided = |user| self.is_provided(group, user, party.person);
                    node.owner().is_some_and(provided)
                }
                SelectorKind::Tag(tag) => node.tags.contains(tag),
                SelectorKind::Autogroup(Autogroup::Member) => node.owner().is_some(),
                SelectorKind::Autogroup(Autogroup::Tagged) => !node.tags.is_empty(),
                SelectorKind::Autogroup(group) => {
                    person(&|p| group.holds_role(p.role) == Some(true))
                }
                SelectorKind::Any
                | SelectorKind::Host(_)
                | SelectorKind::IpSet(_)
                | SelectorKind::Service(_)
                | SelectorKind::Prefix(_)
                | SelectorKind::Range(..) => false,
            }
    }

    fn is_provided(
        &self,
        group: &ProviderGroup,
        user: UserId,
        person: Option<&Person<'_>>,
    ) -> bool {
        let Some(connection) = self.directory.connection(&group.at) else {
            return false;
        };
        let all = self.directory.connections.iter();
        let at = all.take_while(|c| !std::ptr::eq(*c, connection)).count();
        match person {
            Some(person) => person.provided.contains(&(at, group.name.clone())),
            None => connection
                .groups
                .iter()
                .any(|g| fold(&g.name) == group.name && g.members.contains(&user)),
        }
    }

    /// `*` as a source.
    fn in_mesh_or_routed(&self, address: IpAddr) -> bool {
        let in_mesh = match address {
            IpAddr::V4(a) => ANY_IPV4
                .iter()
                .any(|(first, last)| (*first..=*last).contains(&a)),
            IpAddr::V6(_) => MESH_IPV6.contains(address),
        };
        in_mesh || self.directory.routes.iter().any(|r| r.contains(address))
    }

    /// Why the selector holds the party, which it does.
    pub(super) fn because(&self, kind: &SelectorKind, party: &Party<'_>) -> Because {
        let email = || party.person.map(|p| p.email.clone()).unwrap_or_default();
        let listed = |group: &str| party.person.and_then(|p| p.groups.get(group).copied());
        match kind {
            SelectorKind::Any | SelectorKind::Service(_) => party.of_everything(),
            SelectorKind::User(name) => Because::Named {
                email: name.clone(),
            },
            SelectorKind::UsersOf(domain) => Because::OfDomain {
                domain: domain.clone(),
                email: email(),
            },
            SelectorKind::Group(group) => Because::Listed {
                group: group.clone(),
                email: email(),
                span: listed(group).unwrap_or_default(),
            },
            SelectorKind::ProviderGroup(group) => Because::Provided {
                group: group.to_string(),
                email: email(),
            },
            SelectorKind::Tag(tag) => Because::Tagged { tag: tag.clone() },
            SelectorKind::Autogroup(group) => of_autogroup(*group, party),
            SelectorKind::Host(name) => self.by_host(name),
            SelectorKind::IpSet(name) => Because::InSet {
                name: name.clone(),
                span: self
                    .ipsets
                    .get(name.as_str())
                    .map_or_else(Span::default, |s| s.1),
            },
            SelectorKind::Prefix(prefix) => Because::InPrefix { prefix: *prefix },
            SelectorKind::Range(first, last) => Because::InRange {
                first: *first,
                last: *last,
            },
        }
    }

    fn by_host(&self, name: &str) -> Because {
        match self.hosts.get(name) {
            Some((_, prefix, span)) => Because::Host {
                name: name.to_owned(),
                prefix: *prefix,
                span: *span,
            },
            None => Because::Everything,
        }
    }
}

fn of_autogroup(group: Autogroup, party: &Party<'_>) -> Because {
    match group {
        Autogroup::Member => Because::OwnedDevice,
        Autogroup::Tagged => Because::TaggedDevice,
        Autogroup::DangerAll => Because::EveryAddress,
        Autogroup::Internet => Because::ThroughExit,
        Autogroup::SelfDevices => Because::SameUser {
            email: party.person.map(|p| p.email.clone()),
        },
        Autogroup::Nonroot
        | Autogroup::Shared
        | Autogroup::Owner
        | Autogroup::Admin
        | Autogroup::ItAdmin
        | Autogroup::NetworkAdmin
        | Autogroup::BillingAdmin
        | Autogroup::Auditor => match party.person {
            Some(person) => Because::InRole {
                role: person.role,
                email: person.email.clone(),
            },
            None => Because::OwnedDevice,
        },
    }
}
