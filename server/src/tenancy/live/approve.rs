//! Routes that the policy's `autoApprovers` approve without a person.
//!
//! A node is looked at when it joins, offers other routes or changes hands, and
//! every node when the tenant is loaded or its policy or people change. So what
//! a crash has cut off is done after the next start. Nothing is ever taken away
//! here, and what somebody has decided is left as it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    time::{Duration, Instant},
};

use netmap::Owner;
use tokio::task::JoinHandle;
use wire::{NodeId, TenantId, api::me::Actor, id::PolicyRevisionId, net::Prefix};

use super::state::Live;
use crate::{
    db::{Decision, NodeOwner, Store, TenantRows},
    error::{Error, Result},
    http::rate::Buckets,
    route::{MOST_DECISIONS, decide, undecided, with_exit_pairs},
    tenancy::Changed,
};

/// Approvals of one node at once, and one more each [`REFILL`]: each leaves an
/// audit record.
const BURST: u32 = 20;
const REFILL: Duration = Duration::from_mins(1);
/// From approvals that could not be written to the next try.
const AGAIN: Duration = Duration::from_secs(1);

type Approved = JoinHandle<Result<Vec<NodeId>>>;

/// Nodes that are yet to be looked at.
#[derive(Debug)]
pub(super) struct Approvals {
    look_at: BTreeSet<NodeId>,
    due: Option<Instant>,
    running: Option<(Approved, Vec<NodeId>)>,
    often: Buckets<NodeId>,
}

impl Default for Approvals {
    fn default() -> Self {
        Self {
            look_at: BTreeSet::new(),
            due: None,
            running: None,
            often: Buckets::new(BURST, REFILL),
        }
    }
}

impl Approvals {
    fn add(&mut self, nodes: impl IntoIterator<Item = NodeId>, at: Instant) {
        self.look_at.extend(nodes);
        if !self.look_at.is_empty() {
            self.due = Some(self.due.map_or(at, |due| due.min(at)));
        }
    }

    pub(super) fn forget(&mut self, node: NodeId) {
        self.look_at.remove(&node);
    }

    pub(super) fn due_at(&self) -> Option<Instant> {
        self.due.filter(|_| self.running.is_none())
    }

    /// The nodes with new decisions, when the write under way is done.
    pub(super) async fn finished(&mut self) -> Result<Vec<NodeId>> {
        match &mut self.running {
            Some((write, _)) => write.await.unwrap_or_else(|e| Err(Error::internal(e))),
            None => pending().await,
        }
    }
}

/// What a node is to be approved for, if it is as it was judged.
#[derive(Debug)]
struct Wanted {
    owner: NodeOwner,
    offered: Vec<Prefix>,
    routes: BTreeSet<Prefix>,
}

impl Live {
    /// Its routes, or who it belongs to, may be others now.
    pub(super) fn look_at_routes(&mut self, id: NodeId) {
        let now = self.deps.clock.instant();
        if self.open_routes(id).next().is_some() {
            self.approvals.add([id], now);
        }
    }

    /// The policy or the people are others now.
    pub(super) fn look_at_all_routes(&mut self) {
        let now = self.deps.clock.instant();
        let offers = |n: &&netmap::Node| !n.reach.hostinfo.routable_ips.is_empty();
        let ids: Vec<NodeId> = self.at.nodes().filter(offers).map(|n| n.id).collect();
        self.approvals.add(ids, now);
    }

