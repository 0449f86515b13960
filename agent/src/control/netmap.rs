//! The netmap as this agent holds it: what the server told, and what the data thread needs of it.

use std::{collections::BTreeMap, sync::Arc};

use mesh::node as data;
use wire::{
    NodeId, Timestamp, UserId,
    control::{MapResponse, NetMap as Told, Node, UserProfile},
    relay_map::RelayMap,
};

/// Everything the server told of this node and its peers.
#[derive(Debug, Clone)]
pub struct NetMap {
    told: Told,
    own: Arc<Node>,
    /// The peers as the data thread needs them: the same `Arc` while nothing of that changes.
    data: BTreeMap<NodeId, Arc<data::Peer>>,
}

/// What a message changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Touched {
    /// Something that the data thread must know.
    pub data: bool,
    /// Anything at all.
    pub any: bool,
}

impl NetMap {
    /// From the first message of a stream, which names every peer. What the
    /// data thread knows already since `old` stays the same. `None`: the
    /// message does not say who we are.
    pub fn first(message: MapResponse, old: Option<&Self>) -> Option<Self> {
        let mut map = Self {
            told: Told::default(),
            own: Arc::new(message.node.clone()?),
            data: old.map(|old| old.data.clone()).unwrap_or_default(),
        };
        map.told.apply(message);
        map.renew_all();
        Some(map)
    }

    /// Takes a message of the same stream.
    pub fn apply(&mut self, message: MapResponse) -> Touched {
        if message.keep_alive {
            return Touched::default();
        }
        let own = message.node.clone();
        let rules = message.packet_filter.is_some() || message.packet_filters.is_some();
        let mut data = own.is_some() || rules || message.relay_map.is_some();
        let all = message.peers.as_ref().is_some_and(|p| !p.is_empty());
        let ids = named(&message);
        self.told.apply(message);
        if let Some(own) = own {
            self.own = Arc::new(own);
        }
        if all {
            data |= self.renew_all();
        } else {
            for id in ids {
                data |= self.renew(id);
            }
        }
        Touched { data, any: true }
    }

    /// Brings every peer's data side in line; true when something changed.
    fn renew_all(&mut self) -> bool {
        let before = self.data.len();
        let told = &self.told.peers;
        self.data.retain(|id, _| told.contains_key(id));
        let mut changed = self.data.len() != before;
        let ids: Vec<_> = self.told.peers.keys().copied().collect();
        for id in ids {
            changed |= self.renew(id);
        }
        changed
    }

    fn renew(&mut self, id: NodeId) -> bool {
        let Some(node) = self.told.peers.get(&id) else {
            return self.data.remove(&id).is_some();
        };
        let data = data_peer(node);
        if self.data.get(&id).is_some_and(|old| **old == data) {
            return false;
        }
        self.data.insert(id, Arc::new(data));
        true
    }

    /// This node.
    pub fn node(&self) -> &Node {
        &self.own
    }

    /// Its visible peers.
    pub fn peers(&self) -> &BTreeMap<NodeId, Node> {
        &self.told.peers
    }

    /// The relays.
    pub fn relay_map(&self) -> &RelayMap {
        &self.told.relay_map
    }

    /// Owners of nodes.
    pub fn users(&self) -> &BTreeMap<UserId, UserProfile> {
        &self.told.user_profiles
    }

    /// The tenant's name.
    pub fn domain(&self) -> &str {
        &self.told.domain
    }

    /// What the server wants the person at the machine to know.
    pub fn health(&self) -> &[String] {
        &self.told.health
    }

    /// What the data thread needs of it all, with these relays.
    pub fn to_data(&self, relay_map: RelayMap) -> data::Netmap {
        data::Netmap {
            addresses: self.own.addresses.clone(),
            key_expiry: self.own.key_expiry.filter(|at| !at.is_zero()),
            expired: self.own.expired,
            peers: self.data.clone(),
            filter: self.told.filter(),
            relay_map,
        }
    }

    /// As one message, from which [`Self::first`] makes it again.
    pub fn to_message(&self) -> MapResponse {
        let told = &self.told;
        let filters = told.packet_filters.iter();
        MapResponse {
            node: Some(Node::clone(&self.own)),
            peers: Some(told.peers.values().cloned().collect()),
            packet_filters: Some(filters.map(|(n, r)| (n.clone(), Some(r.clone()))).collect()),
            relay_map: Some(told.relay_map.clone()),
            user_profiles: Some(told.user_profiles.values().cloned().collect()),
            domain: Some(told.domain.clone()),
            dns_config: Some(told.dns_config.clone()),
            ..MapResponse::default()
        }
    }

    /// Whether the own key has ended by `now`, or by the server's word.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        let ended = |at: Timestamp| !at.is_zero() && at <= now;
        self.own.expired || self.own.key_expiry.is_some_and(ended)
    }
}

/// The peers whose data side a delta may change.
fn named(message: &MapResponse) -> Vec<NodeId> {
    let changed = message.peers_changed.iter().flatten().map(|p| p.id);
    let removed = message.peers_removed.iter().flatten().copied();
    let patched = message.peers_changed_patch.iter().flatten();
    let patched = patched.map(|p| p.node_id);
    changed.chain(removed).chain(patched).collect()
}

/// A peer as the data thread takes it. This agent uses no subnet and no exit
/// routes: what lies behind a peer is neither sent to it nor believed from it.
fn data_peer(node: &Node) -> data::Peer {
    data::Peer {
        id: node.id,
        name: node.name.clone(),
        key: node.key,
        disco: node.disco_key,
        addresses: node.addresses.clone(),
        allowed_ips: match &node.allowed_ips {
            Some(allowed) => node
                .addresses
                .iter()
                .filter(|a| allowed.contains(a))
                .copied()
                .collect(),
            None => node.addresses.clone(),
        },
        endpoints: node.endpoints.clone(),
        home_relay: node.home_relay,
        cap_map: node.cap_map.clone(),
        expired: node.expired,
        key_expiry: node.key_expiry.filter(|at| !at.is_zero()),
    }
}

#[cfg(test)]
mod tests;
