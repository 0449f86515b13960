//! `serve`: from a configuration to a server that runs, until it is told to stop.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use tokio::time::timeout;
use wire::api::user::OneTimeLink;

use super::{InUse, StopSignals, owner};
use crate::{admin, app::App, clock::Clock, config::Config, listeners::Listeners, login};

/// How long everything in the background may take to end.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often a held data directory is tried.
const RETRY: Duration = Duration::from_millis(100);

/// What there is to tell once the server serves.
#[derive(Debug)]
pub struct Ready {
    /// What serves.
    pub app: Arc<App>,
    /// The way in for the first owner, while there is none.
    pub setup: Option<OneTimeLink>,
}

/// Serves until SIGTERM or SIGINT, then lets open work end; a second signal
/// ends it at once. `ready` is called when every listener answers.
pub async fn run(config: Config, clock: Arc<dyn Clock>, ready: impl FnOnce(&Ready)) -> Result<()> {
    let mut signals = StopSignals::listen()?;
    let files = super::raise_limit();
    let app = build(config, clock).await?;
    let listeners = Listeners::bind(&app).await?;
    app.hub.start().await.context("loading the tenants")?;
    let socket = admin::Socket::bind(&app)?;
    let doors = listeners.open(&app)?;
    app.tasks.spawn(socket.serve(Arc::clone(&app)));
    app.tasks.spawn(login::upkeep::run(Arc::clone(&app)));
    let setup = owner::invite(&app).await?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        url = app.config.public_url(),
        files,
        "the server is ready"
    );
    ready(&Ready {
        app: Arc::clone(&app),
        setup,
    });

    signals.next().await;
    tracing::info!("stopping; a second signal ends it at once");
    tokio::select! {
        () = signals.next() => tracing::warn!("stopped without waiting"),
        () = end(&app, doors) => tracing::info!("stopped"),
    }
    Ok(())
}

/// Acts at the shell hold the data directory for moments while no server runs.
async fn build(config: Config, clock: Arc<dyn Clock>) -> Result<Arc<App>> {
    let mut waited = Duration::ZERO;
    loop {
        match App::build(config.clone(), Arc::clone(&clock)).await {
            Err(error) if error.is::<InUse>() && waited < PATIENCE => {
                tokio::time::sleep(RETRY).await;
                waited += RETRY;
            }
            built => return built,
        }
    }
}

async fn end(app: &App, doors: Vec<tokio::task::JoinHandle<()>>) {
    app.stop.cancel();
    for door in doors {
        let _ = door.await;
    }
    if let Some(relay) = &app.relay {
        let _ = timeout(PATIENCE, relay.stop()).await;
    }
    app.tasks.close();
    if timeout(PATIENCE, app.tasks.wait()).await.is_err() {
        tracing::warn!("background work was still running at the end");
    }
}
