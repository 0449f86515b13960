//! One task writes; jobs that wait together share a commit.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::{FutureExt as _, future::BoxFuture};
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait as _,
};
use tokio::sync::{mpsc, oneshot};

use super::rows::Conn;
use crate::error::{Error, Result};

/// Jobs that may wait; more wait at the door.
const QUEUE: usize = 1024;
/// Jobs of one commit at most: bounds how long the first one waits.
const BATCH: usize = 64;

/// Runs inside the transaction; `Ok` when its savepoint may stay.
type Run = Box<dyn FnOnce(Conn) -> BoxFuture<'static, Outcome> + Send>;

/// Tells the waiting caller, once the commit has succeeded (`None`) or failed.
type Tell = Box<dyn FnOnce(Option<Error>) + Send>;

struct Outcome {
    keep: bool,
    tell: Tell,
}

/// The way to the writing task.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Run>);

impl Writer {
    /// Starts the task on a pool of one connection; it ends with the last [`Writer`].
    pub(super) fn start(conn: DatabaseConnection) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        tokio::spawn(run(conn, queue));
        Self(jobs)
    }

    pub(super) async fn submit<T, F, Fut>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(Conn) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Run = Box::new(move |conn| {
            Box::pin(async move {
                let work = AssertUnwindSafe(async { work(conn).await }).catch_unwind();
                let result = match work.await {
                    Ok(result) => result,
                    Err(_) => Err(Error::internal(anyhow::anyhow!("panic in a write"))),
                };
                let keep = result.is_ok();
                let tell: Tell = Box::new(move |failed| {
                    let _ = reply.send(match failed {
                        Some(e) => Err(e),
                        None => result,
                    });
                });
                Outcome { keep, tell }
            })
        });
        let away = || Error::unavailable(anyhow::anyhow!("the database takes no writes"));
        self.0.send(job).await.map_err(|_| away())?;
        answer.await.map_err(|_| away())?
    }
}

async fn run(conn: DatabaseConnection, mut queue: mpsc::Receiver<Run>) {
    while let Some(first) = queue.recv().await {
        let mut tells = Vec::new();
        let failed = commit(&conn, first, &mut queue, &mut tells).await.err();
        if let Some(e) = &failed {
            tracing::error!(error = %e, "a database commit failed");
        }
        if failed.is_some() && tells.is_empty() {
            // The database is away: whoever waits is told so now, not one after the other.
            while queue.try_recv().is_ok() {}
        }
        for (keep, tell) in tells {
            // A job that failed by itself has its own answer.
            let failed = failed.as_ref().filter(|_| keep);
            tell(failed.map(|e| Error::unavailable(anyhow::anyhow!("commit failed: {e}"))));
        }
    }
}

/// One transaction; dropped before its commit it leaves nothing.
async fn commit(
    conn: &DatabaseConnection,
    first: Run,
    queue: &mut mpsc::Receiver<Run>,
    tells: &mut Vec<(bool, Tell)>,
) -> Result<(), DbErr> {
    let at_once = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let tx = Arc::new(conn.begin_with_options(at_once).await?);
    let mut next = Some(first);
    while let Some(job) = next {
        tx.execute_unprepared("SAVEPOINT job").await?;
        let outcome = job(Conn(Arc::clone(&tx))).await;
        let end = if outcome.keep {
            "RELEASE SAVEPOINT job"
        } else {
            "ROLLBACK TO SAVEPOINT job"
        };
        tells.push((outcome.keep, outcome.tell));
        tx.execute_unprepared(end).await?;
        next = if tells.len() < BATCH {
            queue.try_recv().ok()
        } else {
            None
        };
    }
    let tx = Arc::into_inner(tx);
    let tx = tx.ok_or_else(|| DbErr::Custom("a job kept its transaction".to_owned()))?;
    tx.commit().await
}
