//! Prometheus metrics, on a listener of their own.

use std::sync::{Arc, atomic::Ordering};

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use http::header;

use crate::{app::App, http::gate::Gate};

/// `/metrics` and nothing else.
pub(super) fn router(app: &Arc<App>, gate: Gate) -> Router {
    Router::new()
        .route("/metrics", get(render))
        .with_state((Arc::clone(app), gate))
}

async fn render(State((app, gate)): State<(Arc<App>, Gate)>) -> impl IntoResponse {
    gather(&app, &gate);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.metrics.render())
}

/// Copies what parts count for themselves.
fn gather(app: &App, gate: &Gate) {
    let metrics = &app.metrics;
    let gauge = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    metrics.connections.set(gauge(gate.inside()));
    let store = |counter: &prometheus_client::metrics::counter::Counter, value: u64| {
        counter.inner().store(value, Ordering::Relaxed);
    };
    store(
        &metrics.stun_answers,
        app.stun.answered.load(Ordering::Relaxed),
    );
    let Some(relay) = &app.relay else { return };
    metrics.relay_sessions.set(gauge(relay.sessions()));
    let counters = relay.counters();
    store(
        &metrics.relay_forwarded_bytes,
        counters.forwarded_bytes.load(Ordering::Relaxed),
    );
    store(
        &metrics.relay_dropped,
        counters.dropped_full.load(Ordering::Relaxed)
            + counters.dropped_not_here.load(Ordering::Relaxed),
    );
}
