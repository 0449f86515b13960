//! A tenant at one moment.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use policy::{Directory, Routers};
use wire::{
    NodeId, Timestamp,
    control::{self, DnsConfig, MapResponse, SshPolicy, map::Debug, netmap::BASE_FILTER},
    filter::FilterRule,
    net::Prefix,
};

use crate::{
    change::Change,
    class::{ClassId, Law},
    eye::Eye,
    frame::{Form, with_peers},
    member::{Member, as_self, plain, reached_at},
    node::Node,
    segment::Members,
    spelled::{Spelled, named},
    ssh::Ssh,
    tenant::Tenant,
};

mod judge;

use judge::{Judges, served};

/// A tenant at one moment: immutable, and cheap to clone. Snapshots share what
/// did not change between them.
#[derive(Debug, Clone)]
pub struct Snapshot(Arc<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    seq: u64,
    tenant: Arc<Tenant>,
    law: Arc<Law>,
    routers: Arc<Routers>,
    ssh: Arc<Ssh>,
    spelled: Arc<Spelled>,
    members: Members,
}

impl Snapshot {
    /// A tenant with these nodes.
    pub fn new(tenant: Tenant, nodes: impl IntoIterator<Item = Node>) -> Self {
        let by_id: BTreeMap<NodeId, Node> = nodes.into_iter().map(|n| (n.id, n)).collect();
        let mut judges = Judges::new(&tenant, by_id.values());
        let members: Vec<_> = by_id
            .into_values()
            .map(|node| {
                let eye = judges.eye_of(&node);
                Arc::new(Member::new(node, eye, &judges.law, &tenant))
            })
            .collect();
        let Judges { law, routers, ssh } = judges;
        Self(Arc::new(Inner {
            seq: 0,
            tenant: Arc::new(tenant),
            law: Arc::new(law),
            routers: Arc::new(routers),
            ssh: Arc::new(ssh),
            spelled: Arc::default(),
            members: Members::from_sorted(&members),
        }))
    }

    /// How many times it was changed.
    pub fn seq(&self) -> u64 {
        self.0.seq
    }

    /// What its nodes share.
    pub fn tenant(&self) -> &Tenant {
        &self.0.tenant
    }

    /// What the law knows of the tenant.
    pub fn directory(&self) -> Directory {
        self.tenant().directory(served(self.nodes()))
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.0.members.get(id).map(|m| &m.node)
    }

