//! NATs by RFC 4787: mapping × filtering × expiry.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use rand_core::RngCore;

/// Names a NAT of a [`crate::net::Net`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NatId(pub(crate) usize);

/// What of the other end a NAT's decision depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependence {
    /// Nothing: endpoint-independent.
    Independent,
    /// Its address.
    Address,
    /// Its address and port.
    AddressAndPort,
}

impl Dependence {
    /// The part of `remote` that counts.
    fn key(self, remote: SocketAddr) -> Option<(IpAddr, u16)> {
        match self {
            Self::Independent => None,
            Self::Address => Some((remote.ip(), 0)),
            Self::AddressAndPort => Some((remote.ip(), remote.port())),
        }
    }
}

/// How a NAT behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behaviour {
    /// Which destinations share one outside port.
    pub mapping: Dependence,
    /// Who may send to an outside port: whom the host has sent to.
    pub filtering: Dependence,
    /// How long a mapping lives after the last packet out.
    pub expiry: Duration,
}

impl Behaviour {
    /// Endpoint-independent mapping, port-dependent filtering: most home routers.
    pub const EASY: Self = Self {
        mapping: Dependence::Independent,
        filtering: Dependence::AddressAndPort,
        expiry: Duration::from_secs(30),
    };
    /// The same without a filter.
    pub const OPEN: Self = Self {
        filtering: Dependence::Independent,
        ..Self::EASY
    };
    /// A new random port for every destination.
    pub const HARD: Self = Self {
        mapping: Dependence::AddressAndPort,
        ..Self::EASY
    };
}

type MappingKey = (SocketAddr, Option<(IpAddr, u16)>);

#[derive(Debug)]
struct Mapping {
    inside: SocketAddr,
    permitted: BTreeMap<Option<(IpAddr, u16)>, Instant>,
    expires: Instant,
}

#[derive(Debug)]
pub(crate) struct Nat {
    pub(crate) outside: IpAddr,
    pub(crate) behaviour: Behaviour,
    ports: BTreeMap<MappingKey, u16>,
    mappings: BTreeMap<u16, Mapping>,
}

impl Nat {
    pub(crate) fn new(outside: IpAddr, behaviour: Behaviour) -> Self {
        Self {
            outside,
            behaviour,
            ports: BTreeMap::new(),
            mappings: BTreeMap::new(),
        }
    }

    /// Forgets everything, as after a power cut.
    pub(crate) fn reset(&mut self) {
        self.ports.clear();
        self.mappings.clear();
    }

    /// A datagram goes out: the outside address it leaves from.
    pub(crate) fn outbound(
        &mut self,
        inside: SocketAddr,
        remote: SocketAddr,
        now: Instant,
        rng: &mut impl RngCore,
    ) -> SocketAddr {
        self.expire(now);
        let key = (inside, self.behaviour.mapping.key(remote));
        let port = match self.ports.get(&key) {
            Some(port) => *port,
            None => self.allocate(key, rng),
        };
        let expires = now + self.behaviour.expiry;
        let mapping = self.mappings.entry(port).or_insert(Mapping {
            inside,
            permitted: BTreeMap::new(),
            expires,
        });
        mapping.expires = expires;
        let permitted = self.behaviour.filtering.key(remote);
        mapping.permitted.insert(permitted, expires);
        SocketAddr::new(self.outside, port)
    }

    fn allocate(&mut self, key: MappingKey, rng: &mut impl RngCore) -> u16 {
        loop {
            let port = u16::try_from(1024 + rng.next_u32() % 64_000).unwrap_or(1024);
            if !self.mappings.contains_key(&port) {
                self.ports.insert(key, port);
                return port;
            }
        }
    }

    /// A datagram comes in to an outside port: the host it is for, if it may pass.
    pub(crate) fn inbound(
        &mut self,
        port: u16,
        remote: SocketAddr,
        now: Instant,
    ) -> Option<SocketAddr> {
        self.expire(now);
        let mapping = self.mappings.get(&port)?;
        let permitted = mapping
            .permitted
            .get(&self.behaviour.filtering.key(remote))?;
        (now < *permitted).then_some(mapping.inside)
    }

    fn expire(&mut self, now: Instant) {
        self.mappings.retain(|_, m| now < m.expires);
        let mappings = &self.mappings;
        self.ports.retain(|_, port| mappings.contains_key(port));
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    use super::*;
    use crate::clock::Clock;

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn nat(behaviour: Behaviour) -> (Nat, ChaCha20Rng, Instant) {
        (
            Nat::new("198.51.100.1".parse().unwrap(), behaviour),
            ChaCha20Rng::from_seed([1; 32]),
            Clock::new().now(),
        )
    }

    #[test]
    fn an_easy_nat_keeps_its_port_and_filters_strangers() {
        let (mut nat, mut rng, now) = nat(Behaviour::EASY);
        let inside = addr("10.0.0.2:41641");
        let (one, two) = (addr("192.0.2.1:1"), addr("192.0.2.1:2"));
        let outside = nat.outbound(inside, one, now, &mut rng);
        assert_eq!(nat.outbound(inside, one, now, &mut rng), outside);
        assert_eq!(nat.inbound(outside.port(), one, now), Some(inside));
        assert_eq!(nat.inbound(outside.port(), two, now), None);
        assert_eq!(nat.outbound(inside, two, now, &mut rng), outside);
        assert_eq!(nat.inbound(outside.port(), two, now), Some(inside));
    }

    #[test]
    fn an_open_nat_lets_strangers_in_and_a_hard_one_changes_its_port() {
        let (mut nat, mut rng, now) = nat(Behaviour::OPEN);
        let inside = addr("10.0.0.2:41641");
        let outside = nat.outbound(inside, addr("192.0.2.1:1"), now, &mut rng);
        assert!(
            nat.inbound(outside.port(), addr("192.0.2.9:9"), now)
                .is_some()
        );
        nat.behaviour = Behaviour::HARD;
        nat.reset();
        let one = nat.outbound(inside, addr("192.0.2.1:1"), now, &mut rng);
        let two = nat.outbound(inside, addr("192.0.2.1:2"), now, &mut rng);
        assert_ne!(one.port(), two.port());
    }

    #[test]
    fn a_quiet_mapping_is_forgotten() {
        let (mut nat, mut rng, now) = nat(Behaviour::EASY);
        let inside = addr("10.0.0.2:41641");
        let remote = addr("192.0.2.1:1");
        let outside = nat.outbound(inside, remote, now, &mut rng);
        let later = now + Behaviour::EASY.expiry;
        assert_eq!(nat.inbound(outside.port(), remote, later), None);
    }
}
