//! The agent's clock: monotonic, and running on while the machine sleeps.
//!
//! Rust's `Instant` stands still in suspend, so that a rekey or a trusted path
//! from before a night would look fresh. All instants of the agent come from
//! [`Clock::now`] and compare with each other only.

use std::{
    sync::OnceLock,
    time::{Duration, Instant, SystemTime},
};

use wire::Timestamp;

use crate::io::boottime;

/// The same moment on both clocks.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    instant: Instant,
    since_boot: Duration,
}

/// One anchor for the process: instants of all clocks agree.
static ANCHOR: OnceLock<Anchor> = OnceLock::new();

/// The clock of this process; every copy shows the same time.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    anchor: Anchor,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock")]
    pub fn system() -> Self {
        let anchor = *ANCHOR.get_or_init(|| Anchor {
            instant: Instant::now(),
            since_boot: boottime::now(),
        });
        Self { anchor }
    }

    /// The time now; never before an earlier answer.
    pub fn now(self) -> Instant {
        self.anchor.instant + boottime::now().saturating_sub(self.anchor.since_boot)
    }

    /// The wall-clock time now.
    #[expect(clippy::disallowed_methods, reason = "this is the Clock")]
    pub fn wall(self) -> Timestamp {
        let since_1970 = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_unix_micros(i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX))
    }

    /// How long the machine has slept since boot.
    pub fn slept(self) -> Duration {
        boottime::now().saturating_sub(boottime::awake())
    }

    /// An instant of this clock as time since boot, sleep included.
    pub fn since_boot(self, at: Instant) -> Duration {
        self.anchor.since_boot + at.saturating_duration_since(self.anchor.instant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_made_at_different_times_show_the_same_time() {
        let first = Clock::system();
        let a = first.now();
        let b = Clock::system().now();
        let c = first.now();
        assert!(a <= b && b <= c);
        assert!(first.since_boot(c) <= boottime::now());
    }

    #[test]
    fn wall_time_is_after_this_was_written() {
        assert!(Clock::system().wall() > Timestamp::from_unix_seconds(1_700_000_000));
    }
}
