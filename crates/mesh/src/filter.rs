//! The packet filter: what may come in from the mesh.
//!
//! Default deny. Compiled from the wire's [`FilterRule`]s; stateful: answers to
//! what this node sent pass, and flows that were opened from outside are judged
//! again when rules change. What passes when:
//!
//! * TCP, UDP and any protocol that a rule names: when a rule allows source,
//!   destination, protocol and port, or when the flow is open. Protocols
//!   without ports need a rule for every port.
//! * ICMP: echo requests to an address with any port open to the asker, echo
//!   replies to requests of ours, errors about flows that are open; anything
//!   else needs a rule for ICMP and every port.
//! * Later fragments after their first one, which names the ports, has passed.
//!
//! What leaves is not restricted, but a flow that a change of rules has ended
//! stays ended in both directions while anything of it moves.

mod flow;
mod fragment;
mod index;
mod law;
mod openings;
mod rule;
mod source;

pub mod reference;

use std::{net::IpAddr, time::Instant};

use wire::{
    filter::FilterRule,
    net::{Prefix, protocol},
};

use crate::packet::{Fragment, Icmp, Packet, Upper, tcp};
use flow::{Flows, Key, Opener, Standing};
use fragment::Fragments;
use law::Rules;

pub use source::Sources;

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It passes.
    Allow,
    /// It is dropped.
    Refuse,
}

impl Verdict {
    const fn allow_if(condition: bool) -> Self {
        if condition { Self::Allow } else { Self::Refuse }
    }
}

/// The filter of one node. A new one refuses everything that comes in.
#[derive(Debug, Default)]
pub struct Filter {
    rules: Rules,
    flows: Flows,
    fragments: Fragments,
}

impl Filter {
    /// Takes everything that decides, whole: rules, who holds which
    /// capabilities, and what this node accepts packets for (its addresses and
    /// the routes it serves). Flows that were opened from outside and are
    /// allowed no longer end now; those allowed again live again. What of a
    /// rule cannot be understood allows nothing.
    pub fn set_rules(
        &mut self,
        rules: &[FilterRule],
        sources: Sources,
        local: &[Prefix],
        _now: Instant,
    ) {
        self.rules = Rules::compile(rules, sources, local);
        self.fragments = Fragments::default();
        let rules = &self.rules;
        self.flows.rejudge(|key| {
            rules.is_local(key.local)
                && rules.allows(key.remote, key.local, key.protocol, key.local_port)
        });
    }

    /// Judges a packet that came through a tunnel. Its source address must
    /// have been checked against the peer's allowed addresses.
    pub fn check_in(&mut self, packet: &Packet<'_>, now: Instant) -> Verdict {
        let (src, dst) = (packet.src(), packet.dst());
        if !is_plausible(src, dst) || !self.rules.is_local(dst) {
            return Verdict::Refuse;
        }
        let verdict = match packet.upper() {
            Upper::Hidden => return self.fragments.check(packet, now),
            Upper::Icmp(kind) => self.check_icmp(packet, kind, now),
            Upper::Tcp { .. } | Upper::Udp { .. } | Upper::Other => self.check_flow(packet, now),
        };
        if verdict == Verdict::Allow
            && let Fragment::First { .. } = packet.fragment()
        {
            self.fragments.note(packet, now);
        }
        verdict
    }

    fn check_flow(&mut self, packet: &Packet<'_>, now: Instant) -> Verdict {
        let key = Key::incoming(packet);
        let ending = is_ending(packet);
        if let Some(standing) = self.flows.touch(&key, ending, now) {
            return Verdict::allow_if(standing == Standing::Open);
        }
        let is_allowed = self
            .rules
            .allows(key.remote, key.local, key.protocol, key.local_port);
        if is_allowed {
            self.flows.open(key, Opener::Peer, ending, now);
        }
        Verdict::allow_if(is_allowed)
    }

    fn check_icmp(&mut self, packet: &Packet<'_>, kind: Icmp, now: Instant) -> Verdict {
        let (src, dst) = (packet.src(), packet.dst());
        let is_allowed = match kind {
            Icmp::EchoRequest { .. } => self.rules.allows_any(src, dst),
            Icmp::EchoReply { .. } => {
                self.flows.touch(&Key::incoming(packet), false, now) == Some(Standing::Open)
                    || self.rules.allows(src, dst, packet.protocol(), 0)
            }
            Icmp::Error => self.is_about_open_flow(packet),
            Icmp::Other => self.rules.allows(src, dst, packet.protocol(), 0),
        };
        Verdict::allow_if(is_allowed)
    }

