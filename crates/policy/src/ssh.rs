//! Who may sign in to which node by SSH, compiled: [`SshLaw`] for a document and
//! a directory, [`SshTable`] for the nodes of a moment.
//!
//! Rules with `check` come before rules with `accept`; among equals the order
//! of the document counts, and the first rule that matches acts.

mod compared;
pub mod decide;
mod findings;
mod place;
mod rule;
mod table;
pub mod wire_form;

use std::sync::Arc;

use wire::UserId;

use crate::{
    compile::People,
    directory::{Directory, NodeFacts},
    document::Document,
};
pub use findings::findings;
pub use place::SshPlace;
use rule::Rule;
pub(crate) use table::Resolved;
pub use table::SshTable;

/// The port of sign-ins: a rule of `ssh` lets in whom `acls` and `grants` let come here.
pub const PORT: u16 = 22;

/// True when rules with `check` are acted on. They are not: whom one matches is turned away.
/// Whoever sets it hands a `delegate` to [`SshTable::policy_for`].
pub const ACTS_ON_CHECKS: bool = false;

/// `ssh` with every selector resolved as far as the directory goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SshLaw {
    /// In the order in which they are tried.
    rules: Vec<Arc<Rule>>,
}

impl SshLaw {
    /// Resolves the rules of a document for a tenant.
    pub fn new(document: &Document, directory: &Directory) -> Self {
        let people = People::new(document, directory);
        let mut rules: Vec<Arc<Rule>> = document
            .ssh
            .iter()
            .map(|rule| Rule::new(rule, document, &people, directory).into())
            .collect();
        rules.sort_by_key(|rule| !rule.is_check());
        Self { rules }
    }

    /// True when no rule lets anybody in.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The law with the nodes that its rules name, each by its addresses.
    pub fn over<'n>(&self, nodes: impl IntoIterator<Item = &'n NodeFacts>) -> SshTable {
        SshTable::new(&self.rules, None, nodes)
    }

    /// As [`Self::over`], but people's own devices go by the login name of their
    /// owner, as peers know it: nothing changes when they come and go.
    pub fn over_logins<'n>(
        &self,
        people: &[(UserId, String)],
        nodes: impl IntoIterator<Item = &'n NodeFacts>,
    ) -> SshTable {
        SshTable::new(&self.rules, Some(people), nodes)
    }
}

#[cfg(test)]
mod tests;
