//! The task of a live tenant: it alone changes what the tenant's nodes are told.

use std::{collections::BTreeMap, pin::pin, sync::Arc, time::Duration};

use netmap::{Log, Snapshot};
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    time::{Instant, sleep_until},
};
use wire::{NodeId, TenantId, api::event::Event};

use super::{Attach, Changed, Deps, MapStream, Presence, Report, load};
use crate::error::{Error, Result};

mod approve;
mod bell;
mod presence;
mod publish;
mod reload;
mod review;
mod session;
mod state;
mod time;

use state::Live;

/// Commands that may wait; more wait at the door.
pub(super) const MAILBOX: usize = 1024;
/// Commands that are taken at once: they share one read of the database and one step.
const BATCH: usize = 512;
/// The longest sleep: a wall clock may be set while we sleep.
const NAP: Duration = Duration::from_secs(30);

/// What a tenant's task is asked.
#[derive(Debug)]
pub(super) enum Command {
    /// Rows were changed.
    Changed {
        /// Which.
        changed: Changed,
        /// Answered when nodes are told.
        done: oneshot::Sender<()>,
    },
    /// A node opens its map stream.
    Attach {
        /// Which.
        node: NodeId,
        /// How.
        attach: Box<Attach>,
        /// The stream.
        reply: oneshot::Sender<Result<MapStream>>,
    },
    /// A node reports.
    Report {
        /// Which.
        node: NodeId,
        /// What.
        report: Box<Report>,
        /// Whether it was taken.
        reply: oneshot::Sender<Result<()>>,
    },
    /// Somebody asks for the presence of all.
    Presence {
        /// All.
        reply: oneshot::Sender<BTreeMap<NodeId, Presence>>,
    },
}

/// The way to a tenant's task.
#[derive(Debug, Clone)]
pub(super) struct Handle {
    pub(super) commands: mpsc::Sender<Command>,
    log: watch::Receiver<Option<Arc<Log>>>,
}

impl Handle {
    /// The newest snapshot, once the tenant is loaded.
    pub(super) async fn ready(mut self) -> Result<Snapshot> {
        let away = |_| Error::unavailable(anyhow::anyhow!("the tenant could not be loaded"));
        let log = self.log.wait_for(Option::is_some).await.map_err(away)?;
        let log = log.as_ref().expect("waited for it");
        Ok(log.newest().clone())
    }
}

/// Starts the task of a tenant. It ends when the server stops, or at once when
/// the tenant cannot be loaded.
pub(super) fn start(
    tenant: TenantId,
    deps: Deps,
    events: broadcast::Sender<(TenantId, Event)>,
    commands: mpsc::Sender<Command>,
    mailbox: mpsc::Receiver<Command>,
) -> Handle {
    let (log, reader) = watch::channel(None);
    let handle = Handle {
        commands: commands.clone(),
        log: reader,
    };
    let tasks = deps.tasks.clone();
    tasks.spawn(async move {
        match loaded(tenant, &deps).await {
            Ok(loaded) => {
                let live = Live::new(tenant, loaded, deps, events, commands.downgrade(), log);
                run(live, mailbox).await;
            }
            Err(e) => tracing::error!(
                tenant.id = %tenant,
                error = e.chain(),
                "a tenant could not be loaded; it is tried again when it is next needed"
            ),
        }
    });
    handle
}

async fn loaded(tenant: TenantId, deps: &Deps) -> Result<load::Loaded> {
    let rows = deps.db.tenant(tenant).await?;
    let relays = Arc::clone(&deps.relay_map.borrow());
    load::all(&rows, &deps.dns_suffix, relays, deps.clock.now()).await
}

async fn run(mut live: Live, mut mailbox: mpsc::Receiver<Command>) {
    let stop = live.deps.stop.clone();
    let mut stopped = pin!(stop.cancelled());
    let mut relays = live.deps.relay_map.clone();
    loop {
        let wake = live.next_wake();
        tokio::select! {
            biased;
            () = &mut stopped => break,
            Some((node, number)) = live.dropped.recv() => live.detached(node, number),
            Some(command) = mailbox.recv() => {
                let mut batch = vec![command];
                while batch.len() < BATCH && let Ok(command) = mailbox.try_recv() {
                    batch.push(command);
                }
                live.take(batch).await;
            }
            Ok(()) = relays.changed() => {
                let map = Arc::clone(&relays.borrow_and_update());
                live.relays(map);
            }
            stored = live.store.finished() => live.stored(stored),
            approved = live.approvals.finished() => live.approved(approved).await,
            () = sleep_until(wake) => {}
        }
        live.pass_time();
        live.retry_stale().await;
        live.publish_if_due();
        live.ring_if_due();
        live.review_if_due();
        live.approve_if_due();
        live.store_if_due();
    }
    live.end().await;
}

impl Live {
    /// Takes commands in their order, after one read of all rows that they name.
    async fn take(&mut self, batch: Vec<Command>) {
        let changed = batch.iter().filter_map(|command| match command {
            Command::Changed { changed, .. } => Some(*changed),
            Command::Attach { .. } | Command::Report { .. } | Command::Presence { .. } => None,
        });
        self.reload(changed.collect()).await;
        for command in batch {
            match command {
                Command::Changed { changed: _, done } => self.tell_when_published(done),
                Command::Attach {
                    node,
                    attach,
                    reply,
                } => {
                    let _ = reply.send(self.attach(node, *attach).await);
                }
                Command::Report {
                    node,
                    report,
                    reply,
                } => {
                    let _ = reply.send(self.report(node, *report));
                }
                Command::Presence { reply } => {
                    let _ = reply.send(self.presence());
                }
            }
        }
    }

    /// When there is something to do next.
    fn next_wake(&self) -> Instant {
        let now = self.deps.clock.instant();
        let wall = self.deps.clock.now();
        let due = self.deadlines.next().map(|at| now + at.since(wall));
        let times = [
            due,
            self.publish_at(),
            self.bell.rings_at(),
            self.store.due_at(),
            self.review.due_at(),
            self.approvals.due_at(),
            self.retry_at,
        ];
        let first = times.into_iter().flatten().min();
        Instant::from_std(first.map_or(now + NAP, |at| at.min(now + NAP)))
    }
}
