//! Who may use the relay: the current node keys of every tenant.
//!
//! The registry fails closed: a key that is not in it is refused. Relays follow
//! it as a stream ([`Admission::subscribe`]): a snapshot first, then changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::broadcast;
use wire::{NodeKey, TenantId};

/// Changes that a slow follower may be behind before it must start over.
const BACKLOG: usize = 4096;

/// The registry; clones share it.
#[derive(Debug, Clone)]
pub struct Admission(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    keys: Mutex<Keys>,
    changes: broadcast::Sender<Change>,
}

#[derive(Debug, Default)]
struct Keys {
    tenant_of: BTreeMap<NodeKey, TenantId>,
    of_tenant: BTreeMap<TenantId, BTreeSet<NodeKey>>,
}

/// A change of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The key may be used from now on.
    Admitted {
        /// Whose.
        tenant: TenantId,
        /// The key.
        key: NodeKey,
    },
    /// The key may not be used any more; sessions with it end.
    Revoked(NodeKey),
}

/// The registry as it was, and what changes from then on.
#[derive(Debug)]
pub struct Subscription {
    /// Every admitted key.
    pub admitted: BTreeMap<NodeKey, TenantId>,
    /// Changes after the snapshot. A follower that was told that it lags starts
    /// over with a new subscription.
    pub changes: broadcast::Receiver<Change>,
}

impl Default for Admission {
    fn default() -> Self {
        Self::new()
    }
}

impl Admission {
    /// An empty registry: nobody is admitted.
    pub fn new() -> Self {
        Self(Arc::new(Shared {
            keys: Mutex::default(),
            changes: broadcast::Sender::new(BACKLOG),
        }))
    }

    /// Sets all keys of a tenant; those it had before and has no more are revoked.
    pub fn replace(&self, tenant: TenantId, keys: impl IntoIterator<Item = NodeKey>) {
        let wanted: BTreeSet<NodeKey> = keys.into_iter().collect();
        let mut all = self.lock();
        let had = all.of_tenant.get(&tenant).cloned().unwrap_or_default();
        for key in had.difference(&wanted) {
            self.remove(&mut all, *key);
        }
        for key in wanted.difference(&had) {
            self.insert(&mut all, tenant, *key);
        }
    }

    /// Admits a key. A key belongs to one tenant: taking it from another ends the sessions there.
    pub fn admit(&self, tenant: TenantId, key: NodeKey) {
        let mut all = self.lock();
        if all.tenant_of.get(&key) != Some(&tenant) {
            self.insert(&mut all, tenant, key);
        }
    }

    /// Revokes a key: its sessions end at once.
    pub fn revoke(&self, key: NodeKey) {
        self.remove(&mut self.lock(), key);
    }

    /// The tenant of an admitted key.
    pub fn tenant_of(&self, key: &NodeKey) -> Option<TenantId> {
        self.lock().tenant_of.get(key).copied()
    }

    /// Follows the registry from now on.
    pub fn subscribe(&self) -> Subscription {
        let all = self.lock();
        Subscription {
            admitted: all.tenant_of.clone(),
            changes: self.0.changes.subscribe(),
        }
    }

    fn insert(&self, all: &mut Keys, tenant: TenantId, key: NodeKey) {
        self.remove(all, key);
        if key.is_zero() {
            return;
        }
        all.tenant_of.insert(key, tenant);
        all.of_tenant.entry(tenant).or_default().insert(key);
        self.tell(Change::Admitted { tenant, key });
    }

    fn remove(&self, all: &mut Keys, key: NodeKey) {
        let Some(tenant) = all.tenant_of.remove(&key) else {
            return;
        };
        if let Some(keys) = all.of_tenant.get_mut(&tenant) {
            keys.remove(&key);
            if keys.is_empty() {
                all.of_tenant.remove(&tenant);
            }
        }
        self.tell(Change::Revoked(key));
    }

    fn tell(&self, change: Change) {
        // An error means that nobody follows.
        let _ = self.0.changes.send(change);
    }

    fn lock(&self) -> MutexGuard<'_, Keys> {
        self.0.keys.lock().unwrap_or_else(PoisonError::into_inner)
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

    #[test]
    fn only_admitted_keys_have_a_tenant() {
        let admission = Admission::new();
        assert_eq!(admission.tenant_of(&key(1)), None);
        admission.admit(tenant(1), key(1));
        assert_eq!(admission.tenant_of(&key(1)), Some(tenant(1)));
        admission.revoke(key(1));
        assert_eq!(admission.tenant_of(&key(1)), None);
        admission.admit(tenant(1), NodeKey::ZERO);
        assert_eq!(admission.tenant_of(&NodeKey::ZERO), None);
    }

    #[test]
    fn followers_hear_what_changed_and_nothing_else() {
        let admission = Admission::new();
        admission.replace(tenant(1), [key(1), key(2)]);
        let mut follower = admission.subscribe();
        assert_eq!(follower.admitted.len(), 2);

        admission.replace(tenant(1), [key(2), key(3)]);
        admission.admit(tenant(1), key(3));
        admission.admit(tenant(2), key(3));
        let told: Vec<_> = std::iter::from_fn(|| follower.changes.try_recv().ok()).collect();
        let admitted = |n, k| Change::Admitted {
            tenant: tenant(n),
            key: key(k),
        };
        assert_eq!(
            told,
            [
                Change::Revoked(key(1)),
                admitted(1, 3),
                Change::Revoked(key(3)),
                admitted(2, 3),
            ]
        );
    }
}
