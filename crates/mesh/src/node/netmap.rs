//! Taking a netmap: what it adds, changes and ends.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use wire::Timestamp;

use super::{Netmap, Node};
use crate::{
    event::{Event, Wake},
    netcheck,
    peer::Peer,
    timers::Timer,
};

/// A key's end on our clock; in the past when it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expiry {
    Never,
    At(Instant),
    Past,
}

impl Expiry {
    fn of(key_expiry: Option<Timestamp>, wall: Timestamp, now: Instant) -> Self {
        match key_expiry {
            None => Self::Never,
            Some(at) if at.is_zero() => Self::Never,
            Some(at) if at <= wall => Self::Past,
            Some(at) => now
                .checked_add(at.since(wall))
                .map_or(Self::Never, Self::At),
        }
    }

    fn instant(self) -> Option<Instant> {
        match self {
            Self::At(at) => Some(at),
            Self::Never | Self::Past => None,
        }
    }
}

impl Node {
    pub(super) fn apply_netmap(&mut self, netmap: &Arc<Netmap>, wall: Timestamp, now: Instant) {
        let old = self.netmap.replace(Arc::clone(netmap));
        let peers_changed = self.apply_peers(netmap, wall, now);
        let own = Expiry::of(netmap.key_expiry, wall, now);
        self.expires_at = own.instant();
        self.set_expired(netmap.expired || own == Expiry::Past, now);
        let rules_changed = old.as_ref().is_none_or(|old| {
            peers_changed || old.filter != netmap.filter || old.addresses != netmap.addresses
        });
        if rules_changed {
            self.renew_rules(netmap, now);
        }
        self.schedule_expiry();
        if self.discovery.set_servers(&netmap.relay_map) {
            self.discovery.restart(now);
            self.run_discovery(now);
        }
        self.choose_home(now);
    }

    /// Brings the table in line; true when routes or filter sources may have changed.
    fn apply_peers(&mut self, netmap: &Netmap, wall: Timestamp, now: Instant) -> bool {
        let mut changed = false;
        for slot in self.table.slots() {
            let gone = self.table.get(slot).is_some_and(|p| {
                let new = netmap.peers.get(&p.info.id);
                new.is_none_or(|new| new.key != p.info.key)
            });
            if gone {
                self.remove_peer(slot, now);
                changed = true;
            }
        }
        for (id, info) in &netmap.peers {
            if let Some(slot) = self.table.by_id(*id) {
                changed |= self.change_peer(slot, info, now);
            } else if self.table.insert(Peer::new(Arc::clone(info))).is_some() {
                changed = true;
            }
            let Some(slot) = self.table.by_id(*id) else {
                continue;
            };
            let expiry = Expiry::of(info.key_expiry, wall, now);
            let expired = info.expired || expiry == Expiry::Past;
            if let Some(peer) = self.table.get_mut(slot) {
                peer.expires_at = expiry.instant();
                peer.expired = expired;
            }
            if expired {
                self.drop_live(slot, now);
            }
        }
        changed
    }

    fn change_peer(&mut self, slot: u32, info: &Arc<super::Peer>, now: Instant) -> bool {
        let Some(peer) = self.table.get_mut(slot) else {
            return false;
        };
        if Arc::ptr_eq(&peer.info, info) || *peer.info == **info {
            return false;
        }
        let old = std::mem::replace(&mut peer.info, Arc::clone(info));
        let changed = old.allowed_ips != info.allowed_ips
            || old.addresses != info.addresses
            || old.cap_map != info.cap_map;
        if old.disco != info.disco {
            self.table.rename_disco(slot, &old.disco, &info.disco);
            self.renew_path(slot, now);
        } else if let Some(peer) = self.table.get_mut(slot) {
            let relay = peer.home_relay();
            if let Some(live) = &mut peer.live {
                live.path.set_endpoints(&info.endpoints, now);
                live.path.set_relay(relay);
            }
        }
        changed
    }

    /// The peer's process has started anew: its paths must be proved again, and
    /// its end of the tunnel is gone. Both are used until then all the same,
    /// for a server that fell back to an old key says the same.
    fn renew_path(&mut self, slot: u32, now: Instant) {
        let Some(peer) = self.table.get_mut(slot) else {
            return;
        };
        let Some(old) = peer.live.take() else {
            return;
        };
        let was_active = old.path.is_active(now);
        let was_busy = old.is_busy(now);
        let info = Arc::clone(&peer.info);
        let live = peer.wake(&self.config.disco, now);
        let relay = live.path.relay();
        live.path = old.path;
        live.path.renew(now);
        live.path.set_relay(relay);
        let has_disco = live.disco.is_some();
        let endpoints = if has_disco { &info.endpoints[..] } else { &[] };
        live.path.set_endpoints(endpoints, now);
        live.shown = old.shown;
        live.last_used = old.last_used;
        if was_active {
            live.path.note_sent(now);
            live.path.handle_timeout(now, &mut self.rng);
        }
        if was_busy {
            live.tunnel = old.tunnel;
            self.renew_handshake(slot, now);
        }
        self.run_path(slot, now);
    }

