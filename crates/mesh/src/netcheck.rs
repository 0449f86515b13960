//! What is known about the network around this node, from STUN answers.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use wire::relay_map::RegionId;

/// What a NAT in front of this node does with ports (RFC 4787's mapping behaviour).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum NatKind {
    /// Not enough answers to tell.
    #[default]
    Unknown,
    /// None: servers see an own address and port.
    Open,
    /// Endpoint-independent mapping: one outside port whatever the destination.
    Easy,
    /// The outside port depends on the destination: others must not guess it.
    Hard,
    /// No UDP leaves or returns.
    Blocked,
}

impl NatKind {
    /// One word for people and programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Open => "open",
            Self::Easy => "easy",
            Self::Hard => "hard",
            Self::Blocked => "blocked",
        }
    }
}

/// The network as STUN shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// UDP reaches a STUN server and its answer returns; `None` while unknown.
    pub udp: Option<bool>,
    /// The same over IPv6.
    pub ipv6: Option<bool>,
    /// The NAT of IPv4.
    pub nat: NatKind,
    /// What the servers saw, over IPv4.
    pub mapped_v4: Option<SocketAddr>,
    /// What the servers saw, over IPv6.
    pub mapped_v6: Option<SocketAddr>,
    /// The best round trip to each region.
    pub latency: BTreeMap<RegionId, Duration>,
    /// The relay others should reach this node through.
    pub home_relay: Option<RegionId>,
}
