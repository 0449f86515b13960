//! What the sockets and the TUN have carried and lost.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only the data thread changes and everybody may read.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, n: u64) {
        // There is one writer: no read-modify-write is needed.
        let old = self.0.load(Ordering::Relaxed);
        self.0.store(old.wrapping_add(n), Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One set per data thread.
#[derive(Debug, Default)]
pub struct Counters {
    /// Frames read from the TUN.
    pub tun_reads: Counter,
    /// Frames written to the TUN.
    pub tun_writes: Counter,
    /// Frames that the TUN refused.
    pub tun_refused: Counter,
    /// Trains received by UDP.
    pub udp_receives: Counter,
    /// Receives that failed.
    pub udp_receive_errors: Counter,
    /// Trains sent by UDP.
    pub udp_trains: Counter,
    /// Datagrams sent by UDP.
    pub udp_datagrams: Counter,
    /// Datagrams that could not be sent: no route, no room, too long.
    pub udp_lost: Counter,
    /// Trains handed to relay connections.
    pub relay_trains: Counter,
    /// Trains dropped because relay connections were too slow.
    pub relay_lost: Counter,
}

impl Counters {
    /// Every number with its name.
    pub fn all(&self) -> [(&'static str, u64); 10] {
        [
            ("tun_reads", self.tun_reads.get()),
            ("tun_writes", self.tun_writes.get()),
            ("tun_refused", self.tun_refused.get()),
            ("udp_receives", self.udp_receives.get()),
            ("udp_receive_errors", self.udp_receive_errors.get()),
            ("udp_trains", self.udp_trains.get()),
            ("udp_datagrams", self.udp_datagrams.get()),
            ("udp_lost", self.udp_lost.get()),
            ("relay_trains", self.relay_trains.get()),
            ("relay_lost", self.relay_lost.get()),
        ]
    }
}
