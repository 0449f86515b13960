//! Nodes, their server and their network, moved by one clock.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use crate::packet::{SENDER_PORT, udp_packet};
use mesh::{
    event::{Event, PathAddr, PingId, PingResult, Via},
    node::{Config, Netmap, Node, Peer, RelayState},
    offload::{VNET_HDR_LEN, split},
};
use mock_instant::MockClock;
use simnet::{
    host::{HostId, Udp},
    link::Link,
    nat::{Behaviour, NatId},
    net::{Delivery, Net},
};
use wire::{
    DiscoKey, DiscoSecret, NodeId, NodeKey, NodeSecret, Timestamp,
    filter::{DstPorts, FilterRule},
    net::{PortRange, Prefix},
    relay_map::{Region, RegionId, RelayHost, RelayMap},
};

pub(crate) const REGION: RegionId = RegionId(900);
const PORT: u16 = 41_641;
const STUN: [&str; 2] = ["192.0.2.9:3478", "192.0.2.9:3479"];

pub(crate) const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Where a node is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Site {
    Public,
    Behind(Behaviour),
    /// Behind an easy NAT whose firewall drops UDP.
    UdpBlocked,
}

/// One node and what its shell would hold.
pub(crate) struct Agent {
    pub(crate) node: Node,
    pub(crate) host: HostId,
    pub(crate) nat: Option<NatId>,
    pub(crate) id: NodeId,
    pub(crate) ip: Ipv4Addr,
    /// Packets that reached its TUN.
    pub(crate) inbox: Vec<Vec<u8>>,
    pub(crate) events: Vec<Event>,
    secret: NodeSecret,
    key: NodeKey,
    disco: DiscoSecret,
    pub(crate) disco_key: DiscoKey,
    endpoints: Vec<SocketAddr>,
    home: RegionId,
    key_expiry: Option<Timestamp>,
    expired: bool,
    own_filter: Option<Vec<FilterRule>>,
    holds_expired: Option<NodeId>,
    /// What the server tells others, when it is not the present one.
    told_disco: Option<DiscoKey>,
    netmap: Option<Arc<Netmap>>,
}

pub(crate) struct World {
    pub(crate) net: Net,
    pub(crate) agents: Vec<Agent>,
    pub(crate) filter: Vec<FilterRule>,
    /// Whether relays take connections.
    pub(crate) has_relays: bool,
    /// Whether the server tells anybody anything.
    pub(crate) has_server: bool,
    peers: BTreeMap<usize, Arc<Peer>>,
    restarts: u8,
    wall: Timestamp,
    start: Instant,
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.net.trace());
        }
    }
}

impl World {
    // === building ===

    pub(crate) fn new(sites: &[Site]) -> Self {
        let mut net = Net::new(1);
        for addr in STUN {
            net.add_stun(addr.parse().unwrap());
        }
        MockClock::set_time(Duration::ZERO);
        let start = net.now();
        let mut world = Self {
            net,
            agents: Vec::new(),
            filter: vec![allow("*", PortRange::ANY)],
            has_relays: true,
            has_server: true,
            peers: BTreeMap::new(),
            restarts: 0,
            wall: Timestamp::from_unix_seconds(1_800_000_000),
            start,
        };
        for site in sites {
            world.add(*site);
        }
        world.publish();
        world
    }

    fn add(&mut self, site: Site) {
        let n = u8::try_from(self.agents.len()).unwrap() + 1;
        let nat = match site {
            Site::Public => None,
            Site::Behind(behaviour) => Some(behaviour),
            Site::UdpBlocked => Some(Behaviour::EASY),
        };
        let outside = IpAddr::from([198, 51, 100, n]);
        let nat = nat.map(|behaviour| self.net.add_nat(outside, behaviour));
        let ip = match nat {
            Some(_) => IpAddr::from([10, 0, n, 2]),
            None => IpAddr::from([203, 0, 113, n]),
        };
        let host = self
            .net
            .add_host(&format!("host{n}"), ip, nat, Link::default());
        if matches!(site, Site::UdpBlocked) {
            self.net.set_udp(host, Udp::Blocked);
        }
        let secret = NodeSecret::from_bytes([n; 32]);
        let disco = DiscoSecret::from_bytes([n + 100; 32]);
        let config = Config::new(secret.clone(), disco.clone());
        let mut node = Node::new(config, [n; 32], self.net.now());
        node.set_local_endpoints(vec![SocketAddr::new(ip, PORT)], self.net.now());
        self.agents.push(Agent {
            node,
            host,
            nat,
            id: NodeId(n.into()),
            ip: Ipv4Addr::new(100, 64, 0, n),
            inbox: Vec::new(),
            events: Vec::new(),
            key: secret.public(),
            secret,
            disco_key: disco.public(),
            disco,
            endpoints: Vec::new(),
            home: RegionId(0),
            key_expiry: None,
            expired: false,
            own_filter: None,
            holds_expired: None,
            told_disco: None,
            netmap: None,
        });
    }

