//! What goes in and out of a [`crate::node::Node`]: transmits, writes to the TUN, events, wakes.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use wire::{NodeId, NodeKey, relay_map::RegionId};

/// Which way a datagram leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// By UDP, from the socket of the address's family.
    Udp(SocketAddr),
    /// Through the relay of `region`, to the client that holds `peer`.
    Relay {
        /// The relay's region.
        region: RegionId,
        /// Whom the relay hands it to.
        peer: NodeKey,
    },
}

/// Datagrams for one destination, back to back, borrowed from storage that is used again.
///
/// Each datagram is `segment_size` bytes long except the last, which may be
/// shorter: exactly what `UDP_SEGMENT` takes in one `sendmsg`. A single
/// datagram has `segment_size == bytes.len()`. Over a relay each segment is a
/// packet of its own.
#[derive(Debug, Clone, Copy)]
pub struct Transmit<'a> {
    /// The way out.
    pub via: Via,
    /// The length of every datagram but the last.
    pub segment_size: usize,
    /// The datagrams.
    pub bytes: &'a [u8],
}

/// A packet or superpacket for the TUN, borrowed from storage that is used again.
#[derive(Debug, Clone, Copy)]
pub struct TunWrite<'a> {
    /// A `virtio_net_hdr` of [`crate::offload::VNET_HDR_LEN`] bytes and the
    /// packet: one `write` to a TUN with `IFF_VNET_HDR`. Without that flag the
    /// packet starts behind the header, and `Config::tun_offload` must be off.
    pub frame: &'a [u8],
}

/// How a peer is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathAddr {
    /// By UDP to this address.
    Direct(SocketAddr),
    /// Through the relay of this region.
    Relay(RegionId),
}

/// How a local endpoint was learned; the numbers are those of the control protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndpointKind {
    /// An address of an own interface.
    Local = 1,
    /// What a STUN server saw.
    Stun = 2,
    /// The address that STUN saw with the local port: a guess that a static forward makes true.
    StunLocalPort = 4,
}

/// Where peers may reach this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// The address.
    pub addr: SocketAddr,
    /// How it was learned.
    pub kind: EndpointKind,
}

/// Names one call of [`crate::node::Node::ping`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PingId(pub u64);

/// What became of a ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PingResult {
    /// The peer answered.
    Pong {
        /// The path that answered first.
        path: PathAddr,
        /// The round trip on it.
        rtt: Duration,
    },
    /// No path answered in time.
    TimedOut,
    /// The netmap holds no such peer.
    UnknownPeer,
    /// The peer's key, or ours, has expired: it gets no tunnel and no answer.
    Expired,
}

/// Something the shell has to know; drained by `poll_event`.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The addresses to announce to the server, best guesses first.
    EndpointsChanged(Vec<Endpoint>),
    /// The relay to be reachable through: report it to the server and keep its connection open.
    HomeRelayChosen(RegionId),
    /// Connect to this region's relay and report by `handle_relay_state`.
    RelayWanted(RegionId),
    /// Nothing needs this region's relay; its connection may be closed.
    RelayUnwanted(RegionId),
    /// What is known about the network has changed; report it to the server.
    NetInfoChanged(crate::netcheck::Report),
    /// The answer to `start_netcheck`.
    NetcheckFinished(crate::netcheck::Report),
    /// A peer with traffic is reached another way, or (`None`) not at all.
    PathChanged {
        /// The peer.
        peer: NodeId,
        /// The path before.
        from: Option<PathAddr>,
        /// The path from now on.
        to: Option<PathAddr>,
    },
    /// A ping has ended.
    PingFinished {
        /// That of the call.
        id: PingId,
        /// Whom it went to.
        peer: NodeId,
        /// What became of it.
        result: PingResult,
    },
    /// The own key has expired: all tunnels are gone until a netmap with a valid key comes.
    SelfExpired,
}

/// Why the node wants to be called at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wake {
    /// WireGuard's own timers: handshakes, rekeys, keepalives.
    Tunnel,
    /// Probes of paths are due or overdue, or a path's trust ends.
    Probe,
    /// STUN is due, or an answer is overdue.
    Stun,
    /// A ping's or a network check's patience ends.
    Answer,
    /// A key expires.
    KeyExpiry,
    /// Something unused may be dropped: a tunnel, a relay connection, flows.
    Idle,
}

impl Wake {
    /// Every variant, for metrics.
    pub const ALL: [Self; 6] = [
        Self::Tunnel,
        Self::Probe,
        Self::Stun,
        Self::Answer,
        Self::KeyExpiry,
        Self::Idle,
    ];
}

/// Why a packet was not passed on; counted, never logged one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dropped {
    /// No netmap yet, or the own key has expired: nothing passes.
    Closed,
    /// Not a packet of the kind it should be, or truncated, or too long.
    Malformed,
    /// From the TUN: no peer has this destination.
    NoRoute,
    /// From the TUN: the peer's key has expired.
    PeerExpired,
    /// From the TUN: no path to the peer is known, not even a relay.
    NoPath,
    /// From a peer: the packet filter refuses it.
    Refused,
    /// From a peer: the inner source address is not the peer's.
    ForgedSource,
    /// From the network: no peer holds this key or this receiver index.
    UnknownPeer,
    /// From the network: not authentic, replayed, or of an ended session.
    NotAuthentic,
    /// From a peer: a message between nodes (TSMP) that is not for the operating system.
    InTunnelMessage,
    /// From the network: more handshakes than the limit.
    UnderLoad,
}

impl Dropped {
    /// Every variant, for metrics.
    pub const ALL: [Self; 11] = [
        Self::Closed,
        Self::Malformed,
        Self::NoRoute,
        Self::PeerExpired,
        Self::NoPath,
        Self::Refused,
        Self::ForgedSource,
        Self::UnknownPeer,
        Self::NotAuthentic,
        Self::InTunnelMessage,
        Self::UnderLoad,
    ];
}

/// What a node is doing, as `status` shows it.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// The relay others reach this node through.
    pub home_relay: Option<RegionId>,
    /// The announced endpoints.
    pub endpoints: Vec<Endpoint>,
    /// Every peer of the netmap, in the order of ids.
    pub peers: Vec<PeerStatus>,
    /// How many packets were dropped, by reason, in the order of [`Dropped::ALL`].
    pub dropped: [u64; Dropped::ALL.len()],
}

/// One peer in [`Status`].
#[derive(Debug, Clone)]
pub struct PeerStatus {
    /// The peer.
    pub id: NodeId,
    /// Its key.
    pub key: NodeKey,
    /// True while there is a tunnel with traffic of the last 45 seconds.
    pub active: bool,
    /// How it would be reached now; `None` when there is no way.
    pub path: Option<PathAddr>,
    /// The last round trip measured on the direct path, or else on the relay.
    pub rtt: Option<Duration>,
    /// Inner bytes received from it since the node started.
    pub rx_bytes: u64,
    /// Inner bytes sent to it since the node started.
    pub tx_bytes: u64,
    /// When the last handshake was completed.
    pub last_handshake: Option<Instant>,
    /// No tunnel is built to it: its key has expired.
    pub expired: bool,
}
