//! One node of the mesh: the table of contents of the data plane.
//!
//! A [`Node`] has no sockets, no threads and no clock. After **one** input
//! (`handle_*`) or command the driver drains `poll_transmit`, `poll_tun` and
//! `poll_event`, then sleeps until `poll_timeout`. Exception for batches:
//! `handle_tun`, `handle_udp` and `handle_relay` may be called several times
//! before draining, so that packets of several reads share a train; after each
//! the driver drains [`Node::poll_full_transmit`] and [`Node::poll_full_tun`]
//! (what nothing more can be appended to), and when its reads run dry the rest.
//! `now` never goes backwards.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Instant};

use wire::{
    DiscoKey, DiscoSecret, NodeId, NodeKey, NodeSecret, Timestamp,
    control::map::CapMap,
    filter::FilterRule,
    net::Prefix,
    relay_map::{RegionId, RelayMap},
};

use crate::event::{Dropped, Event, PingId, Status, Transmit, TunWrite, Wake};

/// What a node is built with.
#[derive(Debug, Clone)]
pub struct Config {
    /// The WireGuard key.
    pub node: NodeSecret,
    /// The path-discovery key, new at each process start.
    pub disco: DiscoSecret,
    /// The TUN's MTU: no inner packet longer than this is made.
    pub mtu: u16,
    /// The kernel takes superpackets; else every packet is written to the TUN alone.
    pub tun_offload: bool,
    /// Datagrams in one [`Transmit`]: 64 is safe on every kernel, 1 switches trains off.
    pub max_segments: usize,
}

impl Config {
    /// The defaults for a pair of keys: MTU 1280, all offloads.
    pub const fn new(node: NodeSecret, disco: DiscoSecret) -> Self {
        Self {
            node,
            disco,
            mtu: 1280,
            tun_offload: true,
            max_segments: 64,
        }
    }
}

/// What the server told this node, whole.
///
/// The node compares peers by `Arc` first: hand in the same `Arc` for a peer
/// that has not changed, and a change costs what it touches.
#[derive(Debug, Clone, Default)]
pub struct Netmap {
    /// The own addresses, one /32 and one /128.
    pub addresses: Vec<Prefix>,
    /// When the own key ends; `None`: never.
    pub key_expiry: Option<Timestamp>,
    /// The own key has expired, as the server says.
    pub expired: bool,
    /// Every visible peer.
    pub peers: BTreeMap<NodeId, Arc<Peer>>,
    /// The packet filter: all pieces in the order of their names. Empty denies everything.
    pub filter: Vec<FilterRule>,
    /// The relays and STUN servers.
    pub relay_map: RelayMap,
}

/// A peer as the netmap names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its id.
    pub id: NodeId,
    /// Its DNS name, for logs.
    pub name: String,
    /// Its WireGuard key.
    pub key: NodeKey,
    /// Its path-discovery key; zero: it is reached through its relay only.
    pub disco: DiscoKey,
    /// Its own addresses, which `cap:` sources of the filter stand for.
    pub addresses: Vec<Prefix>,
    /// What may come from it and goes to it: its addresses and approved routes.
    pub allowed_ips: Vec<Prefix>,
    /// Where it may be reached by UDP.
    pub endpoints: Vec<SocketAddr>,
    /// The relay it is reachable through; 0: none.
    pub home_relay: RegionId,
    /// Facts about it, which `cap:` sources of the filter name.
    pub cap_map: CapMap,
    /// Its key has expired, as the server says: it gets no tunnel.
    pub expired: bool,
    /// When its key ends; `None`: never.
    pub key_expiry: Option<Timestamp>,
}

/// The data plane of one node.
#[derive(Debug)]
pub struct Node {
    config: Config,
}

impl Node {
    /// A node without a netmap: it drops everything until [`Self::set_netmap`].
    /// `seed` feeds every random choice but WireGuard's own.
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Self {
        let _ = (seed, now);
        Self { config }
    }

    // === commands ===

