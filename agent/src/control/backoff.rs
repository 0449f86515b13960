//! When to try again.

use std::time::Duration;

use rand::Rng;

const FIRST: Duration = Duration::from_secs(1);
const LAST: Duration = Duration::from_mins(1);

/// Full jitter: a random time below a bound that doubles from 1 s to 60 s, so
/// that thousands of nodes do not come back at once.
#[derive(Debug, Clone)]
pub struct Backoff {
    bound: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { bound: FIRST }
    }
}

impl Backoff {
    /// How long to wait now.
    pub fn next(&mut self, rng: &mut impl Rng) -> Duration {
        let bound = self.bound;
        self.bound = (bound * 2).min(LAST);
        bound.mul_f64(rng.gen_range(0.0..1.0))
    }

    /// It worked.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;

    #[test]
    fn waits_grow_to_a_minute_and_are_spread() {
        let mut rng = StdRng::seed_from_u64(7);
        let mut backoff = Backoff::default();
        assert!(backoff.next(&mut rng) < FIRST);
        let waits: Vec<_> = (0..200).map(|_| backoff.next(&mut rng)).collect();
        assert!(waits.iter().all(|w| *w < LAST));
        assert!(waits.iter().filter(|w| **w < LAST / 4).count() > 20);
        assert!(waits.iter().filter(|w| **w > LAST * 3 / 4).count() > 20);
        backoff.reset();
        assert!(backoff.next(&mut rng) < FIRST);
    }
}
