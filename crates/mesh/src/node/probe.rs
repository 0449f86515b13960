//! Paths at work: disco messages in and out, STUN rounds, relays coming and going.

use std::{net::SocketAddr, time::Instant};

use wire::{
    disco::{Envelope, Message, TxId},
    relay_map::RegionId,
};

use super::{Node, RelayState};
use crate::{
    event::{Dropped, Event, PathAddr, Via, Wake},
    path::Action,
    relays::Need,
    timers::Timer,
    tunnel::{self, Kind, MAX_HANDSHAKE},
};

impl Node {
    // === one peer's path ===

    /// Sends what the path of a peer wants sent, tells of its change and sets its timer.
    pub(super) fn run_path(&mut self, slot: u32, now: Instant) {
        let Some(live) = self.table.get_mut(slot).and_then(|p| p.live.as_mut()) else {
            return;
        };
        for action in live.path.take_actions() {
            match action {
                Action::Ping(to, tx) => {
                    let node_key = Some(self.own);
                    let ping = Message::Ping {
                        tx,
                        node_key,
                        padding: 0,
                    };
                    self.send_disco(slot, to, &ping, now);
                }
                Action::Call(region) => self.call(slot, region, now),
            }
        }
        self.note_path(slot, now);
        self.schedule_peer(slot, now);
    }

    /// Tells the shell when a path in use has become another one.
    fn note_path(&mut self, slot: u32, now: Instant) {
        let Some(peer) = self.table.get_mut(slot) else {
            return;
        };
        let Some(live) = peer.live.as_mut().filter(|l| l.path.is_active(now)) else {
            return;
        };
        let shown = live.path.shown(now);
        let before = std::mem::replace(&mut live.shown, shown);
        if before != shown {
            self.events.push_back(Event::PathChanged {
                peer: peer.info.id,
                from: before,
                to: shown,
            });
        }
    }

    pub(super) fn schedule_peer(&mut self, slot: u32, now: Instant) {
        let live = self.table.get(slot).and_then(|p| p.live.as_ref());
        let at = live.map(|l| l.poll_timeout(now));
        self.timers.set(Timer::Peer(slot), at);
    }

    /// A peer's timer: `WireGuard`, probes, or the end of an idle tunnel.
    pub(super) fn handle_peer_timeout(&mut self, slot: u32, now: Instant) {
        let Some(live) = self.table.get_mut(slot).and_then(|p| p.live.as_mut()) else {
            return;
        };
        if live.is_idle(now) {
            self.drop_live(slot, now);
            return;
        }
        live.path.handle_timeout(now, &mut self.rng);
        self.tick_tunnel(slot, now);
        self.run_path(slot, now);
    }

    // === disco out ===

    fn send_disco(&mut self, slot: u32, to: PathAddr, message: &Message, now: Instant) {
        let Some(peer) = self.table.get(slot) else {
            return;
        };
        let Some(shared) = peer.live.as_ref().and_then(|l| l.disco.as_ref()) else {
            return;
        };
        let packet = shared.seal(&self.disco_key, message, &mut self.rng);
        let via = match to {
            PathAddr::Direct(addr) => Via::Udp(addr),
            PathAddr::Relay(region) => Via::Relay {
                region,
                peer: peer.info.key,
            },
        };
        self.send_alone(via, &packet, now);
    }

    /// Queues one datagram; through a relay only if it is connected, else the
    /// connection is asked for.
    pub(super) fn send_alone(&mut self, via: Via, datagram: &[u8], now: Instant) {
        if let Via::Relay { region, .. } = via
            && !self.use_relay(region, now)
        {
            return;
        }
        self.trains.push(via, datagram);
    }

    /// Sends our endpoints to the peer, once they are fresh.
    fn call(&mut self, slot: u32, region: RegionId, now: Instant) {
        let fresh = self.discovery.is_fresh(now) || !self.discovery.has_servers();
        if let Some(live) = self.table.get_mut(slot).and_then(|p| p.live.as_mut()) {
            live.call_waiting = !fresh;
        }
        if !fresh {
            self.discovery.start(now);
            self.run_discovery(now);
            return;
        }
        let endpoints = self.discovery.endpoints().iter().map(|e| e.addr).collect();
        let message = Message::CallMeMaybe { endpoints };
        self.send_disco(slot, PathAddr::Relay(region), &message, now);
    }

    // === disco in ===

