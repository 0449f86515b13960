//! How often something may happen: a bucket for each network, or for each of
//! something else.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::gate::network;

/// Buckets beyond this are forgotten, the fullest first: memory must not grow
/// with an attacker's addresses.
const MOST: usize = 10_000;

/// A limit of `burst` at once, and one more each `refill`, for each network.
#[derive(Debug)]
pub struct Limiter(Buckets<IpAddr>);

impl Limiter {
    /// A limit nobody has touched yet.
    pub const fn new(burst: u32, refill: Duration) -> Self {
        Self(Buckets::new(burst, refill))
    }

    /// Whether `addr` may try now; else how long to wait.
    pub fn check(&self, addr: IpAddr, now: Instant) -> Result<(), Duration> {
        self.0.check(network(addr), now)
    }

    /// Counts a failure of `addr`.
    pub fn failed(&self, addr: IpAddr, now: Instant) {
        self.0.count(network(addr), now);
    }
}

/// A bucket for each `K`.
#[derive(Debug)]
pub struct Buckets<K> {
    burst: u32,
    refill: Duration,
    /// When each bucket will be full again.
    full_at: Mutex<BTreeMap<K, Instant>>,
}

impl<K: Copy + Ord> Buckets<K> {
    /// Buckets nobody has touched yet.
    pub const fn new(burst: u32, refill: Duration) -> Self {
        Self {
            burst,
            refill,
            full_at: Mutex::new(BTreeMap::new()),
        }
    }

    /// Counts one, if there is room; else how long to wait.
    pub fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        self.check(key, now)?;
        self.count(key, now);
        Ok(())
    }

    /// Whether there is room for one; else how long to wait.
    pub fn check(&self, key: K, now: Instant) -> Result<(), Duration> {
        let full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(&full_at) = full_at.get(&key) else {
            return Ok(());
        };
        let owed = full_at.saturating_duration_since(now);
        let allowed = self.refill * self.burst.saturating_sub(1);
        match owed.checked_sub(allowed) {
            None | Some(Duration::ZERO) => Ok(()),
            Some(wait) => Err(wait),
        }
    }

    /// Counts one, whether there is room or not.
    pub fn count(&self, key: K, now: Instant) {
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST {
            buckets.retain(|_, full_at| *full_at > now);
        }
        if buckets.len() >= MOST {
            let soonest = buckets.iter().min_by_key(|(_, at)| **at).map(|(&k, _)| k);
            if let Some(soonest) = soonest {
                buckets.remove(&soonest);
            }
        }
        let full_at = buckets.entry(key).or_insert(now);
        *full_at = (*full_at).max(now) + self.refill;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[expect(clippy::disallowed_methods, reason = "any instant will do as a start")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn failures_beyond_the_burst_wait_for_the_refill() {
        let limiter = Limiter::new(3, SECOND);
        let (now, addr) = (start(), "192.0.2.1".parse().unwrap());
        for _ in 0..3 {
            limiter.check(addr, now).unwrap();
            limiter.failed(addr, now);
        }
        assert_eq!(limiter.check(addr, now), Err(SECOND));
        limiter.check(addr, now + SECOND).unwrap();
        limiter.check("198.51.100.1".parse().unwrap(), now).unwrap();
        assert!(limiter.check("192.0.2.77".parse().unwrap(), now).is_err());
    }

    #[test]
    fn memory_is_bounded() {
        let limiter = Limiter::new(1, SECOND);
        let now = start();
        for i in 0..u32::try_from(MOST).unwrap() + 100 {
            limiter.failed(IpAddr::V4((i << 8).into()), now);
        }
        assert!(limiter.0.full_at.lock().unwrap().len() <= MOST);
    }
}