    /// The decisions about a node's routes.
    pub(super) fn decisions(&self, id: NodeId) -> &[Decision] {
        self.decisions
            .get(&id)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    fn open_routes(&self, id: NodeId) -> impl Iterator<Item = Prefix> + use<> {
        let open = self.at.node(id).map(|node| {
            let offered = &node.reach.hostinfo.routable_ips;
            undecided(offered, self.decisions(id))
        });
        open.into_iter().flatten()
    }

    /// What the policy in force approves of what a node offers.
    fn wishes(&self, id: NodeId) -> Option<Wanted> {
        let node = self.at.node(id)?;
        let approved = self.open_routes(id).filter(|r| self.at.approves(id, r));
        let mut routes = with_exit_pairs(approved);
        for decided in self.decisions(id) {
            routes.remove(&decided.prefix);
        }
        (!routes.is_empty()).then(|| Wanted {
            owner: match &node.owner {
                Owner::User(user) => NodeOwner::User(*user),
                Owner::Tags(tags) => NodeOwner::Tags(tags.clone()),
            },
            offered: node.reach.hostinfo.routable_ips.clone(),
            routes,
        })
    }

    pub(super) fn approve_if_due(&mut self) {
        let now = self.deps.clock.instant();
        if self.approvals.due_at().is_none_or(|at| at > now) {
            return;
        }
        self.approvals.due = None;
        let mut wanted = BTreeMap::new();
        for id in std::mem::take(&mut self.approvals.look_at) {
            let Some(one) = self.wishes(id) else {
                continue;
            };
            match self.approvals.often.take(id, now) {
                Ok(()) => {
                    wanted.insert(id, one);
                }
                Err(wait) => self.approvals.add([id], now + wait),
            }
        }
        let (Some(revision), false) = (self.revision, wanted.is_empty()) else {
            return;
        };
        let nodes = wanted.keys().copied().collect();
        let (db, tenant) = (self.deps.db.clone(), self.tenant);
        let write = self
            .deps
            .tasks
            .spawn(async move { approve(&db, tenant, revision, wanted).await });
        self.approvals.running = Some((write, nodes));
    }

    /// Notes how a write went.
    pub(super) async fn approved(&mut self, result: Result<Vec<NodeId>>) {
        let Some((_, nodes)) = self.approvals.running.take() else {
            return;
        };
        match result {
            Ok(decided) => {
                let changed = decided.into_iter().map(Changed::Node);
                self.reload(changed.collect()).await;
            }
            Err(e) => {
                tracing::error!(
                    tenant.id = %self.tenant,
                    error = e.chain(),
                    "routes that the policy approves were not approved; it is tried again"
                );
                let at = self.deps.clock.instant() + AGAIN;
                self.approvals.add(nodes, at);
            }
        }
    }
}

/// Writes the approvals; the nodes that have some. Nothing when another policy is
/// in force by now: all are looked at again under that one.
async fn approve(
    db: &Store,
    tenant: TenantId,
    revision: PolicyRevisionId,
    wanted: BTreeMap<NodeId, Wanted>,
) -> Result<Vec<NodeId>> {
    db.write(tenant, move |rows| async move {
        let mut decided = Vec::new();
        if rows.policy_in_force().await? != Some(revision) {
            return Ok(decided);
        }
        for (id, wanted) in wanted {
            if wanted.approve(&rows, id).await? {
                decided.push(id);
            }
        }
        Ok(decided)
    })
    .await
}

impl Wanted {
    async fn approve(mut self, rows: &TenantRows, id: NodeId) -> Result<bool> {
        let found = rows.find_node(id).await?;
        let Some(node) = found.filter(|node| node.owner == self.owner) else {
            return Ok(false);
        };
        let known = rows.routes_of(id).await?;
        for decision in &known {
            self.routes.remove(&decision.prefix);
        }
        let room = self.make_room(rows, id, &known).await?;
        let routes = self.routes.into_iter().take(room).collect();
        decide(rows, &Actor::Server, &node, &routes, true).await?;
        Ok(!routes.is_empty())
    }

    /// How many more decisions fit. A node that offers ever other routes makes
    /// the policy's approvals of those that it has given up be forgotten.
    async fn make_room(&self, rows: &TenantRows, id: NodeId, known: &[Decision]) -> Result<usize> {
        let mut room = MOST_DECISIONS.saturating_sub(known.len());
        let given_up = known
            .iter()
            .filter(|d| d.approved && d.by == Actor::Server && !self.offered.contains(&d.prefix));
        for old in given_up {
            if room >= self.routes.len() {
                break;
            }
            rows.forget_route(id, &old.prefix).await?;
            room += 1;
        }
        Ok(room)
    }
}
