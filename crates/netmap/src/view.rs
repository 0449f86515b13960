//! What each node is told, put as plainly as it can be.

use policy::{
    ClassKey, Compiled, NodeFacts, Routers, SshLaw,
    routes::{Peer, Viewer},
};
use wire::{
    NodeId, Timestamp,
    control::{self, DnsConfig, NetMap, SshPolicy, map::CapMap, netmap::BASE_FILTER},
    filter::FilterRule,
    net::Prefix,
};

use crate::{
    class::own_caps,
    member::{as_peer, as_self},
    node::Node,
    snapshot::Snapshot,
};

/// A node that takes part, before the law.
struct Judged<'a> {
    node: &'a Node,
    facts: NodeFacts,
    class: ClassKey,
}

/// The nodes that take part, and what judges them.
struct World<'a> {
    law: Compiled,
    routers: Routers,
    nodes: Vec<Judged<'a>>,
}

impl Snapshot {
    /// What a node knows when it is up to date: the meaning of all frames. Made
    /// from the law and the nodes alone, node by node; frames never use it.
    pub fn view(&self, id: NodeId, now: Timestamp) -> Option<NetMap> {
        let (tenant, viewer) = (self.tenant(), self.node(id)?);
        let world = self.world();
        let own = world.nodes.iter().find(|n| n.node.id == id);
        let peers: Vec<_> = own.map_or_else(Vec::new, |own| world.seen_by(own));
        let owners = peers.iter().map(|p| &p.node.owner).chain([&viewer.owner]);
        let profiles = tenant.profiles(owners.map(|o| tenant.user_of(o)));
        let told = |peer: &&Judged<'_>| {
            let mut told = as_peer(peer.node, world.caps(peer), tenant);
            if let Some(own) = own {
                world.reach(&mut told, own, peer);
            }
            (peer.node.id, told)
        };
        Some(NetMap {
            node: Some(self.own(&world, viewer, own)),
            user_profiles: profiles.into_iter().map(|p| (p.id, p)).collect(),
            peers: peers.iter().map(told).collect(),
            relay_map: (*tenant.relay_map).clone(),
            dns_config: DnsConfig::default(),
            domain: self.domain(),
            packet_filters: [(
                BASE_FILTER.to_owned(),
                own.map_or_else(Vec::new, |own| world.filter(own)),
            )]
            .into(),
            ssh_policy: own.map_or_else(SshPolicy::default, |own| self.signs_in(&world, own)),
            control_time: Some(now),
            health: Vec::new(),
        })
    }

    fn world(&self) -> World<'_> {
        let law = Compiled::new(&self.tenant().policy, &self.directory());
        let nodes: Vec<_> = self
            .nodes()
            .filter(|n| n.is_active())
            .map(|node| {
                let facts = node.facts();
                let class = law.class_of(&facts);
                Judged { node, facts, class }
            })
            .collect();
        let mut routers = Routers::default();
        for judged in &nodes {
            let standing = judged.node.standing();
            routers.add(&law, judged.node.id, standing, &judged.facts);
        }
        World {
            law,
            routers,
            nodes,
        }
    }

    fn own(&self, world: &World<'_>, viewer: &Node, own: Option<&Judged<'_>>) -> control::Node {
        let mut told = as_self(viewer, self.tenant());
        let Some(own) = own else {
            return told;
        };
        let routes = own.facts.routes.iter().chain(&own.facts.exit_routes);
        told.addresses = world.law.addresses(&own.class, &own.class, &own.facts);
        told.allowed_ips = Some(told.addresses.iter().chain(routes).copied().collect());
        told.primary_routes = world.routers.primary_routes(viewer.id, &own.facts);
        told.cap_map = own_caps(&world.law, &own.class);
        told
    }

    fn signs_in(&self, world: &World<'_>, own: &Judged<'_>) -> SshPolicy {
        let law = SshLaw::new(&self.tenant().policy, &self.directory());
        let nodes = world.nodes.iter().map(|n| &n.facts);
        let table = law.over_logins(&self.tenant().logins(), nodes);
        SshPolicy {
            rules: table.policy_for(&own.facts, None),
        }
    }
}

impl<'a> World<'a> {
    fn seen_by(&self, own: &Judged<'a>) -> Vec<&Judged<'a>> {
        let others = self.nodes.iter().filter(|n| n.node.id != own.node.id);
        others
            .filter(|n| self.law.visible(&own.class, &n.class))
            .collect()
    }

    fn filter(&self, own: &Judged<'_>) -> Vec<FilterRule> {
        let mut rules = if own.node.offers_routes() {
            self.law.node_filter(&own.class, &own.facts)
        } else {
            self.law.class_filter(&own.class)
        };
        for rule in rules.iter_mut().filter(|r| !r.cap_grant.is_empty()) {
            let sources = rule.src_ips.iter().flat_map(|s| self.addresses_in(s));
            rule.src_ips = sources.collect();
        }
        rules.retain(|r| r.cap_grant.is_empty() || !r.src_ips.is_empty());
        rules
    }

    /// The addresses of the nodes that a source names by its set; another stays as it is.
    fn addresses_in(&self, source: &str) -> Vec<String> {
        let Some(set) = source.strip_prefix("cap:") else {
            return vec![source.to_owned()];
        };
        let is_in = |n: &&Judged<'_>| {
            let sets = self.law.source_sets(&n.class);
            sets.iter().any(|s| s.capability() == set)
        };
        let nodes = self.nodes.iter().filter(is_in);
        nodes
            .flat_map(|n| self.law.addresses(&n.class, &n.class, &n.facts))
            .map(|p| p.addr.to_string())
            .collect()
    }

    fn caps(&self, peer: &Judged<'_>) -> CapMap {
        let sets = self.law.source_sets(&peer.class);
        let sets = sets.iter().map(|s| (s.capability(), Vec::new()));
        sets.chain(self.law.attributes_for_peers(&peer.facts))
            .collect()
    }

    /// Says where packets of one node to another go.
    fn reach(&self, told: &mut control::Node, own: &Judged<'_>, peer: &Judged<'_>) {
        let viewer = Viewer {
            class: &own.class,
            routes: &own.facts.routes,
        };
        let at = Peer {
            id: peer.node.id,
            node: &peer.facts,
        };
        let routes = self.law.routes_seen(&self.routers, viewer, at);
        told.addresses = self.law.addresses(&own.class, &peer.class, &peer.facts);
        told.allowed_ips = Some(told.addresses.iter().chain(&routes).copied().collect());
        let is_subnet = |route: &Prefix| !route.is_default_route();
        told.primary_routes = routes.into_iter().filter(is_subnet).collect();
    }
}
