//! The peers, by slot, id and keys.

use std::collections::BTreeMap;

use wire::{DiscoKey, NodeId, NodeKey};

use crate::peer::Peer;

/// Slots are named in 24 bits of a tunnel's receiver index.
const MAX_SLOTS: usize = 1 << 24;

/// All peers of the netmap. A slot stays a peer's while it is in the table.
#[derive(Debug, Default)]
pub(crate) struct Table {
    slots: Vec<Option<Peer>>,
    free: Vec<u32>,
    by_id: BTreeMap<NodeId, u32>,
    by_key: BTreeMap<NodeKey, u32>,
    by_disco: BTreeMap<DiscoKey, u32>,
}

impl Table {
    pub(crate) fn get(&self, slot: u32) -> Option<&Peer> {
        self.slots.get(slot as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut Peer> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    pub(crate) fn by_id(&self, id: NodeId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    pub(crate) fn by_key(&self, key: &NodeKey) -> Option<u32> {
        self.by_key.get(key).copied()
    }

    pub(crate) fn by_disco(&self, key: &DiscoKey) -> Option<u32> {
        self.by_disco.get(key).copied()
    }

    /// Every peer in the order of ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Peer)> {
        self.by_id
            .values()
            .filter_map(|slot| Some((*slot, self.get(*slot)?)))
    }

    /// Every slot in use, in the order of ids.
    pub(crate) fn slots(&self) -> Vec<u32> {
        self.by_id.values().copied().collect()
    }

    /// Adds a peer; its id must be new. `None` when all slots are taken.
    pub(crate) fn insert(&mut self, peer: Peer) -> Option<u32> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None if self.slots.len() < MAX_SLOTS => {
                self.slots.push(None);
                u32::try_from(self.slots.len() - 1).ok()?
            }
            None => return None,
        };
        self.by_id.insert(peer.info.id, slot);
        self.by_key.insert(peer.info.key, slot);
        if !peer.info.disco.is_zero() {
            self.by_disco.insert(peer.info.disco, slot);
        }
        self.slots[slot as usize] = Some(peer);
        Some(slot)
    }

    /// Takes a peer out.
    pub(crate) fn remove(&mut self, slot: u32) -> Option<Peer> {
        let peer = self.slots.get_mut(slot as usize)?.take()?;
        self.by_id.remove(&peer.info.id);
        // A key may have moved to another peer already.
        if self.by_key.get(&peer.info.key) == Some(&slot) {
            self.by_key.remove(&peer.info.key);
        }
        if self.by_disco.get(&peer.info.disco) == Some(&slot) {
            self.by_disco.remove(&peer.info.disco);
        }
        self.free.push(slot);
        Some(peer)
    }

    /// A peer's disco key has changed (its process has started anew).
    pub(crate) fn rename_disco(&mut self, slot: u32, old: &DiscoKey, new: &DiscoKey) {
        if self.by_disco.get(old) == Some(&slot) {
            self.by_disco.remove(old);
        }
        if !new.is_zero() {
            self.by_disco.insert(*new, slot);
        }
    }

    #[cfg(debug_assertions)]
    pub(crate) fn is_consistent(&self) -> bool {
        let used = self.slots.iter().flatten().count();
        used == self.by_id.len()
            && used + self.free.len() == self.slots.len()
            && self
                .by_id
                .iter()
                .all(|(id, slot)| self.get(*slot).is_some_and(|p| p.info.id == *id))
    }
}