    /// A packet with the disco magic.
    pub(super) fn handle_disco(&mut self, from: PathAddr, packet: &[u8], now: Instant) {
        let Some(envelope) = Envelope::parse(packet) else {
            return self.drop_packet(Dropped::Malformed);
        };
        let slot = self.table.by_disco(&envelope.sender);
        let Some((slot, peer)) = slot.and_then(|s| Some((s, self.table.get_mut(s)?))) else {
            return self.drop_packet(Dropped::UnknownPeer);
        };
        if peer.expired {
            return self.drop_packet(Dropped::PeerExpired);
        }
        let key = peer.info.key;
        let live = peer.wake(&self.config.disco, now);
        let Some(message) = live.disco.as_ref().and_then(|d| d.open(&envelope)) else {
            self.schedule_peer(slot, now);
            return self.drop_packet(Dropped::NotAuthentic);
        };
        live.last_used = now;
        if let PathAddr::Relay(region) = from {
            live.path.heard_through(region);
        }
        match message {
            Message::Ping { node_key, .. } if node_key.is_some_and(|k| k != key) => {
                self.drop_packet(Dropped::NotAuthentic);
            }
            Message::Ping { tx, .. } => self.handle_ping(slot, from, tx, now),
            Message::Pong { tx, .. } => self.handle_pong(slot, &tx, now),
            Message::CallMeMaybe { endpoints } => {
                if matches!(from, PathAddr::Relay(_)) {
                    live.path.handle_call(&endpoints, now, &mut self.rng);
                }
            }
            Message::Unknown(_) => {}
        }
        self.run_path(slot, now);
    }

    fn handle_ping(&mut self, slot: u32, from: PathAddr, tx: TxId, now: Instant) {
        let observed = match from {
            PathAddr::Direct(addr) => addr,
            PathAddr::Relay(region) => super::relay_pseudo_address(region),
        };
        self.send_disco(slot, from, &Message::Pong { tx, observed }, now);
        if let PathAddr::Direct(addr) = from
            && let Some(live) = self.table.get_mut(slot).and_then(|p| p.live.as_mut())
        {
            live.path.handle_ping(addr, now, &mut self.rng);
        }
    }

    fn handle_pong(&mut self, slot: u32, tx: &TxId, now: Instant) {
        let had_way = self.has_way(slot, now);
        let Some(live) = self.table.get_mut(slot).and_then(|p| p.live.as_mut()) else {
            return;
        };
        let Some(answered) = live.path.handle_pong(tx, now) else {
            return;
        };
        self.finish_ping(tx, answered);
        if !had_way {
            self.retry_handshake(slot, now);
            self.flush_waiting(slot, now);
        }
    }

    // === STUN ===

    /// Sends what STUN wants sent, and takes the outcome of a finished round.
    pub(super) fn run_discovery(&mut self, now: Instant) {
        let active = self.is_active(now);
        let requests = self.discovery.handle_timeout(active, now, &mut self.rng);
        for (to, request) in requests {
            self.trains.push(Via::Udp(to), &request);
        }
        if let Some(change) = self.discovery.finish(now) {
            self.choose_home(now);
            if change.endpoints {
                self.tell_endpoints();
            }
            let report = self.discovery.report().clone();
            if change.report {
                self.events.push_back(Event::NetInfoChanged(report.clone()));
            }
            if std::mem::take(&mut self.netcheck_asked) {
                self.events.push_back(Event::NetcheckFinished(report));
            }
            self.send_waiting_calls(now);
        }
        if active {
            self.discovery.keep_fresh(now, &mut self.rng);
        }
        self.schedule_discovery();
    }

    pub(super) fn schedule_discovery(&mut self) {
        let at = self.discovery.poll_timeout();
        self.timers.set(Timer::Stun, at.map(|at| (at, Wake::Stun)));
    }

    pub(super) fn tell_endpoints(&mut self) {
        let endpoints = self.discovery.endpoints().to_vec();
        self.events.push_back(Event::EndpointsChanged(endpoints));
    }

    /// The round that calls waited for is over: they go out with what is known.
    fn send_waiting_calls(&mut self, now: Instant) {
        let endpoints: Vec<SocketAddr> =
            self.discovery.endpoints().iter().map(|e| e.addr).collect();
        for slot in self.table.slots() {
            let Some(live) = self.table.get_mut(slot).and_then(|p| p.live.as_mut()) else {
                continue;
            };
            if !std::mem::take(&mut live.call_waiting) {
                continue;
            }
            if let Some(region) = live.path.relay() {
                let message = Message::CallMeMaybe {
                    endpoints: endpoints.clone(),
                };
                self.send_disco(slot, PathAddr::Relay(region), &message, now);
            }
        }
    }

