//! Document + Directory → [`Compiled`]: every selector resolved once.

pub(crate) mod index;
pub(crate) mod narrow;
pub(crate) mod people;
pub(crate) mod rule;
pub(crate) mod term;

use std::{collections::BTreeMap, sync::Arc};

use wire::net::Prefix;

use crate::{
    approve::{Approvers, TagOwners},
    attributes::Attributes,
    class,
    directory::Directory,
    document::Document,
    filter::Source,
};
use index::Index;
use narrow::Requirements;
pub(crate) use narrow::{RequirementId, of_devices};
pub(crate) use people::People;
pub use rule::{Capabilities, Origin, Section};
pub(crate) use rule::{Rule, Where};
use term::Terms;
pub(crate) use term::{Term, TermId, TermKind};

/// A policy ready to judge nodes. Immutable; a changed document or directory
/// is compiled anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    pub(crate) rules: Vec<Rule>,
    pub(crate) terms: Vec<Term>,
    pub(crate) requirements: Requirements,
    pub(crate) index: Index,
    pub(crate) tag_owners: TagOwners,
    pub(crate) approvers: Approvers,
    pub(crate) attributes: Attributes,
    /// By rule: its sources as filters name them, sorted; equal lists are one.
    pub(crate) sources: Vec<Arc<[Source]>>,
    /// By term: the number of the source sets that filters name it by.
    pub(crate) sets: Vec<Option<u32>>,
    /// Approved subnet routes, which `*` as a source includes.
    pub(crate) routes: Vec<Prefix>,
}

impl Compiled {
    /// Resolves a document for a tenant. Names that stand for nobody match
    /// nothing; what the document does not allow is denied.
    pub fn new(document: &Document, directory: &Directory) -> Self {
        let people = People::new(document, directory);
        let mut terms = Terms::new(document, directory, &people);
        let rules = rule::compile(document, &mut terms);
        let attributes = Attributes::new(document, &mut terms);
        let (terms, requirements) = terms.finish();
        let mut law = Self {
            index: Index::new(&rules, &attributes, &terms),
            sets: class::number_sets(&terms),
            tag_owners: TagOwners::new(document, directory, &people),
            approvers: Approvers::new(document, directory, &people),
            routes: directory.routes.clone(),
            sources: Vec::new(),
            rules,
            terms,
            requirements,
            attributes,
        };
        law.sources = law.name_sources();
        law
    }

    /// The same law where nodes serve these subnet routes, sorted: classes keep their meaning.
    #[must_use]
    pub fn with_routes(&self, routes: Vec<Prefix>) -> Self {
        let mut law = Self {
            routes,
            ..self.clone()
        };
        law.sources = law.name_sources();
        law
    }

    /// The approved subnet routes, which `*` as a source includes.
    pub fn routes(&self) -> &[Prefix] {
        &self.routes
    }

    /// The policy that allows nothing.
    pub fn deny_all() -> Self {
        Self::new(&Document::default(), &Directory::default())
    }

    pub(crate) fn term(&self, id: TermId) -> Option<&Term> {
        self.terms.get(usize::try_from(id).ok()?)
    }

    pub(crate) fn kind(&self, id: TermId) -> Option<&TermKind> {
        self.term(id).map(|t| &t.kind)
    }

    /// True for sets that are what is left of `autogroup:internet`.
    pub(crate) fn leads_through_exits(&self, id: TermId) -> bool {
        self.term(id).is_some_and(|t| t.through_exits)
    }

    fn name_sources(&self) -> Vec<Arc<[Source]>> {
        let mut known: BTreeMap<Vec<Source>, Arc<[Source]>> = BTreeMap::new();
        let rules = self.rules.iter();
        rules
            .map(|rule| {
                let named = self.sources_of(&rule.sources);
                let shared = known.entry(named.clone()).or_insert_with(|| named.into());
                Arc::clone(shared)
            })
            .collect()
    }
}
