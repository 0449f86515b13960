//! Presence: what nodes report, held here and stored in batches.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    time::{Duration, Instant},
};

use netmap::{Change, Node, Reach};
use tokio::{task::JoinHandle, time::timeout};
use wire::{NodeId, relay_map::RegionId};

use super::state::{Live, Urgency};
use crate::{
    error::{Error, Result},
    route::{Served, served},
    tenancy::{Presence, Report, load::presence_row},
};

/// From the first report that is not stored to the write.
const BATCHED: Duration = Duration::from_millis(500);
/// From a failed write to the next.
const AGAIN: Duration = Duration::from_secs(1);
/// How long the last write may take.
const LAST: Duration = Duration::from_secs(5);

/// What is yet to be stored.
#[derive(Debug, Default)]
pub(super) struct Stored {
    dirty: BTreeSet<NodeId>,
    due: Option<Instant>,
    writing: Option<(JoinHandle<Result<()>>, BTreeSet<NodeId>)>,
}

impl Stored {
    fn add(&mut self, node: NodeId, now: Instant) {
        self.dirty.insert(node);
        self.due.get_or_insert(now + BATCHED);
    }

    pub(super) fn forget(&mut self, node: NodeId) {
        self.dirty.remove(&node);
    }

    pub(super) fn due_at(&self) -> Option<Instant> {
        self.due.filter(|_| self.writing.is_none())
    }

    /// The write under way, when it is done.
    pub(super) async fn finished(&mut self) -> Result<()> {
        match &mut self.writing {
            Some((write, _)) => write.await.unwrap_or_else(|e| Err(Error::internal(e))),
            None => pending().await,
        }
    }
}

impl Live {
    /// Takes a node's report.
    pub(super) fn report(&mut self, id: NodeId, report: Report) -> Result<()> {
        let Some(node) = self.at.node(id) else {
            return Err(Error::NotFound);
        };
        let before = node.reach.clone();
        if self.paths.get(&id) != report.paths.as_ref() {
            match &report.paths {
                Some(paths) => self.paths.insert(id, paths.clone()),
                None => self.paths.remove(&id),
            };
            self.bell.pull();
        }
        let reach = reported(&before, report);
        self.set_reach(id, &before, reach, Urgency::Now);
        Ok(())
    }

    /// What all nodes report.
    pub(super) fn presence(&self) -> BTreeMap<NodeId, Presence> {
        let presence = |node: &Node| Presence {
            online: node.reach.online,
            last_seen: node.reach.last_seen,
            endpoints: node.reach.endpoints.clone(),
            disco_key: node.reach.disco_key,
            home_relay: node.reach.home_relay,
            hostinfo: node.reach.hostinfo.clone(),
            paths: self.paths.get(&node.id).cloned(),
            primary: self.at.primary_routes(node.id),
        };
        self.at.nodes().map(|n| (n.id, presence(n))).collect()
    }

    pub(super) fn set_reach(&mut self, id: NodeId, before: &Reach, reach: Reach, how: Urgency) {
        if *before == reach {
            return;
        }
        self.store.add(id, self.deps.clock.instant());
        let offers_others = before.hostinfo.routable_ips != reach.hostinfo.routable_ips;
        let change = match self.at.node(id).filter(|_| offers_others) {
            Some(node) => Change::Node(Box::new(self.serving(Node {
                reach,
                ..node.clone()
            }))),
            None => Change::Reach(id, Box::new(reach)),
        };
        self.apply(vec![change], how);
        self.set_deadlines(id);
        if offers_others {
            self.look_at_routes(id);
            self.review_soon();
        }
        self.bell.pull();
    }

    /// The node with the routes that it serves after what it offers and what was decided.
    pub(super) fn serving(&self, node: Node) -> Node {
        let offered = &node.reach.hostinfo.routable_ips;
        let Served {
            routes,
            exit_routes,
        } = served(offered, self.decisions(node.id));
        Node {
            routes,
            exit_routes,
            ..node
        }
    }

    pub(super) fn store_if_due(&mut self) {
        let now = self.deps.clock.instant();
        if self.store.due_at().is_some_and(|at| at <= now) {
            self.store.due = None;
            let nodes = std::mem::take(&mut self.store.dirty);
            let write = self.deps.tasks.spawn(self.write(&nodes));
            self.store.writing = Some((write, nodes));
        }
    }

    /// Notes how a write went.
    pub(super) fn stored(&mut self, result: Result<()>) {
        let Some((_, nodes)) = self.store.writing.take() else {
            return;
        };
        if let Err(e) = result {
            tracing::error!(
                tenant.id = %self.tenant,
                error = e.chain(),
                "presence was not stored; it is tried again"
            );
            self.store.dirty.extend(nodes);
            self.store.due = Some(self.deps.clock.instant() + AGAIN);
        }
    }

    /// Stores all that is not stored, and that who was connected was so until now.
    pub(super) async fn end(mut self) {
        let now = self.deps.clock.now();
        let online: Vec<NodeId> = self.sessions.keys().copied().collect();
        for id in online {
            if let Some(node) = self.at.node(id) {
                let before = node.reach.clone();
                let reach = Reach {
                    last_seen: Some(now),
                    ..before.clone()
                };
                self.set_reach(id, &before, reach, Urgency::Soon);
            }
        }
        if self.store.writing.is_some() {
            let result = self.store.finished().await;
            self.stored(result);
        }
        if self.store.dirty.is_empty() {
            return;
        }
        let write = self.write(&self.store.dirty);
        match timeout(LAST, write).await {
            Ok(Ok(())) => {}
            Ok(Err(e)) => {
                tracing::error!(tenant.id = %self.tenant, error = e.chain(), "presence was not stored");
            }
            Err(_) => tracing::error!(tenant.id = %self.tenant, "storing presence took too long"),
        }
    }

    fn write(
        &self,
        nodes: &BTreeSet<NodeId>,
    ) -> impl Future<Output = Result<()>> + Send + 'static + use<> {
        let row = |id: &NodeId| Some((*id, presence_row(&self.at.node(*id)?.reach)));
        let rows: Vec<_> = nodes.iter().filter_map(row).collect();
        let (db, tenant) = (self.deps.db.clone(), self.tenant);
        async move {
            db.write(tenant, move |tenant| async move {
                tenant.store_presence(&rows).await
            })
            .await
        }
    }
}

/// A node's reach after a report.
pub(super) fn reported(before: &Reach, report: Report) -> Reach {
    let Report {
        hostinfo,
        endpoints,
        disco_key,
        paths: _,
    } = report;
    let hostinfo = hostinfo.unwrap_or_else(|| before.hostinfo.clone());
    let home = hostinfo.net_info.as_ref().map(|n| n.preferred_relay);
    Reach {
        endpoints,
        // A client has its disco key from its start on: none means that it is not said.
        disco_key: if disco_key.is_zero() {
            before.disco_key
        } else {
            disco_key
        },
        home_relay: home.unwrap_or(before.home_relay),
        hostinfo,
        ..before.clone()
    }
}

/// Whether nothing is known of how a node is reached.
pub(super) fn is_unknown(reach: &Reach) -> bool {
    reach.disco_key.is_zero() && reach.endpoints.is_empty() && reach.home_relay == RegionId(0)
}
