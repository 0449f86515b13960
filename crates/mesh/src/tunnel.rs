//! WireGuard by boringtun: the only file that names it.
//!
//! What boringtun asks of its caller and this file sees to: destinations are
//! never shorter than what may be written (it panics otherwise); one pair of
//! rate limiters serves all tunnels; its clock moves with `update_timers`
//! only, so a tunnel is ticked before use when its last tick is old; packets
//! queued during a handshake are fetched by empty datagrams afterwards.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use boringtun::{
    noise::{
        Packet, Tunn, TunnResult, errors::WireGuardError, handshake::parse_handshake_anon,
        rate_limiter::RateLimiter,
    },
    x25519::{PublicKey, StaticSecret},
};
use wire::{NodeKey, NodeSecret};

use crate::event::Dropped;

/// Bytes that encryption adds to a packet.
pub(crate) const OVERHEAD: usize = 32;
/// The longest message besides data; every output buffer holds as much.
pub(crate) const MAX_HANDSHAKE: usize = 148;
/// How often a tunnel in use is ticked.
pub(crate) const TICK: Duration = Duration::from_millis(250);
/// Handshake messages per second above which initiators must prove their
/// address by a cookie.
const HANDSHAKES_PER_SECOND: u64 = 1_000;
/// A message's low bits: which session of a tunnel.
const SESSION_BITS: u32 = 8;

/// What a datagram says it is, by type and length alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A handshake's first message: the sender is inside.
    Initiation,
    /// An answer to the tunnel of this slot: handshake response or cookie.
    Response(u32),
    /// A cookie for the tunnel of this slot.
    Cookie(u32),
    /// Data for the tunnel of this slot.
    Data(u32),
}

/// Reads type and receiver; `None` when it is no WireGuard message.
pub(crate) fn classify(datagram: &[u8]) -> Option<Kind> {
    let word = |at: usize| -> Option<u32> {
        let bytes = datagram.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    match (word(0)?, datagram.len()) {
        (1, MAX_HANDSHAKE) => Some(Kind::Initiation),
        (2, 92) => Some(Kind::Response(word(8)? >> SESSION_BITS)),
        (3, 64) => Some(Kind::Cookie(word(4)? >> SESSION_BITS)),
        (4, OVERHEAD..) => Some(Kind::Data(word(4)? >> SESSION_BITS)),
        _ => None,
    }
}

/// What every handshake message must pass before a tunnel sees it.
pub(crate) struct Gate {
    secret: StaticSecret,
    public: PublicKey,
    /// Counts every handshake message once, here.
    limiter: RateLimiter,
    /// The tunnels' own, which never refuses: they would count a second time.
    inner: Arc<RateLimiter>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

/// What the gate says to a handshake message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Hand it to its tunnel.
    Admitted,
    /// Too many: send back what was written into the reply, this many bytes.
    Cookie(usize),
    /// Drop it.
    Refused(Dropped),
}

impl Gate {
    pub(crate) fn new(node: &NodeSecret) -> Self {
        let secret = node.secret().clone();
        let public = PublicKey::from(&secret);
        Self {
            limiter: RateLimiter::new(&public, HANDSHAKES_PER_SECOND),
            inner: Arc::new(RateLimiter::new(&public, u64::MAX)),
            secret,
            public,
        }
    }

    /// Checks a handshake message's first code, which proves that the sender
    /// knows our key, and the rate. `from` is what a cookie is bound to.
    pub(crate) fn admit(&self, from: IpAddr, message: &[u8], reply: &mut [u8; 64]) -> Admission {
        self.limiter.reset_count();
        match self.limiter.verify_packet(Some(from), message, reply) {
            Ok(_) => Admission::Admitted,
            Err(TunnResult::WriteToNetwork(cookie)) => Admission::Cookie(cookie.len()),
            Err(TunnResult::Err(WireGuardError::UnderLoad)) => {
                Admission::Refused(Dropped::UnderLoad)
            }
            Err(_) => Admission::Refused(Dropped::NotAuthentic),
        }
    }

    /// Who sent an admitted initiation; `None` when it is not authentic.
    pub(crate) fn initiator(&self, initiation: &[u8]) -> Option<NodeKey> {
        let Ok(Packet::HandshakeInit(message)) = Tunn::parse_incoming_packet(initiation) else {
            return None;
        };
        parse_handshake_anon(&self.secret, &self.public, &message)
            .ok()
            .map(|half| NodeKey::from_bytes(half.peer_static_public))
    }
}

/// What became of a packet for the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sealed {
    /// A data message of this length was written.
    Data(usize),
    /// The packet waits; a handshake message of this length was written, to be sent alone.
    Handshake(usize),
    /// The packet waits for a handshake under way; nothing was written.
    Waiting,
}

