//! Who may sign in to which node by SSH, compiled: [`SshLaw`] for a document and
//! a directory, [`SshTable`] for the nodes of a moment.
//!
//! Rules with `check` come before rules with `accept`; among equals the order
//! of the document counts, and the first rule that matches acts.

pub mod decide;
mod findings;
mod rule;
pub mod wire_form;

use std::{collections::BTreeMap, net::IpAddr};

use wire::UserId;

use crate::{
    compile::People,
    directory::{Directory, NodeFacts},
    document::Document,
};
pub use findings::findings;
use rule::Rule;

/// The port on which a recorder takes sessions (`tailcfg.SSHAction.Recorders`).
const RECORDER_PORT: u16 = 80;

/// `ssh` with every selector resolved as far as the directory goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SshLaw {
    /// In the order in which they are tried.
    rules: Vec<Rule>,
}

impl SshLaw {
    /// Resolves the rules of a document for a tenant.
    pub fn new(document: &Document, directory: &Directory) -> Self {
        let people = People::new(document, directory);
        let mut rules: Vec<Rule> = document
            .ssh
            .iter()
            .map(|rule| Rule::new(rule, document, &people, directory))
            .collect();
        rules.sort_by_key(|rule| !rule.is_check());
        Self { rules }
    }

    /// True when no rule lets anybody in.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The law with the nodes that its rules name.
    pub fn over(&self, nodes: &[NodeFacts]) -> SshTable<'_> {
        SshTable {
            rules: self
                .rules
                .iter()
                .map(|rule| Resolved::new(rule, nodes))
                .collect(),
        }
    }
}

/// The rules and the nodes that they name at one moment.
#[derive(Debug, Clone)]
pub struct SshTable<'a> {
    rules: Vec<Resolved<'a>>,
}

#[derive(Debug, Clone)]
struct Resolved<'a> {
    rule: &'a Rule,
    /// The sources' addresses, by owner.
    by_user: BTreeMap<UserId, Vec<IpAddr>>,
    /// The addresses of tagged sources.
    tagged: Vec<IpAddr>,
    recorders: Vec<IpAddr>,
    /// False: it lets nobody in.
    open: bool,
}

impl<'a> Resolved<'a> {
    fn new(rule: &'a Rule, nodes: &[NodeFacts]) -> Self {
        let mut resolved = Self {
            rule,
            by_user: BTreeMap::new(),
            tagged: Vec::new(),
            recorders: Vec::new(),
            open: true,
        };
        for node in nodes {
            if rule.is_recorder(node) {
                resolved.recorders.extend(&node.addresses);
            }
            if !rule.is_source(node) {
                continue;
            }
            match node.owner() {
                Some(user) => resolved
                    .by_user
                    .entry(user)
                    .or_default()
                    .extend(&node.addresses),
                None => resolved.tagged.extend(&node.addresses),
            }
        }
        // Where a recording is demanded and nothing can record, nobody gets in.
        let unrecorded = rule.enforces() && resolved.recorders.is_empty();
        resolved.open = !(rule.is_shut() || unrecorded);
        resolved
    }
}

#[cfg(test)]
mod tests;