    pub(super) fn remove_peer(&mut self, slot: u32, now: Instant) {
        self.drop_live(slot, now);
        if let Some(peer) = self.table.remove(slot) {
            self.fail_pings_of(peer.info.id);
        }
    }

    /// Ends a peer's tunnel and path.
    pub(super) fn drop_live(&mut self, slot: u32, _now: Instant) {
        self.timers.set(Timer::Peer(slot), None);
        let Some(peer) = self.table.get_mut(slot) else {
            return;
        };
        let Some(live) = peer.live.take() else {
            return;
        };
        if live.shown.is_some() {
            self.events.push_back(Event::PathChanged {
                peer: peer.info.id,
                from: live.shown,
                to: None,
            });
        }
    }

    // === key expiry ===

    /// Expires what has ended by now.
    pub(super) fn handle_expiry(&mut self, now: Instant) {
        let is_due = |at: Option<Instant>| at.is_some_and(|at| now >= at);
        if is_due(self.expires_at) {
            self.expires_at = None;
            self.set_expired(true, now);
        }
        for slot in self.table.slots() {
            if let Some(peer) = self.table.get_mut(slot)
                && is_due(peer.expires_at)
            {
                peer.expires_at = None;
                peer.expired = true;
                self.drop_live(slot, now);
            }
        }
        self.schedule_expiry();
    }

    fn set_expired(&mut self, expired: bool, now: Instant) {
        if expired && !self.expired {
            self.events.push_back(Event::SelfExpired);
            for slot in self.table.slots() {
                self.drop_live(slot, now);
            }
        }
        self.expired = expired;
    }

    fn schedule_expiry(&mut self) {
        let peers = self.table.iter().filter_map(|(_, p)| p.expires_at);
        let next = peers.chain(self.expires_at).min();
        self.timers
            .set(Timer::KeyExpiry, next.map(|at| (at, Wake::KeyExpiry)));
    }

    // === home relay ===

    /// Chooses the home relay from what is known now.
    pub(super) fn choose_home(&mut self, now: Instant) {
        let Some(netmap) = &self.netmap else {
            return;
        };
        let usable: Vec<_> = netmap
            .relay_map
            .regions
            .iter()
            .filter(|(_, r)| r.nodes.iter().any(|n| !n.stun_only))
            .map(|(id, _)| *id)
            .collect();
        // With several to choose from the first round of STUN decides, or its failure.
        let undecided = self.relays.home().is_none() && self.discovery.is_asking();
        if undecided && usable.len() > 1 {
            return;
        }
        let by_udp: &BTreeMap<_, _> = &self.discovery.report().latency;
        let latency = if by_udp.is_empty() {
            &self.https_latency
        } else {
            by_udp
        };
        let home = netcheck::choose_home(usable.into_iter(), latency, self.relays.home());
        if home == self.relays.home() {
            return;
        }
        let need = self.relays.set_home(home, now);
        self.discovery.set_home(home);
        self.push_need(need);
        if let Some(region) = home {
            self.events.push_back(Event::HomeRelayChosen(region));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use simnet::clock::Clock;
    use wire::{
        DiscoSecret, NodeSecret,
        relay_map::{Region, RegionId, RelayHost, RelayMap},
    };

    use super::*;
    use crate::node::Config;

    fn region(id: u16) -> (RegionId, Region) {
        let host = RelayHost {
            host_name: "relay.example".to_owned(),
            stun_port: -1,
            ..RelayHost::default()
        };
        let region = Region {
            nodes: vec![host],
            ..Region::default()
        };
        (RegionId(id), region)
    }

    #[test]
    fn without_stun_the_relay_that_is_nearest_over_https_becomes_home() {
        let now = Clock::new().now();
        let (node, disco) = ([1; 32], [2; 32]);
        let (node, disco) = (NodeSecret::from_bytes(node), DiscoSecret::from_bytes(disco));
        let mut node = Node::new(Config::new(node, disco), [3; 32], now);
        let netmap = Netmap {
            relay_map: RelayMap {
                regions: [region(900), region(901)].into(),
                ..RelayMap::default()
            },
            ..Netmap::default()
        };
        node.set_netmap(&Arc::new(netmap), Timestamp::from_unix_seconds(0), now);
        let ms = Duration::from_millis;
        let far_and_near = [(RegionId(900), ms(80)), (RegionId(901), ms(10))];
        node.set_https_latency(far_and_near.into(), now);
        let events: Vec<_> = std::iter::from_fn(|| node.poll_event()).collect();
        assert!(
            events.contains(&Event::HomeRelayChosen(RegionId(901))),
            "{events:?}"
        );
    }
}
