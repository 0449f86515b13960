//! The path to one peer: direct by UDP where it can be proved, else through the relay.
//!
//! A path is proved by a pong to our own ping; nothing else makes an address
//! the best one. While the best one is trusted, packets go there alone; when
//! its trust has run out they go there *and* through the relay until it
//! answers again or another one does, so that a change loses nothing.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use rand_core::RngCore;
use wire::{disco::TxId, relay_map::RegionId};

use crate::event::PathAddr;

pub(crate) mod candidate;
pub(crate) mod probe;
pub(crate) mod score;

use candidate::{Candidate, MAX_HEARD};

/// Addresses that a handshake is sent to at once.
const MAX_TRIED: usize = 16;

/// Where packets go at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    /// To this address.
    pub(crate) direct: Option<SocketAddr>,
    /// And, or only, through this relay.
    pub(crate) relay: Option<RegionId>,
}

/// A message that the path needs sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// A ping to an address, or through a relay.
    Ping(PathAddr, TxId),
    /// Our endpoints through the relay, so that the peer pings us.
    Call(RegionId),
}

/// An answered ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) path: PathAddr,
    pub(crate) rtt: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Best {
    addr: SocketAddr,
    rtt: Duration,
    trusted_until: Instant,
    /// Pings since the last answer.
    unanswered: u8,
}

#[derive(Debug, Clone, Copy)]
struct Pending {
    tx: TxId,
    to: PathAddr,
    sent: Instant,
}

/// Chooses the path to one peer.
#[derive(Debug, Default)]
pub(crate) struct PathAgent {
    candidates: BTreeMap<SocketAddr, Candidate>,
    best: Option<Best>,
    relay: Option<RegionId>,
    /// The relay the peer was last heard through, for one whose home is not known.
    heard_relay: Option<RegionId>,
    relay_rtt: Option<Duration>,
    /// Where the peer's last authentic data came from by UDP.
    heard_data: Option<(SocketAddr, Instant)>,
    last_sent: Option<Instant>,
    last_full: Option<Instant>,
    last_call_heard: Option<Instant>,
    heartbeat_at: Option<Instant>,
    pending: Vec<Pending>,
    actions: Vec<Action>,
}

impl PathAgent {
    // === what the netmap says ===

    /// The peer's endpoints; those no longer listed lose that reason to be known.
    pub(crate) fn set_endpoints(&mut self, endpoints: &[SocketAddr], now: Instant) {
        let best = self.best.and_then(|b| self.candidates.get(&b.addr));
        let was_listed = best.is_some_and(|c| c.in_netmap);
        for candidate in self.candidates.values_mut() {
            candidate.in_netmap = false;
        }
        for addr in endpoints.iter().filter(|a| candidate::is_plausible(**a)) {
            self.candidates.entry(*addr).or_default().in_netmap = true;
        }
        if was_listed && self.best.is_some_and(|b| !endpoints.contains(&b.addr)) {
            self.distrust(now);
        }
        self.prune(now);
    }

    /// The peer's home relay; `None`: it has none.
    pub(crate) fn set_relay(&mut self, relay: Option<RegionId>) {
        if self.relay != relay {
            self.relay = relay;
            self.relay_rtt = None;
        }
    }

    /// The relay in use for this peer.
    pub(crate) fn relay(&self) -> Option<RegionId> {
        self.relay.or(self.heard_relay)
    }

    /// Something authentic came through a relay, so the way back is open too.
    pub(crate) const fn heard_through(&mut self, region: RegionId) {
        self.heard_relay = Some(region);
    }

    /// Authentic data came from `from`. That proves no path, for whoever is on
    /// the way can change an address.
    pub(crate) const fn heard_data(&mut self, from: SocketAddr, now: Instant) {
        self.heard_data = Some((from, now));
    }

