//! What a node is told of itself and of its peers.

use std::collections::{BTreeMap, BTreeSet};

use policy::{
    Compiled, Routers,
    routes::{Peer, Viewer},
};
use serde_json::Value;
use wire::net::Prefix;

use crate::{case::Facts, tenant::Node};

/// Capabilities of the service itself, which do not count.
const SERVICE: [&str; 11] = [
    "https://tailscale.com/cap/file-sharing",
    "https://tailscale.com/cap/ssh",
    "https://tailscale.com/cap/tailnet-lock",
    "https://tailscale.com/cap/is-owner",
    "https://tailscale.com/cap/is-admin",
    "probe-udp-lifetime",
    "ssh-behavior-v1",
    "ssh-env-vars",
    "store-appc-routes",
    "tailnet-display-name",
    "default-auto-update",
];

/// Our side of [`Facts`].
pub(crate) struct View {
    addresses: Vec<Prefix>,
    allowed_ips: Vec<Prefix>,
    primary_routes: Vec<Prefix>,
    tags: Vec<String>,
    cap_map: BTreeMap<String, Vec<Value>>,
}

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

/// The first difference.
pub(crate) fn compare(ours: &View, theirs: &Facts) -> Result<(), String> {
    sets("addresses", &ours.addresses, theirs.addresses.as_ref())?;
    sets(
        "allowed_ips",
        &ours.allowed_ips,
        theirs.allowed_ips.as_ref(),
    )?;
    sets(
        "primary_routes",
        &ours.primary_routes,
        theirs.primary_routes.as_ref(),
    )?;
    sets("tags", &ours.tags, theirs.tags.as_ref())?;
    let counts = |name: &&String| !SERVICE.contains(&name.as_str());
    let ours: BTreeMap<&String, Value> = ours
        .cap_map
        .iter()
        .filter(|(name, _)| counts(name))
        .map(|(name, values)| (name, Value::from(values.clone())))
        .collect();
    let theirs: BTreeMap<&String, Value> = theirs
        .cap_map
        .iter()
        .flatten()
        .filter(|(name, _)| counts(name))
        .map(|(name, value)| {
            let none = value.is_null().then(|| Value::Array(Vec::new()));
            (name, none.unwrap_or_else(|| value.clone()))
        })
        .collect();
    if ours == theirs {
        Ok(())
    } else {
        Err(format!("cap_map {ours:?}, not {theirs:?}"))
    }
}

fn sets<T: Ord + std::fmt::Debug>(
    what: &str,
    ours: &[T],
    theirs: Option<&Vec<T>>,
) -> Result<(), String> {
    let ours: BTreeSet<&T> = ours.iter().collect();
    let theirs: BTreeSet<&T> = theirs.into_iter().flatten().collect();
    if ours == theirs {
        return Ok(());
    }
    let more: Vec<_> = ours.difference(&theirs).collect();
    let less: Vec<_> = theirs.difference(&ours).collect();
    Err(format!("{what}: too many {more:?}, missing {less:?}"))
}
