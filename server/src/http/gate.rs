//! Who may hold how many connections: a cap for all and one for each network.
//!
//! A network is an IPv4 /24 or an IPv6 /64. Loopback and trusted proxies stand
//! for many people, so only the cap for all holds for them.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use wire::net::Prefix;

/// How many connections at once.
#[derive(Debug, Clone)]
pub struct Caps {
    /// All together.
    pub total: usize,
    /// From one IPv4 /24 or IPv6 /64.
    pub per_network: usize,
    /// Networks whose connections stand for many people.
    pub trusted: Vec<Prefix>,
}

/// Counts connections. Cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub struct Gate {
    caps: Arc<Caps>,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    total: usize,
    refused: u64,
    by_network: BTreeMap<IpAddr, usize>,
}

impl Gate {
    /// A gate nobody has passed yet.
    pub fn new(caps: Caps) -> Self {
        Self {
            caps: Arc::new(caps),
            held: Arc::default(),
        }
    }

    /// Lets a connection from `addr` in, or not when a cap is reached.
    pub fn enter(&self, addr: IpAddr) -> Option<Pass> {
        let network = self.counted(addr).then(|| network(addr));
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.total >= self.caps.total {
            held.refused += 1;
            return None;
        }
        if let Some(network) = network {
            let count = held.by_network.entry(network).or_default();
            if *count >= self.caps.per_network {
                held.refused += 1;
                return None;
            }
            *count += 1;
        }
        held.total += 1;
        Some(Pass {
            held: Arc::clone(&self.held),
            network,
        })
    }

    /// How many are inside.
    pub fn inside(&self) -> usize {
        self.held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .total
    }

    /// How many were not let in.
    pub fn refused(&self) -> u64 {
        self.held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .refused
    }

    fn counted(&self, addr: IpAddr) -> bool {
        let addr = addr.to_canonical();
        !addr.is_loopback() && !self.caps.trusted.iter().any(|p| p.contains(addr))
    }
}

/// A place inside; given back when dropped.
#[derive(Debug)]
pub struct Pass {
    held: Arc<Mutex<Held>>,
    network: Option<IpAddr>,
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.total = held.total.saturating_sub(1);
        let Some(network) = self.network else { return };
        if let Some(count) = held.by_network.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                held.by_network.remove(&network);
            }
        }
    }
}

/// The network that `addr` is counted with: its IPv4 /24 or IPv6 /64.
pub fn network(addr: IpAddr) -> IpAddr {
    match addr.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4((u32::from(v4) & 0xffff_ff00).into()),
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(total: usize, per_network: usize) -> Gate {
        Gate::new(Caps {
            total,
            per_network,
            trusted: vec!["10.0.0.0/8".parse().unwrap()],
        })
    }

    fn ip(s: &str) -> IpAddr {
        s.parse().unwrap()
    }

    #[test]
    fn a_network_gets_its_share_and_no_more() {
        let gate = gate(10, 2);
        let first = gate.enter(ip("192.0.2.1")).unwrap();
        let _second = gate.enter(ip("192.0.2.200")).unwrap();
        assert!(gate.enter(ip("192.0.2.3")).is_none());
        assert!(gate.enter(ip("198.51.100.1")).is_some());
        drop(first);
        assert!(gate.enter(ip("192.0.2.3")).is_some());
    }

    #[test]
    fn the_cap_for_all_holds_for_everybody() {
        let gate = gate(2, 1);
        let _a = gate.enter(ip("127.0.0.1")).unwrap();
        let _b = gate.enter(ip("::1")).unwrap();
        assert!(gate.enter(ip("10.0.0.1")).is_none());
        assert_eq!(gate.inside(), 2);
    }

    #[test]
    fn a_proxy_is_not_one_person() {
        let gate = gate(10, 1);
        let _a = gate.enter(ip("10.1.1.1")).unwrap();
        assert!(gate.enter(ip("10.1.1.1")).is_some());
    }

    #[test]
    fn ipv6_counts_by_sixty_four() {
        assert_eq!(network(ip("2001:db8::1")), network(ip("2001:db8::ffff")));
        assert_ne!(network(ip("2001:db8:0:1::1")), network(ip("2001:db8::1")));
        assert_eq!(network(ip("::ffff:192.0.2.7")), ip("192.0.2.0"));
    }
}
