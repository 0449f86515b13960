//! Document + Directory → [`Compiled`]: every selector resolved once.

use std::collections::{BTreeMap, BTreeSet};

use wire::{
    UserId,
    api::Role,
    net::{PortRange, Prefix},
};

use crate::{
    addresses::AddressSet,
    approve::TagOwners,
    class::{self, SourceSetId},
    diagnostic::Span,
    directory::Directory,
    document::{Acl, Document},
    ipset::Sets,
    selector::{
        Selector, SelectorKind,
        autogroup::Autogroup,
        provider_group::{ProviderGroup, fold},
    },
};

/// The number of a [`Term`].
pub(crate) type TermId = u32;

/// One distinct selector of the rules, resolved as far as the directory goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    /// As written in the document; names the term across policies.
    pub(crate) text: String,
    pub(crate) kind: TermKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TermKind {
    /// Every node and address of the mesh.
    Any,
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
    /// Nobody and nothing.
    Nothing,
}

/// One rule over terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Its place in `acls`.
    pub(crate) index: usize,
    pub(crate) span: Span,
    /// Empty: [`crate::protocol::DEFAULT`].
    pub(crate) protocols: Vec<u8>,
    pub(crate) sources: Vec<TermId>,
    pub(crate) targets: Vec<(Where, PortRange)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    Term(TermId),
    /// The own devices of the user that the source belongs to.
    SelfDevices,
}

/// A policy ready to judge nodes. Immutable; a changed document or directory
/// is compiled anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    pub(crate) rules: Vec<Rule>,
    pub(crate) terms: Vec<Term>,
    pub(crate) index: Index,
    pub(crate) tag_owners: TagOwners,
    /// By term: the source set that filters name it by.
    pub(crate) sets: Vec<Option<SourceSetId>>,
    /// Approved subnet routes, which `*` as a source includes.
    pub(crate) routes: Vec<Prefix>,
}

/// Finds the terms that a node matches without trying them all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Index {
    pub(crate) by_user: BTreeMap<UserId, Vec<TermId>>,
    pub(crate) by_tag: BTreeMap<String, TermId>,
    pub(crate) any: Option<TermId>,
    pub(crate) member: Option<TermId>,
    pub(crate) tagged: Option<TermId>,
    pub(crate) literals: Vec<(TermId, AddressSet)>,
    /// Rules in which the term is a source, and in which it is a destination.
    pub(crate) uses: Vec<Uses>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Uses {
    pub(crate) source: crate::bits::Bits,
    pub(crate) target: crate::bits::Bits,
    /// True when a rule with this source has `autogroup:self` as a destination.
    pub(crate) with_self: bool,
}

impl Compiled {
    /// Resolves a document for a tenant. Names that stand for nobody match
    /// nothing; what the document does not allow is denied.
    pub fn new(document: &Document, directory: &Directory) -> Self {
        let mut builder = Builder::new(document, directory);
        let rules: Vec<Rule> = document
            .acls
            .iter()
            .flatten()
            .filter(|acl| !document.has_posture(&acl.postures))
            .map(|acl| builder.rule(acl))
            .collect();
        let index = Index::new(&rules, &builder.terms);
        Self {
            rules,
            sets: class::number_sets(&builder.terms),
            terms: builder.terms,
            index,
            tag_owners: TagOwners::new(document, directory),
            routes: directory.routes.clone(),
        }
    }

    /// The policy that allows nothing.
    pub fn deny_all() -> Self {
        Self::new(&Document::default(), &Directory::default())
    }
}

/// Users by e-mail address and by group.
pub(crate) struct People<'a> {
    by_email: BTreeMap<String, (UserId, Role)>,
    groups: BTreeMap<&'a str, BTreeSet<UserId>>,
}

