//! Where questions about a policy are thought about: beside the threads that answer, and few
//! at a time.

use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// Thoughts at a time, whoever asks: the rest of the server goes on meanwhile.
static ROOM: Semaphore = Semaphore::const_new(2);

/// Runs `work` on a thread that may take its time.
pub(super) async fn think<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let place = ROOM.acquire().await.map_err(Error::internal)?;
    let thought = tokio::task::spawn_blocking(move || {
        let _place = place;
        work()
    });
    thought.await.map_err(Error::internal)
}
