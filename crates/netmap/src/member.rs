//! A node in a snapshot, with the text that its peers are given.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use wire::{
    NodeId,
    control::{self, Hostinfo, map::CapMap},
    net::Prefix,
};

use crate::{
    class::{ClassId, Law},
    eye::{Eye, Face},
    node::Node,
    tenant::Tenant,
};

/// Endpoints that peers are told at most.
const MAX_ENDPOINTS: usize = 64;
/// Services that peers are told at most.
const MAX_SERVICES: usize = 32;
/// SSH host keys that peers are told at most.
const MAX_HOST_KEYS: usize = 8;
/// Faces of a node that are kept at most.
const FACES: usize = 64;

/// A node of a snapshot.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) node: Node,
    /// What decides what it is told of others.
    pub(crate) eye: Eye,
    /// What peers are told of it, as JSON, but for those to whom it has another face.
    pub(crate) json: Bytes,
    /// As others see it.
    faces: Mutex<BTreeMap<Face, Bytes>>,
}

impl Member {
    pub(crate) fn new(node: Node, eye: Eye, law: &Law, tenant: &Tenant) -> Self {
        let class = eye.class;
        let mut peer = as_peer(&node, law.caps_of(class, &node), tenant);
        reached_at(&mut peer, law.is_v6_only(class), &[]);
        Self::with_json(node, eye, to_json(&peer))
    }

    fn with_json(node: Node, eye: Eye, json: Bytes) -> Self {
        Self {
            node,
            eye,
            json,
            faces: Mutex::default(),
        }
    }

    /// The same node with another eye, whose peers are told the same of it.
    pub(crate) fn with_eye(&self, eye: Eye) -> Self {
        Self::with_json(self.node.clone(), eye, self.json.clone())
    }

    /// Whether peers are told the same of it in another class under another law.
    pub(crate) fn is_same_to_peers(&self, law: &Law, class: Option<ClassId>, under: &Law) -> bool {
        let own = self.eye.class;
        law.is_v6_only(own) == under.is_v6_only(class)
            && law.caps_of(own, &self.node) == under.caps_of(class, &self.node)
    }

    /// Its class; `None` when it takes no part.
    pub(crate) const fn class(&self) -> Option<ClassId> {
        self.eye.class
    }

    /// What is told of it to those to whom it has this face.
    pub(crate) fn text(&self, face: &Face) -> Bytes {
        if *face == Face::default() {
            return self.json.clone();
        }
        let mut faces = self.faces.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = faces.get(face) {
            return text.clone();
        }
        let mut peer = serde_json::from_slice(&self.json).expect("a member's text is a node");
        reached_at(&mut peer, face.v6_only, &face.routes);
        let text = to_json(&peer);
        if faces.len() < FACES {
            faces.insert(face.clone(), text.clone());
        }
        text
    }

    pub(crate) const fn id(&self) -> NodeId {
        self.node.id
    }
}

fn to_json(peer: &control::Node) -> Bytes {
    let json = serde_json::to_vec(peer).expect("a node is always JSON");
    json.into()
}

/// Says where packets for the node go: its own addresses, of which IPv4 may be
/// taken away, and these routes.
pub(crate) fn reached_at(node: &mut control::Node, v6_only: bool, routes: &[Prefix]) {
    node.addresses.retain(|a| !v6_only || a.addr.is_ipv6());
    let all = node.addresses.iter().chain(routes);
    node.allowed_ips = Some(all.copied().collect());
    let subnets = routes.iter().filter(|r| !r.is_default_route());
    node.primary_routes = subnets.copied().collect();
}

/// What peers are told of a node, but for routes.
pub(crate) fn as_peer(node: &Node, caps: CapMap, tenant: &Tenant) -> control::Node {
    let reach = &node.reach;
    control::Node {
        disco_key: reach.disco_key,
        endpoints: reach
            .endpoints
            .iter()
            .take(MAX_ENDPOINTS)
            .copied()
            .collect(),
        home_relay: reach.home_relay,
        hostinfo: hostinfo_for_peers(&reach.hostinfo),
        last_seen: reach.last_seen,
        online: Some(reach.online),
        cap_map: caps,
        ..as_self(node, tenant)
    }
}

/// What a node is told of itself, but for routes and capabilities: who it is,
/// nothing of what it reports.
pub(crate) fn as_self(node: &Node, tenant: &Tenant) -> control::Node {
    control::Node {
        id: node.id,
        stable_id: node.stable_id.to_string(),
        name: format!("{}.{}.", node.name, tenant.dns_suffix),
        user: tenant.user_of(&node.owner),
        key: node.key,
        key_expiry: node.key_expiry,
        machine: node.machine,
        disco_key: wire::DiscoKey::ZERO,
        addresses: node.addresses(),
        allowed_ips: Some(node.addresses()),
        endpoints: Vec::new(),
        home_relay: wire::relay_map::RegionId(0),
        hostinfo: Hostinfo {
            os: plain(&node.reach.hostinfo.os, 32),
            hostname: plain(&node.reach.hostinfo.hostname, 255),
            ..Hostinfo::default()
        },
        created: Some(node.created),
        cap: node.capability,
        tags: node.tags(),
        primary_routes: Vec::new(),
        last_seen: None,
        online: None,
        machine_authorized: node.approved,
        cap_map: CapMap::new(),
        expired: node.expired,
    }
}

/// What peers are told of the machine.
pub(crate) fn hostinfo_for_peers(own: &Hostinfo) -> Hostinfo {
    let mut services = own.services.clone();
    services.truncate(MAX_SERVICES);
    for service in &mut services {
        service.proto = plain(&service.proto, 32);
        service.description = plain(&service.description, 64);
    }
    let keys = own.ssh_host_keys.iter().take(MAX_HOST_KEYS);
    Hostinfo {
        os: plain(&own.os, 32),
        hostname: plain(&own.hostname, 255),
        services,
        ssh_host_keys: keys.map(|k| plain(k, 1024)).collect(),
        ..Hostinfo::default()
    }
}

/// The text without what JSON writes as an escape, which some clients cannot
/// read, and cut to `max` bytes: machines say of themselves what they like.
pub(crate) fn plain(text: &str, max: usize) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if out.len() + c.len_utf8() > max {
            break;
        }
        if !c.is_control() && c != '"' && c != '\\' {
            out.push(c);
        }
    }
    out
}
