//! What follows from a policy beside traffic and sign-ins: approvals, owners of
//! tags, attributes, and who is told of which node, route and address.

use policy::{
    Capabilities,
    routes::{Peer, Viewer},
};
use wire::net::Prefix;

use super::{expect::Outcome, tenant};

impl Outcome {
    pub(super) fn approves(&self, text: &str, wanted: bool) -> Result<(), String> {
        let (node, route) = text.split_once(' ').unwrap();
        let route = prefix(route);
        let is = self.law.approves_route(&self.named(node).facts, &route);
        told(text, is, wanted)
    }

    pub(super) fn assigns(&self, text: &str, wanted: bool) -> Result<(), String> {
        let (who, tag) = text.split_once(' ').unwrap();
        let is = if who.starts_with("tag:") {
            self.law.may_tag_assign_tag(who, tag)
        } else {
            self.law.may_assign_tag(tenant::user(who), tag)
        };
        told(text, is, wanted)
    }

    pub(super) fn attributes(&self, node: &str, wanted: &[String]) -> Result<(), String> {
        let class = self.law.class_of(&self.named(node).facts);
        same(node, spelled(&self.law.attributes(&class)), wanted)
    }

    pub(super) fn peer_attributes(&self, node: &str, wanted: &[String]) -> Result<(), String> {
        let given = self.law.attributes_for_peers(&self.named(node).facts);
        same(node, spelled(&given), wanted)
    }

    pub(super) fn sees(&self, viewer: &str, wanted: &[String]) -> Result<(), String> {
        let mine = self.law.class_of(&self.named(viewer).facts);
        let others = self.nodes.iter().filter(|n| n.name != viewer);
        let seen = others.filter(|n| self.law.visible(&mine, &self.law.class_of(&n.facts)));
        same(viewer, seen.map(|n| n.name.clone()).collect(), wanted)
    }

    /// `router1 10.1.0.0/16 10.2.0.0/16` for every peer that it sends packets through.
    pub(super) fn routes(&self, viewer: &str, wanted: &[String]) -> Result<(), String> {
        let node = self.named(viewer);
        let mine = self.law.class_of(&node.facts);
        let mut all = Vec::new();
        for peer in self.nodes.iter().filter(|n| n.name != viewer) {
            if !self.law.visible(&mine, &self.law.class_of(&peer.facts)) {
                continue;
            }
            let viewer = Viewer {
                class: &mine,
                routes: &node.facts.routes,
            };
            let seen = Peer {
                id: peer.id,
                node: &peer.facts,
            };
            let routes = self.law.routes_seen(&self.routers, viewer, seen);
            if !routes.is_empty() {
                let words = routes.iter().map(Prefix::to_string);
                let words: Vec<String> = std::iter::once(peer.name.clone()).chain(words).collect();
                all.push(words.join(" "));
            }
        }
        same(viewer, all, wanted)
    }

    pub(super) fn primary(&self, prefix: &str, wanted: &[String]) -> Result<(), String> {
        let id = self.routers.primary(&self::prefix(prefix));
        let of = self.nodes.iter().filter(|n| Some(n.id) == id);
        same(prefix, of.map(|n| n.name.clone()).collect(), wanted)
    }

    pub(super) fn addresses(&self, pair: &str, wanted: &[String]) -> Result<(), String> {
        let (viewer, node) = pair.split_once(" > ").unwrap();
        let class = |name: &str| self.law.class_of(&self.named(name).facts);
        let facts = &self.named(node).facts;
        let told = self.law.addresses(&class(viewer), &class(node), facts);
        let told = told.iter().map(|p| p.addr.to_string());
        same(pair, told.collect(), wanted)
    }
}

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

/// `name` or `name [values]`.
fn spelled(given: &Capabilities) -> Vec<String> {
    let spell = |(name, values): (&String, &Vec<serde_json::Value>)| {
        if values.is_empty() {
            name.clone()
        } else {
            format!("{name} {}", serde_json::Value::from(values.clone()))
        }
    };
    given.iter().map(spell).collect()
}

fn told(what: &str, is: bool, wanted: bool) -> Result<(), String> {
    if is == wanted {
        return Ok(());
    }
    Err(format!("`{what}` is {is}"))
}

/// Equal whatever the order.
fn same(of: &str, mut ours: Vec<String>, wanted: &[String]) -> Result<(), String> {
    let mut wanted = wanted.to_vec();
    ours.sort();
    wanted.sort();
    if ours == wanted {
        return Ok(());
    }
    Err(format!("{of} has {ours:?}"))
}
