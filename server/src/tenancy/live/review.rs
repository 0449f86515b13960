//! Tests of the policy in force that start to fail, or hold again, because the
//! people or the nodes changed. Nothing is switched off by that: it is logged and
//! audited, once for each change.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use policy::{Compiled, Directory, Document, NodeFacts, SshLaw, assertions};
use tokio::task::JoinHandle;
use wire::{TenantId, api::me::Actor};

use super::state::Live;
use crate::{
    audit::AuditEvent,
    db::{Store, TenantRows},
    error::{Error, Result},
    tenancy::load,
};

/// From a change to the tests: changes come in swarms.
const CALM: Duration = Duration::from_secs(1);
/// Failing tests that one audit record names.
const MOST_NAMED: usize = 20;

/// When the tests are run again.
#[derive(Debug, Default)]
pub(super) struct Review {
    due: Option<Instant>,
    running: Option<JoinHandle<()>>,
}

impl Review {
    pub(super) fn due_at(&self) -> Option<Instant> {
        self.due
    }
}

impl Live {
    /// The people or the nodes are others now: the tests are run in a while.
    pub(super) fn review_soon(&mut self) {
        let policy = &self.at.tenant().policy;
        if !policy.tests.is_empty() || !policy.ssh_tests.is_empty() {
            let at = self.deps.clock.instant() + CALM;
            self.review.due.get_or_insert(at);
        }
    }

    pub(super) fn review_if_due(&mut self) {
        let now = self.deps.clock.instant();
        if self.review.due.is_none_or(|at| at > now) {
            return;
        }
        if self
            .review
            .running
            .as_ref()
            .is_some_and(|r| !r.is_finished())
        {
            self.review.due = Some(now + CALM);
            return;
        }
        self.review.due = None;
        let world = World {
            document: Arc::clone(&self.at.tenant().policy),
            directory: self.at.directory(),
            nodes: self.at.nodes().map(netmap::Node::facts).collect(),
        };
        let (db, tenant) = (self.deps.db.clone(), self.tenant);
        self.review.running = Some(self.deps.tasks.spawn(async move {
            if let Err(e) = review(&db, tenant, world).await {
                tracing::warn!(
                    tenant.id = %tenant,
                    error = e.chain(),
                    "the tests of the policy in force could not be run"
                );
            }
        }));
    }
}

/// What the tests are run against.
struct World {
    document: Arc<Document>,
    directory: Directory,
    nodes: Vec<NodeFacts>,
}

impl World {
    /// The tests that fail, in words.
    fn failing(&self) -> Vec<String> {
        let (document, directory) = (&self.document, &self.directory);
        let law = Compiled::new(document, directory);
        let ssh = SshLaw::new(document, directory);
        let outcomes = assertions::run(document, &law, &ssh, directory, &self.nodes);
        let failures = assertions::failures(&outcomes);
        failures.into_iter().map(|d| d.message).collect()
    }
}

async fn review(db: &Store, tenant: TenantId, world: World) -> Result<()> {
    let (world, failing) = tokio::task::spawn_blocking(move || {
        let failing = world.failing();
        (world, failing)
    })
    .await
    .map_err(Error::internal)?;
    let fails = !failing.is_empty();
    if db.tenant(tenant).await?.policy_tests_fail().await? == fails {
        return Ok(());
    }
    let count = failing.len();
    let tests: Vec<String> = failing.into_iter().take(MOST_NAMED).collect();
    let told = db
        .write(tenant, move |rows| {
            record(rows, world.document, count, tests)
        })
        .await?;
    match told {
        true if fails => tracing::warn!(
            tenant.id = %tenant,
            count,
            "tests of the policy in force fail since people or machines changed; the audit log names them"
        ),
        true => tracing::info!(tenant.id = %tenant, "the tests of the policy in force hold again"),
        false => {}
    }
    Ok(())
}

/// Records the change unless another policy is in force by now, or it stands there already.
async fn record(
    rows: TenantRows,
    document: Arc<Document>,
    count: usize,
    tests: Vec<String>,
) -> Result<bool> {
    let stale = load::policy(&rows).await?.document != document;
    if stale || rows.policy_tests_fail().await? == (count > 0) {
        return Ok(false);
    }
    let number = rows.policy().await?.number;
    let event = if count > 0 {
        AuditEvent::PolicyTestsFailed {
            number,
            count,
            tests,
        }
    } else {
        AuditEvent::PolicyTestsPassed { number }
    };
    rows.record(&Actor::Server, &event).await?;
    Ok(true)
}
