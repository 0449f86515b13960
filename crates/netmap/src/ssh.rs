//! Who may sign in where by SSH, as nodes are told.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use policy::{Directory, SshLaw, SshPlace, SshTable};
use wire::control::SshPolicy;

use crate::{node::Node, tenant::Tenant};

/// The rules of `ssh` over the nodes of a snapshot. What nodes of one place are
/// told is made once.
#[derive(Debug)]
pub(crate) struct Ssh {
    law: Arc<SshLaw>,
    table: SshTable,
    told: Mutex<BTreeMap<SshPlace, Arc<SshPolicy>>>,
}

impl Ssh {
    pub(crate) fn new<'n>(
        tenant: &Tenant,
        directory: &Directory,
        nodes: impl IntoIterator<Item = &'n Node>,
    ) -> Self {
        let law = SshLaw::new(&tenant.policy, directory);
        let mut table = law.over_logins(&tenant.logins(), []);
        if !law.is_empty() {
            for node in nodes.into_iter().filter(|n| n.is_active()) {
                table.add(&node.facts());
            }
        }
        Self::of(Arc::new(law), table)
    }

    fn of(law: Arc<SshLaw>, table: SshTable) -> Self {
        Self {
            law,
            table,
            told: Mutex::default(),
        }
    }

    /// How a node that takes part stands as a destination.
    pub(crate) fn place_of(&self, node: &Node) -> SshPlace {
        if self.law.is_empty() {
            return SshPlace::default();
        }
        self.law.place_of(&node.facts())
    }

    /// What a node that takes part is told.
    pub(crate) fn told(&self, place: &SshPlace, node: &Node) -> Arc<SshPolicy> {
        if self.law.is_empty() {
            return Arc::default();
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(policy) = told.get(place) {
            return Arc::clone(policy);
        }
        let rules = self.table.policy_for(&node.facts(), None);
        let policy = Arc::new(SshPolicy { rules });
        told.insert(place.clone(), Arc::clone(&policy));
        policy
    }

    /// The same rules after a node has changed; `None`: no rule names it.
    pub(crate) fn after(&self, before: Option<&Node>, after: Option<&Node>) -> Option<Self> {
        if self.law.is_empty() {
            return None;
        }
        let facts = |node: Option<&Node>| {
            let facts = node.filter(|n| n.is_active()).map(Node::facts);
            facts.filter(|f| self.table.names(f))
        };
        let (before, after) = (facts(before), facts(after));
        if before == after {
            return None;
        }
        let mut table = self.table.clone();
        if let Some(before) = &before {
            table.remove(before);
        }
        if let Some(after) = &after {
            table.add(after);
        }
        Some(Self::of(Arc::clone(&self.law), table))
    }
}
