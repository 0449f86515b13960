//! A limit per address in constant memory.

use std::{
    hash::{BuildHasher as _, RandomState},
    net::{IpAddr, Ipv6Addr},
};

/// Answers an address gets each second.
pub(super) const PER_SECOND: u16 = 100;
/// Counters; addresses that fall on the same one share it.
const SLOTS: usize = 8192;

/// Counts answers of the running second.
#[derive(Debug)]
pub(super) struct Limit {
    second: u64,
    counts: Vec<u16>,
    hasher: RandomState,
}

impl Default for Limit {
    fn default() -> Self {
        Self {
            second: 0,
            counts: vec![0; SLOTS],
            hasher: RandomState::new(),
        }
    }
}

impl Limit {
    /// Starts counting anew when another second has begun.
    pub(super) fn advance(&mut self, second: u64) {
        if second != self.second {
            self.second = second;
            self.counts.fill(0);
        }
    }

    /// Counts an answer; false when the address has had its share. IPv6
    /// addresses count by their /64.
    pub(super) fn allows(&mut self, address: IpAddr) -> bool {
        let holder = match address {
            IpAddr::V4(a) => a.to_ipv6_mapped(),
            IpAddr::V6(a) => Ipv6Addr::from_bits(a.to_bits() >> 64 << 64),
        };
        let slot = self.hasher.hash_one(holder) % 8192;
        let count = usize::try_from(slot)
            .ok()
            .and_then(|i| self.counts.get_mut(i));
        count.is_some_and(|count| {
            *count = count.saturating_add(1);
            *count <= PER_SECOND
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_its_share_each_second() {
        let mut limit = Limit::default();
        let address = "192.0.2.1".parse().unwrap();
        for _ in 0..PER_SECOND {
            assert!(limit.allows(address));
        }
        assert!(!limit.allows(address));
        limit.advance(1);
        assert!(limit.allows(address));
    }
}
