//! Document + Directory → [`Compiled`]: every selector resolved once.

use std::collections::{BTreeMap, BTreeSet};

use wire::{
    UserId,
    api::Role,
    net::{PortRange, Prefix},
};

use crate::{
    approve::TagOwners,
    class::{self, SourceSetId},
    diagnostic::{Code, Diagnostic, Sink, Span},
    directory::Directory,
    document::{Acl, Document},
    selector::{Selector, SelectorKind, autogroup::Autogroup},
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
    Literal(Prefix),
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
    pub(crate) literals: Vec<(TermId, Prefix)>,
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

/// Findings that need the directory: users that the tenant does not have. All are warnings.
pub fn lint(document: &Document, directory: &Directory) -> Vec<Diagnostic> {
    let known: BTreeSet<String> = directory
        .users
        .iter()
        .map(|u| u.email.to_lowercase())
        .collect();
    let mut sink = Sink::default();
    let mut look = |email: &str, span: Span| {
        if !known.contains(email) {
            sink.warning(
                Code::UnknownUser,
                span,
                format!("`{email}` is no user of this tenant and matches nothing"),
            )
            .did_you_mean(email, known.iter().map(String::as_str));
        }
    };
    for member in document.groups.iter().flat_map(|g| &g.members) {
        look(&member.text, member.span);
    }
    let owners = document.tag_owners.iter().flat_map(|t| &t.owners);
    let acls = || document.acls.iter().flatten();
    let sources = acls().flat_map(|a| &a.sources);
    let targets = acls().flat_map(|a| &a.destinations).map(|t| &t.selector);
    for selector in owners.chain(sources).chain(targets) {
        if let SelectorKind::User(email) = &selector.kind {
            look(email, selector.span);
        }
    }
    sink.finish()
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

    pub(crate) fn with_role(&self, holds: impl Fn(Role) -> bool) -> BTreeSet<UserId> {
        let all = self.by_email.values();
        all.filter(|(_, role)| holds(*role))
            .map(|(id, _)| *id)
            .collect()
    }
}

struct Builder<'a> {
    people: People<'a>,
    hosts: BTreeMap<&'a str, Prefix>,
    terms: Vec<Term>,
    numbers: BTreeMap<SelectorKind, TermId>,
}

impl<'a> Builder<'a> {
    fn new(document: &'a Document, directory: &Directory) -> Self {
        Self {
            people: People::new(document, directory),
            hosts: document
                .hosts
                .iter()
                .map(|h| (h.name.text.as_str(), h.prefix))
                .collect(),
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
                | SelectorKind::Group(_)
                | SelectorKind::Tag(_)
                | SelectorKind::Host(_)
                | SelectorKind::Prefix(_)
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
            SelectorKind::Host(name) => TermKind::Literal(*self.hosts.get(name.as_str())?),
            SelectorKind::Prefix(prefix) => TermKind::Literal(*prefix),
            SelectorKind::Autogroup(Autogroup::Member) => TermKind::Member,
            SelectorKind::Autogroup(Autogroup::Tagged) => TermKind::Tagged,
            SelectorKind::Autogroup(_) => return None,
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
            TermKind::Literal(prefix) => self.literals.push((id, *prefix)),
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
