//! Every instrument, defined once. Values of labels come from closed sets; an
//! id, a name or an address is never one.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use wire::api::problem::Code;

use crate::relay;

/// One more in a gauge, until dropped.
#[derive(Debug)]
pub struct Held(Gauge);

impl Held {
    /// Counts one more in `gauge`.
    pub fn one(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The server's instruments.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Histogram>,
    problems: Family<ProblemLabels, Counter>,
    /// Open TCP connections.
    pub connections: Gauge,
    /// Connections refused because a cap was reached.
    pub connections_refused: Counter,
    /// Live event streams of consoles.
    pub event_streams: Gauge,
    /// Answers of the STUN service.
    pub stun_answers: Counter,
    /// Control connections that nodes hold.
    pub control_sessions: Gauge,
    /// Relay sessions that nodes hold.
    pub relay_sessions: Gauge,
    /// Bytes the relay forwarded.
    pub relay_forwarded_bytes: Counter,
    /// Packets the relay forwarded.
    pub relay_forwarded_packets: Counter,
    /// Sessions the relay began, by whether the key was admitted.
    relay_greetings: Family<OutcomeLabels, Counter>,
    /// Packets the relay dropped, by why.
    relay_dropped: Family<ReasonLabels, Counter>,
    /// Map streams that nodes hold: machines online.
    pub map_streams: Gauge,
    /// Tenants.
    pub tenants: Gauge,
    /// Tenants in memory.
    pub tenants_loaded: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProblemLabels {
    code: String,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("warren");
        let requests = Family::<RequestLabels, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(0.001, 2.0, 14))
        });
        registry.register_with_unit(
            "request_duration",
            "Time from a request's head to its answer's head",
            Unit::Seconds,
            requests.clone(),
        );
        let problems = Family::<ProblemLabels, Counter>::default();
        registry.register("problems", "Refused requests by code", problems.clone());
        let relay_greetings = Family::<OutcomeLabels, Counter>::default();
        registry.register(
            "relay_greetings",
            "Connections to the relay by what came of them",
            relay_greetings.clone(),
        );
        let relay_dropped = Family::<ReasonLabels, Counter>::default();
        registry.register(
            "relay_dropped",
            "Packets the relay dropped",
            relay_dropped.clone(),
        );
        let (connections, event_streams, control_sessions, relay_sessions) = (
            gauge(&mut registry, "connections", "Open TCP connections"),
            gauge(&mut registry, "event_streams", "Consoles that listen"),
            gauge(&mut registry, "control_sessions", "Nodes on control"),
            gauge(&mut registry, "relay_sessions", "Nodes on the relay"),
        );
        Self {
            connections,
            event_streams,
            control_sessions,
            relay_sessions,
            connections_refused: counter(
                &mut registry,
                "connections_refused",
                "Connections over a cap",
            ),
            stun_answers: counter(&mut registry, "stun_answers", "STUN answers"),
            relay_forwarded_bytes: counter(
                &mut registry,
                "relay_forwarded_bytes",
                "Bytes the relay forwarded",
            ),
            relay_forwarded_packets: counter(
                &mut registry,
                "relay_forwarded_packets",
                "Packets the relay forwarded",
            ),
            map_streams: gauge(&mut registry, "map_streams", "Machines online"),
            tenants: gauge(&mut registry, "tenants", "Tenants"),
            tenants_loaded: gauge(&mut registry, "tenants_loaded", "Tenants in memory"),
            relay_greetings,
            relay_dropped,
            requests,
            problems,
            registry,
        }
    }
}

fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}

fn counter(registry: &mut Registry, name: &str, help: &str) -> Counter {
    let counter = Counter::default();
    registry.register(name, help, counter.clone());
    counter
}

impl Metrics {
    /// Counts one answered request.
    pub fn request(&self, method: &http::Method, status: u16, elapsed: Duration) {
        let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
        let method = known
            .into_iter()
            .find(|m| *m == method.as_str())
            .unwrap_or("other");
        self.requests
            .get_or_create(&RequestLabels {
                method: method.to_owned(),
                status,
            })
            .observe(elapsed.as_secs_f64());
    }

    /// Counts one refused request.
    pub fn problem(&self, code: Code) {
        self.problems
            .get_or_create(&ProblemLabels {
                code: code.to_string(),
            })
            .inc();
    }

    /// Takes over what the relay counts for itself.
    pub fn relay(&self, counters: &relay::Counters) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let store = |counter: &Counter, value| counter.inner().store(value, Ordering::Relaxed);
        store(&self.relay_forwarded_bytes, read(&counters.forwarded_bytes));
        store(
            &self.relay_forwarded_packets,
            read(&counters.forwarded_packets),
        );
        for (outcome, value) in [
            ("accepted", &counters.accepted),
            ("refused", &counters.refused),
            ("failed", &counters.failed),
        ] {
            let outcome = outcome.to_owned();
            let counter = self
                .relay_greetings
                .get_or_create(&OutcomeLabels { outcome });
            store(&counter, read(value));
        }
        for (reason, value) in [
            ("queue_full", &counters.dropped_full),
            ("peer_not_here", &counters.dropped_not_here),
        ] {
            let reason = reason.to_owned();
            let counter = self.relay_dropped.get_or_create(&ReasonLabels { reason });
            store(&counter, read(value));
        }
    }

    /// All of them in the text form of `OpenMetrics`.
    pub fn render(&self) -> String {
        let mut text = String::new();
        // INVARIANT: writing into a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_counted_under_closed_labels() {
        let metrics = Metrics::default();
        let odd = http::Method::from_bytes(b"CANARY").unwrap();
        metrics.request(&odd, 405, Duration::from_millis(3));
        metrics.request(&http::Method::GET, 200, Duration::from_millis(3));
        metrics.problem(Code::MethodNotAllowed);
        let text = metrics.render();
        assert!(
            text.contains(
                "warren_request_duration_seconds_count{method=\"other\",status=\"405\"} 1"
            )
        );
        assert!(text.contains("warren_problems_total{code=\"method_not_allowed\"} 1"));
        assert!(!text.contains("CANARY"));
    }
}
