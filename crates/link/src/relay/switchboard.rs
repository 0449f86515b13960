//! Who is connected to a relay, and where a packet goes.
//!
//! A relay knows nodes by their key alone; several connections may claim the
//! same key (a reconnect, a cloned machine): the one that sent last is active.
//! A packet is forwarded only within a tenant.

use std::collections::{BTreeMap, BTreeSet};

use wire::{NodeKey, TenantId};

/// Peers per connection that hear of its end; those beyond find out by themselves.
const MAX_TOLD: usize = 1024;

/// One connection; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// Where a packet goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// To this connection.
    To(SessionId),
    /// The peer is not connected here, or belongs to another tenant: the
    /// sender is told the same in both cases.
    NotHere,
}

#[derive(Debug)]
struct Session {
    key: NodeKey,
    tenant: TenantId,
    /// Peers that this connection sent to: they are told when it goes.
    told: BTreeSet<NodeKey>,
}

/// The switchboard of one relay.
#[derive(Debug, Default)]
pub struct Switchboard {
    sessions: BTreeMap<SessionId, Session>,
    /// Connections of a key, the active one last.
    by_key: BTreeMap<NodeKey, Vec<SessionId>>,
}

impl Switchboard {
    /// An empty switchboard.
    pub fn new() -> Self {
        Self::default()
    }

    /// A connection has proved `key` and was admitted for `tenant`; it becomes the active one.
    pub fn attach(&mut self, id: SessionId, key: NodeKey, tenant: TenantId) {
        self.sessions.insert(
            id,
            Session {
                key,
                tenant,
                told: BTreeSet::new(),
            },
        );
        self.by_key.entry(key).or_default().push(id);
    }

    /// A connection has ended. Gives the connections that must hear that its
    /// key is gone: none while another connection holds the key.
    pub fn detach(&mut self, id: SessionId) -> Vec<SessionId> {
        let Some(session) = self.sessions.remove(&id) else {
            return Vec::new();
        };
        if let Some(ids) = self.by_key.get_mut(&session.key) {
            ids.retain(|other| *other != id);
            if !ids.is_empty() {
                return Vec::new();
            }
        }
        self.by_key.remove(&session.key);
        session
            .told
            .iter()
            .filter_map(|peer| self.active(peer, session.tenant))
            .collect()
    }

    /// A packet from `id` for `to`. Marks `id` as the active connection of its key.
    pub fn route(&mut self, id: SessionId, to: &NodeKey) -> Route {
        let Some(session) = self.sessions.get_mut(&id) else {
            return Route::NotHere;
        };
        let (key, tenant) = (session.key, session.tenant);
        if session.told.len() < MAX_TOLD && !session.told.contains(to) {
            session.told.insert(*to);
        }
        if let Some(ids) = self.by_key.get_mut(&key)
            && ids.last() != Some(&id)
            && let Some(at) = ids.iter().position(|other| *other == id)
        {
            ids.remove(at);
            ids.push(id);
        }
        self.active(to, tenant).map_or(Route::NotHere, Route::To)
    }

    /// The connections of a key: to be closed when its node is removed or expires.
    pub fn sessions_of(&self, key: &NodeKey) -> &[SessionId] {
        self.by_key.get(key).map_or(&[], Vec::as_slice)
    }

    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// True when nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    fn active(&self, key: &NodeKey, tenant: TenantId) -> Option<SessionId> {
        let id = *self.by_key.get(key)?.last()?;
        (self.sessions.get(&id)?.tenant == tenant).then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> NodeKey {
        NodeKey::from_bytes([n; 32])
    }

    fn tenant(n: u8) -> TenantId {
        format!("00000000-0000-0000-0000-{n:012}").parse().unwrap()
    }

    fn board() -> Switchboard {
        let mut board = Switchboard::new();
        board.attach(SessionId(1), key(1), tenant(1));
        board.attach(SessionId(2), key(2), tenant(1));
        board.attach(SessionId(3), key(3), tenant(2));
        board
    }

    #[test]
    fn packets_stay_within_a_tenant() {
        let mut board = board();
        assert_eq!(board.route(SessionId(1), &key(2)), Route::To(SessionId(2)));
        assert_eq!(board.route(SessionId(1), &key(3)), Route::NotHere);
        assert_eq!(board.route(SessionId(3), &key(1)), Route::NotHere);
        assert_eq!(board.route(SessionId(9), &key(1)), Route::NotHere);
    }

    #[test]
    fn the_connection_that_sent_last_is_active() {
        let mut board = board();
        board.attach(SessionId(4), key(2), tenant(1));
        assert_eq!(board.route(SessionId(1), &key(2)), Route::To(SessionId(4)));
        board.route(SessionId(2), &key(1));
        assert_eq!(board.route(SessionId(1), &key(2)), Route::To(SessionId(2)));
        assert_eq!(board.sessions_of(&key(2)), [SessionId(4), SessionId(2)]);
    }

    #[test]
    fn those_it_talked_to_hear_that_a_peer_is_gone() {
        let mut board = board();
        board.attach(SessionId(4), key(2), tenant(1));
        board.route(SessionId(4), &key(1));
        board.route(SessionId(4), &key(3));
        assert!(
            board.detach(SessionId(2)).is_empty(),
            "the key is still connected"
        );
        assert_eq!(board.detach(SessionId(4)), [SessionId(1)]);
        assert_eq!(board.route(SessionId(1), &key(2)), Route::NotHere);
        assert_eq!(board.len(), 2);
    }
}
