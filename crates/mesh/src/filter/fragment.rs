//! Fragments: the first one names the ports, the others follow it.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

use wire::net::protocol;

use super::Verdict;
use crate::packet::{Fragment, Packet};

/// Packets in pieces that are remembered at the same time.
const MAX_PACKETS: usize = 1024;
/// How long the pieces of one packet may take; Linux waits 30 seconds.
const LIFE: Duration = Duration::from_secs(30);
/// A later TCP fragment may not begin within the header that the first one
/// showed: it would rewrite flags that have been judged (RFC 1858, RFC 3128).
const TCP_HEADER: u16 = 20;

/// Packets whose first fragment has passed.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    passed: HashMap<Key, Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    src: IpAddr,
    dst: IpAddr,
    protocol: u8,
    id: u32,
}

impl Key {
    fn of(packet: &Packet<'_>) -> Option<Self> {
        let (Fragment::First { id } | Fragment::Later { id, .. }) = packet.fragment() else {
            return None;
        };
        Some(Self {
            src: packet.src(),
            dst: packet.dst(),
            protocol: packet.protocol(),
            id,
        })
    }
}

impl Fragments {
    /// Remembers a first fragment that passed. When there is no room the others will not.
    pub(super) fn note(&mut self, packet: &Packet<'_>, now: Instant) {
        let is_young = |seen: Instant| now.saturating_duration_since(seen) < LIFE;
        if self.passed.len() >= MAX_PACKETS {
            self.passed.retain(|_, seen| is_young(*seen));
        }
        if let Some(key) = Key::of(packet)
            && self.passed.len() < MAX_PACKETS
        {
            self.passed.insert(key, now);
        }
    }

    /// Judges a later fragment.
    pub(super) fn check(&self, packet: &Packet<'_>, now: Instant) -> Verdict {
        let rewrites = packet.protocol() == protocol::TCP
            && matches!(packet.fragment(), Fragment::Later { offset, .. } if offset < TCP_HEADER);
        let seen = Key::of(packet).and_then(|key| self.passed.get(&key));
        let passes = seen.is_some_and(|seen| now.saturating_duration_since(*seen) < LIFE);
        Verdict::allow_if(passes && !rewrites)
    }
}
