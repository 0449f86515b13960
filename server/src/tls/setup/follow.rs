//! Keeps certificates fresh while the server runs.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result};
use tokio::time::sleep;
use wire::Timestamp;

use super::{
    super::{Material, Resolver, acme::Acme},
    Source,
};
use crate::{app::App, relay::map::Place};

/// Keeps them fresh until the server stops; `place` is where the relay is.
pub fn follow(app: &Arc<App>, place: Option<Place>) {
    let certificates = &app.certificates;
    let (stop, app) = (app.stop.clone(), Arc::clone(app));
    let tasks = app.tasks.clone();
    match (&certificates.source, certificates.main.clone()) {
        (Source::None | Source::LocalCa, _) => {
            if certificates.facts().relay_sha256.is_some() {
                let work = async move { follow_own(&app, place.as_ref()).await };
                tasks.spawn(until_stop(stop, work));
            }
        }
        (Source::Files { chain, key }, Some(resolver)) => {
            let (chain, key) = (chain.clone(), key.clone());
            let work = async move { follow_files(&chain, &key, &resolver).await };
            tasks.spawn(until_stop(stop, work));
        }
        (Source::Acme(acme), Some(resolver)) => {
            let acme = acme.clone();
            let work = async move { follow_acme(&acme, &resolver, &app).await };
            tasks.spawn(until_stop(stop, work));
        }
        (Source::Files { .. } | Source::Acme(_), None) => {}
    }
}

async fn until_stop(stop: tokio_util::sync::CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}

/// How often certificate files are looked at.
const LOOK: Duration = Duration::from_mins(1);

/// Presents new files when they change; keeps the old certificate when they do not fit.
async fn follow_files(chain: &Path, key: &Path, resolver: &Resolver) {
    let mut seen = stamps(chain, key);
    loop {
        sleep(LOOK).await;
        let now = stamps(chain, key);
        if now == seen {
            continue;
        }
        seen = now;
        match Material::from_files(chain, key).and_then(|new| resolver.set(&new)) {
            Ok(()) => tracing::info!("the changed certificate files are in use"),
            Err(error) => tracing::error!(
                error = format!("{error:#}"),
                "the changed certificate files cannot be used; the old certificate stays"
            ),
        }
    }
}

fn stamps(chain: &Path, key: &Path) -> [Option<SystemTime>; 2] {
    [chain, key].map(|path| std::fs::metadata(path).and_then(|m| m.modified()).ok())
}

/// Renews what the server made itself; nodes are told the relay's new digest at once.
async fn follow_own(app: &App, place: Option<&Place>) {
    loop {
        sleep(RENEW_LOOK).await;
        match app.certificates.renew(&app.config, app.clock.now()) {
            Ok(false) => {}
            Ok(true) => {
                tracing::info!(
                    "the server's own certificate was near its end: a new one is in use"
                );
                if let Some(place) = place {
                    let place = Place {
                        certificate: app.certificates.relay_digest(),
                        ..place.clone()
                    };
                    app.relay_map.send_replace(Arc::new(place.map()));
                }
            }
            Err(error) => tracing::error!(
                error = format!("{error:#}"),
                "the server's own certificate was not renewed; the next try is in six hours"
            ),
        }
    }
}

/// How often the end of a certificate is looked at.
const RENEW_LOOK: Duration = Duration::from_hours(6);
/// How long to wait after a failed order; authorities limit failures by the hour.
const RETRY: Duration = Duration::from_mins(20);

async fn follow_acme(acme: &Acme, resolver: &Resolver, app: &App) {
    loop {
        let wait = match renew(acme, resolver, app.clock.now()).await {
            Ok(()) => RENEW_LOOK,
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "no certificate by ACME; the next try is in 20 minutes"
                );
                RETRY
            }
        };
        sleep(wait).await;
    }
}

async fn renew(acme: &Acme, resolver: &Resolver, now: Timestamp) -> Result<()> {
    if acme.kept(now)?.is_some() {
        return Ok(());
    }
    let made = acme
        .order(resolver, now)
        .await
        .with_context(|| format!("ordering a certificate for {}", acme.names.join(", ")))?;
    resolver.set(&made)?;
    tracing::info!(names = acme.names.join(", "), "a certificate came by ACME");
    Ok(())
}

#[cfg(test)]
mod tests;
