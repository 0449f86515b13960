//! The packet filter: what may come in from the mesh.
//!
//! Default deny. Compiled from the wire's [`FilterRule`]s; stateful: answers to
//! what this node sent pass, and flows are judged again when rules change.

use std::{net::IpAddr, time::Instant};

use wire::filter::FilterRule;

use crate::packet::Packet;

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It passes.
    Allow,
    /// It is dropped.
    Refuse,
}

/// Which addresses hold which capabilities, for `cap:` sources: each peer's own
/// addresses with the names in its `CapMap`.
#[derive(Debug, Clone, Default)]
pub struct Sources;

impl Sources {
    /// Says that `addr` is a peer's own address and which capabilities that peer holds.
    pub fn insert<'a>(&mut self, _addr: IpAddr, _capabilities: impl Iterator<Item = &'a str>) {}
}

/// The filter of one node. A new one refuses everything that comes in.
#[derive(Debug, Default)]
pub struct Filter;

impl Filter {
    /// Takes rules and sources, whole. Flows that were opened from outside and
    /// are allowed no longer end now.
    pub fn set_rules(&mut self, _rules: &[FilterRule], _sources: Sources, _now: Instant) {}

    /// Judges a packet that came through a tunnel. Its source address must
    /// have been checked against the peer's allowed addresses.
    pub fn check_in(&mut self, _packet: &Packet<'_>, _now: Instant) -> Verdict {
        Verdict::Refuse
    }

    /// Judges a packet that this node sends and notes the flow, so that answers
    /// pass. Refused is only what belongs to a flow that a change of rules ended.
    pub fn check_out(&mut self, _packet: &Packet<'_>, _now: Instant) -> Verdict {
        Verdict::Refuse
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// Forgets flows that were quiet for long.
    pub fn handle_timeout(&mut self, _now: Instant) {}
}