    // === the server ===

    /// Gives every node its netmap, as a server would after a change.
    pub(crate) fn publish(&mut self) {
        if !self.has_server {
            return;
        }
        for (i, agent) in self.agents.iter().enumerate() {
            let peer = agent.as_peer();
            if self.peers.get(&i).is_none_or(|old| **old != peer) {
                self.peers.insert(i, Arc::new(peer));
            }
        }
        let wall = self.wall.plus(self.net.now() - self.start);
        let now = self.net.now();
        for (i, agent) in self.agents.iter_mut().enumerate() {
            let others = self.peers.iter().filter(|(j, _)| **j != i);
            let expired = agent.holds_expired;
            let as_held = |p: &Arc<Peer>| {
                if expired == Some(p.id) {
                    let expired = true;
                    return Arc::new(Peer {
                        expired,
                        ..(**p).clone()
                    });
                }
                Arc::clone(p)
            };
            let own_filter = agent.own_filter.as_ref();
            let netmap = Netmap {
                addresses: vec![Prefix::host(agent.ip.into())],
                key_expiry: agent.key_expiry,
                expired: agent.expired,
                peers: others.map(|(_, p)| (p.id, as_held(p))).collect(),
                filter: own_filter.unwrap_or(&self.filter).clone(),
                relay_map: relay_map(),
            };
            let netmap = agent.netmap.insert(Arc::new(netmap));
            agent.node.set_netmap(netmap, wall, now);
        }
    }

    pub(crate) fn set_policy(&mut self, filter: Vec<FilterRule>) {
        self.filter = filter;
        self.publish();
    }

    /// Rules for one node alone.
    pub(crate) fn set_policy_of(&mut self, i: usize, filter: Vec<FilterRule>) {
        self.agents[i].own_filter = Some(filter);
        self.publish();
    }

    /// One node hears that another's key has expired; the others do not.
    pub(crate) fn expire_for(&mut self, i: usize, peer: usize) {
        self.agents[i].holds_expired = Some(self.agents[peer].id);
        self.publish();
    }

    /// A node starts anew and has not heard from the server yet.
    pub(crate) fn forget_netmap(&mut self, i: usize) {
        let agent = &mut self.agents[i];
        let config = Config::new(agent.secret.clone(), agent.disco.clone());
        agent.node = Node::new(config, [9; 32], self.net.now());
    }

    /// A node's process starts anew with the netmap it had; the others hear of
    /// its new key when the server next publishes.
    pub(crate) fn restart(&mut self, i: usize) {
        let now = self.net.now();
        let agent = &mut self.agents[i];
        let disco = DiscoSecret::from_bytes([self.restarts + 200; 32]);
        self.restarts += 1;
        agent.disco_key = disco.public();
        agent.disco = disco.clone();
        let config = Config::new(agent.secret.clone(), disco);
        agent.node = Node::new(config, [9; 32], now);
        let own = SocketAddr::new(self.net.ip(agent.host), PORT);
        agent.node.set_local_endpoints(vec![own], now);
        let netmap = agent.netmap.as_ref().expect("it had one");
        let wall = self.wall.plus(now - self.start);
        agent.node.set_netmap(netmap, wall, now);
        self.drain();
    }

    /// The server falls back to telling this as a node's path-discovery key.
    pub(crate) fn tell_disco_of(&mut self, i: usize, key: DiscoKey) {
        self.agents[i].told_disco = Some(key);
        self.publish();
    }

    /// Every node's connection to its relay ends.
    pub(crate) fn disconnect_relays(&mut self) {
        let now = self.net.now();
        for agent in &mut self.agents {
            self.net.disconnect_relay(agent.key.as_bytes());
            let state = RelayState::Disconnected;
            agent.node.handle_relay_state(REGION, state, now);
        }
        self.drain();
    }