impl<'a> People<'a> {
    pub(crate) fn new(document: &'a Document, directory: &Directory) -> Self {
        let by_email: BTreeMap<_, _> = directory
            .users
            .iter()
            .map(|u| (u.email.to_lowercase(), (u.id, u.role)))
            .collect();
        let groups = document
            .groups
            .iter()
            .map(|g| {
                let members = g.members.iter().filter_map(|m| by_email.get(&m.text));
                (g.name.text.as_str(), members.map(|(id, _)| *id).collect())
            })
            .collect();
        Self { by_email, groups }
    }

    pub(crate) fn user(&self, email: &str) -> BTreeSet<UserId> {
        self.by_email
            .get(email)
            .map(|(id, _)| *id)
            .into_iter()
            .collect()
    }

    pub(crate) fn group(&self, name: &str) -> BTreeSet<UserId> {
        self.groups.get(name).cloned().unwrap_or_default()
    }

    /// The users of a domain, if it is the tenant's.
    pub(crate) fn of_domain(&self, directory: &Directory, domain: &str) -> BTreeSet<UserId> {
        let is_of = |email: &str| email.rsplit_once('@').is_some_and(|(_, d)| d == domain);
        let all = self.by_email.iter().filter(|(email, _)| is_of(email));
        if !directory.has_domain(domain) {
            return BTreeSet::new();
        }
        all.map(|(_, (id, _))| *id).collect()
    }

    /// The members of an identity provider's group.
    pub(crate) fn provider_group(directory: &Directory, group: &ProviderGroup) -> BTreeSet<UserId> {
        let connection = directory.connection(&group.at);
        let groups = connection.into_iter().flat_map(|c| &c.groups);
        groups
            .filter(|g| fold(&g.name) == group.name)
            .flat_map(|g| g.members.iter().copied())
            .collect()
    }

    pub(crate) fn with_role(&self, holds: impl Fn(Role) -> bool) -> BTreeSet<UserId> {
        let all = self.by_email.values();
        all.filter(|(_, role)| holds(*role))
            .map(|(id, _)| *id)
            .collect()
    }
}

struct Builder<'a> {
    people: People<'a>,
    directory: &'a Directory,
    hosts: Sets<'a>,
    ipsets: BTreeMap<&'a str, AddressSet>,
    terms: Vec<Term>,
    numbers: BTreeMap<SelectorKind, TermId>,
}

impl<'a> Builder<'a> {
    fn new(document: &'a Document, directory: &'a Directory) -> Self {
        let sets = Sets::new(document);
        Self {
            people: People::new(document, directory),
            directory,
            ipsets: sets.resolve(),
            hosts: sets,
            terms: Vec::new(),
            numbers: BTreeMap::new(),
        }
    }

    fn rule(&mut self, acl: &Acl) -> Rule {
        let mut sources: Vec<TermId> = acl.sources.iter().filter_map(|s| self.term(s)).collect();
        sources.sort_unstable();
        sources.dedup();
        let mut targets = Vec::new();
        for target in &acl.destinations {
            let place = match &target.selector.kind {
                SelectorKind::Autogroup(Autogroup::SelfDevices) => Some(Where::SelfDevices),
                SelectorKind::Any
                | SelectorKind::User(_)
                | SelectorKind::UsersOf(_)
                | SelectorKind::Group(_)
                | SelectorKind::ProviderGroup(_)
                | SelectorKind::Tag(_)
                | SelectorKind::Host(_)
                | SelectorKind::IpSet(_)
                | SelectorKind::Service(_)
                | SelectorKind::Prefix(_)
                | SelectorKind::Range(..)
                | SelectorKind::Autogroup(_) => self.term(&target.selector).map(Where::Term),
            };
            targets.extend(
                place
                    .iter()
                    .flat_map(|p| target.ports.iter().map(|r| (*p, *r))),
            );
        }
        Rule {
            index: acl.index,
            span: acl.span,
            protocols: acl
                .protocol
                .as_ref()
                .map(|p| p.numbers.clone())
                .unwrap_or_default(),
            sources,
            targets,
        }
    }

