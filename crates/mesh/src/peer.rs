//! One peer: what the netmap says of it, and, while it is in use, its tunnel and path.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use wire::{DiscoSecret, NodeKey, relay_map::RegionId};

use crate::{
    disco::Shared,
    event::{PathAddr, Wake},
    node,
    path::{PathAgent, probe::SESSION},
    tunnel::{Gate, TICK, Tunnel},
};

/// A tunnel and a path nobody has used for this long are dropped: their keys
/// have ended by then, so that nothing is lost but a little work.
const IDLE: Duration = Duration::from_mins(5);
/// `WireGuard`'s own timers may want something this long after the last packet.
const BUSY: Duration = Duration::from_secs(20);

/// A peer of the netmap.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) info: Arc<node::Peer>,
    /// When its key ends, on our clock.
    pub(crate) expires_at: Option<Instant>,
    /// It has ended, by the server's word or by our clock.
    pub(crate) expired: bool,
    pub(crate) live: Option<Box<Live>>,
    pub(crate) rx_bytes: u64,
    pub(crate) tx_bytes: u64,
}

/// What a peer needs while it is in use.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) path: PathAgent,
    pub(crate) tunnel: Option<Tunnel>,
    /// Absent when the peer has no disco key.
    pub(crate) disco: Option<Shared>,
    /// The last inner packet or path message, either way.
    pub(crate) last_used: Instant,
    /// The path last told to the shell.
    pub(crate) shown: Option<PathAddr>,
    /// It waits for fresh endpoints of ours to be sent.
    pub(crate) call_waiting: bool,
}

impl Peer {
    pub(crate) fn new(info: Arc<node::Peer>) -> Self {
        Self {
            expired: info.expired,
            expires_at: None,
            info,
            live: None,
            rx_bytes: 0,
            tx_bytes: 0,
        }
    }

    /// The relay it is reachable through.
    pub(crate) fn home_relay(&self) -> Option<RegionId> {
        Some(self.info.home_relay).filter(|r| *r != RegionId(0))
    }

    /// Its live part, made now if there is none.
    pub(crate) fn wake(&mut self, own: &DiscoSecret, now: Instant) -> &mut Live {
        let relay = self.home_relay();
        let info = &self.info;
        self.live.get_or_insert_with(|| {
            let mut path = PathAgent::default();
            let disco = (!info.disco.is_zero()).then(|| Shared::new(own, &info.disco));
            if disco.is_some() {
                path.set_endpoints(&info.endpoints, now);
            }
            path.set_relay(relay);
            Box::new(Live {
                path,
                tunnel: None,
                disco,
                last_used: now,
                shown: None,
                call_waiting: false,
            })
        })
    }
}

impl Live {
    /// Its tunnel, made now if there is none.
    pub(crate) fn tunnel(
        &mut self,
        gate: &Gate,
        key: &NodeKey,
        slot: u32,
        now: Instant,
    ) -> &mut Tunnel {
        self.tunnel
            .get_or_insert_with(|| Tunnel::new(gate, key, slot, now))
    }

    /// Whether anything was sent or received lately.
    pub(crate) fn is_busy(&self, now: Instant) -> bool {
        self.tunnel.is_some() && now < self.last_used + SESSION
    }

    /// Whether it can be dropped.
    pub(crate) fn is_idle(&self, now: Instant) -> bool {
        now >= self.last_used + IDLE
    }

    /// When it needs to be looked at again.
    pub(crate) fn poll_timeout(&self, now: Instant) -> (Instant, Wake) {
        let idle = (self.last_used + IDLE, Wake::Idle);
        let busy = self
            .tunnel
            .as_ref()
            .filter(|t| t.is_establishing() || now < self.last_used + BUSY)
            .map(|_| (now + TICK, Wake::Tunnel));
        let probe = self.path.poll_timeout(now).map(|at| (at, Wake::Probe));
        [busy, probe].into_iter().flatten().fold(idle, Ord::min)
    }
}
