//! Prometheus metrics, on a listener of their own.

use std::sync::{Arc, atomic::Ordering};

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use http::header;

use crate::{app::App, db::Reason, http::gate::Gate};

/// `/metrics` and nothing else.
pub(super) fn router(app: &Arc<App>, gate: Gate) -> Router {
    Router::new()
        .route("/metrics", get(render))
        .with_state((Arc::clone(app), gate))
}

async fn render(State((app, gate)): State<(Arc<App>, Gate)>) -> impl IntoResponse {
    gather(&app, &gate).await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.metrics.render())
}

/// Copies what parts count for themselves.
async fn gather(app: &App, gate: &Gate) {
    let metrics = &app.metrics;
    let gauge = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    metrics.connections.set(gauge(gate.inside()));
    let refused = metrics.connections_refused.inner();
    refused.store(gate.refused(), Ordering::Relaxed);
    let answered = app.stun.answered.load(Ordering::Relaxed);
    let answers = metrics.stun_answers.inner();
    answers.store(answered, Ordering::Relaxed);
    if let Some(relay) = &app.relay {
        metrics.relay_sessions.set(gauge(relay.sessions()));
        metrics.relay(relay.counters());
    }
    metrics.tenants_loaded.set(gauge(app.hub.loaded()));
    // While the database is away the last number stands: the others are wanted most then.
    if let Ok(rows) = app.db.system(Reason::Upkeep).await
        && let Ok(tenants) = rows.tenants().await
    {
        metrics.tenants.set(gauge(tenants.len()));
    }
}
