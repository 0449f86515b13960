//! The control protocol: what nodes speak to.
//!
//! ```text
//! http ─upgrade─▶ accept (Noise) ─records─▶ session (HTTP/2) ─▶ endpoint ─┬▶ register ─▶ admit ─▶ rows
//!                                                                         └▶ map ─▶ the tenant's task
//! ```
//!
//! A session is one machine. Each request names a node by its key; it is served
//! only when that node belongs to the session's machine, and answered like one
//! for a node that does not exist otherwise.

mod accept;
pub(crate) mod admit;
mod answer;
mod endpoint;
mod hostinfo;
mod known;
mod map;
pub mod pending;
mod records;
mod register;
mod session;
mod stall;
pub(crate) mod tags;

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    routing::{get, post},
};
use wire::{AuthKeyId, CapabilityVersion, MachineKey, NodeId};

use crate::{
    app::App,
    http::rate::{Buckets, Limiter},
};

/// Other names that a node may ask for at once; each is a row of the audit log.
const RENAMES: u32 = 10;

/// Machines that may come with one auth key at once; as many more each second.
const REGISTRATIONS: u32 = 500;

/// What all control connections share.
#[derive(Debug)]
struct Control {
    app: Arc<App>,
    /// Handshakes that did not verify, by network.
    failed_handshakes: Limiter,
    /// Registrations without a valid credential, by network.
    failed_registrations: Limiter,
    /// Registrations with a key that is known, by key.
    registrations: Buckets<AuthKeyId>,
    /// Names that machines ask for later, by node.
    renames: Buckets<NodeId>,
}

/// Who is at the other end of a control connection.
#[derive(Debug)]
struct Session {
    /// The installation that proved its key.
    machine: MachineKey,
    /// What its client understands.
    version: CapabilityVersion,
    /// Where it is.
    address: IpAddr,
}

impl Control {
    fn new(app: Arc<App>) -> Self {
        Self {
            app,
            failed_handshakes: Limiter::new(50, Duration::from_millis(20)),
            failed_registrations: Limiter::new(5, Duration::from_millis(200)),
            registrations: Buckets::new(REGISTRATIONS, Duration::from_millis(2)),
            renames: Buckets::new(RENAMES, Duration::from_mins(1)),
        }
    }
}

/// `/key` and `/ts2021`.
pub fn router(app: Arc<App>) -> Router {
    let control = Arc::new(Control::new(app));
    Router::new()
        .route("/key", get(accept::key))
        .route("/ts2021", post(accept::upgrade).get(accept::websocket))
        .with_state(control)
}

#[cfg(test)]
mod tests;
