//! Pings that people wait for.

use std::time::{Duration, Instant};

use wire::{NodeId, disco::TxId};

use super::Node;
use crate::{
    event::{Event, PingId, PingResult, Wake},
    path::{Answered, probe},
    timers::Timer,
};

/// A ping that got lost is sent again after this; a peer or a relay may have come just now.
const AGAIN: Duration = Duration::from_secs(1);

/// One ping without an answer yet.
#[derive(Debug)]
struct Open {
    id: PingId,
    peer: NodeId,
    /// Any of these answers it.
    transactions: Vec<TxId>,
    again: Instant,
    until: Instant,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Pings {
    last: u64,
    open: Vec<Open>,
}

impl Node {
    pub(super) fn start_ping(&mut self, peer: NodeId, now: Instant) -> PingId {
        self.pings.last += 1;
        let id = PingId(self.pings.last);
        let Some(slot) = self.table.by_id(peer) else {
            self.end_ping(id, peer, PingResult::UnknownPeer);
            return id;
        };
        let Some(found) = self.table.get_mut(slot).filter(|p| !p.expired) else {
            self.end_ping(id, peer, PingResult::Expired);
            return id;
        };
        if self.expired {
            self.end_ping(id, peer, PingResult::Expired);
            return id;
        }
        found.wake(&self.config.disco, now).last_used = now;
        let mut ping = Open {
            id,
            peer,
            transactions: Vec::new(),
            again: now,
            until: now + probe::PING_TIMEOUT,
        };
        self.send_ping(&mut ping, now);
        self.timers
            .no_later_than(Timer::Pings, ping.again, Wake::Answer);
        self.pings.open.push(ping);
        id
    }

    /// Whether the peer's key, or ours, has ended.
    fn is_expired(&self, peer: NodeId) -> bool {
        let slot = self.table.by_id(peer);
        self.expired || slot.is_some_and(|s| self.table.get(s).is_some_and(|p| p.expired))
    }

    /// Sends it by every way that may answer.
    fn send_ping(&mut self, ping: &mut Open, now: Instant) {
        ping.again = now + AGAIN;
        let Some(slot) = self.table.by_id(ping.peer) else {
            return;
        };
        let Some(found) = self.table.get_mut(slot) else {
            return;
        };
        let live = found.wake(&self.config.disco, now);
        let sent = live.path.ping_for_person(now, &mut self.rng);
        ping.transactions.extend(sent);
        self.run_path(slot, now);
    }

    /// A ping of ours was answered; if a person waits for it, this is the answer.
    pub(super) fn finish_ping(&mut self, tx: &TxId, answered: Answered) {
        let mut open = self.pings.open.iter();
        if let Some(index) = open.position(|p| p.transactions.contains(tx)) {
            let ping = self.pings.open.swap_remove(index);
            let result = PingResult::Pong {
                path: answered.path,
                rtt: answered.rtt,
            };
            self.end_ping(ping.id, ping.peer, result);
        }
    }

    pub(super) fn handle_pings_timeout(&mut self, now: Instant) {
        let open = std::mem::take(&mut self.pings.open).into_iter();
        let (over, open): (Vec<_>, Vec<_>) = open.partition(|p| now >= p.until);
        for ping in over {
            self.end_ping(ping.id, ping.peer, PingResult::TimedOut);
        }
        let open = open.into_iter();
        let (expired, mut open): (Vec<_>, Vec<_>) = open.partition(|p| self.is_expired(p.peer));
        for ping in expired {
            self.end_ping(ping.id, ping.peer, PingResult::Expired);
        }
        for ping in open.iter_mut().filter(|p| now >= p.again) {
            self.send_ping(ping, now);
        }
        let next = open.iter().map(|p| p.again.min(p.until)).min();
        self.pings.open = open;
        self.timers
            .set(Timer::Pings, next.map(|at| (at, Wake::Answer)));
    }

    /// The peer is gone from the netmap.
    pub(super) fn fail_pings_of(&mut self, peer: NodeId) {
        let (gone, open) = std::mem::take(&mut self.pings.open)
            .into_iter()
            .partition(|p| p.peer == peer);
        self.pings.open = open;
        let gone: Vec<Open> = gone;
        for ping in gone {
            self.end_ping(ping.id, ping.peer, PingResult::UnknownPeer);
        }
    }

    fn end_ping(&mut self, id: PingId, peer: NodeId, result: PingResult) {
        self.events
            .push_back(Event::PingFinished { id, peer, result });
    }
}
