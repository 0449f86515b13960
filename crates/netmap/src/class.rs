//! The law of a snapshot: its classes, what each sees, and its filter.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use policy::{
    ClassKey, Compiled, Routers, Sight,
    routes::{Peer, Viewer},
};
use wire::{control::map::CapMap, filter::FilterRule, net::Prefix};

use crate::{eye::Eye, node::Node};

/// Clients offer their SSH server only where they find this on themselves.
const SSH: &str = "https://tailscale.com/cap/ssh";
/// `acceptEnv` of SSH rules counts only where clients find this on themselves.
const SSH_ENVIRONMENT: &str = "ssh-env-vars";

/// A class by its number in [`Law`]; numbers mean nothing to another law.
pub(crate) type ClassId = u32;

/// The compiled policy and the classes that nodes were found in.
#[derive(Debug, Clone)]
pub(crate) struct Law {
    compiled: Arc<Compiled>,
    /// Laws with the same one number their classes alike.
    numbering: Arc<()>,
    numbers: BTreeMap<ClassKey, ClassId>,
    classes: Vec<Arc<Class>>,
    /// By class: the filter of its nodes that offer no routes, made when it is needed.
    filters: Vec<Arc<OnceLock<Vec<FilterRule>>>>,
    sight: Sight,
}

/// Nodes that are alike before the law.
#[derive(Debug)]
pub(crate) struct Class {
    key: ClassKey,
    /// Bit `i`: it and class `i` see each other, for `i` up to its own number.
    sees: Vec<u64>,
    /// What its nodes carry where peers see them: the source sets that filters name.
    pub(crate) caps: CapMap,
    /// What its nodes find on themselves.
    pub(crate) own_caps: CapMap,
    /// Its nodes have no IPv4 address and see none.
    pub(crate) v6_only: bool,
}

impl Law {
    pub(crate) fn new(compiled: Compiled) -> Self {
        Self {
            compiled: Arc::new(compiled),
            numbering: Arc::new(()),
            numbers: BTreeMap::new(),
            classes: Vec::new(),
            filters: Vec::new(),
            sight: Sight::default(),
        }
    }

    /// True when the two judge alike.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.compiled, &other.compiled)
    }

    /// True when the numbers of one mean the same in the other.
    pub(crate) fn numbers_alike(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.numbering, &other.numbering)
    }

    /// Takes other subnet routes, which `*` as a source includes: it touches filters alone.
    pub(crate) fn set_routes(&mut self, routes: Vec<Prefix>) {
        self.compiled = Arc::new(self.compiled.with_routes(routes));
        self.filters = self.filters.iter().map(|_| Arc::default()).collect();
    }

    /// True when `*` as a source includes these subnet routes, and no others.
    pub(crate) fn has_routes(&self, routes: impl Iterator<Item = Prefix>) -> bool {
        routes.eq(self.compiled.routes().iter().copied())
    }

    /// The class of a node, if it has been seen before.
    pub(crate) fn find(&self, key: &ClassKey) -> Option<ClassId> {
        self.numbers.get(key).copied()
    }

    pub(crate) fn approves(&self, node: &Node, route: &Prefix) -> bool {
        self.compiled.approves_route(&node.facts(), route)
    }

    pub(crate) fn key_of(&self, node: &Node) -> ClassKey {
        self.compiled.class_of(&node.facts())
    }

    pub(crate) fn add(&mut self, key: ClassKey) -> ClassId {
        let id = ClassId::try_from(self.classes.len()).expect("classes are fewer than nodes");
        let sees = self.sight.add(&key);
        let sets = self.compiled.source_sets(&key);
        self.classes.push(Arc::new(Class {
            sees,
            caps: sets.iter().map(|s| (s.capability(), Vec::new())).collect(),
            own_caps: own_caps(&self.compiled, &key),
            v6_only: key.is_without_ipv4(),
            key: key.clone(),
        }));
        self.filters.push(Arc::default());
        self.numbers.insert(key, id);
        id
    }

    pub(crate) fn class(&self, id: ClassId) -> &Class {
        &self.classes[id as usize]
    }

    /// What a node in this class carries where peers see it.
    pub(crate) fn caps_of(&self, class: Option<ClassId>, node: &Node) -> CapMap {
        let mut caps = class.map_or_else(CapMap::new, |id| self.class(id).caps.clone());
        if class.is_some() && node.is_router() {
            caps.extend(self.compiled.attributes_for_peers(&node.facts()));
        }
        caps
    }

    /// True for a class without IPv4.
    pub(crate) fn is_v6_only(&self, class: Option<ClassId>) -> bool {
        class.is_some_and(|id| self.class(id).v6_only)
    }

    /// The routes of a peer that somebody who sees it sends packets into.
    pub(crate) fn routes_seen(&self, routers: &Routers, viewer: &Eye, peer: &Node) -> Vec<Prefix> {
        let Some(class) = viewer.class.filter(|_| peer.is_router()) else {
            return Vec::new();
        };
        let viewer = Viewer {
            class: &self.class(class).key,
            routes: &viewer.routes,
        };
        let (id, node) = (peer.id, &peer.facts());
        self.compiled
            .routes_seen(routers, viewer, Peer { id, node })
    }

    /// Takes a router that takes part in.
    pub(crate) fn add_router(&self, routers: &mut Routers, node: &Node) {
        routers.add(&self.compiled, node.id, node.standing(), &node.facts());
    }

    /// True when nodes of the two classes see each other. No class, nobody.
    pub(crate) fn sees(&self, a: Option<ClassId>, b: Option<ClassId>) -> bool {
        let (Some(a), Some(b)) = (a, b) else {
            return false;
        };
        let (low, high) = (a.min(b) as usize, a.max(b));
        self.class(high).sees[low / 64] >> (low % 64) & 1 == 1
    }

    /// The packet filter of nodes in this class that offer no routes.
    pub(crate) fn class_filter(&self, class: Option<ClassId>) -> &[FilterRule] {
        let Some(id) = class else {
            return &[];
        };
        let filter = || self.compiled.class_filter(&self.class(id).key);
        self.filters[id as usize].get_or_init(filter)
    }

    /// The packet filter of a node in this class.
    pub(crate) fn filter_of(&self, class: Option<ClassId>, node: &Node) -> Vec<FilterRule> {
        match class.filter(|_| node.offers_routes()) {
            None => self.class_filter(class).to_vec(),
            Some(id) => {
                let key = &self.class(id).key;
                self.compiled.node_filter(key, &node.facts())
            }
        }
    }
}

/// What nodes of a class find on themselves.
pub(crate) fn own_caps(law: &Compiled, class: &ClassKey) -> CapMap {
    let mut caps = law.attributes(class);
    for name in [SSH, SSH_ENVIRONMENT] {
        caps.entry(name.to_owned()).or_default();
    }
    caps
}
