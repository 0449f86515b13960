//! One task writes; jobs that wait together share a commit.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::{FutureExt as _, future::BoxFuture};
use sea_orm::{ConnectionTrait as _, DatabaseBackend, DatabaseConnection};
use tokio::sync::{mpsc, oneshot};

use crate::error::{Error, Result};

/// Jobs that may wait; more wait at the door.
const QUEUE: usize = 1024;
/// Jobs of one commit at most: bounds how long the first one waits.
const BATCH: usize = 64;

/// Runs inside the transaction; `Ok` when its savepoint may stay.
type Run = Box<dyn FnOnce(Arc<DatabaseConnection>) -> BoxFuture<'static, Outcome> + Send>;

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
        tokio::spawn(run(Arc::new(conn), queue));
        Self(jobs)
    }

    pub(super) async fn submit<T, F, Fut>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(Arc<DatabaseConnection>) -> Fut + Send + 'static,
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
        let away = || Error::unavailable(anyhow::anyhow!("the database writer has stopped"));
        self.0.send(job).await.map_err(|_| away())?;
        answer.await.map_err(|_| away())?
    }
}

async fn run(conn: Arc<DatabaseConnection>, mut queue: mpsc::Receiver<Run>) {
    while let Some(first) = queue.recv().await {
        let mut tells = Vec::new();
        let failed = commit(&conn, first, &mut queue, &mut tells).await.err();
        if let Some(e) = &failed {
            tracing::error!(error = %e, "a database commit failed");
            let _ = conn.execute_unprepared("ROLLBACK").await;
        }
        for (keep, tell) in tells {
            // A job that failed by itself has its own answer.
            let failed = failed.as_ref().filter(|_| keep);
            tell(failed.map(|e| Error::unavailable(anyhow::anyhow!("commit failed: {e}"))));
        }
    }
}

async fn commit(
    conn: &Arc<DatabaseConnection>,
    first: Run,
    queue: &mut mpsc::Receiver<Run>,
    tells: &mut Vec<(bool, Tell)>,
) -> Result<(), sea_orm::DbErr> {
    let begin = if conn.get_database_backend() == DatabaseBackend::Postgres {
        "BEGIN"
    } else {
        "BEGIN IMMEDIATE"
    };
    conn.execute_unprepared(begin).await?;
    let mut next = Some(first);
    while let Some(job) = next {
        conn.execute_unprepared("SAVEPOINT job").await?;
        let outcome = job(Arc::clone(conn)).await;
        let end = if outcome.keep {
            "RELEASE SAVEPOINT job"
        } else {
            "ROLLBACK TO SAVEPOINT job"
        };
        tells.push((outcome.keep, outcome.tell));
        conn.execute_unprepared(end).await?;
        next = if tells.len() < BATCH {
            queue.try_recv().ok()
        } else {
            None
        };
    }
    conn.execute_unprepared("COMMIT").await?;
    Ok(())
}
