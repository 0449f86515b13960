//! Which peer an address belongs to: the longest prefix decides.
//!
//! Outgoing packets go to the peer of their destination; incoming packets are
//! believed when the peer of their source is the one whose tunnel they came
//! through (WireGuard's cryptokey routing).

use std::{collections::HashMap, net::IpAddr};

use wire::net::Prefix;

/// Prefixes of all peers, by length; `P` names a peer.
///
/// A look-up costs one probe for each prefix length in use: two for a mesh
/// without subnet routes.
#[derive(Debug, Clone)]
pub struct Routes<P = u32> {
    /// Lengths in use, longest first.
    v4: Vec<(u8, HashMap<u32, P>)>,
    v6: Vec<(u8, HashMap<u128, P>)>,
}

impl<P> Default for Routes<P> {
    fn default() -> Self {
        Self {
            v4: Vec::new(),
            v6: Vec::new(),
        }
    }
}

impl<P: Copy + PartialEq> Routes<P> {
    /// Adds a route; host bits are cleared. Where two peers have the same
    /// prefix, the one added first keeps it.
    pub fn insert(&mut self, prefix: Prefix, peer: P) {
        let Prefix { addr, bits } = prefix.masked();
        match addr {
            IpAddr::V4(addr) => slot(&mut self.v4, bits, addr.to_bits(), peer),
            IpAddr::V6(addr) => slot(&mut self.v6, bits, addr.to_bits(), peer),
        }
    }

    /// The peer that `addr` belongs to.
    pub fn find(&self, addr: IpAddr) -> Option<P> {
        match addr {
            IpAddr::V4(addr) => self.v4.iter().find_map(|(bits, peers)| {
                let mask = u32::MAX.checked_shl(32 - u32::from(*bits)).unwrap_or(0);
                peers.get(&(addr.to_bits() & mask)).copied()
            }),
            IpAddr::V6(addr) => self.v6.iter().find_map(|(bits, peers)| {
                let mask = u128::MAX.checked_shl(128 - u32::from(*bits)).unwrap_or(0);
                peers.get(&(addr.to_bits() & mask)).copied()
            }),
        }
    }

    /// Whether `peer` may use `addr` as a source.
    pub fn is_source_of(&self, addr: IpAddr, peer: P) -> bool {
        self.find(addr) == Some(peer)
    }
}

fn slot<A: Eq + std::hash::Hash, P>(
    lengths: &mut Vec<(u8, HashMap<A, P>)>,
    bits: u8,
    addr: A,
    peer: P,
) {
    let at = lengths.partition_point(|(have, _)| *have > bits);
    if lengths.get(at).is_none_or(|(have, _)| *have != bits) {
        lengths.insert(at, (bits, HashMap::new()));
    }
    lengths[at].1.entry(addr).or_insert(peer);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn prefix() -> impl Strategy<Value = Prefix> {
        // A small world, so that prefixes nest and meet.
        prop_oneof![
            (0u32..64, 24u8..=32).prop_map(|(host, bits)| Prefix {
                addr: IpAddr::V4((0x6440_0000 + host).into()),
                bits,
            }),
            (0u128..64, 0u8..=128).prop_map(|(host, bits)| Prefix {
                addr: IpAddr::V6((0xfd7a_u128 << 112 | host).into()),
                bits,
            }),
            Just(Prefix::ALL_IPV4),
        ]
    }

    proptest! {
        /// As the obvious search over all prefixes.
        #[test]
        fn the_longest_prefix_wins(
            prefixes in prop::collection::vec(prefix(), 0..40),
            addr in prefix().prop_map(|p| p.addr),
        ) {
            let mut routes = Routes::default();
            for (peer, prefix) in prefixes.iter().enumerate() {
                routes.insert(*prefix, peer);
            }
            let expected = prefixes
                .iter()
                .enumerate()
                .filter(|(_, p)| p.contains(addr))
                .max_by_key(|(peer, p)| (p.bits, std::cmp::Reverse(*peer)))
                .map(|(peer, _)| peer);
            prop_assert_eq!(routes.find(addr), expected);
        }
    }

    #[test]
    fn an_address_of_another_peer_is_not_believed() {
        let mut routes = Routes::default();
        routes.insert("100.64.0.1/32".parse().unwrap(), 'a');
        routes.insert("10.0.0.0/8".parse().unwrap(), 'b');
        assert!(routes.is_source_of("10.1.2.3".parse().unwrap(), 'b'));
        assert!(!routes.is_source_of("100.64.0.1".parse().unwrap(), 'b'));
        assert!(!routes.is_source_of("192.0.2.1".parse().unwrap(), 'a'));
    }
}
