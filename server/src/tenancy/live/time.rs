//! What time does: keys end, nodes go offline, ephemeral ones are removed.

use std::time::Duration;

use netmap::{Change, Node, Reach};
use wire::{NodeId, TenantId, Timestamp, api::me::Actor};

use super::{
    Command,
    session::GRACE,
    state::{Live, Urgency},
};
use crate::{
    audit::AuditEvent,
    db::{Store, TenantRows},
    error::Result,
    tenancy::{Changed, deadline::Due},
};

/// From a removal that did not work to the next try.
const AGAIN: Duration = Duration::from_mins(1);

impl Live {
    /// Does what is due.
    pub(super) fn pass_time(&mut self) {
        let now = self.deps.clock.now();
        while let Some((id, due, at)) = self.deadlines.take_passed(now) {
            match due {
                Due::Expiry => self.expire(id),
                Due::Offline => self.go_offline(id, at.minus(GRACE)),
                Due::Removal => self.remove_ephemeral(id, now),
            }
        }
    }

    /// The node's key has ended: it is cut off from all.
    fn expire(&mut self, id: NodeId) {
        if let Some(node) = self.at.node(id) {
            tracing::info!(tenant.id = %self.tenant, node.id = %id, "a node's key has ended");
            let expired = Node {
                expired: true,
                ..node.clone()
            };
            self.apply(vec![Change::Node(Box::new(expired))], Urgency::Now);
            self.bell.pull();
        }
    }

    fn go_offline(&mut self, id: NodeId, seen: Timestamp) {
        let Some(node) = self
            .at
            .node(id)
            .filter(|_| !self.sessions.contains_key(&id))
        else {
            return;
        };
        let before = node.reach.clone();
        let reach = Reach {
            online: false,
            last_seen: Some(seen),
            ..before.clone()
        };
        self.paths.remove(&id);
        self.set_reach(id, &before, reach, Urgency::Soon);
    }

    fn remove_ephemeral(&mut self, id: NodeId, now: Timestamp) {
        let Some(commands) = self.commands.upgrade() else {
            return;
        };
        // Forgotten with the node when this works.
        self.deadlines.set(id, Due::Removal, Some(now.plus(AGAIN)));
        let (db, tenant) = (self.deps.db.clone(), self.tenant);
        let minutes = self.settings.ephemeral_removal_minutes;
        self.deps.tasks.spawn(async move {
            match remove(&db, tenant, id, minutes).await {
                Ok(Some(changed)) => {
                    let (done, _) = tokio::sync::oneshot::channel();
                    let _ = commands.send(Command::Changed { changed, done }).await;
                }
                Ok(None) => {}
                Err(e) => tracing::error!(
                    tenant.id = %tenant,
                    node.id = %id,
                    error = e.chain(),
                    "an ephemeral node was not removed; it is tried again"
                ),
            }
        });
    }
}

async fn remove(db: &Store, tenant: TenantId, id: NodeId, minutes: u16) -> Result<Option<Changed>> {
    db.write(tenant, move |rows: TenantRows| async move {
        let Some(node) = rows.find_node(id).await?.filter(|n| n.ephemeral) else {
            return Ok(None);
        };
        rows.delete_node(&node).await?;
        let event = AuditEvent::NodeRemoved {
            node: id,
            name: node.name.to_string(),
            why: format!("ephemeral, and offline for {minutes} minutes"),
        };
        rows.record(&Actor::Server, &event).await?;
        Ok(Some(Changed::NodeRemoved {
            node: id,
            key: node.node_key,
        }))
    })
    .await
}
