//! Live events about nodes, not more often than a page can follow.

use std::time::{Duration, Instant};

use wire::api::event::Event;

use super::state::Live;

/// The least time between two events about nodes.
const GAP: Duration = Duration::from_millis(300);

/// Rings once for all that happens within [`GAP`].
#[derive(Debug, Default)]
pub(super) struct Bell {
    rang: Option<Instant>,
    pulled: bool,
}

impl Bell {
    pub(super) fn pull(&mut self) {
        self.pulled = true;
    }

    pub(super) fn rings_at(&self) -> Option<Instant> {
        // Never rung: the past will do, and every clock has seen this instant.
        let rang = self.rang.map(|at| at + GAP);
        self.pulled.then_some(rang).flatten()
    }

    fn rings(&mut self, now: Instant) -> bool {
        let rings = self.pulled && self.rang.is_none_or(|at| now >= at + GAP);
        if rings {
            *self = Self {
                rang: Some(now),
                pulled: false,
            };
        }
        rings
    }
}

impl Live {
    pub(super) fn ring_if_due(&mut self) {
        if self.bell.rings(self.deps.clock.instant()) {
            self.tell(Event::Nodes);
        }
    }

    pub(super) fn tell(&self, event: Event) {
        // An error means that nobody follows.
        let _ = self.events.send((self.tenant, event));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_pulls_ring_once_in_a_while() {
        let start = crate::clock::Clock::instant(&crate::clock::SystemClock);
        let mut bell = Bell::default();
        assert!(!bell.rings(start));
        bell.pull();
        assert!(bell.rings(start));
        bell.pull();
        bell.pull();
        assert!(!bell.rings(start));
        assert_eq!(bell.rings_at(), Some(start + GAP));
        assert!(bell.rings(start + GAP));
        assert_eq!(bell.rings_at(), None);
    }
}
