//! The switchboard that all sessions share.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use link::relay::{
    Frame,
    frame::GoneReason,
    switchboard::{Route, SessionId, Switchboard},
};
use wire::{NodeKey, TenantId};

use super::outbox::Outbox;

/// Who is connected. Sessions keep the routes they asked for until
/// [`Board::generation`] moves, so that a train costs no lock.
#[derive(Debug, Default)]
pub(super) struct Board {
    lines: Mutex<Lines>,
    generation: AtomicU64,
}

#[derive(Debug, Default)]
struct Lines {
    switch: Switchboard,
    by_id: BTreeMap<SessionId, Line>,
    last: u64,
}

#[derive(Debug)]
struct Line {
    key: NodeKey,
    tenant: TenantId,
    outbox: Arc<Outbox>,
}

impl Board {
    /// Connects a session.
    pub(super) fn attach(&self, key: NodeKey, tenant: TenantId, outbox: Arc<Outbox>) -> SessionId {
        let mut lines = self.lock();
        lines.last += 1;
        let id = SessionId(lines.last);
        lines.switch.attach(id, key, tenant);
        let line = Line {
            key,
            tenant,
            outbox,
        };
        lines.by_id.insert(id, line);
        self.moved();
        id
    }

    /// Disconnects a session; those it talked to hear that its key is gone.
    pub(super) fn detach(&self, id: SessionId) {
        let mut lines = self.lock();
        let Some(line) = lines.by_id.remove(&id) else {
            return;
        };
        let gone = Frame::PeerGone {
            peer: line.key,
            reason: GoneReason::Disconnected,
        };
        for told in lines.switch.detach(id) {
            if let Some(line) = lines.by_id.get(&told) {
                line.outbox.push_frame(&gone);
            }
        }
        self.moved();
    }

    /// Where packets from `id` to `to` go; `None` when `to` is not connected
    /// here for the same tenant.
    pub(super) fn route(&self, id: SessionId, to: &NodeKey) -> Option<Arc<Outbox>> {
        let mut lines = self.lock();
        let key = lines.by_id.get(&id)?.key;
        let was_active = lines.switch.sessions_of(&key).last() == Some(&id);
        let route = lines.switch.route(id, to);
        if !was_active {
            self.moved();
        }
        match route {
            Route::To(peer) => lines.by_id.get(&peer).map(|l| l.outbox.clone()),
            Route::NotHere => None,
        }
    }

    /// A number that moves whenever a route may have changed.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Ends the sessions of a key.
    pub(super) fn close(&self, key: &NodeKey) {
        let lines = self.lock();
        for id in lines.switch.sessions_of(key) {
            if let Some(line) = lines.by_id.get(id) {
                line.outbox.close();
            }
        }
    }

    /// Ends the sessions that `stays` says no to.
    pub(super) fn close_unless(&self, stays: impl Fn(&NodeKey, &TenantId) -> bool) {
        let lines = self.lock();
        for line in lines.by_id.values() {
            if !stays(&line.key, &line.tenant) {
                line.outbox.close();
            }
        }
    }

    /// Ends all sessions.
    pub(super) fn close_all(&self) {
        self.close_unless(|_, _| false);
    }

    /// How many sessions there are.
    pub(super) fn len(&self) -> usize {
        self.lock().by_id.len()
    }

    fn moved(&self) {
        self.generation.fetch_add(1, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
