//! What a node is told of itself and of its peers.

use std::collections::BTreeMap;

use policy::{
    Compiled, Routers,
    routes::{Peer, Viewer},
};

use crate::{
    case::Facts,
    tenant::Node,
    told::{View, compare},
};

/// All nodes under one law.
pub(crate) struct Eyes<'a> {
    pub(crate) law: &'a Compiled,
    pub(crate) routers: Routers,
    pub(crate) nodes: &'a BTreeMap<&'a str, Node>,
}

impl Eyes<'_> {
    /// What the node is told of itself.
    pub(crate) fn own(&self, node: &Node) -> View {
        let class = self.law.class_of(&node.facts);
        let addresses = self.law.addresses(&class, &class, &node.facts);
        let routes = node.facts.routes.iter().chain(&node.facts.exit_routes);
        View {
            allowed_ips: addresses.iter().chain(routes).copied().collect(),
            addresses,
            primary_routes: self.routers.primary_routes(node.id, &node.facts),
            tags: node.facts.tags.clone(),
            cap_map: self.law.attributes(&class),
        }
    }

    fn peer(&self, viewer: &Node, peer: &Node) -> View {
        let mine = self.law.class_of(&viewer.facts);
        let class = self.law.class_of(&peer.facts);
        let addresses = self.law.addresses(&mine, &class, &peer.facts);
        let routes = self.law.routes_seen(
            &self.routers,
            Viewer {
                class: &mine,
                routes: &viewer.facts.routes,
            },
            Peer {
                id: peer.id,
                node: &peer.facts,
            },
        );
        View {
            allowed_ips: addresses.iter().chain(&routes).copied().collect(),
            addresses,
            primary_routes: routes
                .into_iter()
                .filter(|r| !r.is_default_route())
                .collect(),
            tags: peer.facts.tags.clone(),
            cap_map: self.law.attributes_for_peers(&peer.facts),
        }
    }

    /// Who is seen, and as what.
    pub(crate) fn compare_peers(
        &self,
        name: &str,
        theirs: &BTreeMap<String, Facts>,
    ) -> Result<(), String> {
        let viewer = &self.nodes[name];
        if let Some(stranger) = theirs.keys().find(|p| !self.nodes.contains_key(p.as_str())) {
            return Err(format!("does not see {stranger}, which is no node"));
        }
        for (other, peer) in self.nodes.iter().filter(|(other, _)| **other != name) {
            let classes = (
                self.law.class_of(&viewer.facts),
                self.law.class_of(&peer.facts),
            );
            let visible = self.law.visible(&classes.0, &classes.1);
            match theirs.get(*other) {
                Some(facts) if visible => compare(&self.peer(viewer, peer), facts)
                    .map_err(|why| format!("peer {other}: {why}"))?,
                None if !visible => {}
                _ => return Err(format!("sees {other}: {visible}, not {}", !visible)),
            }
        }
        Ok(())
    }
}
