//! The nodes of a snapshot before the law, and how changes move them.

use std::{collections::BTreeSet, sync::Arc};

use policy::Routers;
use wire::{NodeId, net::Prefix};

use super::Inner;
use crate::{
    class::{ClassId, Law},
    eye::Eye,
    member::Member,
    node::Node,
    segment::Members,
    ssh::Ssh,
    tenant::Tenant,
};

/// All that judges the nodes of a snapshot, before anybody shares it.
pub(super) struct Judges {
    pub(super) law: Law,
    pub(super) routers: Routers,
    pub(super) ssh: Ssh,
}

impl Judges {
    pub(super) fn new<'n>(tenant: &Tenant, nodes: impl Iterator<Item = &'n Node> + Clone) -> Self {
        let directory = tenant.directory(served(nodes.clone()));
        let law = Law::new(policy::Compiled::new(&tenant.policy, &directory));
        let mut routers = Routers::default();
        for router in nodes.clone().filter(|n| serves_subnets(n)) {
            law.add_router(&mut routers, router);
        }
        Self {
            law,
            routers,
            ssh: Ssh::new(tenant, &directory, nodes),
        }
    }

    pub(super) fn eye_of(&mut self, node: &Node) -> Eye {
        if !node.is_active() {
            return Eye::default();
        }
        let key = self.law.key_of(node);
        let known = self.law.find(&key);
        let class = known.unwrap_or_else(|| self.law.add(key));
        eye(class, node, &self.ssh)
    }
}

/// The eye of a node that takes part.
fn eye(class: ClassId, node: &Node, ssh: &Ssh) -> Eye {
    Eye {
        class: Some(class),
        routes: node.routes.clone(),
        ssh: ssh.place_of(node),
    }
}

impl Inner {
    pub(super) fn set_node(&mut self, node: Node) {
        let before = self.members.get(node.id).cloned();
        if before.as_ref().is_some_and(|b| b.node == node) {
            return;
        }
        self.follow(before.as_ref().map(|b| &b.node), Some(&node));
        let known = before
            .as_ref()
            .filter(|b| b.node.is_alike_before_the_law(&node));
        let eye = match known {
            Some(before) => before.eye.clone(),
            None => self.eye_of(&node),
        };
        let was = before.as_ref().and_then(|b| b.class());
        let addresses = before.as_ref().map(|b| b.node.addresses());
        if was != eye.class || addresses.is_none_or(|a| a != node.addresses()) {
            self.note_moved([was, eye.class]);
        }
        let member = Member::new(node, eye, &self.law, &self.tenant);
        self.members.set(Arc::new(member));
    }

    pub(super) fn remove_node(&mut self, id: NodeId) {
        if let Some(gone) = self.members.get(id).cloned() {
            self.follow(Some(&gone.node), None);
            self.note_moved([gone.class(), None]);
            self.members.remove(id);
        }
    }

    /// Nodes of these classes came, went or took other addresses.
    fn note_moved(&mut self, classes: [Option<ClassId>; 2]) {
        for class in classes.into_iter().flatten() {
            Arc::make_mut(&mut self.spelled).moved(class, &self.law, self.seq);
        }
    }

    fn eye_of(&mut self, node: &Node) -> Eye {
        if !node.is_active() {
            return Eye::default();
        }
        let key = self.law.key_of(node);
        let class = match self.law.find(&key) {
            Some(id) => id,
            None => Arc::make_mut(&mut self.law).add(key),
        };
        eye(class, node, &self.ssh)
    }

    /// What a changed node means for the others: the SSH rules that name it, and
    /// elections that it takes part in.
    fn follow(&mut self, before: Option<&Node>, after: Option<&Node>) {
        if let Some(ssh) = self.ssh.after(before, after) {
            self.ssh = Arc::new(ssh);
        }
        let before = before.filter(|n| serves_subnets(n));
        let after = after.filter(|n| serves_subnets(n));
        if before.map(candidacy) == after.map(candidacy) {
            return;
        }
        let routers = Arc::make_mut(&mut self.routers);
        if let Some(node) = before {
            routers.remove(node.id, &node.facts());
        }
        if let Some(node) = after {
            self.law.add_router(routers, node);
        }
        let both = before.into_iter().chain(after);
        let mut others = routers.of(both.clone().flat_map(|n| &n.routes));
        both.for_each(|n| {
            others.remove(&n.id);
        });
        // They may be told of in another way: a step must look at them.
        for id in others {
            if let Some(member) = self.members.get(id) {
                let again = member.with_eye(member.eye.clone());
                self.members.set(Arc::new(again));
            }
        }
    }

    /// Lets `*` stand for the routes that are served now.
    pub(super) fn settle_routes(&mut self) {
        let routes = self.routers.prefixes();
        if !self.law.has_routes(routes) {
            let routes = self.routers.prefixes().collect();
            Arc::make_mut(&mut self.law).set_routes(routes);
        }
    }

    pub(super) fn judge_anew(&mut self) {
        let nodes = self.members.iter().map(|m| &m.node);
        let mut judges = Judges::new(&self.tenant, nodes);
        let members = self.members.iter().map(|old| {
            let eye = judges.eye_of(&old.node);
            let same = old.is_same_to_peers(&self.law, eye.class, &judges.law);
            Arc::new(if same {
                old.with_eye(eye)
            } else {
                Member::new(old.node.clone(), eye, &judges.law, &self.tenant)
            })
        });
        self.members = Members::from_sorted(&members.collect::<Vec<_>>());
        let Judges { law, routers, ssh } = judges;
        self.law = Arc::new(law);
        self.routers = Arc::new(routers);
        self.ssh = Arc::new(ssh);
        self.spelled = Arc::default();
    }
}

/// Whether it is a candidate where routers are elected.
fn serves_subnets(node: &Node) -> bool {
    node.is_active() && !node.routes.is_empty()
}

/// What elections regard.
fn candidacy(node: &Node) -> impl PartialEq {
    let standing = node.standing();
    (node.id, standing, node.routes.clone(), node.tags())
}

/// The subnet routes that these nodes serve, sorted.
pub(super) fn served<'a>(nodes: impl Iterator<Item = &'a Node>) -> Vec<Prefix> {
    let active = nodes.filter(|n| n.is_active());
    let routes: BTreeSet<Prefix> = active.flat_map(|n| &n.routes).copied().collect();
    routes.into_iter().collect()
}