    /// The term of a selector; `None` for one that matches nothing, ever.
    fn term(&mut self, selector: &Selector) -> Option<TermId> {
        if let Some(id) = self.numbers.get(&selector.kind) {
            return Some(*id);
        }
        let kind = match &selector.kind {
            SelectorKind::Any => TermKind::Any,
            SelectorKind::User(email) => TermKind::Users(self.people.user(email)),
            SelectorKind::Group(name) => TermKind::Users(self.people.group(name)),
            SelectorKind::Tag(tag) => TermKind::Tag(tag.clone()),
            SelectorKind::Host(name) => TermKind::Addresses(AddressSet::of(self.hosts.host(name)?)),
            SelectorKind::IpSet(name) => {
                TermKind::Addresses(self.ipsets.get(name.as_str())?.clone())
            }
            SelectorKind::Prefix(prefix) => TermKind::Addresses(AddressSet::of(*prefix)),
            SelectorKind::Range(first, last) => {
                TermKind::Addresses(AddressSet::of_ranges([(*first, *last)]))
            }
            SelectorKind::UsersOf(domain) => {
                TermKind::Users(self.people.of_domain(self.directory, domain))
            }
            SelectorKind::ProviderGroup(group) => {
                TermKind::Users(People::provider_group(self.directory, group))
            }
            SelectorKind::Autogroup(Autogroup::Member) => TermKind::Member,
            SelectorKind::Autogroup(Autogroup::Tagged) => TermKind::Tagged,
            SelectorKind::Autogroup(_) | SelectorKind::Service(_) => TermKind::Nothing,
        };
        let id = TermId::try_from(self.terms.len()).ok()?;
        self.numbers.insert(selector.kind.clone(), id);
        self.terms.push(Term {
            text: selector.kind.to_string(),
            kind,
        });
        Some(id)
    }
}

impl Index {
    fn new(rules: &[Rule], terms: &[Term]) -> Self {
        let mut index = Self {
            uses: vec![Uses::default(); terms.len()],
            ..Self::default()
        };
        for (id, term) in (0..).zip(terms) {
            index.add_term(id, &term.kind);
        }
        for (number, rule) in rules.iter().enumerate() {
            index.add_rule(number, rule);
        }
        index
    }

    fn add_term(&mut self, id: TermId, kind: &TermKind) {
        match kind {
            TermKind::Any => self.any = Some(id),
            TermKind::Users(users) => {
                for user in users {
                    self.by_user.entry(*user).or_default().push(id);
                }
            }
            TermKind::Tag(tag) => {
                self.by_tag.insert(tag.clone(), id);
            }
            TermKind::Member => self.member = Some(id),
            TermKind::Tagged => self.tagged = Some(id),
            TermKind::Addresses(set) => self.literals.push((id, set.clone())),
            TermKind::Nothing => {}
        }
    }

    fn add_rule(&mut self, number: usize, rule: &Rule) {
        let with_self = rule.targets.iter().any(|(w, _)| *w == Where::SelfDevices);
        for id in &rule.sources {
            if let Some(uses) = self.uses_mut(*id) {
                uses.source.insert(number);
                uses.with_self |= with_self;
            }
        }
        for (place, _) in &rule.targets {
            if let Where::Term(id) = place
                && let Some(uses) = self.uses_mut(*id)
            {
                uses.target.insert(number);
            }
        }
    }

    fn uses_mut(&mut self, id: TermId) -> Option<&mut Uses> {
        self.uses.get_mut(usize::try_from(id).ok()?)
    }

    pub(crate) fn uses(&self, id: TermId) -> Option<&Uses> {
        self.uses.get(usize::try_from(id).ok()?)
    }
}

impl Compiled {
    pub(crate) fn term(&self, id: TermId) -> Option<&Term> {
        self.terms.get(usize::try_from(id).ok()?)
    }
}
