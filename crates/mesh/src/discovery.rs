//! Where peers may reach this node: its own addresses and what STUN servers see.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    time::{Duration, Instant},
};

use rand_core::RngCore;
use wire::relay_map::RelayMap;

use crate::{
    event::{Endpoint, EndpointKind},
    netcheck::{NatKind, Report},
    path::candidate::is_plausible,
};

pub(crate) mod stun;

use stun::{Answer, Round, Server};

/// NATs forget a quiet mapping after half a minute; what STUN said before that is not told to peers.
const FRESH: Duration = Duration::from_secs(27);
/// The shortest time between rounds while there is traffic; a NAT's mapping lives 30 s or more.
const PERIOD_MIN_MS: u32 = 20_000;
/// The spread of that time.
const PERIOD_SPREAD_MS: u32 = 6_000;

/// What finds our addresses, and what has been found.
#[derive(Debug, Default)]
pub(crate) struct Discovery {
    local: Vec<SocketAddr>,
    servers: Vec<Server>,
    round: Option<Round>,
    heard_at: Option<Instant>,
    next_at: Option<Instant>,
    report: Report,
    endpoints: Vec<Endpoint>,
}

impl Discovery {
    // === getters ===

    pub(crate) const fn report(&self) -> &Report {
        &self.report
    }

    pub(crate) fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// Whether a NAT still holds what the last round saw.
    pub(crate) fn is_fresh(&self, now: Instant) -> bool {
        self.heard_at.is_some_and(|at| now < at + FRESH)
    }

    pub(crate) const fn is_asking(&self) -> bool {
        self.round.is_some()
    }

    pub(crate) fn has_servers(&self) -> bool {
        !self.servers.is_empty()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match &self.round {
            Some(round) => Some(round.next_at()),
            None => self.next_at,
        }
    }

    // === commands ===

    /// The own addresses with the bound ports. True when the endpoints changed.
    pub(crate) fn set_local(&mut self, mut local: Vec<SocketAddr>) -> bool {
        local.retain(|a| is_plausible(*a) && !a.ip().is_loopback());
        self.local = local;
        self.renew_endpoints()
    }

    /// The servers of the map. True when they are others than before.
    pub(crate) fn set_servers(&mut self, map: &RelayMap) -> bool {
        let servers = stun::servers(map);
        let changed = servers != self.servers;
        self.servers = servers;
        changed
    }

    /// What STUN said holds no longer: the network has changed.
    pub(crate) fn forget(&mut self) {
        self.heard_at = None;
        self.next_at = None;
    }

    /// Starts a round, over again if one is running.
    pub(crate) fn restart(&mut self, now: Instant) {
        self.round = Some(Round::new(self.reachable_servers(), now));
    }

    /// Starts a round unless one is running.
    pub(crate) fn start(&mut self, now: Instant) {
        if self.round.is_none() {
            self.restart(now);
        }
    }

    /// Starts the next round some time later, unless one is due sooner.
    pub(crate) fn keep_fresh(&mut self, now: Instant, rng: &mut impl RngCore) {
        if self.round.is_none() && self.next_at.is_none() {
            let period = PERIOD_MIN_MS + rng.next_u32() % PERIOD_SPREAD_MS;
            self.next_at = Some(now + Duration::from_millis(period.into()));
        }
    }

    /// The servers of the families that we have addresses of.
    fn reachable_servers(&self) -> Vec<Server> {
        let v6 = self.local.iter().any(|a| is_global_v6(*a));
        let all = self.servers.iter().copied();
        all.filter(|s| s.addr.is_ipv4() || v6).collect()
    }

    // === inputs ===

    /// The requests to send now. `active`: there is traffic, so mappings are kept alive.
    pub(crate) fn handle_timeout(
        &mut self,
        active: bool,
        now: Instant,
        rng: &mut impl RngCore,
    ) -> Vec<(SocketAddr, Vec<u8>)> {
        if self.next_at.is_some_and(|at| now >= at) {
            self.next_at = None;
            if active {
                self.start(now);
            }
        }
        match &mut self.round {
            Some(round) if !round.is_over(now) => round.requests(now, rng),
            _ => Vec::new(),
        }
    }

