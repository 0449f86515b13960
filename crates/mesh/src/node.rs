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

use std::{
    collections::{BTreeMap, VecDeque},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use wire::{
    DiscoKey, DiscoSecret, NodeId, NodeKey, NodeSecret, Timestamp,
    control::map::CapMap,
    filter::FilterRule,
    net::Prefix,
    relay_map::{RegionId, RelayMap},
};

use crate::{
    discovery::{Discovery, stun},
    event::{Dropped, Event, PeerStatus, PingId, Status, Transmit, TunWrite, Wake},
    filter::{Filter, Sources},
    offload::{Coalescer, Offload},
    relays::Relays,
    routes::Routes,
    timers::{Timer, Timers},
    train::Trains,
    tunnel::Gate,
};

mod inbound;
mod netmap;
mod outbound;
mod ping;
mod probe;
pub(crate) mod table;

use inbound::Origin;
use ping::Pings;
use table::Table;

/// What a node is built with.
#[derive(Debug, Clone)]
pub struct Config {
    /// The WireGuard key.
    pub node: NodeSecret,
    /// The path-discovery key, new at each process start.
    pub disco: DiscoSecret,
    /// What the TUN takes in one piece.
    pub tun_offload: Offload,
    /// Datagrams in one [`Transmit`]: 64 is safe on every kernel, 1 switches trains off.
    pub max_segments: usize,
}

impl Config {
    /// The defaults for a pair of keys: all offloads.
    pub const fn new(node: NodeSecret, disco: DiscoSecret) -> Self {
        Self {
            node,
            disco,
            tun_offload: Offload::TcpUdp,
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
    own: NodeKey,
    disco_key: DiscoKey,
    gate: Gate,
    rng: ChaCha20Rng,
    netmap: Option<Arc<Netmap>>,
    /// When the own key ends.
    expires_at: Option<Instant>,
    /// It has ended.
    expired: bool,
    table: Table,
    routes: Routes,
    filter: Filter,
    discovery: Discovery,
    netcheck_asked: bool,
    /// How far relays are over HTTPS; counts where UDP says nothing.
    https_latency: BTreeMap<RegionId, Duration>,
    relays: Relays,
    pings: Pings,
    timers: Timers,
    trains: Trains,
    tun: Coalescer,
    /// Holds within one call of `handle_udp` or `handle_relay`.
    judged: Option<inbound::Judged>,
    events: VecDeque<Event>,
    dropped: [u64; Dropped::ALL.len()],
}

impl Node {
    /// A node without a netmap: it drops everything until [`Self::set_netmap`].
    /// `seed` feeds every random choice but WireGuard's own.
    pub fn new(config: Config, seed: [u8; 32], _now: Instant) -> Self {
        Self {
            own: config.node.public(),
            disco_key: config.disco.public(),
            gate: Gate::new(&config.node),
            rng: ChaCha20Rng::from_seed(seed),
            netmap: None,
            expires_at: None,
            expired: false,
            table: Table::default(),
            routes: Routes::default(),
            filter: Filter::default(),
            discovery: Discovery::default(),
            netcheck_asked: false,
            https_latency: BTreeMap::new(),
            relays: Relays::default(),
            pings: Pings::default(),
            timers: Timers::default(),
            trains: Trains::new(config.max_segments),
            tun: Coalescer::new(config.tun_offload),
            judged: None,
            events: VecDeque::new(),
            dropped: [0; Dropped::ALL.len()],
            config,
        }
    }

    // === commands ===

    /// Takes a whole netmap. `wall` is the present wall-clock time, by which key
    /// expiries are turned into instants. Open flows are judged again.
    pub fn set_netmap(&mut self, netmap: &Arc<Netmap>, wall: Timestamp, now: Instant) {
        self.apply_netmap(netmap, wall, now);
        self.check_invariants();
    }

    /// Takes another node key (after a new sign-in): all tunnels end.
    pub fn set_identity(&mut self, node: NodeSecret, now: Instant) {
        for slot in self.table.slots() {
            self.drop_live(slot, now);
        }
        self.own = node.public();
        self.gate = Gate::new(&node);
        self.config.node = node;
        self.check_invariants();
    }

    /// The addresses of the own interfaces with the ports that the UDP sockets are bound to.
    pub fn set_local_endpoints(&mut self, endpoints: Vec<SocketAddr>, now: Instant) {
        if self.discovery.set_local(endpoints) {
            self.tell_endpoints();
            if self.discovery.has_servers() {
                self.discovery.restart(now);
                self.run_discovery(now);
            }
        }
        self.check_invariants();
    }

    /// The network under us has changed (addresses, default route, wake from
    /// sleep): paths lose their trust, STUN starts over, tunnels stay.
    pub fn link_changed(&mut self, now: Instant) {
        self.discovery.forget();
        self.discovery.restart(now);
        self.run_discovery(now);
        for slot in self.table.slots() {
            if let Some(live) = self.table.get_mut(slot).and_then(|p| p.live.as_mut()) {
                live.path.link_changed(now, &mut self.rng);
                self.run_path(slot, now);
            }
        }
        self.check_invariants();
    }

    /// The TUN takes less in one piece than was thought.
    pub fn set_tun_offload(&mut self, offload: Offload) {
        self.tun.set_offload(offload);
    }

    /// Pings a peer over every path there is; ends in [`Event::PingFinished`].
    pub fn ping(&mut self, peer: NodeId, now: Instant) -> PingId {
        let id = self.start_ping(peer, now);
        self.check_invariants();
        id
    }

    /// Asks all STUN servers; ends in [`Event::NetcheckFinished`] after three seconds at most.
    pub fn start_netcheck(&mut self, now: Instant) {
        self.netcheck_asked = true;
        self.discovery.start(now);
        self.run_discovery(now);
        self.check_invariants();
    }

    // === inputs ===

    /// One read of the TUN: a `virtio_net_hdr` of [`crate::offload::VNET_HDR_LEN`]
    /// bytes (all zero when the TUN has none) and a packet or superpacket. The
    /// bytes are used as working space and hold nothing afterwards.
    pub fn handle_tun(&mut self, frame: &mut [u8], now: Instant) {
        self.send_frame(frame, now);
        self.check_invariants();
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
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        self.judged = None;
        for datagram in bytes.chunks_mut(segment_size.max(1)) {
            if stun::looks_like(datagram) {
                self.discovery.handle_answer(datagram, now);
                self.run_discovery(now);
            } else {
                self.receive(Origin::Udp(from), datagram, now);
            }
        }
        self.schedule_flows();
        self.check_invariants();
    }

    /// One packet that a relay handed over for the client `from`.
    pub fn handle_relay(&mut self, region: RegionId, from: NodeKey, bytes: &[u8], now: Instant) {
        self.judged = None;
        self.receive(Origin::Relay(region, from), bytes, now);
        self.schedule_flows();
        self.check_invariants();
    }

    /// The connection to a relay came up or went down.
    pub fn handle_relay_state(&mut self, region: RegionId, state: RelayState, now: Instant) {
        self.apply_relay_state(region, state, now);
        self.check_invariants();
    }

    /// How far relays are over HTTPS, as the shell measured it: the home relay is
    /// chosen by this where no STUN server answers.
    pub fn set_https_latency(&mut self, latency: BTreeMap<RegionId, Duration>, now: Instant) {
        self.https_latency = latency;
        self.choose_home(now);
        self.check_invariants();
    }

    /// Time has passed; call it when [`Self::poll_timeout`] says so, or sooner.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self.timers.take_due(now) {
            match timer {
                Timer::Peer(slot) => self.handle_peer_timeout(slot, now),
                Timer::Stun => self.run_discovery(now),
                Timer::KeyExpiry => self.handle_expiry(now),
                Timer::Relays => self.handle_relays_timeout(now),
                Timer::Flows => self.handle_flows_timeout(now),
                Timer::Pings => self.handle_pings_timeout(now),
            }
        }
        self.check_invariants();
    }

    // === outputs ===

    /// The next train to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit<'_>> {
        self.trains.poll()
    }

    /// As [`Self::poll_transmit`], but leaves a train that more packets may join.
    pub fn poll_full_transmit(&mut self) -> Option<Transmit<'_>> {
        self.trains.poll_full()
    }

    /// The next packet or superpacket for the TUN.
    pub fn poll_tun(&mut self) -> Option<TunWrite<'_>> {
        self.tun.poll()
    }

    /// As [`Self::poll_tun`], but leaves a superpacket that more packets may join.
    pub fn poll_full_tun(&mut self) -> Option<TunWrite<'_>> {
        self.tun.poll_full()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`Self::handle_timeout`], and why.
    pub fn poll_timeout(&self) -> Option<(Instant, Wake)> {
        self.timers.next()
    }

    // === getters ===

    /// Everything `status` shows.
    pub fn status(&self, now: Instant) -> Status {
        Status {
            home_relay: self.relays.home(),
            endpoints: self.discovery.endpoints().to_vec(),
            peers: self
                .table
                .iter()
                .map(|(_, peer)| Self::peer_status(peer, now))
                .collect(),
            dropped: self.dropped,
        }
    }

    fn peer_status(peer: &crate::peer::Peer, now: Instant) -> PeerStatus {
        let live = peer.live.as_deref();
        let active = live.is_some_and(|l| l.path.is_active(now));
        PeerStatus {
            id: peer.info.id,
            key: peer.info.key,
            active,
            path: live.and_then(|l| if active { l.path.shown(now) } else { l.shown }),
            rtt: live.and_then(|l| l.path.rtt(now)),
            rx_bytes: peer.rx_bytes,
            tx_bytes: peer.tx_bytes,
            last_handshake: live
                .and_then(|l| l.tunnel.as_ref())
                .and_then(crate::tunnel::Tunnel::last_handshake),
            expired: peer.expired,
        }
    }

    /// How many packets were dropped for a reason.
    pub fn dropped(&self, reason: Dropped) -> u64 {
        self.dropped[reason as usize]
    }

    // === inside ===

    /// Compiles routes and filter anew.
    fn renew_rules(&mut self, netmap: &Netmap, now: Instant) {
        let mut routes = Routes::default();
        let mut sources = Sources::default();
        for (slot, peer) in self.table.iter() {
            for prefix in &peer.info.allowed_ips {
                routes.insert(*prefix, slot);
            }
            for address in peer.info.addresses.iter().filter(|p| p.is_host()) {
                let capabilities = peer.info.cap_map.keys().map(String::as_str);
                sources.insert(address.addr, capabilities);
            }
        }
        self.routes = routes;
        self.filter
            .set_rules(&netmap.filter, sources, &netmap.addresses, now);
        self.timers.set(Timer::Flows, None);
        self.schedule_flows();
    }

    fn handle_flows_timeout(&mut self, now: Instant) {
        self.filter.handle_timeout(now);
        self.schedule_flows();
    }

    fn drop_packet(&mut self, reason: Dropped) {
        self.dropped[reason as usize] += 1;
    }

    /// Whether packets may pass at all.
    fn is_open(&self) -> bool {
        self.netmap.is_some() && !self.expired
    }

    #[cfg(debug_assertions)]
    fn check_invariants(&self) {
        assert!(self.table.is_consistent(), "the table's indexes agree");
        assert!(self.timers.is_consistent(), "the timers' indexes agree");
        assert!(
            self.trains.is_consistent(),
            "trains are as `UDP_SEGMENT` takes them"
        );
        for (_, peer) in self.table.iter() {
            assert!(
                peer.live.is_none() || !(peer.expired || self.expired),
                "an expired peer has no tunnel"
            );
            let path = peer.live.as_ref().map(|l| &l.path);
            assert!(path.is_none_or(crate::path::PathAgent::is_consistent));
        }
    }

    #[cfg(not(debug_assertions))]
    #[expect(clippy::unused_self, reason = "the checked twin looks at everything")]
    const fn check_invariants(&self) {}
}

/// The source address that stands for a relay in pongs and towards the rate limiter.
fn relay_pseudo_address(region: RegionId) -> SocketAddr {
    SocketAddr::new(RELAY_IP.into(), region.0)
}

/// As [`relay_pseudo_address`], without the region.
const RELAY_IP: Ipv4Addr = Ipv4Addr::new(127, 3, 3, 40);

/// Whether a relay can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayState {
    /// Connected and authenticated.
    Connected,
    /// Not connected; the shell keeps trying while the relay is wanted.
    Disconnected,
}
