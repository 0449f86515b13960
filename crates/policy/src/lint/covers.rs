//! Which names of rules include which, as far as their texts tell.

use std::collections::{BTreeMap, BTreeSet};

use wire::net::Prefix;

use super::view::{self, View};
use crate::{selector::autogroup::Autogroup, source::Value};

/// A name by its place in [`Names`].
pub(super) type NameId = u32;

/// The names of rules, each once.
pub(super) struct Names<'v> {
    numbers: BTreeMap<&'v str, NameId>,
    all: Vec<Name>,
    /// What `hosts` says.
    hosts: BTreeMap<&'v str, Prefix>,
    groups: BTreeMap<&'v str, &'v Value>,
    people: People,
}

/// Numbers of people by their login name, lower-cased.
#[derive(Default)]
struct People(BTreeMap<String, u32>);

impl People {
    fn number(&mut self, login: &str) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(login.to_lowercase()).or_insert(next)
    }
}

/// What is known of a name.
struct Name {
    /// For names that stand for addresses.
    prefix: Option<Prefix>,
    kind: Kind,
    /// As a member of a group.
    person: u32,
    /// For groups of the document.
    members: BTreeSet<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `*`
    Any,
    /// `autogroup:member`
    Member,
    /// `autogroup:tagged`
    Tagged,
    /// `autogroup:internet`
    Internet,
    /// `tag:…`
    Tag,
    /// Users and groups of them.
    People,
    /// All others.
    Other,
}

impl<'v> Names<'v> {
    pub(super) fn of(view: &View<'v>) -> Self {
        let hosts = view.names("hosts").iter().filter_map(|m| {
            let (text, _) = *view::texts(&m.value).first()?;
            Some((m.key.text.as_str(), prefix(text)?))
        });
        let groups = view.names("groups").iter();
        Self {
            numbers: BTreeMap::new(),
            all: Vec::new(),
            hosts: hosts.collect(),
            groups: groups.map(|m| (m.key.text.as_str(), &m.value)).collect(),
            people: People::default(),
        }
    }

    /// The number of a name of a rule.
    pub(super) fn number(&mut self, name: &'v str) -> NameId {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = NameId::try_from(self.all.len()).unwrap_or(NameId::MAX);
        let members = self.groups.get(name).map(|value| {
            let members = view::texts(value).into_iter();
            members.map(|(text, _)| self.people.number(text)).collect()
        });
        self.all.push(Name {
            prefix: self.hosts.get(name).copied().or_else(|| prefix(name)),
            kind: Kind::of(name),
            person: self.people.number(name),
            members: members.unwrap_or_default(),
        });
        self.numbers.insert(name, number);
        number
    }

    fn name(&self, number: NameId) -> Option<&Name> {
        self.all.get(usize::try_from(number).ok()?)
    }

    /// Whether every source by the name `narrow` is one by the name `wide`.
    pub(super) fn has_source(&self, wide: NameId, narrow: NameId) -> bool {
        if wide == narrow {
            return true;
        }
        let (Some(wide), Some(narrow)) = (self.name(wide), self.name(narrow)) else {
            return false;
        };
        if let Some(inner) = &narrow.prefix {
            return wide.prefix.is_some_and(|outer| outer.covers(inner));
        }
        match (wide.kind, narrow.kind) {
            (Kind::Any, Kind::Tagged | Kind::Tag | Kind::Member | Kind::People)
            | (Kind::Member, Kind::Member | Kind::People)
            | (Kind::Tagged, Kind::Tag) => true,
            _ => wide.members.contains(&narrow.person),
        }
    }

    /// Whether every destination by the name `narrow` is one by the name `wide`.
    pub(super) fn has_target(&self, wide: NameId, narrow: NameId) -> bool {
        let is = |number, kind| self.name(number).is_some_and(|n| n.kind == kind);
        // Everything but what only an exit node reaches.
        (is(wide, Kind::Any) && !is(narrow, Kind::Internet)) || self.has_source(wide, narrow)
    }
}

impl Kind {
    fn of(name: &str) -> Self {
        let autogroup = Autogroup::ALL.iter().find(|g| g.as_str() == name);
        match autogroup {
            Some(Autogroup::Member) => Self::Member,
            Some(Autogroup::Tagged) => Self::Tagged,
            Some(Autogroup::Internet) => Self::Internet,
            Some(group) if group.is_of_people() => Self::People,
            None if name == "*" => Self::Any,
            None if name.starts_with("tag:") => Self::Tag,
            None if name.starts_with("group:") || is_login(name) => Self::People,
            Some(_) | None => Self::Other,
        }
    }
}

fn is_login(name: &str) -> bool {
    name.contains('@') && !name.contains(':')
}

fn prefix(text: &str) -> Option<Prefix> {
    Some(Prefix::parse_any(text).ok()?.masked())
}
