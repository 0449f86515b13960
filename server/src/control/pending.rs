//! Machines that wait for a person, in memory: after a restart a machine asks
//! again and gets a new link.
//!
//! A waiting machine is found by a token of 256 bits, which only the machine
//! and whoever it shows the link to know. How many may wait is bounded for each
//! network and for all; a flood pushes out its own kind first.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use wire::{
    CapabilityVersion, MachineKey, NodeId, NodeKey, TenantId, Timestamp, control::Hostinfo,
};

use crate::{http::gate::network, rng::Rng};

/// How long a machine may wait for its person.
pub const PATIENCE: Duration = Duration::from_mins(15);
/// Machines of one network that may wait.
const MOST_OF_NETWORK: usize = 256;
/// Machines that may wait in all.
const MOST: usize = 10_000;

/// What a machine asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The installation.
    pub machine: MachineKey,
    /// The key it wants to use.
    pub node_key: NodeKey,
    /// The key it used before; zero: none.
    pub old_node_key: NodeKey,
    /// The node it was with that key, when it signs in again.
    pub previous: Option<(TenantId, NodeId)>,
    /// What it says of itself.
    pub hostinfo: Hostinfo,
    /// It wishes to be removed when it goes.
    pub ephemeral: bool,
    /// What its client understands.
    pub version: CapabilityVersion,
    /// Where it asked from.
    pub address: IpAddr,
    /// When it asked.
    pub created: Timestamp,
}

impl Asked {
    fn ends(&self) -> Timestamp {
        self.created.plus(PATIENCE)
    }
}

/// A place in the waiting room.
#[derive(Debug)]
pub struct Ticket {
    /// What the link ends with.
    pub token: String,
    /// When the waiting ends at the latest.
    pub ends: Timestamp,
    decided: watch::Receiver<()>,
}

impl Ticket {
    /// Returns when the machine waits no more: somebody decided, or it was
    /// pushed out.
    pub async fn left(&mut self) {
        // Nothing is ever sent: the sender goes with the place.
        while self.decided.changed().await.is_ok() {}
    }
}

/// The waiting room.
#[derive(Debug, Default)]
pub struct Pending(Mutex<Room>);

type TokenHash = [u8; 32];

#[derive(Debug, Default)]
struct Room {
    places: BTreeMap<TokenHash, Place>,
    by_keys: BTreeMap<(MachineKey, NodeKey), TokenHash>,
    /// Oldest first.
    by_network: BTreeMap<IpAddr, BTreeMap<u64, TokenHash>>,
    taken: u64,
}

#[derive(Debug)]
struct Place {
    asked: Asked,
    token: String,
    number: u64,
    decided: watch::Sender<()>,
}

impl Place {
    fn ticket(&self) -> Ticket {
        Ticket {
            token: self.token.clone(),
            ends: self.asked.ends(),
            decided: self.decided.subscribe(),
        }
    }
}

impl Pending {
    /// Gives a machine a place; one that asks again for the same key keeps its own.
    pub fn ask(&self, asked: Asked, rng: Rng) -> Ticket {
        let mut room = self.lock();
        room.sweep(asked.created);
        let keys = (asked.machine, asked.node_key);
        if let Some(place) = room.by_keys.get(&keys).and_then(|h| room.places.get(h)) {
            return place.ticket();
        }
        room.make_way(network(asked.address));
        room.enter(asked, URL_SAFE_NO_PAD.encode(rng.bytes::<32>()))
    }

    /// The place that a machine has held since it asked.
    pub fn resume(
        &self,
        token: &str,
        machine: MachineKey,
        node_key: NodeKey,
        now: Timestamp,
    ) -> Option<Ticket> {
        let room = self.lock();
        let place = room.places.get(&hash(token))?;
        let same = place.asked.machine == machine && place.asked.node_key == node_key;
        (same && now < place.asked.ends()).then(|| place.ticket())
    }

    /// What the machine with this token asks for.
    pub fn look(&self, token: &str, now: Timestamp) -> Option<Asked> {
        let room = self.lock();
        let place = room.places.get(&hash(token))?;
        (now < place.asked.ends()).then(|| place.asked.clone())
    }

    /// Ends the waiting; the machine finds out by itself what was decided.
    pub fn leave(&self, token: &str) {
        self.lock().leave(&hash(token));
    }

