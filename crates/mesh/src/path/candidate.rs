//! Addresses that may lead to a peer.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use wire::net::MESH_IPV6;

/// How long an address that only a ping has shown is kept after the last one.
const HEARD_FOR: Duration = Duration::from_secs(45);
/// Addresses kept that only pings have shown; a peer cannot make us keep more.
pub(crate) const MAX_HEARD: usize = 16;

/// One address, and why it is known.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Candidate {
    /// The netmap lists it.
    pub(crate) in_netmap: bool,
    /// The peer's last call-me-maybe lists it.
    pub(crate) in_call: bool,
    /// The peer's last authentic ping from it.
    pub(crate) heard: Option<Instant>,
    /// Our last ping to it.
    pub(crate) pinged: Option<Instant>,
    /// The round trip of the last answer.
    pub(crate) rtt: Option<Duration>,
}

impl Candidate {
    /// Whether anything still speaks for it.
    pub(crate) fn is_current(&self, now: Instant) -> bool {
        self.in_netmap || self.in_call || self.heard.is_some_and(|heard| now < heard + HEARD_FOR)
    }
}

/// Whether an address can be a peer's at all: not unspecified, multicast, port
/// zero, or inside the mesh, where it would lead back into a tunnel.
pub(crate) fn is_plausible(addr: SocketAddr) -> bool {
    let ip = addr.ip();
    addr.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !MESH_IPV6.contains(ip)
}