    /// All nodes, by id.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.0.members.iter().map(|m| &m.node)
    }

    /// Whether the policy's `autoApprovers` approve a route that the node offers.
    pub fn approves(&self, id: NodeId, route: &Prefix) -> bool {
        let node = self.node(id);
        node.is_some_and(|node| self.0.law.approves(node, route))
    }

    /// The subnet routes that a node is the primary router of.
    pub fn primary_routes(&self, id: NodeId) -> Vec<Prefix> {
        let node = self.node(id).filter(|node| node.is_router());
        node.map(|node| self.0.routers.primary_routes(id, &node.facts()))
            .unwrap_or_default()
    }

    /// The snapshot after these changes, in their order.
    #[must_use]
    pub fn apply(&self, changes: impl IntoIterator<Item = Change>) -> Self {
        let mut next = Inner::clone(&self.0);
        next.seq += 1;
        let mut anew = false;
        for change in changes {
            match change {
                Change::Node(node) => next.set_node(*node),
                Change::NodeRemoved(id) => next.remove_node(id),
                Change::Reach(id, reach) => {
                    if let Some(member) = next.members.get(id) {
                        let reach = *reach;
                        let node = member.node.clone();
                        next.set_node(Node { reach, ..node });
                    }
                }
                Change::Policy(policy) => {
                    anew = true;
                    Arc::make_mut(&mut next.tenant).policy = policy;
                }
                Change::People(people) => {
                    anew = true;
                    Arc::make_mut(&mut next.tenant).people = people;
                }
                Change::Name(name) => Arc::make_mut(&mut next.tenant).name = name,
                Change::RelayMap(map) => Arc::make_mut(&mut next.tenant).relay_map = map,
            }
        }
        if anew {
            next.judge_anew();
        } else {
            next.settle_routes();
        }
        Self(Arc::new(next))
    }

    /// The whole netmap of a node as one frame, which comes in several pieces
    /// when it is large; `None` for an unknown node.
    pub fn full(&self, id: NodeId, form: Form, now: Timestamp) -> Option<Vec<Bytes>> {
        let members = &self.0.members;
        let viewer = members.get(id)?;
        let segments = members.segments().iter().enumerate();
        let seen = segments.map(|(i, s)| (i, s.seen(self, &viewer.eye)));
        let chosen = seen.filter(|(_, shown)| !shown.is_empty()).collect();
        let blocks = members.blocks(&chosen, members.place(id), form);
        let head = to_json(&self.head(viewer, now));
        Some(with_peers(head, "Peers", blocks, form))
    }

    /// A full netmap without its peers.
    fn head(&self, viewer: &Member, now: Timestamp) -> MapResponse {
        let tenant = &*self.0.tenant;
        let seen = self.visible_to(viewer).map(|m| &m.node.owner);
        let owners = seen.chain([&viewer.node.owner]);
        MapResponse {
            node: Some(self.as_self(viewer)),
            relay_map: Some((*tenant.relay_map).clone()),
            dns_config: Some(DnsConfig::default()),
            domain: Some(self.domain()),
            packet_filters: Some(base_filter(self.filter_of(viewer))),
            user_profiles: Some(tenant.profiles(owners.map(|o| tenant.user_of(o)))),
            ssh_policy: Some(self.ssh_policy(viewer))
                .filter(|p| !p.rules.is_empty())
                .map(|p| (*p).clone()),
            control_time: Some(now),
            debug: Some(Debug {
                disable_log_tail: true,
            }),
            ..MapResponse::default()
        }
    }

    pub(crate) fn visible_to<'a>(
        &'a self,
        viewer: &'a Member,
    ) -> impl Iterator<Item = &'a Arc<Member>> {
        self.0
            .members
            .iter()
            .filter(|m| m.id() != viewer.id() && self.sees(viewer.class(), m.class()))
    }

    /// The tenant's name; an empty one would say "unchanged".
    pub(crate) fn domain(&self) -> String {
        let name = plain(&self.0.tenant.name, 255);
        if name.trim().is_empty() {
            return self.0.tenant.dns_suffix.clone();
        }
        name
    }

    pub(crate) fn filter_of(&self, viewer: &Member) -> Vec<FilterRule> {
        self.spelled_out(self.0.law.filter_of(viewer.class(), &viewer.node))
    }

    /// The filter of nodes in this class that offer no routes.
    pub(crate) fn class_filter(&self, class: Option<ClassId>) -> Vec<FilterRule> {
        self.spelled_out(self.0.law.class_filter(class).to_vec())
    }

    fn spelled_out(&self, rules: Vec<FilterRule>) -> Vec<FilterRule> {
        let Inner { law, members, .. } = &*self.0;
        self.0.spelled.spell(rules, law, members)
    }

    /// Whether no node has moved into, out of or within a source set.
    pub(crate) fn shares_sources(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0.spelled, &other.0.spelled)
    }

    /// Whether class `was` has the filter here that class `is` has in a later snapshot.
    pub(crate) fn has_same_filter(
        &self,
        after: &Self,
        was: Option<ClassId>,
        is: Option<ClassId>,
    ) -> bool {
        let (law, law_after) = (self.law(), after.law());
        let same_class = law.is_same(law_after) && was == is;
        if same_class && self.shares_sources(after) {
            return true;
        }
        let rules = law_after.class_filter(is);
        if !same_class && law.class_filter(was) != rules {
            return false;
        }
        if law.numbers_alike(law_after) {
            return self.0.spelled.is_alike(&after.0.spelled, law_after, rules);
        }
        named(rules).next().is_none() || self.class_filter(was) == after.class_filter(is)
    }

    /// What a node is told of itself.
    pub(crate) fn as_self(&self, member: &Member) -> control::Node {
        let Inner { law, routers, .. } = &*self.0;
        let node = &member.node;
        let mut own = as_self(node, self.tenant());
        let Some(class) = member.class() else {
            return own;
        };
        let facts = node.facts();
        let routes: Vec<_> = facts
            .routes
            .iter()
            .chain(&facts.exit_routes)
            .copied()
            .collect();
        reached_at(&mut own, law.is_v6_only(member.class()), &routes);
        own.primary_routes = routers.primary_routes(node.id, &facts);
        own.cap_map.clone_from(&law.class(class).own_caps);
        own
    }

    /// The routes of a peer that somebody who sees it sends packets into.
    pub(crate) fn routes_seen(&self, viewer: &Eye, peer: Option<&Member>) -> Vec<Prefix> {
        let Inner { law, routers, .. } = &*self.0;
        let router = peer.filter(|p| p.node.is_router());
        let routes = router.map(|peer| law.routes_seen(routers, viewer, &peer.node));
        routes.unwrap_or_default()
    }

    fn ssh_policy(&self, viewer: &Member) -> Arc<SshPolicy> {
        let told = |_| self.0.ssh.told(&viewer.eye.ssh, &viewer.node);
        viewer.class().map(told).unwrap_or_default()
    }

    /// The SSH policy of a node, if it is another one than in an earlier snapshot.
    pub(crate) fn ssh_since(&self, is: &Member, then: &Self, was: &Member) -> Option<SshPolicy> {
        let same_place = was.eye.ssh == is.eye.ssh && was.class().is_some() == is.class().is_some();
        if same_place && Arc::ptr_eq(&self.0.ssh, &then.0.ssh) {
            return None;
        }
        let (old, new) = (then.ssh_policy(was), self.ssh_policy(is));
        (old != new).then(|| (*new).clone())
    }

    pub(crate) fn sees(&self, a: Option<ClassId>, b: Option<ClassId>) -> bool {
        self.0.law.sees(a, b)
    }

    pub(crate) fn law(&self) -> &Law {
        &self.0.law
    }

    pub(crate) fn members(&self) -> &Members {
        &self.0.members
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn shares_tenant(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0.tenant, &other.0.tenant)
    }
}

pub(crate) fn base_filter(rules: Vec<FilterRule>) -> BTreeMap<String, Option<Vec<FilterRule>>> {
    [(BASE_FILTER.to_owned(), Some(rules))].into()
}

pub(crate) fn to_json(response: &MapResponse) -> Vec<u8> {
    serde_json::to_vec(response).expect("a map response is always JSON")
}
