//! The thread's next deadline as a kernel timer, moved only when it must be.

use std::{io, os::fd::AsFd, time::Instant};

use crate::{clock::Clock, io::timer::Timer};

/// A timer that may fire early: whoever is woken looks at the clock.
#[derive(Debug)]
pub(super) struct Alarm {
    timer: Timer,
    set_to: Option<Instant>,
}

impl Alarm {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            timer: Timer::new()?,
            set_to: None,
        })
    }

    /// Makes sure that it fires by `deadline`. Deadlines mostly move later with
    /// every packet; then firing once too early is cheaper than a call per train.
    pub(super) fn ring_by(&mut self, deadline: Option<Instant>, clock: Clock) -> io::Result<()> {
        let Some(deadline) = deadline else {
            return Ok(());
        };
        if self.set_to.is_some_and(|at| at <= deadline) {
            return Ok(());
        }
        self.timer.set(clock.since_boot(deadline))?;
        self.set_to = Some(deadline);
        Ok(())
    }

    /// It has fired.
    pub(super) fn clear(&mut self) {
        self.timer.clear();
        self.set_to = None;
    }

    pub(super) fn file(&self) -> &impl AsFd {
        &self.timer
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::io::epoll::Epoll;

    #[test]
    fn a_later_deadline_leaves_it_and_a_sooner_one_moves_it() {
        let clock = Clock::system();
        let now = clock.now();
        let mut alarm = Alarm::new().unwrap();
        let at = |ms| Some(now + Duration::from_millis(ms));
        alarm.ring_by(None, clock).unwrap();
        assert_eq!(alarm.set_to, None);
        alarm.ring_by(at(60_000), clock).unwrap();
        alarm.ring_by(at(90_000), clock).unwrap();
        assert_eq!(alarm.set_to, at(60_000));
        alarm.ring_by(at(10), clock).unwrap();
        let epoll = Epoll::new().unwrap();
        epoll.add(alarm.file(), 1).unwrap();
        assert!(epoll.wait().unwrap().contains(1));
        assert!(Some(clock.now()) >= at(10));
        alarm.clear();
        alarm.ring_by(at(0), clock).unwrap();
        assert!(epoll.wait().unwrap().contains(1));
    }
}
