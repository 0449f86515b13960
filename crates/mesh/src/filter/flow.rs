//! Flows between this node and peers: the filter's memory.
//!
//! Bounded: each side that opens flows has a share of its own, and when it is
//! used up the flows quiet for longest make room.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

use wire::net::protocol;

use crate::packet::{Icmp, Packet, Upper};

/// Flows remembered for each [`Opener`].
const MAX_FLOWS: usize = 32_768;
/// How many make room at once, so that the search for them is paid rarely.
const EVICTED_AT_ONCE: usize = MAX_FLOWS / 8;
/// How often flows are looked through for quiet ones.
const SWEEP: Duration = Duration::from_secs(30);
/// RFC 5382 asks for two hours and four minutes at least.
const TCP_IDLE: Duration = Duration::from_mins(124);
/// After a FIN or RST, for what is still on its way.
const TCP_CLOSING: Duration = Duration::from_mins(1);
/// RFC 4787 asks for two minutes at least.
const DATAGRAM_IDLE: Duration = Duration::from_mins(3);
/// RFC 5508 asks for a minute at least.
const ECHO_IDLE: Duration = Duration::from_mins(1);
/// Longer than any sender waits before it tries once more.
const ENDED_IDLE: Duration = Duration::from_mins(10);

/// What names a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) remote: IpAddr,
    pub(super) local: IpAddr,
    /// 0 for protocols without ports.
    pub(super) remote_port: u16,
    /// 0 for protocols without ports; of ICMP echoes the identifier.
    pub(super) local_port: u16,
    pub(super) protocol: u8,
}

impl Key {
    /// The flow of a packet from a peer.
    pub(super) fn incoming(packet: &Packet<'_>) -> Self {
        let (remote_port, local_port) = ports(packet);
        Self {
            remote: packet.src(),
            local: packet.dst(),
            remote_port,
            local_port,
            protocol: packet.protocol(),
        }
    }

    /// The flow of a packet to a peer.
    pub(super) fn outgoing(packet: &Packet<'_>) -> Self {
        let (local_port, remote_port) = ports(packet);
        let (local_port, remote_port) = match packet.upper() {
            Upper::Icmp(_) => (remote_port, local_port),
            Upper::Tcp { .. } | Upper::Udp { .. } | Upper::Other | Upper::Hidden => {
                (local_port, remote_port)
            }
        };
        Self {
            remote: packet.dst(),
            local: packet.src(),
            remote_port,
            local_port,
            protocol: packet.protocol(),
        }
    }
}

/// Source and destination port.
const fn ports(packet: &Packet<'_>) -> (u16, u16) {
    match packet.upper() {
        Upper::Tcp {
            src_port, dst_port, ..
        }
        | Upper::Udp { src_port, dst_port } => (src_port, dst_port),
        Upper::Icmp(Icmp::EchoRequest { id } | Icmp::EchoReply { id }) => (0, id),
        Upper::Icmp(Icmp::Error | Icmp::Other) | Upper::Other | Upper::Hidden => (0, 0),
    }
}

/// Whose packet opened a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opener {
    /// This node's: no rule is needed for the answers.
    Own,
    /// A peer's, by a rule.
    Peer,
}

/// What a known flow is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its packets pass.
    Open,
    /// A change of rules has ended it.
    Ended,
}

#[derive(Debug, Clone, Copy)]
struct Flow {
    opener: Opener,
    standing: Standing,
    closing: bool,
    last: Instant,
}

impl Flow {
    fn idle(&self, key: &Key) -> Duration {
        match (self.standing, key.protocol, self.closing) {
            (Standing::Ended, _, _) => ENDED_IDLE,
            (Standing::Open, protocol::TCP, true) => TCP_CLOSING,
            (Standing::Open, protocol::TCP, false) => TCP_IDLE,
            (Standing::Open, protocol::ICMP | protocol::ICMPV6, _) => ECHO_IDLE,
            (Standing::Open, _, _) => DATAGRAM_IDLE,
        }
    }

    fn is_over(&self, key: &Key, now: Instant) -> bool {
        now.saturating_duration_since(self.last) >= self.idle(key)
    }
}

/// Every flow of this node.
#[derive(Debug, Default)]
pub(super) struct Flows {
    own: HashMap<Key, Flow>,
    peers: HashMap<Key, Flow>,
    sweep_at: Option<Instant>,
}

impl Flows {
    /// What a flow is worth; nothing is known of an unknown one.
    pub(super) fn standing(&self, key: &Key) -> Option<Standing> {
        let flow = self.own.get(key).or_else(|| self.peers.get(key))?;
        Some(flow.standing)
    }

