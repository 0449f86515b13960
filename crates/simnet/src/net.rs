//! The network: who is where, and what is under way.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    time::Instant,
};

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};

use crate::{
    clock::Clock,
    host::{Host, HostId, Udp},
    link::Link,
    nat::{Behaviour, Nat, NatId},
    stun,
    trace::{Entry, Fate, Trace, name},
};

/// A relay client's name: 32 bytes, a node key.
pub type ClientKey = [u8; 32];

/// Something has arrived at a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// A datagram.
    Udp {
        /// Whose socket it came to.
        host: HostId,
        /// The source as the host sees it.
        from: SocketAddr,
        /// The local port.
        port: u16,
        /// The payload.
        bytes: Vec<u8>,
    },
    /// A packet through the relay.
    Relay {
        /// Whose connection it came by.
        host: HostId,
        /// The client that sent it.
        from: ClientKey,
        /// The packet.
        bytes: Vec<u8>,
    },
}

/// On its way over the public network.
#[derive(Debug)]
enum Flight {
    /// A datagram that has left its own side, to a public address.
    Udp {
        from: SocketAddr,
        to: SocketAddr,
        bytes: Vec<u8>,
    },
    /// A datagram that has passed the receiver's NAT.
    Last(Delivery),
}

/// The network.
#[derive(Debug)]
pub struct Net {
    clock: Clock,
    rng: ChaCha20Rng,
    hosts: Vec<Host>,
    nats: Vec<Nat>,
    stun: BTreeSet<SocketAddr>,
    clients: BTreeMap<ClientKey, HostId>,
    flights: BTreeMap<(Instant, u64), Flight>,
    sent: u64,
    trace: Trace,
}

impl Net {
    /// An empty network.
    pub fn new(seed: u64) -> Self {
        Self {
            clock: Clock::new(),
            rng: ChaCha20Rng::seed_from_u64(seed),
            hosts: Vec::new(),
            nats: Vec::new(),
            stun: BTreeSet::new(),
            clients: BTreeMap::new(),
            flights: BTreeMap::new(),
            sent: 0,
            trace: Trace::default(),
        }
    }

    // === building ===

    /// A NAT with one outside address.
    pub fn add_nat(&mut self, outside: IpAddr, behaviour: Behaviour) -> NatId {
        self.nats.push(Nat::new(outside, behaviour));
        NatId(self.nats.len() - 1)
    }

    /// A host, in public or behind a NAT.
    pub fn add_host(
        &mut self,
        name: &str,
        ip: IpAddr,
        behind: Option<NatId>,
        link: Link,
    ) -> HostId {
        self.hosts.push(Host {
            name: name.to_owned(),
            ip,
            behind,
            link,
            udp: Udp::Passes,
        });
        HostId(self.hosts.len() - 1)
    }

    /// A public address that answers STUN.
    pub fn add_stun(&mut self, at: SocketAddr) {
        self.stun.insert(at);
    }

    // === changing ===

    /// Opens or closes a host's firewall for UDP.
    pub fn set_udp(&mut self, host: HostId, udp: Udp) {
        self.hosts[host.0].udp = udp;
    }

    /// Changes a NAT's behaviour; it forgets its mappings.
    pub fn set_behaviour(&mut self, nat: NatId, behaviour: Behaviour) {
        self.nats[nat.0].behaviour = behaviour;
        self.nats[nat.0].reset();
    }

    /// A NAT forgets its mappings, as after a power cut.
    pub fn forget_mappings(&mut self, nat: NatId) {
        self.nats[nat.0].reset();
    }

    /// Puts a host somewhere else, under another address.
    pub fn move_host(&mut self, host: HostId, ip: IpAddr, behind: Option<NatId>) {
        let host = &mut self.hosts[host.0];
        host.ip = ip;
        host.behind = behind;
    }

    /// Changes a host's line.
    pub fn set_link(&mut self, host: HostId, link: Link) {
        self.hosts[host.0].link = link;
    }