    fn lock(&self) -> MutexGuard<'_, Room> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    fn enter(&mut self, asked: Asked, token: String) -> Ticket {
        self.taken += 1;
        let (hash, network) = (hash(&token), network(asked.address));
        self.by_keys.insert((asked.machine, asked.node_key), hash);
        self.by_network
            .entry(network)
            .or_default()
            .insert(self.taken, hash);
        let place = Place {
            asked,
            token,
            number: self.taken,
            decided: watch::Sender::new(()),
        };
        let ticket = place.ticket();
        self.places.insert(hash, place);
        ticket
    }

    fn leave(&mut self, hash: &TokenHash) {
        let Some(place) = self.places.remove(hash) else {
            return;
        };
        self.by_keys
            .remove(&(place.asked.machine, place.asked.node_key));
        let network = network(place.asked.address);
        if let Some(of_network) = self.by_network.get_mut(&network) {
            of_network.remove(&place.number);
            if of_network.is_empty() {
                self.by_network.remove(&network);
            }
        }
    }

    /// Ends those who have waited too long.
    fn sweep(&mut self, now: Timestamp) {
        let over: Vec<TokenHash> = self
            .by_network
            .values()
            .flat_map(|of_network| {
                let waiting = of_network.values();
                waiting.take_while(|h| self.places.get(*h).is_none_or(|p| p.asked.ends() <= now))
            })
            .copied()
            .collect();
        for hash in over {
            self.leave(&hash);
        }
    }

    /// Makes a place for one more of `network`: its oldest goes, or the oldest
    /// of the network that holds most.
    fn make_way(&mut self, network: IpAddr) {
        let own = self.by_network.get(&network).map_or(0, BTreeMap::len);
        let crowded = if own >= MOST_OF_NETWORK {
            self.by_network.get(&network)
        } else if self.places.len() >= MOST {
            self.by_network.values().max_by_key(|n| n.len())
        } else {
            None
        };
        if let Some(oldest) = crowded.and_then(|n| n.values().next()).copied() {
            self.leave(&oldest);
        }
    }
}

/// A look-up by hash tells by its time nothing about the token.
fn hash(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(n: u8, address: &str, at: i64) -> Asked {
        Asked {
            machine: MachineKey::from_bytes([n; 32]),
            node_key: NodeKey::from_bytes([n; 32]),
            old_node_key: NodeKey::ZERO,
            previous: None,
            hostinfo: Hostinfo::default(),
            ephemeral: false,
            version: CapabilityVersion::MINIMUM,
            address: address.parse().unwrap(),
            created: Timestamp::from_unix_seconds(at),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    #[test]
    fn a_machine_that_asks_again_keeps_its_link() {
        let pending = Pending::default();
        let first = pending.ask(asked(1, "192.0.2.1", 0), Rng);
        let again = pending.ask(asked(1, "192.0.2.1", 5), Rng);
        let other = pending.ask(asked(2, "192.0.2.1", 5), Rng);
        assert_eq!(first.token, again.token);
        assert_ne!(first.token, other.token);
        assert_eq!(first.token.len(), 43);
    }

    #[test]
    fn only_the_machine_itself_resumes() {
        let pending = Pending::default();
        let mine = asked(1, "192.0.2.1", 0);
        let token = pending.ask(mine.clone(), Rng).token;
        let resume = |machine, key| pending.resume(&token, machine, key, at(1)).is_some();
        assert!(resume(mine.machine, mine.node_key));
        assert!(!resume(MachineKey::from_bytes([2; 32]), mine.node_key));
        assert!(!resume(mine.machine, NodeKey::from_bytes([2; 32])));
        assert_eq!(pending.look("unknown", at(1)), None);
    }

    #[test]
    fn waiting_ends_after_a_quarter_of_an_hour() {
        let pending = Pending::default();
        let mine = asked(1, "192.0.2.1", 0);
        let token = pending.ask(mine.clone(), Rng).token;
        assert!(pending.look(&token, at(899)).is_some());
        assert!(pending.look(&token, at(900)).is_none());
        let resumed = pending.resume(&token, mine.machine, mine.node_key, at(900));
        assert!(resumed.is_none());
        let renewed = pending.ask(asked(1, "192.0.2.1", 900), Rng);
        assert_ne!(renewed.token, token);
    }

    #[tokio::test]
    async fn whoever_waits_is_woken_by_the_decision() {
        let pending = Pending::default();
        let mut ticket = pending.ask(asked(1, "192.0.2.1", 0), Rng);
        let token = ticket.token.clone();
        let wake = async { pending.leave(&token) };
        let woken = tokio::time::timeout(Duration::from_secs(5), ticket.left());
        let (woken, ()) = tokio::join!(woken, wake);
        woken.unwrap();
        assert!(pending.look(&token, at(1)).is_none());
    }

    #[test]
    fn a_flood_pushes_out_its_own_kind() {
        let pending = Pending::default();
        let honest = pending.ask(asked(1, "198.51.100.1", 0), Rng);
        let mut first = None;
        for n in 0..=MOST_OF_NETWORK {
            let mut flood = asked(2, "192.0.2.1", 0);
            flood.node_key = NodeKey::from_bytes([u8::try_from(n % 256).unwrap(); 32]);
            flood.machine = MachineKey::from_bytes([u8::try_from(2 + n / 256).unwrap(); 32]);
            let ticket = pending.ask(flood, Rng);
            first.get_or_insert(ticket.token);
        }
        assert!(pending.look(&honest.token, at(1)).is_some());
        assert!(pending.look(&first.unwrap(), at(1)).is_none());
        assert_eq!(pending.lock().places.len(), MOST_OF_NETWORK + 1);
    }
}
