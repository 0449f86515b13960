//! From the TUN to the peers.
//!
//! One read of the TUN is one train: route, verdict, way out and counters are
//! looked at once for all of it, and each segment is encrypted straight into
//! its place in the outgoing buffer.

use std::time::Instant;

use super::Node;
use crate::{
    event::{Dropped, Via, Wake},
    filter::Verdict,
    offload::{self, Segments},
    timers::Timer,
    train::MAX_RUN,
    tunnel::{MAX_HANDSHAKE, OVERHEAD, Sealed, TICK},
};

/// The ways that packets for one peer take now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ways {
    pub(super) first: Option<Via>,
    /// The same datagrams again, while the first way is not trusted.
    pub(super) second: Option<Via>,
}

impl Node {
    pub(super) fn send_frame(&mut self, frame: &mut [u8], now: Instant) {
        if !self.is_open() {
            return self.drop_packet(Dropped::Closed);
        }
        let Ok(mut segments) = offload::split(frame) else {
            return self.drop_packet(Dropped::Malformed);
        };
        match self.judge_out(&segments, now) {
            Ok(slot) => {
                self.prepare(slot, now);
                let ways = self.ways(slot, now);
                self.seal_train(slot, ways, &mut segments, now);
                self.note_sent(slot, now);
            }
            Err(reason) => self.drop_packet(reason),
        }
        self.schedule_flows();
    }

    /// Whom a train is for, if it may leave.
    fn judge_out(&mut self, segments: &Segments<'_>, now: Instant) -> Result<u32, Dropped> {
        let packet = segments.packet().map_err(|_| Dropped::Malformed)?;
        let slot = self.routes.find(packet.dst()).ok_or(Dropped::NoRoute)?;
        let peer = self.table.get(slot).ok_or(Dropped::NoRoute)?;
        if peer.expired {
            return Err(Dropped::PeerExpired);
        }
        match self.filter.check_out(&packet, now) {
            Verdict::Allow => Ok(slot),
            Verdict::Refuse => Err(Dropped::Refused),
        }
    }

    /// Makes sure that the peer has a path and a tunnel whose clock is right.
    pub(super) fn prepare(&mut self, slot: u32, now: Instant) {
        let Some(peer) = self.table.get_mut(slot) else {
            return;
        };
        let key = peer.info.key;
        let live = peer.wake(&self.config.disco, now);
        if live.tunnel(&self.gate, &key, slot, now).is_stale(now) {
            self.tick_tunnel(slot, now);
        }
    }

    /// The ways to a peer; a relay that is needed and not connected is asked for.
    pub(super) fn ways(&mut self, slot: u32, now: Instant) -> Ways {
        let mut ways = Ways {
            first: None,
            second: None,
        };
        let Some(peer) = self.table.get(slot) else {
            return ways;
        };
        let Some(path) = peer.live.as_ref().map(|l| &l.path) else {
            return ways;
        };
        let (route, last_resort) = (path.route(now), path.last_resort(now));
        let is_given_up = path.is_given_up();
        let key = peer.info.key;
        let direct = route.direct.map(Via::Udp);
        let relay = route
            .relay
            .filter(|region| self.use_relay(*region, now))
            .map(|region| Via::Relay { region, peer: key });
        let direct = direct.filter(|_| relay.is_none() || !is_given_up);
        let heard = last_resort.filter(|_| relay.is_none()).map(Via::Udp);
        let mut all = [direct, relay, heard].into_iter().flatten();
        ways.first = all.next();
        ways.second = all.find(|via| Some(*via) != ways.first);
        ways
    }

    /// Whether [`Self::ways`] would name one; asks for no relay.
    pub(super) fn has_way(&self, slot: u32, now: Instant) -> bool {
        let live = self.table.get(slot).and_then(|p| p.live.as_ref());
        live.is_some_and(|l| {
            let route = l.path.route(now);
            route.direct.is_some()
                || route.relay.is_some_and(|r| self.relays.is_connected(r))
                || l.path.last_resort(now).is_some()
        })
    }