/// What became of a message from the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opened {
    /// An inner packet of this length was written.
    Packet(usize),
    /// Authentic, nothing inside.
    Nothing,
    /// A message of this length was written that goes back to the peer.
    Reply(usize),
    /// Not for us.
    Refused(Dropped),
}

/// One peer's WireGuard state.
pub(crate) struct Tunnel {
    tunn: Box<Tunn>,
    last_tick: Instant,
    /// Packets may be waiting inside.
    waiting: bool,
    /// The longest packet that ever waited.
    longest_waiting: usize,
    /// Since when a handshake of ours has had no answer.
    handshake_since: Option<Instant>,
    last_handshake: Option<Instant>,
}

impl std::fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tunnel")
            .field("last_tick", &self.last_tick)
            .field("waiting", &self.waiting)
            .field("handshake_since", &self.handshake_since)
            .field("last_handshake", &self.last_handshake)
            .finish_non_exhaustive()
    }
}

impl Tunnel {
    /// A tunnel without a session. `slot` (24 bits) comes back in [`classify`].
    pub(crate) fn new(gate: &Gate, peer: &NodeKey, slot: u32, now: Instant) -> Self {
        Self {
            tunn: Box::new(Tunn::new(
                gate.secret.clone(),
                PublicKey::from(*peer.as_bytes()),
                None,
                None,
                slot,
                Some(Arc::clone(&gate.inner)),
            )),
            last_tick: now,
            waiting: false,
            longest_waiting: 0,
            handshake_since: None,
            last_handshake: None,
        }
    }

    /// Encrypts a packet into `out`, which holds `packet.len() + OVERHEAD` and
    /// at least [`MAX_HANDSHAKE`] bytes.
    pub(crate) fn seal(&mut self, packet: &[u8], out: &mut [u8], now: Instant) -> Sealed {
        debug_assert!(
            out.len() >= MAX_HANDSHAKE.max(packet.len() + OVERHEAD),
            "the caller provides room for what may be written"
        );
        match self.tunn.encapsulate(packet, out) {
            TunnResult::WriteToNetwork(message) if is_data(message) => Sealed::Data(message.len()),
            TunnResult::WriteToNetwork(message) => {
                self.note_waiting(packet);
                self.handshake_since.get_or_insert(now);
                Sealed::Handshake(message.len())
            }
            TunnResult::Done
            | TunnResult::Err(_)
            | TunnResult::WriteToTunnelV4(..)
            | TunnResult::WriteToTunnelV6(..) => {
                self.note_waiting(packet);
                Sealed::Waiting
            }
        }
    }

    /// Takes a message for this tunnel. `out` must be as long as the message
    /// and hold [`MAX_HANDSHAKE`] bytes; a message too long for it is refused.
    pub(crate) fn open(
        &mut self,
        from: IpAddr,
        message: &[u8],
        out: &mut [u8],
        now: Instant,
    ) -> Opened {
        if message.is_empty() || out.len() < MAX_HANDSHAKE.max(message.len()) {
            return Opened::Refused(Dropped::Malformed);
        }
        let handshake = !is_data(message);
        match self.tunn.decapsulate(Some(from), message, out) {
            TunnResult::WriteToTunnelV4(packet, _) | TunnResult::WriteToTunnelV6(packet, _) => {
                Opened::Packet(packet.len())
            }
            TunnResult::Done => Opened::Nothing,
            TunnResult::WriteToNetwork(reply) => {
                if handshake {
                    self.last_handshake = Some(now);
                    self.handshake_since = None;
                }
                Opened::Reply(reply.len())
            }
            TunnResult::Err(WireGuardError::InvalidPacket) => Opened::Refused(Dropped::Malformed),
            TunnResult::Err(_) => Opened::Refused(Dropped::NotAuthentic),
        }
    }

