//! The rules with the nodes that they name at one moment.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use wire::{UserId, control::SshPrincipal};

use super::rule::Rule;
use crate::directory::NodeFacts;

/// The rules and the nodes that they name at one moment.
#[derive(Debug, Clone)]
pub struct SshTable {
    pub(super) rules: Vec<Resolved>,
    /// People go by their login names; else their devices go by address.
    by_login: bool,
}

/// A rule with the nodes that it names.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    pub(super) rule: Arc<Rule>,
    /// Sources that are people's own devices, by owner.
    pub(super) by_user: Arc<BTreeMap<UserId, BTreeSet<SshPrincipal>>>,
    /// Sources that are tagged.
    pub(super) tagged: Arc<BTreeSet<SshPrincipal>>,
    pub(super) recorders: Arc<BTreeSet<IpAddr>>,
}

impl SshTable {
    /// With `people`, they go by these login names.
    pub(super) fn new<'n>(
        rules: &[Arc<Rule>],
        people: Option<&[(UserId, String)]>,
        nodes: impl IntoIterator<Item = &'n NodeFacts>,
    ) -> Self {
        let resolved = |rule| Resolved::new(rule, people.unwrap_or_default());
        let mut table = Self {
            rules: rules.iter().map(resolved).collect(),
            by_login: people.is_some(),
        };
        for node in nodes {
            table.add(node);
        }
        table
    }

    /// True when a rule names the node itself: as a source by its address, or as a recorder.
    pub fn names(&self, node: &NodeFacts) -> bool {
        let by_login = |r: &Resolved| self.by_login && r.may_go_by_login(node);
        self.rules
            .iter()
            .any(|r| r.rule.is_recorder(node) || (!by_login(r) && r.rule.is_source(node)))
    }

    /// Takes a node in that is not in it.
    pub fn add(&mut self, node: &NodeFacts) {
        for resolved in &mut self.rules {
            resolved.add(node, self.by_login);
        }
    }

    /// Takes a node out, given what was known of it when it was taken in.
    pub fn remove(&mut self, node: &NodeFacts) {
        for resolved in &mut self.rules {
            resolved.remove(node, self.by_login);
        }
    }
}

impl Resolved {
    fn new(rule: &Arc<Rule>, people: &[(UserId, String)]) -> Self {
        let named = people.iter().filter(|_| rule.asks_no_posture());
        let sources = named.filter(|(user, _)| rule.has_source(*user));
        let by_user = sources.map(|(user, login)| (*user, BTreeSet::from([by_login(login)])));
        Self {
            rule: Arc::clone(rule),
            by_user: Arc::new(by_user.collect()),
            tagged: Arc::default(),
            recorders: Arc::default(),
        }
    }

    /// False: it lets nobody in. Where a recording is demanded and nothing can
    /// record, nobody gets in.
    pub(super) fn is_open(&self) -> bool {
        !(self.rule.enforces() && self.recorders.is_empty())
    }

    /// A rule that asks for a posture names devices.
    fn may_go_by_login(&self, node: &NodeFacts) -> bool {
        node.owner().is_some() && self.rule.asks_no_posture()
    }

    fn add(&mut self, node: &NodeFacts, by_login: bool) {
        if self.rule.is_recorder(node) {
            Arc::make_mut(&mut self.recorders).extend(&node.addresses);
        }
        if !self.rule.is_source(node) {
            return;
        }
        match node.owner() {
            None => Arc::make_mut(&mut self.tagged).extend(addresses(node)),
            Some(_) if by_login && self.may_go_by_login(node) => {}
            Some(user) => {
                let by_user = Arc::make_mut(&mut self.by_user);
                by_user.entry(user).or_default().extend(addresses(node));
            }
        }
    }

    fn remove(&mut self, node: &NodeFacts, by_login: bool) {
        if self.rule.is_recorder(node) {
            let recorders = Arc::make_mut(&mut self.recorders);
            recorders.retain(|a| !node.addresses.contains(a));
        }
        if !self.rule.is_source(node) {
            return;
        }
        match node.owner() {
            None => take(Arc::make_mut(&mut self.tagged), node),
            Some(_) if by_login && self.may_go_by_login(node) => {}
            Some(user) => {
                let by_user = Arc::make_mut(&mut self.by_user);
                if let Some(devices) = by_user.get_mut(&user) {
                    take(devices, node);
                    if devices.is_empty() {
                        by_user.remove(&user);
                    }
                }
            }
        }
    }
}

fn take(principals: &mut BTreeSet<SshPrincipal>, node: &NodeFacts) {
    for principal in addresses(node) {
        principals.remove(&principal);
    }
}

/// A node as a source, by each of its addresses.
pub(super) fn addresses(node: &NodeFacts) -> impl Iterator<Item = SshPrincipal> + '_ {
    node.addresses.iter().map(|address| SshPrincipal {
        node_ip: Some(*address),
        ..SshPrincipal::default()
    })
}

fn by_login(login: &str) -> SshPrincipal {
    SshPrincipal {
        user_login: Some(login.to_owned()),
        ..SshPrincipal::default()
    }
}
