//! The netmap as this agent holds it, from the first message and the deltas after it.

use std::{collections::BTreeMap, sync::Arc};

use mesh::node as data;
use wire::{
    NodeId, Timestamp, UserId,
    control::{DnsConfig, MapResponse, Node, PeerChange, UserProfile},
    filter::FilterRule,
    relay_map::RelayMap,
};

/// The name of the filter piece that `PacketFilter` stands for.
const BASE: &str = "base";

/// A peer: as the server told it, and as the data thread needs it.
#[derive(Debug, Clone)]
pub struct Peer {
    /// As the server told it.
    pub node: Arc<Node>,
    /// What the data thread needs of it; the same `Arc` while nothing of that changes.
    pub data: Arc<data::Peer>,
}

/// Everything the server told.
#[derive(Debug, Clone)]
pub struct NetMap {
    /// This node.
    pub node: Arc<Node>,
    /// Its visible peers.
    pub peers: BTreeMap<NodeId, Peer>,
    /// The packet filter, in pieces.
    pub filters: Arc<BTreeMap<String, Vec<FilterRule>>>,
    /// The relays.
    pub relay_map: Arc<RelayMap>,
    /// Owners of nodes.
    pub users: Arc<BTreeMap<UserId, UserProfile>>,
    /// The tenant's name.
    pub domain: String,
    /// Names and resolvers.
    pub dns: Arc<DnsConfig>,
    /// What the server wants the person at the machine to know.
    pub health: Vec<String>,
    /// The server's clock when it last told.
    pub control_time: Option<Timestamp>,
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
    /// From the first message of a stream. What did not change since `old`
    /// stays the same. `None`: the message does not say who we are.
    pub fn first(message: MapResponse, old: Option<&Self>) -> Option<Self> {
        let node = Arc::new(message.node.clone()?);
        let mut map = Self {
            node,
            peers: BTreeMap::new(),
            filters: Arc::default(),
            relay_map: Arc::default(),
            users: Arc::default(),
            domain: String::new(),
            dns: Arc::default(),
            health: Vec::new(),
            control_time: None,
        };
        if let Some(old) = old {
            map.peers.clone_from(&old.peers);
        }
        let named: Vec<_> = message.peers.iter().flatten().map(|p| p.id).collect();
        map.peers.retain(|id, _| named.contains(id));
        map.apply(message);
        Some(map)
    }

    /// Takes a message of the same stream.
    pub fn apply(&mut self, message: MapResponse) -> Touched {
        let mut touched = Touched::default();
        if message.keep_alive {
            return touched;
        }
        if let Some(at) = message.control_time {
            self.control_time = Some(at);
        }
        touched.any = true;
        touched.data |= self.apply_self(&message);
        touched.data |= self.apply_peers(&message);
        touched.data |= self.apply_filters(message.packet_filter, message.packet_filters);
        if let Some(profiles) = message.user_profiles {
            let users = Arc::make_mut(&mut self.users);
            users.extend(profiles.into_iter().map(|p| (p.id, p)));
        }
        if let Some(domain) = message.domain {
            self.domain = domain;
        }
        if let Some(dns) = message.dns_config {
            self.dns = Arc::new(dns);
        }
        if let Some(health) = message.health {
            self.health = health;
        }
        touched
    }

    fn apply_self(&mut self, message: &MapResponse) -> bool {
        let mut changed = false;
        if let Some(node) = &message.node
            && *node != *self.node
        {
            self.node = Arc::new(node.clone());
            changed = true;
        }
        if let Some(map) = &message.relay_map
            && *map != *self.relay_map
        {
            self.relay_map = Arc::new(map.clone());
            changed = true;
        }
        changed
    }

    fn apply_peers(&mut self, message: &MapResponse) -> bool {
        let mut changed = false;
        // An empty list clears nothing.
        if let Some(peers) = message.peers.as_ref().filter(|p| !p.is_empty()) {
            let named: std::collections::BTreeSet<_> = peers.iter().map(|p| p.id).collect();
            let before = self.peers.len();
            self.peers.retain(|id, _| named.contains(id));
            changed |= self.peers.len() != before;
        }
        let whole = message.peers.iter().chain(&message.peers_changed).flatten();
        for node in whole {
            changed |= self.put(node.clone());
        }
        for id in message.peers_removed.iter().flatten() {
            changed |= self.peers.remove(id).is_some();
        }
        for patch in message.peers_changed_patch.iter().flatten() {
            if let Some(peer) = self.peers.get(&patch.node_id) {
                changed |= self.put(patched(&peer.node, patch));
            }
        }
        let online = message.online_change.iter().flatten();
        let seen = message.peer_seen_change.iter().flatten();
        for (id, online) in online.chain(seen) {
            self.set_online(*id, *online, message.control_time);
        }
        changed
    }