    /// Takes a whole netmap. `wall` is the present wall-clock time, by which key
    /// expiries are turned into instants. Open flows are judged again.
    pub fn set_netmap(&mut self, netmap: Arc<Netmap>, wall: Timestamp, now: Instant) {
        let _ = (netmap, wall, now);
    }

    /// Takes another node key (after a new sign-in): all tunnels end.
    pub fn set_identity(&mut self, node: NodeSecret, now: Instant) {
        let _ = now;
        self.config.node = node;
    }

    /// The addresses of the own interfaces with the ports that the UDP sockets are bound to.
    pub fn set_local_endpoints(&mut self, endpoints: Vec<SocketAddr>, now: Instant) {
        let _ = (endpoints, now);
    }

    /// The network under us has changed (addresses, default route, wake from
    /// sleep): paths lose their trust, STUN starts over, tunnels stay.
    pub fn link_changed(&mut self, now: Instant) {
        let _ = now;
    }

    /// Pings a peer over every path there is; ends in [`Event::PingFinished`].
    pub fn ping(&mut self, peer: NodeId, now: Instant) -> PingId {
        let _ = (peer, now);
        PingId(0)
    }

    /// Asks all STUN servers; ends in [`Event::NetcheckFinished`] after three seconds at most.
    pub fn start_netcheck(&mut self, now: Instant) {
        let _ = now;
    }

    // === inputs ===

    /// One read of the TUN: a `virtio_net_hdr` of [`crate::offload::VNET_HDR_LEN`]
    /// bytes (all zero when the TUN has none) and a packet or superpacket. The
    /// bytes are used as working space and hold nothing afterwards.
    pub fn handle_tun(&mut self, frame: &mut [u8], now: Instant) {
        let _ = (frame, now);
    }

    /// One receive of a UDP socket: datagrams of `segment_size` bytes (as
    /// `UDP_GRO` tells; the last may be shorter), all from `from`.
    pub fn handle_udp(
        &mut self,
        from: SocketAddr,
        segment_size: usize,
        bytes: &mut [u8],
        now: Instant,
    ) {
        let _ = (from, segment_size, bytes, now);
    }

    /// One packet that a relay handed over for the client `from`.
    pub fn handle_relay(
        &mut self,
        region: RegionId,
        from: NodeKey,
        bytes: &mut [u8],
        now: Instant,
    ) {
        let _ = (region, from, bytes, now);
    }

    /// The connection to a relay came up or went down.
    pub fn handle_relay_state(&mut self, region: RegionId, state: RelayState, now: Instant) {
        let _ = (region, state, now);
    }

    /// Time has passed; call it when [`Self::poll_timeout`] says so, or sooner.
    pub fn handle_timeout(&mut self, now: Instant) {
        let _ = now;
    }

    // === outputs ===

    /// The next train to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit<'_>> {
        None
    }

    /// As [`Self::poll_transmit`], but leaves a train that more packets may join.
    pub fn poll_full_transmit(&mut self) -> Option<Transmit<'_>> {
        None
    }

    /// The next packet or superpacket for the TUN.
    pub fn poll_tun(&mut self) -> Option<TunWrite<'_>> {
        None
    }

    /// As [`Self::poll_tun`], but leaves a superpacket that more packets may join.
    pub fn poll_full_tun(&mut self) -> Option<TunWrite<'_>> {
        None
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }

    /// When to call [`Self::handle_timeout`], and why.
    pub fn poll_timeout(&self) -> Option<(Instant, Wake)> {
        None
    }

    // === getters ===

    /// Everything `status` shows.
    pub fn status(&self) -> Status {
        Status::default()
    }

    /// How many packets were dropped for a reason.
    pub fn dropped(&self, reason: Dropped) -> u64 {
        let _ = reason;
        0
    }
}

/// Whether a relay can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayState {
    /// Connected and authenticated.
    Connected,
    /// Not connected; the shell keeps trying while the relay is wanted.
    Disconnected,
}