    /// Where packets may go while no path is trusted and no relay is there.
    pub(crate) fn last_resort(&self, now: Instant) -> Option<SocketAddr> {
        let (from, at) = self.heard_data?;
        (!self.is_trusted(now) && now < at + probe::SESSION).then_some(from)
    }

    /// Addresses that may lead to the peer, for a handshake that has no better way.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.candidates.keys().copied().take(MAX_TRIED)
    }

    // === traffic ===

    /// Where packets go now.
    pub(crate) fn route(&self, now: Instant) -> Route {
        match self.best {
            Some(best) if now < best.trusted_until => Route {
                direct: Some(best.addr),
                relay: None,
            },
            best => Route {
                direct: best.map(|b| b.addr),
                relay: self.relay(),
            },
        }
    }

    /// Whether the direct address has been silent for so long that packets
    /// need not go there too while a relay carries them.
    pub(crate) fn is_given_up(&self) -> bool {
        self.best.is_some_and(|b| b.unanswered >= probe::GIVE_UP)
    }

    /// The path as people see it: a direct one counts while it is trusted, or
    /// when there is no relay to compare it with.
    pub(crate) fn shown(&self, now: Instant) -> Option<PathAddr> {
        let route = self.route(now);
        match (route.direct, route.relay) {
            (Some(addr), None) => Some(PathAddr::Direct(addr)),
            (_, Some(region)) => Some(PathAddr::Relay(region)),
            (None, None) => None,
        }
    }

    /// The round trip of the path that [`Self::shown`] names.
    pub(crate) fn rtt(&self, now: Instant) -> Option<Duration> {
        match self.shown(now)? {
            PathAddr::Direct(_) => self.best.map(|b| b.rtt),
            PathAddr::Relay(_) => self.relay_rtt,
        }
    }

    /// Packets have been sent. True when probes are due: the caller then calls [`Self::handle_timeout`].
    pub(crate) fn note_sent(&mut self, now: Instant) -> bool {
        self.last_sent = Some(now);
        let beating = self.heartbeat_at.is_some();
        if !beating {
            self.heartbeat_at = Some(now + probe::HEARTBEAT);
        }
        !beating || (!self.is_trusted(now) && self.may_ping_all(now))
    }

    /// Whether packets were sent lately.
    pub(crate) fn is_active(&self, now: Instant) -> bool {
        self.last_sent.is_some_and(|at| now < at + probe::SESSION)
    }

    fn is_trusted(&self, now: Instant) -> bool {
        self.best.is_some_and(|b| now < b.trusted_until)
    }

    fn may_ping_all(&self, now: Instant) -> bool {
        self.last_full
            .is_none_or(|at| now >= at + probe::ADDRESS_PAUSE)
    }

    fn wants_full(&self, now: Instant) -> bool {
        let Some(best) = self.best.filter(|b| now < b.trusted_until) else {
            return self.may_ping_all(now);
        };
        best.rtt > probe::GOOD_ENOUGH
            && self.last_full.is_none_or(|at| now >= at + probe::FULL_PING)
    }

    // === time ===

    /// Sends what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant, rng: &mut impl RngCore) {
        self.pending.retain(|p| now < p.sent + probe::PING_TIMEOUT);
        if !self.is_active(now) {
            self.heartbeat_at = None;
            return;
        }
        if self.heartbeat_at.is_some_and(|at| now >= at) {
            self.heartbeat_at = Some(now + probe::HEARTBEAT);
            if let Some(best) = self.best {
                self.ping(PathAddr::Direct(best.addr), now, rng);
            }
        }
        if self.wants_full(now) {
            self.ping_all(probe::ADDRESS_PAUSE, now, rng);
            self.call();
        }
    }

    /// When [`Self::handle_timeout`] has something to do.
    pub(crate) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let timeouts = self.pending.iter().map(|p| p.sent + probe::PING_TIMEOUT);
        let trust = self.best.map(|b| b.trusted_until);
        let trust = trust.filter(|at| self.heartbeat_at.is_some() && *at > now);
        timeouts.chain(self.heartbeat_at).chain(trust).min()
    }

    /// The messages to send, oldest first.
    pub(crate) fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// The network under us has changed: nothing is trusted, everything is tried again.
    pub(crate) fn link_changed(&mut self, now: Instant, rng: &mut impl RngCore) {
        self.distrust(now);
        self.last_full = None;
        for candidate in self.candidates.values_mut() {
            candidate.pinged = None;
        }
        if self.is_active(now) {
            self.ping_all(Duration::ZERO, now, rng);
            self.call();
        }
    }

    /// The peer's process has started anew: where it is may still be true, but
    /// nothing that was asked or said before counts.
    pub(crate) fn renew(&mut self, now: Instant) {
        self.distrust(now);
        self.pending.clear();
        self.actions.clear();
        self.last_full = None;
        self.last_call_heard = None;
        for candidate in self.candidates.values_mut() {
            candidate.in_call = false;
            candidate.pinged = None;
        }
    }

    /// The relay has become usable: what should have gone through it goes now.
    pub(crate) fn relay_connected(&mut self, now: Instant) {
        if self.is_active(now) && !self.is_trusted(now) {
            self.call();
        }
    }

    /// A person asks for the path: the trusted one is pinged, or else all there are.
    /// Returns the transactions, any of which answers.
    pub(crate) fn ping_for_person(&mut self, now: Instant, rng: &mut impl RngCore) -> Vec<TxId> {
        let before = self.pending.len();
        if let Some(best) = self.best.filter(|b| now < b.trusted_until) {
            self.ping(PathAddr::Direct(best.addr), now, rng);
        } else {
            if let Some(region) = self.relay() {
                self.ping(PathAddr::Relay(region), now, rng);
            }
            self.ping_all(probe::REACTION_PAUSE, now, rng);
            self.call();
        }
        self.pending[before..].iter().map(|p| p.tx).collect()
    }

    // === the peer's messages ===

    /// An authentic ping came from `from`, to be answered in any case. A ping
    /// from an address that was not known says that the peer may have moved.
    pub(crate) fn handle_ping(&mut self, from: SocketAddr, now: Instant, rng: &mut impl RngCore) {
        let known = self.candidates.contains_key(&from);
        if !known && !self.may_remember(now) {
            return;
        }
        self.candidates.entry(from).or_default().heard = Some(now);
        if !known {
            self.distrust_unless(from, now, rng);
        }
        let answers = self.best.is_some_and(|b| b.addr == from) && self.is_trusted(now);
        if !answers && (self.is_active(now) || !known) {
            self.react(from, now, rng);
        }
    }

    fn may_remember(&mut self, now: Instant) -> bool {
        self.prune(now);
        let heard_only = |c: &&Candidate| !c.in_netmap && !c.in_call;
        self.candidates.values().filter(heard_only).count() < MAX_HEARD
    }

    /// The trusted path must prove itself again when it is not `new`.
    fn distrust_unless(&mut self, new: SocketAddr, now: Instant, rng: &mut impl RngCore) {
        if let Some(best) = self.best.filter(|b| b.addr != new)
            && now < best.trusted_until
        {
            self.distrust(now);
            self.ping(PathAddr::Direct(best.addr), now, rng);
        }
    }

    /// The peer asks to be pinged at these addresses.
    pub(crate) fn handle_call(
        &mut self,
        endpoints: &[SocketAddr],
        now: Instant,
        rng: &mut impl RngCore,
    ) {
        for candidate in self.candidates.values_mut() {
            candidate.in_call = false;
        }
        for addr in endpoints.iter().filter(|a| candidate::is_plausible(**a)) {
            self.candidates.entry(*addr).or_default().in_call = true;
        }
        self.prune(now);
        // One who lists other addresses than the one in use may have moved.
        let best = self.best.map(|b| b.addr);
        if best.is_some_and(|addr| !endpoints.contains(&addr)) {
            self.distrust(now);
        }
        let too_soon = self
            .last_call_heard
            .is_some_and(|at| now < at + probe::CALL_PAUSE);
        if !too_soon {
            self.last_call_heard = Some(now);
            self.ping_all(probe::REACTION_PAUSE, now, rng);
        }
    }

    /// A pong came; `None` when it answers no ping of ours.
    pub(crate) fn handle_pong(&mut self, tx: &TxId, now: Instant) -> Option<Answered> {
        let index = self.pending.iter().position(|p| p.tx == *tx)?;
        let pending = self.pending.swap_remove(index);
        let rtt = now.saturating_duration_since(pending.sent);
        match pending.to {
            PathAddr::Relay(region) if self.relay() == Some(region) => self.relay_rtt = Some(rtt),
            PathAddr::Relay(_) => {}
            PathAddr::Direct(addr) => self.proved(addr, rtt, now),
        }
        Some(Answered {
            path: pending.to,
            rtt,
        })
    }

    fn proved(&mut self, addr: SocketAddr, rtt: Duration, now: Instant) {
        self.candidates.entry(addr).or_default().rtt = Some(rtt);
        let wins = match self.best {
            Some(best) if best.addr == addr || now >= best.trusted_until => true,
            Some(best) => score::is_better((addr, rtt), (best.addr, best.rtt)),
            None => true,
        };
        if wins {
            self.best = Some(Best {
                addr,
                rtt,
                trusted_until: now + probe::TRUST,
                unanswered: 0,
            });
        }
    }

    // === pings ===

    fn distrust(&mut self, now: Instant) {
        if let Some(best) = &mut self.best {
            best.trusted_until = best.trusted_until.min(now);
        }
    }

    fn react(&mut self, to: SocketAddr, now: Instant, rng: &mut impl RngCore) {
        let pinged = self.candidates.get(&to).and_then(|c| c.pinged);
        if pinged.is_none_or(|at| now >= at + probe::REACTION_PAUSE) {
            self.ping(PathAddr::Direct(to), now, rng);
        }
    }

    /// Pings every candidate not pinged within `pause`.
    fn ping_all(&mut self, pause: Duration, now: Instant, rng: &mut impl RngCore) {
        self.last_full = Some(now);
        self.prune(now);
        let due: Vec<_> = self
            .candidates
            .iter()
            .filter(|(_, c)| c.pinged.is_none_or(|at| now >= at + pause))
            .map(|(addr, _)| *addr)
            .collect();
        for addr in due {
            self.ping(PathAddr::Direct(addr), now, rng);
        }
    }

    fn ping(&mut self, to: PathAddr, now: Instant, rng: &mut impl RngCore) {
        let mut tx = [0; 12];
        rng.fill_bytes(&mut tx);
        if let PathAddr::Direct(addr) = to {
            self.candidates.entry(addr).or_default().pinged = Some(now);
            if let Some(best) = self.best.as_mut().filter(|b| b.addr == addr) {
                best.unanswered = best.unanswered.saturating_add(1);
            }
        }
        self.pending.push(Pending { tx, to, sent: now });
        self.actions.push(Action::Ping(to, tx));
    }

    fn call(&mut self) {
        if let Some(region) = self.relay()
            && !self.actions.contains(&Action::Call(region))
        {
            self.actions.push(Action::Call(region));
        }
    }

    fn prune(&mut self, now: Instant) {
        let best = self.best.map(|b| b.addr);
        self.candidates
            .retain(|addr, c| Some(*addr) == best || c.is_current(now));
    }

    /// What must hold between any two calls.
    #[cfg(debug_assertions)]
    pub(crate) fn is_consistent(&self) -> bool {
        self.best
            .is_none_or(|b| self.candidates.contains_key(&b.addr))
            && self.pending.len() <= 1024
    }
}

#[cfg(test)]
mod tests;
