//! Terms: the distinct selectors of a policy, resolved as far as the directory goes.

use std::collections::{BTreeMap, BTreeSet};

use wire::UserId;

use super::{
    People,
    narrow::{Narrow, Numbering, RequirementId, Requirements},
};
use crate::{
    addresses::AddressSet,
    directory::Directory,
    document::Document,
    ipset::{Resolved, Sets},
    selector::{SelectorKind, autogroup::Autogroup},
    source::Text,
};

/// The number of a [`Term`].
pub(crate) type TermId = u32;

/// One distinct selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    /// As written in the document; names the term across policies.
    pub(crate) text: String,
    pub(crate) kind: TermKind,
    /// True for sets that are what is left of `autogroup:internet`.
    pub(crate) through_exits: bool,
    /// `None`: all of it.
    pub(crate) narrow: Option<Narrow>,
}

impl Term {
    /// True for terms that filters name by source sets.
    pub(crate) fn has_set(&self) -> bool {
        self.kind.has_set() || (self.narrow.is_some() && self.kind.has_devices())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TermKind {
    /// Every node and address of the mesh.
    Any,
    /// Every address there is (`autogroup:danger-all`).
    Everything,
    /// The own devices of these users.
    Users(BTreeSet<UserId>),
    /// Nodes with this tag.
    Tag(String),
    /// Nodes without tags.
    Member,
    /// Nodes with tags.
    Tagged,
    /// These addresses.
    Addresses(AddressSet),
    /// The Internet, through exit nodes.
    Internet,
    /// Nobody and nothing.
    Nothing,
}

impl TermKind {
    /// True for terms whose nodes `autogroup:self` can be taken of.
    pub(crate) fn is_of_people(&self) -> bool {
        match self {
            Self::Any | Self::Users(_) | Self::Member => true,
            Self::Everything
            | Self::Tag(_)
            | Self::Tagged
            | Self::Addresses(_)
            | Self::Internet
            | Self::Nothing => false,
        }
    }

    /// True for terms that some device may match.
    fn has_devices(&self) -> bool {
        !matches!(self, Self::Internet | Self::Nothing)
    }

    /// True for terms that filters name by a source set, also when nothing narrows them.
    fn has_set(&self) -> bool {
        match self {
            Self::Users(_) | Self::Tag(_) | Self::Member | Self::Tagged => true,
            Self::Any | Self::Everything | Self::Addresses(_) | Self::Internet | Self::Nothing => {
                false
            }
        }
    }
}

/// Gives numbers to selectors.
pub(crate) struct Terms<'a> {
    people: &'a People<'a>,
    directory: &'a Directory,
    hosts: Sets<'a>,
    ipsets: BTreeMap<&'a str, Resolved>,
    all: Vec<Term>,
    numbers: BTreeMap<SelectorKind, TermId>,
    requirements: Numbering<'a>,
    narrowed: BTreeMap<(TermId, RequirementId), TermId>,
}

impl<'a> Terms<'a> {
    pub(super) fn new(
        document: &'a Document,
        directory: &'a Directory,
        people: &'a People<'a>,
    ) -> Self {
        let hosts = Sets::new(document);
        Self {
            people,
            directory,
            ipsets: hosts.resolve(),
            hosts,
            all: Vec::new(),
            numbers: BTreeMap::new(),
            requirements: Numbering::new(document),
            narrowed: BTreeMap::new(),
        }
    }

    pub(super) fn finish(self) -> (Vec<Term>, Requirements) {
        (self.all, self.requirements.finish())
    }

    /// What a rule with these postures of its own asks of its sources.
    pub(super) fn requirement(&mut self, own: &[Text]) -> Option<RequirementId> {
        self.requirements.of(own)
    }

    /// The term of a selector.
    pub(crate) fn number(&mut self, kind: &SelectorKind) -> TermId {
        if let Some(id) = self.numbers.get(kind) {
            return *id;
        }
        let id = self.push(Term {
            text: kind.to_string(),
            kind: self.resolve(kind),
            through_exits: self.set(kind).is_some_and(|s| s.through_exits),
            narrow: None,
        });
        self.numbers.insert(kind.clone(), id);
        id
    }

    /// The term of a selector, of whose devices only those count that meet the requirement.
    pub(crate) fn source(
        &mut self,
        kind: &SelectorKind,
        requirement: Option<RequirementId>,
    ) -> TermId {
        let base = self.number(kind);
        let Some(requirement) = requirement else {
            return base;
        };
        if let Some(id) = self.narrowed.get(&(base, requirement)) {
            return *id;
        }
        let resolved = self.resolve(kind);
        let words = self.requirements.text(requirement);
        let id = self.push(Term {
            text: format!("{} with {words}", self.text(base)),
            narrow: Some(Narrow::new(base, requirement, &resolved)),
            kind: resolved,
            through_exits: self.set(kind).is_some_and(|s| s.through_exits),
        });
        self.narrowed.insert((base, requirement), id);
        id
    }

    fn text(&self, id: TermId) -> &str {
        let at = usize::try_from(id).unwrap_or(usize::MAX);
        self.all.get(at).map_or("", |t| t.text.as_str())
    }

    fn push(&mut self, term: Term) -> TermId {
        // Documents are limited to far fewer selectors.
        let id = TermId::try_from(self.all.len()).unwrap_or(TermId::MAX);
        self.all.push(term);
        id
    }

    fn set(&self, kind: &SelectorKind) -> Option<&Resolved> {
        let SelectorKind::IpSet(name) = kind else {
            return None;
        };
        self.ipsets.get(name.as_str())
    }

    fn resolve(&self, kind: &SelectorKind) -> TermKind {
        match kind {
            SelectorKind::Any => TermKind::Any,
            SelectorKind::Tag(tag) => TermKind::Tag(tag.clone()),
            SelectorKind::Host(name) => match self.hosts.host(name) {
                Some(prefix) => TermKind::Addresses(AddressSet::of(prefix)),
                None => TermKind::Nothing,
            },
            SelectorKind::IpSet(_) => match self.set(kind) {
                Some(set) => TermKind::Addresses(set.addresses.clone()),
                None => TermKind::Nothing,
            },
            SelectorKind::Prefix(prefix) => TermKind::Addresses(AddressSet::of(*prefix)),
            SelectorKind::Range(first, last) => {
                TermKind::Addresses(AddressSet::of_ranges([(*first, *last)]))
            }
            SelectorKind::Autogroup(Autogroup::Member) => TermKind::Member,
            SelectorKind::Autogroup(Autogroup::Tagged) => TermKind::Tagged,
            SelectorKind::Autogroup(Autogroup::Internet) => TermKind::Internet,
            SelectorKind::Autogroup(Autogroup::DangerAll) => TermKind::Everything,
            SelectorKind::User(_)
            | SelectorKind::UsersOf(_)
            | SelectorKind::Group(_)
            | SelectorKind::ProviderGroup(_)
            | SelectorKind::Autogroup(_) => match self.people.of(kind, self.directory) {
                Some(users) => TermKind::Users(users),
                None => TermKind::Nothing,
            },
            SelectorKind::Service(_) => TermKind::Nothing,
        }
    }
}