    /// Whether an ICMP error quotes a packet that this node sent in an open flow.
    fn is_about_open_flow(&self, packet: &Packet<'_>) -> bool {
        Icmp::quoted(packet.payload()).is_ok_and(|quoted| {
            quoted.src() == packet.dst()
                && quoted.upper() != Upper::Hidden
                && self.flows.standing(&Key::outgoing(&quoted)) == Some(Standing::Open)
        })
    }

    /// Judges a packet that this node sends and notes the flow, so that answers
    /// pass. Refused is only what belongs to a flow that a change of rules ended.
    pub fn check_out(&mut self, packet: &Packet<'_>, now: Instant) -> Verdict {
        match packet.upper() {
            Upper::Hidden | Upper::Icmp(Icmp::EchoReply { .. } | Icmp::Error | Icmp::Other) => {
                return Verdict::Allow;
            }
            Upper::Icmp(Icmp::EchoRequest { .. })
            | Upper::Tcp { .. }
            | Upper::Udp { .. }
            | Upper::Other => {}
        }
        let key = Key::outgoing(packet);
        let ending = is_ending(packet);
        let opens = opens_connection(packet);
        match self.flows.touch(&key, ending, now) {
            Some(Standing::Open) => Verdict::Allow,
            Some(Standing::Ended) if !opens => Verdict::Refuse,
            Some(Standing::Ended) | None => {
                if let Some(opener) = self.opener(packet, &key, opens) {
                    self.flows.open(key, opener, ending, now);
                }
                Verdict::Allow
            }
        }
    }

    /// Who opened a flow whose first packet seen is one of ours; `None` when
    /// that cannot be known, so that answers need a rule.
    fn opener(&self, packet: &Packet<'_>, key: &Key, opens: bool) -> Option<Opener> {
        let is_midway = matches!(packet.upper(), Upper::Tcp { .. }) && !opens;
        if !is_midway {
            return Some(Opener::Own);
        }
        // A connection older than this table, as after a restart of the agent:
        // the peer's, if it might have opened it; ours, if the ports say so.
        if self
            .rules
            .allows(key.remote, key.local, key.protocol, key.local_port)
        {
            Some(Opener::Peer)
        } else {
            let is_client =
                key.local_port >= FIRST_CLIENT_PORT && key.remote_port < FIRST_CLIENT_PORT;
            is_client.then_some(Opener::Own)
        }
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.flows.poll_timeout()
    }

    /// Forgets flows that were quiet for long.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.flows.handle_timeout(now);
    }
}

/// Where systems begin to draw the ports of connections they open (Linux).
const FIRST_CLIENT_PORT: u16 = 32_768;

/// A TCP segment that asks for a connection.
fn opens_connection(packet: &Packet<'_>) -> bool {
    matches!(packet.upper(), Upper::Tcp { flags, .. } if flags & (tcp::SYN | tcp::ACK) == tcp::SYN)
}

/// A TCP segment after which a connection is over, or nearly.
fn is_ending(packet: &Packet<'_>) -> bool {
    matches!(packet.upper(), Upper::Tcp { flags, .. } if flags & (tcp::FIN | tcp::RST) != 0)
}

/// Addresses that a packet between two hosts may have, whatever rules say.
fn is_plausible(src: IpAddr, dst: IpAddr) -> bool {
    let is_host = |addr: IpAddr| match addr {
        IpAddr::V4(a) => {
            !(a.is_unspecified() || a.is_loopback() || a.is_multicast() || a.is_broadcast())
        }
        IpAddr::V6(a) => {
            !(a.is_unspecified()
                || a.is_loopback()
                || a.is_multicast()
                || a.to_ipv4_mapped().is_some())
        }
    };
    is_host(src) && is_host(dst)
}

/// The protocols of a rule that names none.
const DEFAULT_PROTOCOLS: [u8; 4] = [
    protocol::TCP,
    protocol::UDP,
    protocol::ICMP,
    protocol::ICMPV6,
];

/// Protocols whose rules look at ports.
const fn has_ports(protocol: u8) -> bool {
    matches!(protocol, protocol::TCP | protocol::UDP)
}

#[cfg(test)]
mod tests;