    /// As [`Self::standing`], and notes that one of its packets was seen.
    pub(super) fn touch(&mut self, key: &Key, ending: bool, now: Instant) -> Option<Standing> {
        let flow = match self.own.get_mut(key) {
            Some(flow) => flow,
            None => self.peers.get_mut(key)?,
        };
        // Quiet for too long, but not swept yet: it must not matter when sweeps happen.
        if flow.is_over(key, now) {
            self.own.remove(key);
            self.peers.remove(key);
            return None;
        }
        flow.last = now;
        flow.closing |= ending;
        Some(flow.standing)
    }

    /// Remembers a flow as open, in place of what was known of it.
    pub(super) fn open(&mut self, key: Key, opener: Opener, closing: bool, now: Instant) {
        self.own.remove(&key);
        self.peers.remove(&key);
        let flows = match opener {
            Opener::Own => &mut self.own,
            Opener::Peer => &mut self.peers,
        };
        if flows.len() >= MAX_FLOWS {
            make_room(flows, now);
        }
        let flow = Flow {
            opener,
            standing: Standing::Open,
            closing,
            last: now,
        };
        flows.insert(key, flow);
        self.sweep_at.get_or_insert(now + SWEEP);
    }

    /// Judges what peers have opened again.
    pub(super) fn rejudge(&mut self, mut is_allowed: impl FnMut(&Key) -> bool) {
        self.peers.iter_mut().for_each(|(key, flow)| {
            debug_assert_eq!(flow.opener, Opener::Peer, "flows are kept by opener");
            flow.standing = if is_allowed(key) {
                Standing::Open
            } else {
                Standing::Ended
            };
        });
    }

    pub(super) const fn poll_timeout(&self) -> Option<Instant> {
        self.sweep_at
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.sweep_at.is_none_or(|at| now < at) {
            return;
        }
        self.own.retain(|key, flow| !flow.is_over(key, now));
        self.peers.retain(|key, flow| !flow.is_over(key, now));
        let is_empty = self.own.is_empty() && self.peers.is_empty();
        self.sweep_at = (!is_empty).then(|| now + SWEEP);
    }
}

/// Forgets flows that are over, or else some of those quiet for longest.
fn make_room(flows: &mut HashMap<Key, Flow>, now: Instant) {
    flows.retain(|key, flow| !flow.is_over(key, now));
    if flows.len() <= MAX_FLOWS - EVICTED_AT_ONCE {
        return;
    }
    let mut seen: Vec<Instant> = flows.values().map(|flow| flow.last).collect();
    let (_, limit, _) = seen.select_nth_unstable(EVICTED_AT_ONCE);
    let limit = *limit;
    let mut left = EVICTED_AT_ONCE;
    flows.retain(|_, flow| {
        let goes = left > 0 && flow.last <= limit;
        left -= usize::from(goes);
        !goes
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(remote_port: u16) -> Key {
        Key {
            remote: [100, 64, 0, 1].into(),
            local: [100, 64, 0, 2].into(),
            remote_port,
            local_port: 22,
            protocol: protocol::TCP,
        }
    }

    #[test]
    fn the_table_is_bounded_and_the_quietest_make_room() {
        let start = simnet::clock::Clock::new().now();
        let mut flows = Flows::default();
        flows.open(key(1), Opener::Own, false, start);
        for n in 0..200_000_u32 {
            let key = Key {
                remote: std::net::Ipv4Addr::from(n).into(),
                ..key(2)
            };
            flows.open(
                key,
                Opener::Peer,
                false,
                start + Duration::from_millis(n.into()),
            );
        }
        assert!(flows.peers.len() <= MAX_FLOWS);
        assert!(flows.peers.len() > MAX_FLOWS - 2 * EVICTED_AT_ONCE);
        let newest = Key {
            remote: std::net::Ipv4Addr::from(199_999).into(),
            ..key(2)
        };
        assert_eq!(flows.standing(&newest), Some(Standing::Open));
        assert_eq!(
            flows.standing(&key(1)),
            Some(Standing::Open),
            "ours is not theirs to push out"
        );
    }

    #[test]
    fn a_closed_connection_is_forgotten_soon_and_a_quiet_one_late() {
        let start = simnet::clock::Clock::new().now();
        let mut flows = Flows::default();
        flows.open(key(1), Opener::Own, false, start);
        flows.open(key(2), Opener::Own, false, start);
        flows.touch(&key(2), true, start);
        let later = start + Duration::from_secs(90);
        flows.handle_timeout(later);
        assert_eq!(flows.standing(&key(1)), Some(Standing::Open));
        assert_eq!(flows.standing(&key(2)), None);
        assert_eq!(flows.touch(&key(1), false, later + TCP_IDLE), None);
        flows.handle_timeout(later + TCP_IDLE);
        assert_eq!(flows.poll_timeout(), None);
    }
}