    /// Puts a node behind an easy NAT somewhere else; its shell notices.
    pub(crate) fn relocate(&mut self, i: usize, ip: &str, outside: &str) {
        let now = self.net.now();
        let ip: IpAddr = ip.parse().unwrap();
        let nat = self.net.add_nat(outside.parse().unwrap(), Behaviour::EASY);
        let agent = &mut self.agents[i];
        agent.nat = Some(nat);
        self.net.move_host(agent.host, ip, Some(nat));
        agent
            .node
            .set_local_endpoints(vec![SocketAddr::new(ip, PORT)], now);
        agent.node.link_changed(now);
        self.drain();
    }

    /// The server says that a node's key has expired.
    pub(crate) fn expire(&mut self, i: usize) {
        self.agents[i].expired = true;
        self.publish();
    }

    /// A node's key will end some time from now.
    pub(crate) fn expire_in(&mut self, i: usize, time: Duration) {
        let wall = self.wall.plus(self.net.now() - self.start);
        self.agents[i].key_expiry = Some(wall.plus(time));
        self.publish();
    }

    // === time ===

    /// Lets `time` pass.
    pub(crate) fn run(&mut self, time: Duration) {
        let until = self.net.now() + time;
        self.run_until(until, |_| false);
    }

    /// Runs until `done`, at most for `time`; panics with the trace when it never is.
    pub(crate) fn wait(&mut self, time: Duration, what: &str, done: impl Fn(&Self) -> bool) {
        let until = self.net.now() + time;
        assert!(self.run_until(until, done), "within {time:?}: {what}");
    }

    fn run_until(&mut self, until: Instant, done: impl Fn(&Self) -> bool) -> bool {
        loop {
            self.drain();
            if done(self) {
                return true;
            }
            let timeouts = self.agents.iter().filter_map(|a| a.node.poll_timeout());
            let next = timeouts.map(|(at, _)| at).chain(self.net.next_at()).min();
            let next = next.map_or(until, |at| at.max(self.net.now()).min(until));
            self.net.advance_to(next);
            MockClock::set_time(self.net.clock().elapsed());
            while let Some(delivery) = self.net.poll() {
                self.deliver(delivery);
            }
            self.fire();
            if next >= until {
                self.drain();
                return done(self);
            }
        }
    }

    fn fire(&mut self) {
        let now = self.net.now();
        for agent in &mut self.agents {
            if agent.node.poll_timeout().is_some_and(|(at, _)| at <= now) {
                agent.node.handle_timeout(now);
            }
        }
    }

    fn deliver(&mut self, delivery: Delivery) {
        let now = self.net.now();
        match delivery {
            Delivery::Udp {
                host,
                from,
                port,
                mut bytes,
            } => {
                let agent = self.agents.iter_mut().find(|a| a.host == host);
                if let Some(agent) = agent.filter(|_| port == PORT) {
                    agent.node.handle_udp(from, bytes.len(), &mut bytes, now);
                }
            }
            Delivery::Relay { host, from, bytes } => {
                if let Some(agent) = self.agents.iter_mut().find(|a| a.host == host) {
                    let from = NodeKey::from_bytes(from);
                    agent.node.handle_relay(REGION, from, &bytes, now);
                }
            }
        }
    }

    /// Carries out what the nodes want until they want nothing more.
    fn drain(&mut self) {
        loop {
            let mut news = false;
            for i in 0..self.agents.len() {
                news |= self.drain_one(i);
            }
            if !news {
                return;
            }
            self.publish();
        }
    }

    /// True when the server has something new to tell the others.
    fn drain_one(&mut self, i: usize) -> bool {
        let now = self.net.now();
        let agent = &mut self.agents[i];
        let own = *agent.key.as_bytes();
        while let Some(transmit) = agent.node.poll_transmit() {
            for segment in transmit.bytes.chunks(transmit.segment_size) {
                match transmit.via {
                    Via::Udp(to) => self.net.send(agent.host, PORT, to, segment),
                    Via::Relay { peer, .. } => {
                        self.net
                            .send_relay(agent.host, own, peer.as_bytes(), segment);
                    }
                }
            }
        }
        while let Some(write) = agent.node.poll_tun() {
            let mut frame = write.frame.to_vec();
            let mut segments = split(&mut frame).unwrap();
            while let Some(packet) = segments.next_segment() {
                agent.inbox.push(packet.to_vec());
            }
        }
        let mut news = false;
        while let Some(event) = agent.node.poll_event() {
            match &event {
                Event::EndpointsChanged(endpoints) => {
                    agent.endpoints = endpoints.iter().map(|e| e.addr).collect();
                    news = true;
                }
                Event::HomeRelayChosen(region) => {
                    agent.home = *region;
                    news = true;
                }
                Event::RelayWanted(region) if self.has_relays => {
                    self.net.connect_relay(agent.host, own);
                    let state = RelayState::Connected;
                    agent.node.handle_relay_state(*region, state, now);
                }
                _ => {}
            }
            agent.events.push(event);
        }
        news
    }