    /// Whether there is traffic with any peer.
    fn is_active(&self, now: Instant) -> bool {
        self.table
            .iter()
            .filter_map(|(_, p)| p.live.as_ref())
            .any(|l| l.path.is_active(now))
    }

    // === relays ===

    /// Notes a use; whether packets can go through it now.
    pub(super) fn use_relay(&mut self, region: RegionId, now: Instant) -> bool {
        let need = self.relays.want(region, now);
        if need.is_some() {
            self.push_need(need);
            self.schedule_relays();
        }
        self.relays.is_connected(region)
    }

    pub(super) fn push_need(&mut self, need: Option<Need>) {
        match need {
            Some(Need::Wanted(region)) => self.events.push_back(Event::RelayWanted(region)),
            Some(Need::Unwanted(region)) => self.events.push_back(Event::RelayUnwanted(region)),
            None => {}
        }
    }

    pub(super) fn handle_relays_timeout(&mut self, now: Instant) {
        for need in self.relays.drop_idle(now) {
            self.push_need(Some(need));
        }
        self.schedule_relays();
    }

    fn schedule_relays(&mut self) {
        let at = self.relays.poll_timeout();
        self.timers
            .set(Timer::Relays, at.map(|at| (at, Wake::Idle)));
    }

    pub(super) fn apply_relay_state(&mut self, region: RegionId, state: RelayState, now: Instant) {
        let connected = state == RelayState::Connected;
        if !self.relays.set_connected(region, connected, now) {
            return;
        }
        self.schedule_relays();
        for slot in self.table.slots() {
            let Some(live) = self.table.get_mut(slot).and_then(|p| p.live.as_mut()) else {
                continue;
            };
            if live.path.relay() == Some(region) {
                live.path.relay_connected(now);
                self.retry_handshake(slot, now);
                self.run_path(slot, now);
            }
        }
    }

    // === handshakes ===

    /// A way to the peer has just opened: a handshake that waits for an answer goes out again.
    pub(super) fn retry_handshake(&mut self, slot: u32, now: Instant) {
        let mut message = [0; MAX_HANDSHAKE];
        let tunnel = self
            .table
            .get_mut(slot)
            .and_then(|p| p.live.as_mut()?.tunnel.as_mut());
        if let Some(size) = tunnel.and_then(|t| t.retry_handshake(&mut message)) {
            self.send_to_peer(slot, &message[..size], now);
        }
    }

    /// Shakes hands with a peer that may have forgotten the session.
    pub(super) fn renew_handshake(&mut self, slot: u32, now: Instant) {
        let mut message = [0; MAX_HANDSHAKE];
        let tunnel = self
            .table
            .get_mut(slot)
            .and_then(|p| p.live.as_mut()?.tunnel.as_mut());
        if let Some(size) = tunnel.and_then(|t| t.renew(&mut message, now)) {
            self.send_to_peer(slot, &message[..size], now);
        }
    }

    /// Lets the tunnel's clock move, and sends what comes of it.
    pub(super) fn tick_tunnel(&mut self, slot: u32, now: Instant) {
        let mut message = [0; MAX_HANDSHAKE];
        let tunnel = self
            .table
            .get_mut(slot)
            .and_then(|p| p.live.as_mut()?.tunnel.as_mut());
        if let Some(size) = tunnel.and_then(|t| t.tick(&mut message, now)) {
            self.send_to_peer(slot, &message[..size], now);
        }
    }

    /// Sends one message over every way that the peer's path names; a handshake
    /// without any goes to all addresses that may lead there.
    pub(super) fn send_to_peer(&mut self, slot: u32, message: &[u8], now: Instant) {
        let ways = self.ways(slot, now);
        for via in [ways.first, ways.second].into_iter().flatten() {
            self.trains.push(via, message);
        }
        if ways.first.is_some() || tunnel::classify(message) != Some(Kind::Initiation) {
            return;
        }
        let live = self.table.get(slot).and_then(|p| p.live.as_ref());
        for addr in live.into_iter().flat_map(|l| l.path.addresses()) {
            self.trains.push(Via::Udp(addr), message);
        }
    }
}
