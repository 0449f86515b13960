//! What each node is told, put as plainly as it can be.

use wire::{
    NodeId, Timestamp,
    control::{DnsConfig, NetMap, netmap::BASE_FILTER},
};

use crate::{
    member::{as_peer, as_self},
    snapshot::Snapshot,
};

impl Snapshot {
    /// What a node knows when it is up to date: the meaning of all frames. Made
    /// from the law and the nodes alone, node by node; frames never use it.
    pub fn view(&self, id: NodeId, now: Timestamp) -> Option<NetMap> {
        let (tenant, viewer) = (self.tenant(), self.node(id)?);
        let law = tenant.compile(self.directory().routes);
        let class = law.class_of(&viewer.facts());
        let peers: Vec<_> = self
            .nodes()
            .filter(|n| n.id != id && n.is_active() && viewer.is_active())
            .map(|n| (n, law.class_of(&n.facts())))
            .filter(|(_, other)| law.visible(&class, other))
            .collect();
        let owners = peers.iter().map(|(n, _)| &n.owner).chain([&viewer.owner]);
        let profiles = tenant.profiles(owners.map(|o| tenant.user_of(o)));
        let filter = match viewer.is_active() {
            false => Vec::new(),
            true if viewer.offers_routes() => law.node_filter(&class, &viewer.facts()),
            true => law.class_filter(&class),
        };
        let peer = |(node, class): (&crate::Node, policy::ClassKey)| {
            let sets = law.source_sets(&class);
            let caps = sets.iter().map(|s| (s.capability(), Vec::new()));
            (node.id, as_peer(node, caps.collect(), tenant))
        };
        Some(NetMap {
            node: Some(as_self(viewer, tenant)),
            user_profiles: profiles.into_iter().map(|p| (p.id, p)).collect(),
            peers: peers.into_iter().map(peer).collect(),
            relay_map: (*tenant.relay_map).clone(),
            dns_config: DnsConfig::default(),
            domain: self.domain(),
            packet_filters: [(BASE_FILTER.to_owned(), filter)].into(),
            control_time: Some(now),
            health: Vec::new(),
        })
    }
}
