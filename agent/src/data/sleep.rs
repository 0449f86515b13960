//! Sleeps of the machine.

use std::time::Duration;

/// A sleep that paths, mappings and connections may not survive.
const LONG: Duration = Duration::from_secs(1);

/// Tells long sleeps by how long the machine has slept since boot.
#[derive(Debug)]
pub(super) struct Sleep {
    known: Duration,
}

impl Sleep {
    /// From now on; so far the machine has slept for `since_boot`.
    pub(super) const fn new(since_boot: Duration) -> Self {
        Self { known: since_boot }
    }

    /// The sleep since it was last asked, if it was a long one.
    pub(super) fn ended(&mut self, since_boot: Duration) -> Option<Duration> {
        let slept = since_boot.saturating_sub(self.known);
        self.known = self.known.max(since_boot);
        (slept > LONG).then_some(slept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_sleep_is_told_once_and_a_nap_never() {
        let at = Duration::from_secs;
        let mut sleep = Sleep::new(at(100));
        assert_eq!(sleep.ended(at(100)), None);
        assert_eq!(sleep.ended(at(101)), None);
        assert_eq!(sleep.ended(at(161)), Some(at(60)));
        assert_eq!(sleep.ended(at(161)), None);
        assert_eq!(
            sleep.ended(at(90)),
            None,
            "the two clocks are read one by one"
        );
        assert_eq!(sleep.ended(at(162)), None);
    }
}
