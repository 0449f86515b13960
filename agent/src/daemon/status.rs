//! `status`: what is there, from the netmap and from the data thread.

use std::{collections::BTreeMap, net::IpAddr};

use mesh::event::{self, PeerStatus};
use wire::{NodeId, control::Node};

use super::{
    Daemon, Standing,
    answers::{millis, relay},
    notices::{ask_status, split},
};
use crate::{
    control::NetMap,
    local_api::protocol::{OwnNode, Peer, State, Status},
};

impl Daemon {
    pub(super) fn state(&self) -> State {
        if self.entry.is_some() || self.standing == Standing::Unknown {
            return State::NeedsLogin;
        }
        let joined = self
            .stored
            .profile
            .as_ref()
            .is_some_and(|p| p.node_key.is_some());
        if !joined {
            return State::NeedsLogin;
        }
        if !self.stored.want_up {
            return State::Stopped;
        }
        if self.standing == Standing::Expired {
            return State::Expired;
        }
        match &self.map {
            None => State::Starting,
            Some(map) if map.is_expired(self.wall()) => State::Expired,
            Some(map) if !map.node().machine_authorized => State::NeedsApproval,
            Some(_) => State::Running,
        }
    }

    pub(super) async fn status(&self) -> Status {
        let data = match &self.engine {
            Some(engine) => ask_status(&engine.commands).await,
            None => None,
        };
        let data = data.unwrap_or_default();
        let map = self.map.as_ref();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            state: self.state(),
            server: self.stored.profile.as_ref().map(|p| p.server.to_string()),
            connected: self.connected,
            problems: self.problems(),
            sign_in: self.sign_in.clone(),
            node: map.map(own_node),
            tenant: map.map(|m| m.domain().to_owned()).filter(|d| !d.is_empty()),
            interface: self.engine.as_ref().map(|e| e.interface.clone()),
            home_relay: map.and_then(|m| data.home_relay.map(|r| relay(m.relay_map(), r))),
            endpoints: data.endpoints.iter().map(|e| e.addr).collect(),
            peers: map.map(|m| peers(m, &data)).unwrap_or_default(),
        }
    }

    fn problems(&self) -> Vec<String> {
        let health = self.map.iter().flat_map(|m| m.health().to_vec());
        let own = self.trouble.clone().into_iter();
        own.chain(self.clock_problem()).chain(health).collect()
    }
}

fn own_node(map: &NetMap) -> OwnNode {
    let node = map.node();
    OwnNode {
        id: node.id,
        name: node.name.trim_end_matches('.').to_owned(),
        addresses: addresses(node),
        key: node.key,
        owner: owner(map, node),
        tags: node.tags.clone(),
        key_expiry: node.key_expiry.filter(|at| !at.is_zero()),
    }
}

fn addresses(node: &Node) -> Vec<IpAddr> {
    node.addresses.iter().map(|p| p.addr).collect()
}

fn owner(map: &NetMap, node: &Node) -> Option<String> {
    let owned = node.tags.is_empty();
    let profile = map.users().get(&node.user).filter(|_| owned);
    profile.map(|p| p.login_name.clone())
}

fn peers(map: &NetMap, data: &event::Status) -> Vec<Peer> {
    let seen: BTreeMap<NodeId, &PeerStatus> = data.peers.iter().map(|p| (p.id, p)).collect();
    let peers = map.peers().iter();
    let mut peers: Vec<_> = peers
        .map(|(id, peer)| describe(map, peer, seen.get(id).copied()))
        .collect();
    peers.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
    peers
}

fn describe(map: &NetMap, node: &Node, seen: Option<&PeerStatus>) -> Peer {
    let path = seen.filter(|s| s.active).and_then(|s| s.path);
    let (direct, region) = path.map(split).unwrap_or_default();
    Peer {
        id: node.id,
        name: node.name.trim_end_matches('.').to_owned(),
        addresses: addresses(node),
        key: node.key,
        owner: owner(map, node),
        tags: node.tags.clone(),
        os: node.hostinfo.os.clone(),
        online: node.online,
        last_seen: node.last_seen,
        expired: node.expired || seen.is_some_and(|s| s.expired),
        active: seen.is_some_and(|s| s.active),
        direct,
        relay: region.map(|r| relay(map.relay_map(), r)),
        rtt_ms: seen.and_then(|s| s.rtt).map(millis),
        rx_bytes: seen.map_or(0, |s| s.rx_bytes),
        tx_bytes: seen.map_or(0, |s| s.tx_bytes),
    }
}
