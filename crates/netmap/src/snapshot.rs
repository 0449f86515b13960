//! A tenant at one moment.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use policy::Directory;
use wire::{
    NodeId, Timestamp,
    control::{DnsConfig, MapResponse, map::Debug, netmap::BASE_FILTER},
    filter::FilterRule,
    net::Prefix,
};

use crate::{
    change::Change,
    class::{ClassId, Law},
    frame::{Form, with_peers},
    member::{Member, as_self, plain},
    node::Node,
    segment::Members,
    tenant::Tenant,
};

/// A tenant at one moment: immutable, and cheap to clone. Snapshots share what
/// did not change between them.
#[derive(Debug, Clone)]
pub struct Snapshot(Arc<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    seq: u64,
    tenant: Arc<Tenant>,
    law: Arc<Law>,
    members: Members,
}

impl Snapshot {
    /// A tenant with these nodes.
    pub fn new(tenant: Tenant, nodes: impl IntoIterator<Item = Node>) -> Self {
        let by_id: BTreeMap<NodeId, Node> = nodes.into_iter().map(|n| (n.id, n)).collect();
        let mut law = Law::new(tenant.compile(served(by_id.values())));
        let members: Vec<_> = by_id
            .into_values()
            .map(|node| {
                let class = class_of(&mut law, &node);
                Arc::new(Member::new(node, class, &law, &tenant))
            })
            .collect();
        let members = Members::from_sorted(&members);
        Self(Arc::new(Inner {
            seq: 0,
            tenant: Arc::new(tenant),
            law: Arc::new(law),
            members,
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

    /// The snapshot after these changes, in their order.
    #[must_use]
    pub fn apply(&self, changes: impl IntoIterator<Item = Change>) -> Self {
        let mut next = Inner::clone(&self.0);
        next.seq += 1;
        let mut anew = false;
        for change in changes {
            match change {
                Change::Node(node) => {
                    anew |= next.serves_others(node.id, Some(&node));
                    next.set_node(*node);
                }
                Change::NodeRemoved(id) => {
                    anew |= next.serves_others(id, None);
                    next.members.remove(id);
                }
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
        }
        Self(Arc::new(next))
    }

    /// The whole netmap of a node as one frame, which comes in several pieces
    /// when it is large; `None` for an unknown node.
    pub fn full(&self, id: NodeId, form: Form, now: Timestamp) -> Option<Vec<Bytes>> {
        let Inner { law, members, .. } = &*self.0;
        let viewer = members.get(id)?;
        let segments = members.segments().iter().enumerate();
        let seen = segments.map(|(i, s)| (i, s.seen(law, viewer.class)));
        let chosen = seen.filter(|(_, bits)| *bits != 0).collect();
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
            node: Some(as_self(&viewer.node, tenant)),
            relay_map: Some((*tenant.relay_map).clone()),
            dns_config: Some(DnsConfig::default()),
            domain: Some(self.domain()),
            packet_filters: Some(base_filter(self.filter_of(viewer))),
            user_profiles: Some(tenant.profiles(owners.map(|o| tenant.user_of(o)))),
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
            .filter(|m| m.id() != viewer.id() && self.sees(viewer.class, m.class))
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
        self.0.law.filter_of(viewer.class, &viewer.node)
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

impl Inner {
    fn set_node(&mut self, node: Node) {
        let before = self.members.get(node.id);
        if before.is_some_and(|b| b.node == node) {
            return;
        }
        let known = before.filter(|b| b.node.is_alike_before_the_law(&node));
        let class = match known {
            Some(before) => before.class,
            None => class_in(&mut self.law, &node),
        };
        let member = Member::new(node, class, &self.law, &self.tenant);
        self.members.set(Arc::new(member));
    }

    /// Whether the subnet routes that a node serves change.
    fn serves_others(&self, id: NodeId, now: Option<&Node>) -> bool {
        let before = self.members.get(id).map(|m| &m.node);
        served(before) != served(now)
    }

    fn judge_anew(&mut self) {
        let routes = served(self.members.iter().map(|m| &m.node));
        let mut law = Law::new(self.tenant.compile(routes));
        let mut members = Vec::new();
        for old in self.members.iter() {
            let class = class_of(&mut law, &old.node);
            let caps = class.map(|id| &law.class(id).caps);
            members.push(Arc::new(if old.caps(&self.law) == caps {
                old.judged_anew(class)
            } else {
                Member::new(old.node.clone(), class, &law, &self.tenant)
            }));
        }
        self.members = Members::from_sorted(&members);
        self.law = Arc::new(law);
    }
}

/// The subnet routes that these nodes serve, sorted.
fn served<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> Vec<Prefix> {
    let active = nodes.into_iter().filter(|n| n.is_active());
    let routes: BTreeSet<Prefix> = active.flat_map(|n| &n.routes).copied().collect();
    routes.into_iter().collect()
}

/// The class of a node, made if it is the first one in it.
fn class_in(law: &mut Arc<Law>, node: &Node) -> Option<ClassId> {
    if !node.is_active() {
        return None;
    }
    let key = law.key_of(node);
    Some(match law.find(&key) {
        Some(id) => id,
        None => Arc::make_mut(law).add(key),
    })
}

/// As [`class_in`], for a law that nobody shares yet.
fn class_of(law: &mut Law, node: &Node) -> Option<ClassId> {
    node.is_active().then(|| {
        let key = law.key_of(node);
        law.find(&key).unwrap_or_else(|| law.add(key))
    })
}

pub(crate) fn base_filter(rules: Vec<FilterRule>) -> BTreeMap<String, Option<Vec<FilterRule>>> {
    [(BASE_FILTER.to_owned(), Some(rules))].into()
}

pub(crate) fn to_json(response: &MapResponse) -> Vec<u8> {
    serde_json::to_vec(response).expect("a map response is always JSON")
}
