//! Rows that changed, loaded again.

use std::{collections::BTreeSet, time::Duration};

use netmap::{Change, Node};
use wire::{NodeId, api::event::Event};

use super::state::{Live, Urgency};
use crate::{
    db::TenantRows,
    error::{Error, Result},
    tenancy::{Changed, load},
};

/// From rows that could not be read to the next try.
const AGAIN: Duration = Duration::from_secs(1);

/// What is to be read, each once.
#[derive(Debug, Default)]
struct Wanted {
    nodes: BTreeSet<NodeId>,
    policy: bool,
    people: bool,
    settings: bool,
}

impl Live {
    /// Reads the rows that changed, and applies them in one step.
    pub(super) async fn reload(&mut self, changed: Vec<Changed>) {
        if changed.is_empty() {
            return;
        }
        for one in &changed {
            if let Changed::NodeRemoved { node, key } = one {
                // No row is needed to cut a node off.
                self.deps.admission.revoke(*key);
                self.remove(*node);
            }
        }
        if let Err(e) = self.read(&changed).await {
            tracing::error!(
                tenant.id = %self.tenant,
                error = e.chain(),
                "changed rows could not be read; it is tried again"
            );
            self.stale.extend(changed);
            self.retry_at = Some(self.deps.clock.instant() + AGAIN);
        }
    }

    /// Reads again what could not be read.
    pub(super) async fn retry_stale(&mut self) {
        let now = self.deps.clock.instant();
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            let stale = std::mem::take(&mut self.stale);
            self.reload(stale).await;
        }
    }

    async fn read(&mut self, changed: &[Changed]) -> Result<()> {
        let wanted = self.wanted(changed);
        let rows = self.deps.db.tenant(self.tenant).await?;
        let mut changes = Vec::new();
        if wanted.settings {
            let row = rows.tenant().await?;
            self.settings = row.settings;
            changes.push(Change::Name(row.name));
        }
        if wanted.people {
            let people = load::people(&rows).await?;
            if people != self.at.tenant().people {
                changes.push(Change::People(people));
            }
        }
        if wanted.policy {
            let in_force = load::policy(&rows).await?;
            self.revision = in_force.revision;
            changes.push(Change::Policy(in_force.document));
        }
        for id in &wanted.nodes {
            changes.extend(self.read_node(&rows, *id).await?);
        }
        drop(rows);
        if !changes.is_empty() {
            self.apply(changes, Urgency::Now);
        }
        if wanted.people || wanted.policy || !wanted.nodes.is_empty() {
            self.review_soon();
        }
        if wanted.people || wanted.policy {
            self.look_at_all_routes();
        }
        for id in wanted.nodes {
            self.look_at_routes(id);
        }
        if wanted.settings {
            let ephemeral = self.ephemeral.clone();
            for id in ephemeral {
                self.set_deadlines(id);
            }
        }
        Ok(())
    }

    /// What to read, and the live events of it.
    fn wanted(&mut self, changed: &[Changed]) -> Wanted {
        let mut wanted = Wanted::default();
        for one in changed {
            match one {
                Changed::Node(id) => {
                    wanted.nodes.insert(*id);
                    self.bell.pull();
                }
                Changed::NodeRemoved { node, .. } => {
                    // Gone for good, whatever else is said of it.
                    wanted.nodes.remove(node);
                    self.bell.pull();
                }
                Changed::Policy => wanted.policy = true,
                Changed::Users => wanted.people = true,
                Changed::Settings => wanted.settings = true,
                Changed::AuthKeys => self.tell(Event::AuthKeys),
            }
        }
        let events = [
            (wanted.policy, Event::Policy),
            (wanted.people, Event::Users),
            (wanted.settings, Event::Tenant),
        ];
        for (_, event) in events.into_iter().filter(|(is, _)| *is) {
            self.tell(event);
        }
        wanted
    }

    async fn read_node(&mut self, rows: &TenantRows, id: NodeId) -> Result<Option<Change>> {
        let row = match rows.node(id).await {
            Ok(row) => row,
            Err(Error::NotFound) => {
                self.expel(id);
                return Ok(Some(Change::NodeRemoved(id)));
            }
            Err(e) => return Err(e),
        };
        if row.ephemeral {
            self.ephemeral.insert(id);
        }
        let decisions = rows.routes_of(id).await?;
        let read = load::node(row, &decisions, self.deps.clock.now());
        self.decisions.insert(id, decisions);
        let node = match self.at.node(id) {
            // What a node reports is known here first.
            Some(known) => self.serving(Node {
                reach: known.reach.clone(),
                ..read
            }),
            None => read,
        };
        Ok(Some(Change::Node(Box::new(node))))
    }

    fn remove(&mut self, id: NodeId) {
        self.expel(id);
        if self.at.node(id).is_some() {
            self.apply(vec![Change::NodeRemoved(id)], Urgency::Now);
            self.review_soon();
        }
    }
}