    /// A host's own address.
    pub fn ip(&self, host: HostId) -> IpAddr {
        self.hosts[host.0].ip
    }

    /// Connects a host to the relay under a key; the newest connection counts.
    pub fn connect_relay(&mut self, host: HostId, key: ClientKey) {
        self.clients.insert(key, host);
    }

    /// Ends a client's connection to the relay.
    pub fn disconnect_relay(&mut self, key: &ClientKey) {
        self.clients.remove(key);
    }

    // === time ===

    /// The present.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The clock itself.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// When the next thing arrives somewhere.
    pub fn next_at(&self) -> Option<Instant> {
        self.flights.first_key_value().map(|((at, _), _)| *at)
    }

    /// Moves the clock to `at`, which must not be after [`Self::next_at`].
    pub fn advance_to(&mut self, at: Instant) {
        self.clock.advance_to(at);
    }

    /// What has arrived by now; `None` when nothing (more) has.
    pub fn poll(&mut self) -> Option<Delivery> {
        loop {
            let entry = self.flights.first_entry()?;
            if entry.key().0 > self.clock.now() {
                return None;
            }
            match entry.remove() {
                Flight::Last(delivery) => return Some(delivery),
                Flight::Udp { from, to, bytes } => {
                    if let Some(delivery) = self.arrive(from, to, bytes) {
                        return Some(delivery);
                    }
                }
            }
        }
    }

    /// What happened so far.
    pub const fn trace(&self) -> &Trace {
        &self.trace
    }

    // === traffic ===

    /// Sends a datagram from a host's port.
    pub fn send(&mut self, host: HostId, port: u16, to: SocketAddr, bytes: &[u8]) {
        let now = self.clock.now();
        let Host {
            ip,
            behind,
            link,
            udp,
            ..
        } = self.hosts[host.0];
        let inside = SocketAddr::new(ip, port);
        if udp == Udp::Blocked {
            return self.note(inside, to, bytes, Fate::Blocked);
        }
        if bytes.len() > link.mtu {
            return self.note(inside, to, bytes, Fate::TooLong);
        }
        if self.loses(link) {
            return self.note(inside, to, bytes, Fate::Lost);
        }
        // Two hosts behind one NAT reach each other on their own network.
        let neighbour = self
            .hosts
            .iter()
            .position(|h| h.ip == to.ip() && h.behind == behind);
        if behind.is_some()
            && let Some(index) = neighbour
        {
            let delivery = Delivery::Udp {
                host: HostId(index),
                from: inside,
                port: to.port(),
                bytes: bytes.to_vec(),
            };
            self.note(inside, to, bytes, Fate::Delivered);
            return self.launch(now + link.latency, Flight::Last(delivery));
        }
        let from = match behind {
            Some(nat) => self.nats[nat.0].outbound(inside, to, now, &mut self.rng),
            None => inside,
        };
        let bytes = bytes.to_vec();
        self.launch(now + link.latency, Flight::Udp { from, to, bytes });
    }

    /// Sends a packet through the relay; dropped when the receiver is not connected.
    pub fn send_relay(&mut self, host: HostId, from: ClientKey, to: &ClientKey, bytes: &[u8]) {
        let sender = &self.hosts[host.0];
        let Some(receiver) = self.clients.get(to).copied() else {
            return;
        };
        let there = &self.hosts[receiver.0];
        let entry = Entry {
            at: self.clock.elapsed(),
            from: format!("relay:{}", sender.name),
            to: format!("relay:{}", there.name),
            len: bytes.len(),
            what: name(bytes),
            fate: Fate::Delivered,
        };
        let at = self.clock.now() + sender.link.latency + there.link.latency;
        self.trace.entries.push(entry);
        let delivery = Delivery::Relay {
            host: receiver,
            from,
            bytes: bytes.to_vec(),
        };
        self.launch(at, Flight::Last(delivery));
    }

