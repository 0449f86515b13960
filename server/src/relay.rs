//! The relay and STUN service: packets between nodes that cannot reach each other.
//!
//! ```text
//! http ─upgrade─▶ accept ─stream─▶ session ─trains─▶ board ─▶ outbox of the peer's session
//!                                    ▲                 ▲
//!                        admission (current node keys, fails closed; revocations close sessions)
//! ```
//!
//! The relay sees keys, sizes and times, never what is inside the packets.

mod accept;
pub mod admission;
mod board;
mod greet;
pub mod map;
mod outbox;
mod session;
pub mod stun;
pub(crate) mod websocket;

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use link::relay::RelaySecret;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use accept::router;
pub use admission::Admission;
use admission::Change;
use board::Board;

/// Fills a buffer with random bytes.
pub type Fill = Box<dyn Fn(&mut [u8]) + Send + Sync>;

/// The relay of this process.
pub struct Relay {
    secret: RelaySecret,
    admission: Admission,
    board: Arc<Board>,
    counters: Arc<Counters>,
    fill: Fill,
    bootstrap: BTreeMap<String, Vec<IpAddr>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").finish_non_exhaustive()
    }
}

/// What the relay did so far; for metrics.
#[derive(Debug, Default)]
pub struct Counters {
    /// Connections that proved an admitted key.
    pub accepted: AtomicU64,
    /// Connections whose key is not admitted.
    pub refused: AtomicU64,
    /// Connections that did not prove a key in time.
    pub failed: AtomicU64,
    /// Packets passed on.
    pub forwarded_packets: AtomicU64,
    /// Bytes passed on, frame headers included.
    pub forwarded_bytes: AtomicU64,
    /// Packets dropped because the receiver's queue was full.
    pub dropped_full: AtomicU64,
    /// Packets for peers that are not connected here.
    pub dropped_not_here: AtomicU64,
}

impl Counters {
    fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }
}

impl Relay {
    /// Starts the relay; call it inside the runtime. `bootstrap` are the names
    /// that `/bootstrap-dns` resolves: the server's own.
    pub fn start(
        secret: [u8; 32],
        admission: Admission,
        bootstrap: BTreeMap<String, Vec<IpAddr>>,
        fill: Fill,
    ) -> Arc<Self> {
        let relay = Arc::new(Self {
            secret: RelaySecret::from_bytes(secret),
            admission,
            board: Arc::default(),
            counters: Arc::default(),
            fill,
            bootstrap,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        });
        let follow = follow(relay.admission.clone(), relay.board.clone());
        let stopped = relay.stop.clone().cancelled_owned();
        relay.tasks.spawn(async move {
            tokio::select! {
                () = follow => {}
                () = stopped => {}
            }
        });
        relay
    }

    /// What it did so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How many connections are up.
    pub fn sessions(&self) -> usize {
        self.board.len()
    }

    /// Ends every session, takes no new ones, and waits for them to go.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.board.close_all();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn nonce(&self) -> [u8; 24] {
        let mut nonce = [0; 24];
        (self.fill)(&mut nonce);
        nonce
    }
}

/// Ends the sessions of keys as they are revoked.
async fn follow(admission: Admission, board: Arc<Board>) {
    let mut followed = admission.subscribe();
    loop {
        match followed.changes.recv().await {
            Ok(Change::Revoked(key)) => board.close(&key),
            Ok(Change::Admitted { .. }) => {}
            Err(RecvError::Lagged(_)) => {
                followed = admission.subscribe();
                board.close_unless(|key, tenant| followed.admitted.get(key) == Some(tenant));
            }
            Err(RecvError::Closed) => return,
        }
    }
}

#[cfg(test)]
mod tests;
