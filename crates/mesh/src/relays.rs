//! Which relays are connected, and which are needed.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use wire::relay_map::RegionId;

/// A connection besides the home one is given up after this long without use.
const IDLE: Duration = Duration::from_mins(1);

#[derive(Debug)]
struct Relay {
    connected: bool,
    last_used: Instant,
}

/// A change of what is needed, for the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Wanted(RegionId),
    Unwanted(RegionId),
}

/// The wanted relays.
#[derive(Debug, Default)]
pub(crate) struct Relays {
    wanted: BTreeMap<RegionId, Relay>,
    home: Option<RegionId>,
}

impl Relays {
    pub(crate) const fn home(&self) -> Option<RegionId> {
        self.home
    }

    /// Makes `home` the relay that stays connected.
    pub(crate) fn set_home(&mut self, home: Option<RegionId>, now: Instant) -> Option<Need> {
        self.home = home;
        home.and_then(|region| self.want(region, now))
    }

    /// Notes a use; the connection is asked for when there is none.
    pub(crate) fn want(&mut self, region: RegionId, now: Instant) -> Option<Need> {
        if let Some(relay) = self.wanted.get_mut(&region) {
            relay.last_used = now;
            return None;
        }
        let relay = Relay {
            connected: false,
            last_used: now,
        };
        self.wanted.insert(region, relay);
        Some(Need::Wanted(region))
    }

    /// Whether packets can go through it now.
    pub(crate) fn is_connected(&self, region: RegionId) -> bool {
        self.wanted.get(&region).is_some_and(|r| r.connected)
    }

    /// The shell reports a connection. True when it has just become usable.
    pub(crate) fn set_connected(
        &mut self,
        region: RegionId,
        connected: bool,
        now: Instant,
    ) -> bool {
        match self.wanted.get_mut(&region) {
            Some(relay) => {
                let before = std::mem::replace(&mut relay.connected, connected);
                connected && !before
            }
            None if connected => {
                let last_used = now;
                self.wanted.insert(
                    region,
                    Relay {
                        connected,
                        last_used,
                    },
                );
                true
            }
            None => false,
        }
    }

    /// Gives up what nobody has used for a while.
    pub(crate) fn drop_idle(&mut self, now: Instant) -> Vec<Need> {
        let home = self.home;
        let mut dropped = Vec::new();
        self.wanted.retain(|region, relay| {
            let keep = Some(*region) == home || now < relay.last_used + IDLE;
            if !keep {
                dropped.push(Need::Unwanted(*region));
            }
            keep
        });
        dropped
    }

    /// When [`Self::drop_idle`] has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.wanted
            .iter()
            .filter(|(region, _)| Some(**region) != self.home)
            .map(|(_, relay)| relay.last_used + IDLE)
            .min()
    }
}

#[cfg(test)]
mod tests {
    use simnet::clock::Clock;

    use super::*;

    const HOME: RegionId = RegionId(900);
    const OTHER: RegionId = RegionId(901);

    #[test]
    fn the_home_relay_stays_and_others_go_when_idle() {
        let t0 = Clock::new().now();
        let mut relays = Relays::default();
        assert_eq!(relays.set_home(Some(HOME), t0), Some(Need::Wanted(HOME)));
        assert_eq!(relays.want(OTHER, t0), Some(Need::Wanted(OTHER)));
        assert_eq!(relays.want(OTHER, t0), None);
        assert!(relays.set_connected(OTHER, true, t0));
        assert!(!relays.set_connected(OTHER, true, t0));
        assert!(relays.is_connected(OTHER));
        assert_eq!(relays.drop_idle(t0), vec![]);
        assert_eq!(relays.poll_timeout(), Some(t0 + IDLE));
        assert_eq!(relays.drop_idle(t0 + IDLE), vec![Need::Unwanted(OTHER)]);
        assert!(!relays.is_connected(OTHER));
        assert_eq!(relays.poll_timeout(), None);
    }
}
