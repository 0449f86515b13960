//! What a tenant's task holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use netmap::{Change, Log, Node, Snapshot};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use wire::{
    NodeId, NodeKey, TenantId, Timestamp,
    api::{event::Event, tenant::Settings},
    control::map::PathReport,
    id::PolicyRevisionId,
};

use super::{Command, approve::Approvals, bell::Bell, presence::Stored, review::Review};
use crate::{
    db::Decision,
    tenancy::{
        Changed, Deps,
        deadline::{Deadlines, Due},
        load::Loaded,
    },
};

/// A live tenant.
pub(super) struct Live {
    pub(super) tenant: TenantId,
    pub(super) deps: Deps,
    pub(super) settings: Settings,
    /// When it was loaded; before that nobody was connected.
    pub(super) since: Timestamp,
    /// The present; what readers are told follows by [`Live::publish`].
    pub(super) at: Snapshot,
    pub(super) log: watch::Sender<Option<Arc<Log>>>,
    pub(super) publish_by: Option<Instant>,
    pub(super) paced_until: Instant,
    pub(super) waiting: Vec<oneshot::Sender<()>>,
    pub(super) sessions: BTreeMap<NodeId, Open>,
    pub(super) opened: u64,
    /// Streams say here that they are dropped.
    pub(super) gone: mpsc::UnboundedSender<(NodeId, u64)>,
    pub(super) dropped: mpsc::UnboundedReceiver<(NodeId, u64)>,
    pub(super) paths: BTreeMap<NodeId, Vec<PathReport>>,
    pub(super) ephemeral: BTreeSet<NodeId>,
    pub(super) deadlines: Deadlines,
    pub(super) store: Stored,
    pub(super) events: broadcast::Sender<(TenantId, Event)>,
    pub(super) bell: Bell,
    pub(super) review: Review,
    /// Which policy is in force; `None`: none at all.
    pub(super) revision: Option<PolicyRevisionId>,
    /// What was decided about the routes of nodes.
    pub(super) decisions: BTreeMap<NodeId, Vec<Decision>>,
    pub(super) approvals: Approvals,
    /// Rows that could not be read.
    pub(super) stale: Vec<Changed>,
    pub(super) retry_at: Option<Instant>,
    pub(super) commands: mpsc::WeakSender<Command>,
}

/// An open stream.
pub(super) struct Open {
    pub(super) number: u64,
    pub(super) end: CancellationToken,
}

/// How soon readers are to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    /// At once, or as soon as the last broadcast is out.
    Now,
    /// With whatever comes within a moment.
    Soon,
}

impl Live {
    pub(super) fn new(
        tenant: TenantId,
        loaded: Loaded,
        deps: Deps,
        events: broadcast::Sender<(TenantId, Event)>,
        commands: mpsc::WeakSender<Command>,
        log: watch::Sender<Option<Arc<Log>>>,
    ) -> Self {
        let now = deps.clock.instant();
        let (gone, dropped) = mpsc::unbounded_channel();
        let at = Snapshot::new(loaded.tenant, loaded.nodes);
        let mut live = Self {
            tenant,
            settings: loaded.settings,
            since: deps.clock.now(),
            at,
            log,
            publish_by: None,
            paced_until: now,
            waiting: Vec::new(),
            sessions: BTreeMap::new(),
            opened: 0,
            gone,
            dropped,
            paths: BTreeMap::new(),
            ephemeral: loaded.ephemeral,
            deadlines: Deadlines::default(),
            store: Stored::default(),
            events,
            bell: Bell::default(),
            review: Review::default(),
            revision: loaded.revision,
            decisions: loaded.decisions,
            approvals: Approvals::default(),
            stale: Vec::new(),
            retry_at: None,
            commands,
            deps,
        };
        let keys = live.at.nodes().filter_map(|n| admitted(Some(n)));
        live.deps.admission.replace(tenant, keys);
        let ids: Vec<NodeId> = live.at.nodes().map(|n| n.id).collect();
        for id in ids {
            live.set_deadlines(id);
        }
        live.publish();
        live.review_soon();
        live.look_at_all_routes();
        live
    }

    /// Takes changes: the relay's registry and the deadlines follow at once,
    /// readers by `urgency`.
    pub(super) fn apply(&mut self, changes: Vec<Change>, urgency: Urgency) {
        let subjects: Vec<NodeId> = changes.iter().filter_map(subject).collect();
        let keys = |at: &Snapshot, id: &NodeId| admitted(at.node(*id));
        let before: Vec<_> = subjects.iter().map(|id| keys(&self.at, id)).collect();
        self.at = self.at.apply(changes);
        for (id, before) in subjects.iter().zip(before) {
            let after = keys(&self.at, id);
            if before != after {
                before.inspect(|key| self.deps.admission.revoke(*key));
                after.inspect(|key| self.deps.admission.admit(self.tenant, *key));
            }
            self.set_deadlines(*id);
        }
        self.publish_by(urgency);
    }

    /// Sets what follows from a node's row and presence when time passes.
    pub(super) fn set_deadlines(&mut self, id: NodeId) {
        let Some(node) = self.at.node(id) else {
            self.deadlines.forget(id);
            return;
        };
        let expiry = node.key_expiry.filter(|_| !node.expired);
        let patience =
            std::time::Duration::from_secs(60 * u64::from(self.settings.ephemeral_removal_minutes));
        let leaves = self.ephemeral.contains(&id) && !node.reach.online;
        let seen = node.reach.last_seen.filter(|_| leaves);
        let removal = seen.map(|at| at.max(self.since).plus(patience));
        self.deadlines.set(id, Due::Expiry, expiry);
        self.deadlines.set(id, Due::Removal, removal);
    }

    /// Other relays.
    pub(super) fn relays(&mut self, map: Arc<wire::relay_map::RelayMap>) {
        self.apply(vec![Change::RelayMap(map)], Urgency::Now);
    }
}

/// The key that may use the relay: that of a node that takes part.
fn admitted(node: Option<&Node>) -> Option<NodeKey> {
    node.filter(|n| n.is_active()).map(|n| n.key)
}

/// The node that a change may admit or expel.
fn subject(change: &Change) -> Option<NodeId> {
    match change {
        Change::Node(node) => Some(node.id),
        Change::NodeRemoved(id) => Some(*id),
        Change::Reach(..)
        | Change::Policy(_)
        | Change::People(_)
        | Change::Name(_)
        | Change::RelayMap(_) => None,
    }
}