    /// A datagram has reached the public side of its destination.
    fn arrive(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) -> Option<Delivery> {
        let now = self.clock.now();
        if self.stun.contains(&to) {
            self.note(from, to, &bytes, Fate::Delivered);
            let bytes = stun::answer(&bytes, from)?;
            let back = Flight::Udp {
                from: to,
                to: from,
                bytes,
            };
            self.launch(now, back);
            return None;
        }
        let nat = self.nats.iter_mut().position(|n| n.outside == to.ip());
        let inside = match nat {
            Some(index) => self.nats[index].inbound(to.port(), from, now),
            None => Some(to),
        };
        let Some(inside) = inside else {
            self.note(from, to, &bytes, Fate::Filtered);
            return None;
        };
        let host = self
            .hosts
            .iter()
            .position(|h| h.ip == inside.ip() && h.behind == nat.map(NatId));
        let Some(index) = host else {
            self.note(from, to, &bytes, Fate::NoHost);
            return None;
        };
        let Host { link, udp, .. } = self.hosts[index];
        let fate = if udp == Udp::Blocked {
            Fate::Blocked
        } else if bytes.len() > link.mtu {
            Fate::TooLong
        } else if self.loses(link) {
            Fate::Lost
        } else {
            Fate::Delivered
        };
        self.note(from, to, &bytes, fate);
        if fate == Fate::Delivered {
            let delivery = Delivery::Udp {
                host: HostId(index),
                from,
                port: inside.port(),
                bytes,
            };
            self.launch(now + link.latency, Flight::Last(delivery));
        }
        None
    }

    fn loses(&mut self, link: Link) -> bool {
        link.loss_per_mille > 0 && self.rng.next_u32() % 1000 < link.loss_per_mille
    }

    fn launch(&mut self, at: Instant, flight: Flight) {
        self.sent += 1;
        self.flights.insert((at, self.sent), flight);
    }

    fn note(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8], fate: Fate) {
        let at = self.clock.elapsed();
        self.trace.note(at, from, to, bytes, fate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two hosts behind easy NATs: a stranger is filtered, an answer comes in.
    fn run(seed: u64) -> (Vec<Delivery>, Trace) {
        let mut net = Net::new(seed);
        let nat = net.add_nat("198.51.100.1".parse().unwrap(), Behaviour::EASY);
        let inside = net.add_host("a", "10.0.0.2".parse().unwrap(), Some(nat), Link::default());
        let public = net.add_host("b", "192.0.2.1".parse().unwrap(), None, Link::default());
        net.add_stun("192.0.2.9:3478".parse().unwrap());
        let mut request = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        request.extend([7; 12]);
        net.send(inside, 1, "192.0.2.9:3478".parse().unwrap(), &request);
        net.send(inside, 1, "192.0.2.1:5".parse().unwrap(), b"hello");
        net.send(public, 5, "198.51.100.1:9".parse().unwrap(), b"stranger");
        net.connect_relay(public, [2; 32]);
        net.send_relay(inside, [1; 32], &[2; 32], b"relayed");
        let mut got = Vec::new();
        while let Some(at) = net.next_at() {
            net.advance_to(at);
            while let Some(delivery) = net.poll() {
                got.push(delivery);
            }
        }
        (got, net.trace().clone())
    }

    #[test]
    fn datagrams_cross_nats_as_their_behaviour_says() {
        let (got, trace) = run(1);
        let relayed = got
            .iter()
            .filter(|d| matches!(d, Delivery::Relay { bytes, .. } if bytes == b"relayed"));
        assert_eq!(relayed.count(), 1);
        let udp = got.iter().filter(|d| matches!(d, Delivery::Udp { .. }));
        assert_eq!(udp.count(), 2, "{trace}");
        assert!(trace.entries.iter().any(|e| e.fate == Fate::Filtered));
    }

    #[test]
    fn the_same_seed_gives_the_same_trace() {
        assert_eq!(run(7).1, run(7).1);
    }
}