    // === people ===

    /// Pings as `warren ping` does, once a second, until a path of the wanted
    /// kind answers or five seconds have passed.
    pub(crate) fn ping_path(&mut self, from: usize, to: usize) -> Option<PathAddr> {
        let mut last = None;
        for _ in 0..5 {
            let peer = self.agents[to].id;
            let now = self.net.now();
            let id = self.agents[from].node.ping(peer, now);
            self.run(secs(1));
            if let Some(PingResult::Pong { path, .. }) = self.answer(from, id) {
                last = Some(path);
                if matches!(path, PathAddr::Direct(_)) {
                    break;
                }
            }
        }
        last
    }

    pub(crate) fn answer(&self, i: usize, ping: PingId) -> Option<PingResult> {
        self.agents[i].events.iter().find_map(|e| match e {
            Event::PingFinished { id, result, .. } if *id == ping => Some(*result),
            _ => None,
        })
    }

    /// Sends one UDP packet with `payload` through the tunnel.
    pub(crate) fn send(&mut self, from: usize, to: usize, port: u16, payload: &[u8]) {
        let packet = udp_packet(self.agents[from].ip, self.agents[to].ip, port, payload);
        self.send_packet(from, &packet);
    }

    /// Answers a packet that [`Self::send`] brought from the other to `port`.
    pub(crate) fn answer_from(&mut self, from: usize, to: usize, port: u16, payload: &[u8]) {
        let ips = (self.agents[from].ip, self.agents[to].ip);
        let mut packet = udp_packet(ips.0, ips.1, SENDER_PORT, payload);
        packet[20..22].copy_from_slice(&port.to_be_bytes());
        // No checksum: legal in IPv4.
        packet[26..28].fill(0);
        self.send_packet(from, &packet);
    }

    pub(crate) fn send_packet(&mut self, from: usize, packet: &[u8]) {
        let mut frame = vec![0; VNET_HDR_LEN];
        frame.extend_from_slice(packet);
        let now = self.net.now();
        self.agents[from].node.handle_tun(&mut frame, now);
        self.drain();
    }

    /// How a node says it reaches another.
    pub(crate) fn path(&self, from: usize, to: usize) -> Option<PathAddr> {
        let status = self.agents[from].node.status(self.net.now());
        let peer = self.agents[to].id;
        status.peers.iter().find(|p| p.id == peer)?.path
    }

    pub(crate) fn is_direct(&self, from: usize, to: usize) -> bool {
        matches!(self.path(from, to), Some(PathAddr::Direct(_)))
    }

    /// The payloads that reached a node's TUN, which is emptied.
    pub(crate) fn take_payloads(&mut self, i: usize) -> Vec<Vec<u8>> {
        let inbox = std::mem::take(&mut self.agents[i].inbox);
        inbox.iter().map(|p| p[28..].to_vec()).collect()
    }
}

impl Agent {
    fn as_peer(&self) -> Peer {
        let addresses = vec![Prefix::host(self.ip.into())];
        Peer {
            id: self.id,
            name: format!("node{}", self.id),
            key: self.key,
            disco: self.told_disco.unwrap_or(self.disco_key),
            allowed_ips: addresses.clone(),
            addresses,
            endpoints: self.endpoints.clone(),
            home_relay: self.home,
            cap_map: BTreeMap::default(),
            expired: self.expired,
            key_expiry: self.key_expiry,
        }
    }
}

pub(crate) fn allow(src: &str, ports: PortRange) -> FilterRule {
    FilterRule {
        src_ips: vec![src.to_owned()],
        dst_ports: vec![DstPorts {
            ip: "*".to_owned(),
            ports,
        }],
        ..FilterRule::default()
    }
}

fn relay_map() -> RelayMap {
    let hosts = STUN.iter().enumerate().map(|(i, addr)| {
        let addr: SocketAddr = addr.parse().unwrap();
        RelayHost {
            name: format!("900{i}"),
            region_id: REGION,
            host_name: addr.ip().to_string(),
            stun_port: addr.port().into(),
            stun_only: i > 0,
            ..RelayHost::default()
        }
    });
    let region = Region {
        region_id: REGION,
        nodes: hosts.collect(),
        ..Region::default()
    };
    RelayMap {
        regions: [(REGION, region)].into(),
        ..RelayMap::default()
    }
}
