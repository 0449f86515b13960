//! Virtual time.

use std::time::{Duration, Instant};

/// A clock that stands still until it is moved.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
    elapsed: Duration,
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock {
    /// A clock at its beginning.
    #[expect(
        clippy::disallowed_methods,
        reason = "an `Instant` comes from the real clock only; nothing depends on which one"
    )]
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            elapsed: Duration::ZERO,
        }
    }

    /// The present.
    pub fn now(&self) -> Instant {
        self.start + self.elapsed
    }

    /// How far the clock has been moved.
    pub const fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Moves the clock forward to `at`; it never goes back.
    pub fn advance_to(&mut self, at: Instant) {
        self.elapsed = self.elapsed.max(at.saturating_duration_since(self.start));
    }
}