    /// Adds or replaces a peer; true when the data thread must know.
    fn put(&mut self, node: Node) -> bool {
        let data = data_peer(&node);
        let id = node.id;
        let old = self.peers.get(&id).map(|p| &p.data);
        let (data, changed) = match old {
            Some(old) if **old == data => (Arc::clone(old), false),
            Some(_) | None => (Arc::new(data), true),
        };
        let node = Arc::new(node);
        self.peers.insert(id, Peer { node, data });
        changed
    }

    fn set_online(&mut self, id: NodeId, online: bool, at: Option<Timestamp>) {
        if let Some(peer) = self.peers.get_mut(&id) {
            let node = Arc::make_mut(&mut peer.node);
            node.online = Some(online);
            if !online {
                node.last_seen = at.or(node.last_seen);
            }
        }
    }

    fn apply_filters(
        &mut self,
        whole: Option<Vec<FilterRule>>,
        pieces: Option<BTreeMap<String, Option<Vec<FilterRule>>>>,
    ) -> bool {
        if whole.is_none() && pieces.is_none() {
            return false;
        }
        let mut filters = BTreeMap::clone(&self.filters);
        if let Some(whole) = whole {
            filters.insert(BASE.to_owned(), whole);
        }
        let mut pieces = pieces.unwrap_or_default();
        if matches!(pieces.remove("*"), Some(None)) {
            filters.clear();
        }
        for (name, rules) in pieces {
            match rules {
                Some(rules) => filters.insert(name, rules),
                None => filters.remove(&name),
            };
        }
        let changed = filters != *self.filters;
        self.filters = Arc::new(filters);
        changed
    }

    /// What the data thread needs of it all.
    pub fn to_data(&self) -> data::Netmap {
        let peers = self.peers.iter();
        data::Netmap {
            addresses: self.node.addresses.clone(),
            key_expiry: self.node.key_expiry.filter(|at| !at.is_zero()),
            expired: self.node.expired,
            peers: peers.map(|(id, p)| (*id, Arc::clone(&p.data))).collect(),
            filter: self.filters.values().flatten().cloned().collect(),
            relay_map: RelayMap::clone(&self.relay_map),
        }
    }

    /// As one message, from which [`Self::first`] makes it again.
    pub fn to_message(&self) -> MapResponse {
        let peers = self.peers.values();
        let filters = self.filters.iter();
        MapResponse {
            node: Some(Node::clone(&self.node)),
            peers: Some(peers.map(|p| Node::clone(&p.node)).collect()),
            packet_filters: Some(filters.map(|(n, r)| (n.clone(), Some(r.clone()))).collect()),
            relay_map: Some(RelayMap::clone(&self.relay_map)),
            user_profiles: Some(self.users.values().cloned().collect()),
            domain: Some(self.domain.clone()),
            dns_config: Some(DnsConfig::clone(&self.dns)),
            ..MapResponse::default()
        }
    }

    /// Whether the own key has ended by `now`, or by the server's word.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        let ended = |at: Timestamp| !at.is_zero() && at <= now;
        self.node.expired || self.node.key_expiry.is_some_and(ended)
    }
}

fn patched(node: &Node, patch: &PeerChange) -> Node {
    let mut node = node.clone();
    let PeerChange {
        node_id: _,
        home_relay,
        endpoints,
        key,
        disco_key,
        online,
        last_seen,
        key_expiry,
    } = patch;
    node.home_relay = home_relay.unwrap_or(node.home_relay);
    if let Some(endpoints) = endpoints {
        node.endpoints.clone_from(endpoints);
    }
    node.key = key.unwrap_or(node.key);
    node.disco_key = disco_key.unwrap_or(node.disco_key);
    node.online = online.or(node.online);
    node.last_seen = last_seen.or(node.last_seen);
    node.key_expiry = key_expiry.or(node.key_expiry);
    node
}

fn data_peer(node: &Node) -> data::Peer {
    data::Peer {
        id: node.id,
        name: node.name.clone(),
        key: node.key,
        disco: node.disco_key,
        addresses: node.addresses.clone(),
        allowed_ips: match &node.allowed_ips {
            Some(allowed) => allowed.clone(),
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
