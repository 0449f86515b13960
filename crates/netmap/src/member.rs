//! A node in a snapshot, with the text that its peers are given.

use bytes::Bytes;
use wire::{
    NodeId,
    control::{self, Hostinfo, map::CapMap},
};

use crate::{
    class::{ClassId, Law},
    node::Node,
    tenant::Tenant,
};

/// Endpoints that peers are told at most.
const MAX_ENDPOINTS: usize = 64;
/// Services that peers are told at most.
const MAX_SERVICES: usize = 32;
/// SSH host keys that peers are told at most.
const MAX_HOST_KEYS: usize = 8;

/// A node of a snapshot.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) node: Node,
    /// Its class; `None` when it takes no part.
    pub(crate) class: Option<ClassId>,
    /// What peers are told of it, as JSON.
    pub(crate) json: Bytes,
}

impl Member {
    pub(crate) fn new(node: Node, class: Option<ClassId>, law: &Law, tenant: &Tenant) -> Self {
        let caps = class.map(|id| law.class(id).caps.clone());
        let peer = as_peer(&node, caps.unwrap_or_default(), tenant);
        let json = serde_json::to_vec(&peer).expect("a node is always JSON");
        Self {
            node,
            class,
            json: json.into(),
        }
    }

    /// The same node under another law, in which it carries what it carried before.
    pub(crate) fn judged_anew(&self, class: Option<ClassId>) -> Self {
        Self {
            node: self.node.clone(),
            class,
            json: self.json.clone(),
        }
    }

    /// What it carries where peers see it.
    pub(crate) fn caps<'a>(&self, law: &'a Law) -> Option<&'a CapMap> {
        self.class.map(|id| &law.class(id).caps)
    }

    pub(crate) const fn id(&self) -> NodeId {
        self.node.id
    }
}

/// What peers are told of a node.
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

/// What a node is told of itself: who it is, nothing of what it reports.
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
