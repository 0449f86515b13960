//! Clears away sessions and links that have ended. Nothing depends on it: what
//! has ended is refused whether its row is there or not.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use super::session::IDLE;
use crate::{app::App, db::Reason, error::Result};

const EVERY: Duration = Duration::from_hours(1);

/// Clears now and every hour, until the server stops.
pub async fn run(app: Arc<App>) {
    loop {
        match sweep(&app).await {
            Ok(0) => {}
            Ok(count) => tracing::debug!(count, "ended sessions and links are cleared away"),
            Err(error) => tracing::warn!(%error, "ended sessions cannot be cleared away"),
        }
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = sleep(EVERY) => {}
        }
    }
}

/// Clears once; how many rows went.
pub async fn sweep(app: &App) -> Result<u64> {
    let now = app.clock.now();
    app.db
        .write_system(Reason::Upkeep, move |rows| async move {
            let sessions = rows.delete_stale_sessions(now, now.minus(IDLE)).await?;
            Ok(sessions + rows.delete_stale_links(now).await?)
        })
        .await
}
