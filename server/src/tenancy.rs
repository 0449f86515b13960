//! Live tenants: one task each owns what the tenant's nodes are told.
//!
//! ```text
//! act ─commit─▶ Hub::changed ─▶ live: load the rows named ─▶ Snapshot::apply ─▶ Log
//! node ─report─▶ Hub::report ─▶ live ───────────────────────▶                    │
//! node ─stream─▶ Hub::attach ─▶ MapStream: a cursor into the log ◀──── wakes ────┘
//! ```
//!
//! The database is the truth. Who writes tells the hub what changed, after the
//! commit; the tenant's task loads the named rows again. Presence is the other
//! way round: the task holds it and stores it within a second.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wire::{
    CapabilityVersion, DiscoKey, NodeId, NodeKey, TenantId, Timestamp,
    api::event::Event,
    control::{Hostinfo, map::PathReport},
    net::Prefix,
    relay_map::{RegionId, RelayMap},
};

use crate::{
    clock::Clock,
    db::{self, Reason, Store},
    error::{Error, Result},
    relay::Admission,
};

mod deadline;
mod live;
mod load;
mod pack;
mod stream;

use live::{Command, Handle};
pub use pack::{frame, keepalive};
pub use stream::MapStream;

/// Events that a follower may be behind before it must load all anew.
const EVENTS: usize = 1024;

/// What the law sees of a node after these decisions about its routes.
pub(crate) fn facts(
    row: db::Node,
    decisions: &[db::Decision],
    now: Timestamp,
) -> policy::NodeFacts {
    load::node(row, decisions, now).facts()
}

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
    /// The prefixes that it is the primary router of.
    pub primary: Vec<Prefix>,
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
pub struct Hub(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    deps: Deps,
    events: broadcast::Sender<(TenantId, Event)>,
    live: Mutex<BTreeMap<TenantId, Handle>>,
}

impl Hub {
    /// A hub without live tenants.
    pub fn new(deps: Deps) -> Self {
        Self(Arc::new(Shared {
            deps,
            events: broadcast::Sender::new(EVENTS),
            live: Mutex::default(),
        }))
    }

    /// Loads every tenant and admits its nodes' keys to the relay. Before listeners open.
    pub async fn start(&self) -> Result<()> {
        let rows = self.0.deps.db.system(Reason::Start).await?;
        let tenants = rows.tenants().await?;
        drop(rows);
        // One after the other: they share few connections to the database.
        for tenant in tenants {
            self.handle(tenant.id)?.ready().await?;
        }
        Ok(())
    }

    /// Tells a tenant's task what changed, after the commit; returns when the
    /// relay's registry and the nodes' views are up to date.
    pub async fn changed(&self, tenant: TenantId, changed: Changed) {
        if changed == Changed::AuthKeys {
            let _ = self.0.events.send((tenant, Event::AuthKeys));
            return;
        }
        let told = self
            .ask(tenant, |done| Command::Changed { changed, done })
            .await;
        if self.0.deps.stop.is_cancelled() {
            return;
        }
        if let Err(e) = told {
            // The rows are read when the tenant is next loaded.
            tracing::error!(tenant.id = %tenant, error = e.chain(), "a tenant did not take a change");
        }
    }

    /// Opens a node's map stream. The caller has checked that the node's keys
    /// are the asker's. An older stream of the node ends.
    pub async fn attach(
        &self,
        tenant: TenantId,
        node: NodeId,
        attach: Attach,
    ) -> Result<MapStream> {
        let attach = Box::new(attach);
        self.ask(tenant, |reply| Command::Attach {
            node,
            attach,
            reply,
        })
        .await?
    }

    /// The whole netmap of a node as one frame.
    pub async fn full(
        &self,
        tenant: TenantId,
        node: NodeId,
        compress: Compression,
    ) -> Result<Bytes> {
        let newest = self.handle(tenant)?.ready().await?;
        let (form, now) = (pack::form(compress), self.0.deps.clock.now());
        let pieces = newest.full(node, form, now).ok_or(Error::NotFound)?;
        Ok(match <[Bytes; 1]>::try_from(pieces) {
            Ok([whole]) => whole,
            Err(pieces) => pieces.concat().into(),
        })
    }

    /// Takes what a node reports of itself. Neither audited nor durable at once:
    /// stored within a second.
    pub async fn report(&self, tenant: TenantId, node: NodeId, report: Report) -> Result<()> {
        let report = Box::new(report);
        self.ask(tenant, |reply| Command::Report {
            node,
            report,
            reply,
        })
        .await?
    }

    /// What the tenant's nodes report; empty while the tenant cannot be loaded.
    pub async fn presence(&self, tenant: TenantId) -> BTreeMap<NodeId, Presence> {
        let asked = self.ask(tenant, |reply| Command::Presence { reply }).await;
        asked.unwrap_or_default()
    }

    /// Live events of all tenants; the receiver picks his own.
    pub fn subscribe(&self) -> broadcast::Receiver<(TenantId, Event)> {
        self.0.events.subscribe()
    }

    /// How many tenants are in memory.
    pub fn loaded(&self) -> usize {
        let live = self.0.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.values().filter(|h| !h.commands.is_closed()).count()
    }

    async fn ask<T>(
        &self,
        tenant: TenantId,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T> {
        let away = || Error::unavailable(anyhow::anyhow!("tenant {tenant} is not live"));
        let (reply, answer) = oneshot::channel();
        let handle = self.handle(tenant)?;
        let sent = handle.commands.send(command(reply)).await;
        sent.map_err(|_| away())?;
        answer.await.map_err(|_| away())
    }

    /// The tenant's task; started if it is not running.
    fn handle(&self, tenant: TenantId) -> Result<Handle> {
        let deps = &self.0.deps;
        if deps.stop.is_cancelled() {
            let stopping = anyhow::anyhow!("the server is stopping");
            return Err(Error::unavailable(stopping));
        }
        let mut live = self.0.live.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = live.get(&tenant).filter(|h| !h.commands.is_closed()) {
            return Ok(handle.clone());
        }
        let (commands, mailbox) = mpsc::channel(live::MAILBOX);
        let handle = live::start(
            tenant,
            deps.clone(),
            self.0.events.clone(),
            commands,
            mailbox,
        );
        live.insert(tenant, handle.clone());
        Ok(handle)
    }
}

#[cfg(test)]
mod tests;
