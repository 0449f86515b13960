//! Named deadlines: one per key, the earliest wins.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use crate::event::Wake;

/// What a deadline belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A live peer, by its slot.
    Peer(u32),
    /// STUN rounds.
    Stun,
    /// The next key to expire, own or a peer's.
    KeyExpiry,
    /// Relay connections nobody uses.
    Relays,
    /// Pings that people wait for.
    Pings,
    /// Flows that were quiet for long.
    Flows,
}

/// The deadlines. A deadline may fire early: whoever is called looks at the clock.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    by_time: BTreeSet<(Instant, Timer)>,
    by_key: BTreeMap<Timer, (Instant, Wake)>,
}

impl Timers {
    /// Sets the deadline of `timer`, or clears it.
    pub(crate) fn set(&mut self, timer: Timer, at: Option<(Instant, Wake)>) {
        if let Some((old, _)) = self.by_key.remove(&timer) {
            self.by_time.remove(&(old, timer));
        }
        if let Some((at, wake)) = at {
            self.by_key.insert(timer, (at, wake));
            self.by_time.insert((at, timer));
        }
    }

    /// Brings the deadline of `timer` forward to `at`; a sooner one stays.
    pub(crate) fn no_later_than(&mut self, timer: Timer, at: Instant, wake: Wake) {
        if self.by_key.get(&timer).is_none_or(|(old, _)| at < *old) {
            self.set(timer, Some((at, wake)));
        }
    }

    /// Whether `timer` has a deadline.
    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.by_key.contains_key(&timer)
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<(Instant, Wake)> {
        let (at, timer) = self.by_time.first()?;
        Some((*at, self.by_key.get(timer)?.1))
    }

    /// Takes the earliest deadline that is not after `now`.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let (at, timer) = *self.by_time.first()?;
        if at > now {
            return None;
        }
        self.set(timer, None);
        Some(timer)
    }

    /// Whether both indexes hold the same deadlines.
    #[cfg(debug_assertions)]
    pub(crate) fn is_consistent(&self) -> bool {
        self.by_time.len() == self.by_key.len()
            && self
                .by_key
                .iter()
                .all(|(timer, (at, _))| self.by_time.contains(&(*at, *timer)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use simnet::clock::Clock;

    use super::*;

    #[test]
    fn the_earliest_deadline_comes_first_and_is_taken_once() {
        let t0 = Clock::new().now();
        let later = t0 + Duration::from_secs(2);
        let mut timers = Timers::default();
        timers.set(Timer::Stun, Some((later, Wake::Stun)));
        timers.set(Timer::Peer(3), Some((t0, Wake::Probe)));
        assert_eq!(timers.next(), Some((t0, Wake::Probe)));
        assert_eq!(timers.take_due(t0), Some(Timer::Peer(3)));
        assert_eq!(timers.take_due(t0), None);
        assert_eq!(timers.next(), Some((later, Wake::Stun)));
        assert!(timers.is_consistent());
    }

    #[test]
    fn a_deadline_moves_forward_only() {
        let t0 = Clock::new().now();
        let later = t0 + Duration::from_secs(2);
        let mut timers = Timers::default();
        timers.no_later_than(Timer::Stun, t0, Wake::Stun);
        timers.no_later_than(Timer::Stun, later, Wake::Stun);
        assert_eq!(timers.next(), Some((t0, Wake::Stun)));
    }
}