    /// Whether packets may be waiting for a session.
    pub(crate) const fn has_waiting(&self) -> bool {
        self.waiting
    }

    fn note_waiting(&mut self, packet: &[u8]) {
        self.waiting = true;
        self.longest_waiting = self.longest_waiting.max(packet.len());
    }

    /// The longest packet that may be waiting.
    pub(crate) const fn longest_waiting(&self) -> usize {
        self.longest_waiting
    }

    /// Whether its clock must be moved by [`Self::tick`] before use.
    pub(crate) fn is_stale(&self, now: Instant) -> bool {
        now >= self.last_tick + TICK
    }

    /// Encrypts the next waiting packet into `out`, which has room for the longest;
    /// `None` when none is left or there is still no session. A handshake
    /// message is returned as such.
    pub(crate) fn next_waiting(&mut self, out: &mut [u8], now: Instant) -> Option<Sealed> {
        debug_assert!(
            out.len() >= MAX_HANDSHAKE.max(self.longest_waiting + OVERHEAD),
            "the caller provides room for what may be written"
        );
        match self.tunn.decapsulate(None, &[], out) {
            TunnResult::WriteToNetwork(message) if is_data(message) => {
                Some(Sealed::Data(message.len()))
            }
            TunnResult::WriteToNetwork(message) => {
                self.handshake_since.get_or_insert(now);
                Some(Sealed::Handshake(message.len()))
            }
            TunnResult::Done => {
                self.waiting = self.handshake_since.is_some();
                None
            }
            TunnResult::Err(_)
            | TunnResult::WriteToTunnelV4(..)
            | TunnResult::WriteToTunnelV6(..) => None,
        }
    }

    /// Moves the tunnel's clock when its last tick is old. A message of the
    /// returned length may have been written to `out`: send it alone.
    pub(crate) fn tick(&mut self, out: &mut [u8; MAX_HANDSHAKE], now: Instant) -> Option<usize> {
        if !self.is_stale(now) {
            return None;
        }
        self.last_tick = now;
        match self.tunn.update_timers(out) {
            TunnResult::WriteToNetwork(message) => {
                if !is_data(message) {
                    self.handshake_since.get_or_insert(now);
                }
                Some(message.len())
            }
            TunnResult::Err(_) => {
                self.handshake_since = None;
                self.waiting = false;
                None
            }
            TunnResult::Done
            | TunnResult::WriteToTunnelV4(..)
            | TunnResult::WriteToTunnelV6(..) => None,
        }
    }

    /// Sends an unanswered handshake again, over a path that has just become usable.
    pub(crate) fn retry_handshake(&mut self, out: &mut [u8; MAX_HANDSHAKE]) -> Option<usize> {
        self.handshake_since?;
        self.initiate(out)
    }

    /// Shakes hands at once, for the peer may have forgotten the session, which
    /// serves until the answer is there.
    pub(crate) fn renew(&mut self, out: &mut [u8; MAX_HANDSHAKE], now: Instant) -> Option<usize> {
        self.handshake_since.get_or_insert(now);
        self.initiate(out)
    }

    fn initiate(&mut self, out: &mut [u8; MAX_HANDSHAKE]) -> Option<usize> {
        match self.tunn.format_handshake_initiation(out, true) {
            TunnResult::WriteToNetwork(message) => Some(message.len()),
            TunnResult::Done
            | TunnResult::Err(_)
            | TunnResult::WriteToTunnelV4(..)
            | TunnResult::WriteToTunnelV6(..) => None,
        }
    }

    /// Whether a handshake of ours has had no answer yet.
    pub(crate) const fn is_establishing(&self) -> bool {
        self.handshake_since.is_some()
    }

    /// When the last handshake succeeded.
    pub(crate) const fn last_handshake(&self) -> Option<Instant> {
        self.last_handshake
    }
}

fn is_data(message: &[u8]) -> bool {
    message.first() == Some(&4)
}

#[cfg(test)]
mod tests;