    fn seal_train(&mut self, slot: u32, ways: Ways, segments: &mut Segments<'_>, now: Instant) {
        let Some(via) = ways.first else {
            return self.hold_train(slot, segments, now);
        };
        let Some(peer) = self.table.get_mut(slot) else {
            return;
        };
        let Some(tunnel) = peer.live.as_mut().and_then(|l| l.tunnel.as_mut()) else {
            return;
        };
        let mut sent = 0;
        let mut too_long = 0;
        while let Some(packet) = segments.next_segment() {
            let size = packet.len() + OVERHEAD;
            if size > MAX_RUN {
                too_long += 1;
                continue;
            }
            match tunnel.seal(packet, self.trains.slot(via, size), now) {
                Sealed::Data(len) => {
                    self.trains.commit(via, len);
                    sent += packet.len() as u64;
                }
                Sealed::Handshake(len) => self.trains.commit_alone(via, len),
                Sealed::Waiting => {
                    self.trains.abandon(via);
                    continue;
                }
            }
            if let Some(second) = ways.second {
                self.trains.repeat_last(via, second);
            }
        }
        peer.tx_bytes += sent;
        self.dropped[Dropped::Malformed as usize] += too_long;
    }

    /// There is no way to the peer yet: packets wait in the tunnel while it has
    /// no session, and are lost when it has one. The handshake is tried everywhere.
    fn hold_train(&mut self, slot: u32, segments: &mut Segments<'_>, now: Instant) {
        let tunnel = self
            .table
            .get_mut(slot)
            .and_then(|p| p.live.as_mut()?.tunnel.as_mut());
        let Some(tunnel) = tunnel else {
            return;
        };
        let mut lost = 0;
        let mut handshake = None;
        while let Some(packet) = segments.next_segment() {
            let mut out = vec![0; (packet.len() + OVERHEAD).max(MAX_HANDSHAKE)];
            match tunnel.seal(packet, &mut out, now) {
                Sealed::Data(_) => lost += 1,
                Sealed::Handshake(len) => {
                    out.truncate(len);
                    handshake = Some(out);
                }
                Sealed::Waiting => {}
            }
        }
        self.dropped[Dropped::NoPath as usize] += lost;
        if let Some(message) = handshake {
            self.send_to_peer(slot, &message, now);
        }
    }

    /// Something was sent to a peer: probes and timers follow.
    pub(super) fn note_sent(&mut self, slot: u32, now: Instant) {
        let Some(live) = self.table.get_mut(slot).and_then(|p| p.live.as_mut()) else {
            return;
        };
        live.last_used = now;
        if live.path.note_sent(now) {
            live.path.handle_timeout(now, &mut self.rng);
            self.run_path(slot, now);
            // Mappings are kept alive while there is traffic.
            self.discovery.keep_fresh(now, &mut self.rng);
            self.schedule_discovery();
        } else {
            self.timers
                .no_later_than(Timer::Peer(slot), now + TICK, Wake::Tunnel);
        }
    }

    /// Sends what waited for a session, now that there is one and a way.
    pub(super) fn flush_waiting(&mut self, slot: u32, now: Instant) {
        let ways = self.ways(slot, now);
        let Some(via) = ways.first else {
            return;
        };
        let Some(peer) = self.table.get_mut(slot) else {
            return;
        };
        let Some(tunnel) = peer.live.as_mut().and_then(|l| l.tunnel.as_mut()) else {
            return;
        };
        if !tunnel.has_waiting() {
            return;
        }
        let mut out = vec![0; tunnel.longest_waiting() + OVERHEAD + MAX_HANDSHAKE];
        while let Some(sealed) = tunnel.next_waiting(&mut out, now) {
            match sealed {
                Sealed::Data(len) => {
                    self.trains.append(via, &out[..len]);
                    peer.tx_bytes += (len - OVERHEAD) as u64;
                }
                Sealed::Handshake(len) => self.trains.push(via, &out[..len]),
                Sealed::Waiting => break,
            }
            if let Some(second) = ways.second {
                self.trains.repeat_last(via, second);
            }
        }
        self.note_sent(slot, now);
    }

    pub(super) fn schedule_flows(&mut self) {
        if !self.timers.is_set(Timer::Flows) {
            let at = self.filter.poll_timeout();
            self.timers.set(Timer::Flows, at.map(|at| (at, Wake::Idle)));
        }
    }
}