    /// A STUN message came.
    pub(crate) fn handle_answer(&mut self, packet: &[u8], now: Instant) {
        if let Some(round) = &mut self.round
            && round.handle_answer(packet, now)
        {
            self.heard_at = Some(now);
        }
    }

    /// Ends a round that has nothing to wait for. `None` while it goes on, else
    /// what has changed by it.
    pub(crate) fn finish(&mut self, now: Instant) -> Option<Change> {
        let round = self.round.take_if(|r| r.is_over(now))?;
        self.next_at = None;
        let report = self.judge(&round);
        let report_changed = report != self.report;
        self.report = report;
        let endpoints_changed = self.renew_endpoints();
        Some(Change {
            report: report_changed,
            endpoints: endpoints_changed,
        })
    }

    /// The home relay, once chosen, is part of the report.
    pub(crate) fn set_home(&mut self, home: Option<wire::relay_map::RegionId>) {
        self.report.home_relay = home;
    }

    // === judgements ===

    fn judge(&self, round: &Round) -> Report {
        let mut report = Report {
            udp: (!round.servers().is_empty()).then(|| !round.answers().is_empty()),
            home_relay: self.report.home_relay,
            ..Report::default()
        };
        let mut v4 = BTreeSet::new();
        for (server, answer) in round.answers() {
            let Answer { mapped, rtt } = *answer;
            let best = report.latency.entry(server.region).or_insert(rtt);
            *best = rtt.min(*best);
            if mapped.is_ipv4() {
                report.mapped_v4.get_or_insert(mapped);
                v4.insert(mapped);
            } else {
                report.mapped_v6.get_or_insert(mapped);
            }
        }
        let asked_v6 = round.servers().iter().any(|s| s.addr.is_ipv6());
        report.ipv6 = asked_v6.then_some(report.mapped_v6.is_some());
        let answers_v4 = round.answers().keys().filter(|s| s.addr.is_ipv4()).count();
        report.nat = match (report.udp, v4.first(), v4.len()) {
            (Some(false), _, _) => NatKind::Blocked,
            (_, Some(seen), 1) if self.local.contains(seen) => NatKind::Open,
            (_, Some(_), 1) if answers_v4 > 1 => NatKind::Easy,
            (_, _, 2..) => NatKind::Hard,
            (_, _, _) => NatKind::Unknown,
        };
        report
    }

    /// Puts the endpoints together anew; true when they are others than before.
    fn renew_endpoints(&mut self) -> bool {
        let mut seen = BTreeSet::new();
        let mut endpoints = Vec::new();
        let mut add = |addr: SocketAddr, kind| {
            if seen.insert(addr) {
                endpoints.push(Endpoint { addr, kind });
            }
        };
        let Report {
            mapped_v4,
            mapped_v6,
            nat,
            ..
        } = &self.report;
        for addr in [mapped_v4, mapped_v6].into_iter().flatten() {
            add(*addr, EndpointKind::Stun);
        }
        let local_port = self
            .local
            .iter()
            .find(|a| a.is_ipv4())
            .map(SocketAddr::port);
        if let (NatKind::Hard, Some(mapped), Some(port)) = (nat, mapped_v4, local_port) {
            add(
                SocketAddr::new(mapped.ip(), port),
                EndpointKind::StunLocalPort,
            );
        }
        for addr in &self.local {
            add(*addr, EndpointKind::Local);
        }
        let changed = endpoints != self.endpoints;
        self.endpoints = endpoints;
        changed
    }
}

/// What a round has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) report: bool,
    pub(crate) endpoints: bool,
}

fn is_global_v6(addr: SocketAddr) -> bool {
    match addr {
        SocketAddr::V6(v6) => !v6.ip().is_unicast_link_local() && !v6.ip().is_loopback(),
        SocketAddr::V4(_) => false,
    }
}

#[cfg(test)]
mod tests;
